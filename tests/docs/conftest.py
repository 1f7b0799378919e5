"""One demonstration for all tests of the manual, made as `make demo` makes it and served as `make serve` does."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

BIN = Path(sys.executable).parent
SECONDS = 120.0


@dataclass(frozen=True)
class Demonstration:
    """A folder that has the demonstration's home in `.demo`, and what the demonstration said."""

    folder: Path
    said: str


@pytest.fixture(scope="session")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> Demonstration:
    folder = tmp_path_factory.mktemp("checkout")
    command = [sys.executable, "-m", "tre.cli", "demo", "--home", ".demo", "--people", "1000"]
    found = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=SECONDS)
    assert found.returncode == 0, found.stdout + found.stderr
    return Demonstration(folder, found.stdout)


@pytest.fixture(scope="session")
def address(demonstration: Demonstration) -> Iterator[str]:
    """Host and port at which the demonstration is served."""
    with served(demonstration.folder / ".demo") as found:
        yield found


@contextmanager
def served(home: Path) -> Iterator[str]:
    """Serve a home on a free port; yield host and port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    command = [sys.executable, "-m", "tre.cli", "serve", "--port", address.partition(":")[2]]
    server = subprocess.Popen(
        command, env={**os.environ, "TRE_HOME": str(home)}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _await(f"http://{address}/healthz", server)
        yield address
    finally:
        server.terminate()
        server.wait(SECONDS)


def _await(url: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        assert server.poll() is None, "the server ended"
        try:
            if requests.get(url, timeout=2).ok:
                return
        except requests.RequestException:
            time.sleep(0.1)
    raise AssertionError("the server did not start")
