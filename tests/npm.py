"""Packages of npm that tests are made with: installed once outside the tree, by one of several test processes."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.support import require


def installed(name: str, prepare: Callable[[Path], list[str]]) -> Path:
    """Return the folder that `npm` filled with what `prepare` asked for.

    `name` names the folder and with it the versions in it. `prepare` gets the folder and returns npm's arguments.
    """
    npm = shutil.which("npm")
    require(npm and shutil.which("node"), "npm not found: install Node.js 20 or later (apt-get install nodejs npm)")
    folder = Path(tempfile.gettempdir()) / f"tre-tests-{os.getuid()}-{name}"
    folder.mkdir(mode=0o700, exist_ok=True)
    done = folder / "installed"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            command = [str(npm), *prepare(folder), "--ignore-scripts", "--no-audit", "--no-fund"]
            made = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=240, check=False)
            require(made.returncode == 0, f"{name} is missing: npm failed in {folder}: {made.stderr[-300:]}")
            done.touch()
    return folder


def package(spec: str) -> Path:
    """Return the folder with the package `spec` (name@version) in its `node_modules`."""
    return installed(spec.strip("@").replace("/", "-"), lambda folder: ["install", "--prefix", str(folder), spec])
