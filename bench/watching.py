"""What a served house's engine holds while it is asked: its peak memory, and the most that it has spilled to disk."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.houses import Served

MEBI = 1024**2
_SECONDS = 0.05


@dataclass
class Peak:
    """Mebibytes: the most that an engine process ever held resident, and that all had on disk at one moment."""

    resident: float = 0.0
    spilled: float = 0.0

    def look(self, house: Served) -> None:
        """Take what stands now."""
        files = (file for file in (house.home / "spill").rglob("*") if file.is_file())
        self.spilled = max(self.spilled, sum(map(_size, files)) / MEBI)
        self.resident = max([self.resident, *map(_most_resident, house.engines())])


@contextmanager
def watched(house: Served) -> Iterator[Peak]:
    """Yield what is seen until the end."""
    peak, ended = Peak(), threading.Event()

    def watch() -> None:
        while not ended.wait(_SECONDS):
            peak.look(house)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield peak
    finally:
        ended.set()
        watcher.join()
        peak.look(house)


def _size(file: Path) -> int:
    try:
        return file.stat().st_blocks * 512
    except OSError:  # it is gone again
        return 0


def _most_resident(process: int) -> float:
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((float(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:")), 0.0)
