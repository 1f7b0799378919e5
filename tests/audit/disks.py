"""File layers that fail: errors on the nth operation, and a model of a loss of power."""

import errno
import threading
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

from audit.files import File, Files, Mode, OsFiles

SECTOR = 4096


class PowerLossError(BaseException):
    """The machine stops here; a BaseException, as nothing may handle it."""


class WatchedFiles:
    """Calls `before(kind)` ahead of every change that reaches the disk; what that raises takes its place."""

    def __init__(self, before: Callable[[str], None], inner: Files | None = None) -> None:
        self.before = before
        self.inner = inner or OsFiles()

    def open(self, path: Path, mode: Mode) -> "WatchedFile":
        if mode == "create":
            self.before("create")
        return WatchedFile(self.inner.open(path, mode), self.before)

    def make_folder(self, path: Path) -> None:
        self.inner.make_folder(path)

    def flush_folder(self, path: Path) -> None:
        self.before("flush")
        self.inner.flush_folder(path)


class WatchedFile:
    def __init__(self, inner: File, before: Callable[[str], None]) -> None:
        self.inner, self.before = inner, before
        self.read, self.size, self.lock, self.close = inner.read, inner.size, inner.lock, inner.close

    def write(self, data: bytes, position: int) -> None:
        try:
            self.before("write")
        except OSError:
            # A disk that fills up has taken a part.
            self.inner.write(data[: len(data) // 2], position)
            raise
        self.inner.write(data, position)

    def flush(self) -> None:
        self.before("flush")
        self.inner.flush()

    def truncate(self, size: int) -> None:
        self.before("truncate")
        self.inner.truncate(size)


class FailOn:
    """Counts operations and raises an OSError at the nth, once: a retry would succeed, and must not be tried."""

    def __init__(self, nth: int | None, code: int = errno.EIO) -> None:
        self.nth, self.code, self.count = nth, code, 0

    def __call__(self, _: str) -> None:
        self.count += 1
        if self.count == self.nth:
            raise OSError(self.code, "injected")


class SlowFlush:
    """Counts flushes, each of which takes a moment."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.flushes = seconds, 0
        self.mutex = threading.Lock()

    def __call__(self, kind: str) -> None:
        if kind == "flush":
            with self.mutex:
                self.flushes += 1
            time.sleep(self.seconds)


class MemoryDisk:
    """A disk in memory that knows what would survive: `stop_at` is the operation at which the power goes."""

    def __init__(self, files: dict[Path, bytes] | None = None, stop_at: int | None = None) -> None:
        self.files = {path: MemoryFile(self, data) for path, data in (files or {}).items()}
        self.named = set(self.files)
        self.stop_at, self.operations = stop_at, 0

    def tick(self) -> None:
        self.operations += 1
        if self.operations == self.stop_at:
            raise PowerLossError

    def open(self, path: Path, mode: Mode) -> "MemoryFile":
        if path not in self.files:
            if mode != "create":
                raise FileNotFoundError(path)
            self.tick()
            self.files[path] = MemoryFile(self, b"")
        return self.files[path]

    def make_folder(self, path: Path) -> None:
        path.mkdir(parents=True, exist_ok=True)

    def flush_folder(self, path: Path) -> None:
        self.tick()
        self.named |= {one for one in self.files if one.parent == path}

    def survivors(self, random: Random) -> dict[Path, bytes]:
        """What is on the disk after the loss: any subset of what was not flushed."""
        kept = (path for path in self.files if path in self.named or random.random() < 0.5)
        return {path: self.files[path].survivor(random) for path in kept}


class MemoryFile:
    def __init__(self, disk: MemoryDisk, data: bytes) -> None:
        self.disk = disk
        self.live = bytearray(data)
        self.durable = bytes(data)
        self.dirty: set[int] = set()

    def read(self, count: int, position: int) -> bytes:
        return bytes(self.live[position : position + count])

    def write(self, data: bytes, position: int) -> None:
        end = position + len(data)
        self.live.extend(bytes(max(end - len(self.live), 0)))
        self.live[position:end] = data
        self.dirty.update(range(position // SECTOR, (end + SECTOR - 1) // SECTOR))
        self.disk.tick()

    def flush(self) -> None:
        self.disk.tick()
        self.durable = bytes(self.live)
        self.dirty.clear()
        self.disk.tick()

    def size(self) -> int:
        return len(self.live)

    def truncate(self, size: int) -> None:
        self.live.extend(bytes(max(size - len(self.live), 0)))
        del self.live[size:]
        self.disk.tick()

    def lock(self) -> bool:
        return True

    def close(self) -> None:
        pass

    def survivor(self, random: Random) -> bytes:
        size = random.choice([len(self.durable), len(self.live)])
        image = bytearray(self.durable[:size].ljust(size, b"\0"))
        for sector in sorted(self.dirty):
            if random.random() < 0.5:
                start = sector * SECTOR
                image[start : start + SECTOR] = self.live[start : start + SECTOR]
        return bytes(image[:size])
