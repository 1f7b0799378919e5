"""The command line: how long `tre --help` takes."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from bench.houses import ROOT
from bench.report import Report, Target, milliseconds
from bench.scale import Scale


def run(_folder: Path, scale: Scale) -> Report:
    """Run the command and an empty Python in turn."""
    own, plain = [], []
    for _ in range(scale.of(30, 2)):
        own.append(_seconds("-m", "tre.cli", "--help"))
        plain.append(_seconds("-c", "pass"))
    mine, empty = milliseconds("tre --help", own), milliseconds("python -c pass", plain)
    return Report(
        "The command line",
        "Each command imports what it needs and no more, so that help is instant.",
        (mine, empty),
        (
            Target("`tre --help`, median", "ms", mine.median, 300),
            Target("against an empty Python", "×", mine.median / empty.median),
        ),
    )


def _seconds(*arguments: str) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, *arguments], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began
