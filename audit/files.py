"""The file layer: the few operations by which the log touches a disk, handed in so that tests inject faults."""

import fcntl
import os
from pathlib import Path
from typing import Literal, Protocol

Mode = Literal["read", "write", "create"]
_FLAGS = {"read": os.O_RDONLY, "write": os.O_RDWR, "create": os.O_RDWR | os.O_CREAT}


class File(Protocol):
    """An open file, read and written by position. Every method raises OSError."""

    def read(self, count: int, position: int) -> bytes:
        """Up to `count` bytes from `position`; fewer only at the end of the file."""

    def write(self, data: bytes, position: int) -> None:
        """All of `data`, or an error."""

    def flush(self) -> None:
        """Return when what was written, and the size, would survive a loss of power."""

    def size(self) -> int: ...
    def truncate(self, size: int) -> None: ...
    def lock(self) -> bool:
        """Take the file's exclusive lock until it is closed; False when somebody else holds it."""

    def close(self) -> None: ...


class Files(Protocol):
    """The disk. Every method raises OSError."""

    def open(self, path: Path, mode: Mode) -> File:
        """Open for reading, or for writing what exists, or create where absent."""

    def make_folder(self, path: Path) -> None:
        """Make a folder, and those above it; nothing when it exists."""

    def flush_folder(self, path: Path) -> None:
        """Return when the names in the folder would survive a loss of power."""


class OsFile:
    """A file of the operating system."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def read(self, count: int, position: int) -> bytes:
        data = os.pread(self._descriptor, count, position)
        while 0 < len(data) < count:
            more = os.pread(self._descriptor, count - len(data), position + len(data))
            if not more:
                break
            data += more
        return data

    def write(self, data: bytes, position: int) -> None:
        done = os.pwrite(self._descriptor, data, position)
        while done < len(data):
            done += os.pwrite(self._descriptor, data[done:], position + done)

    def flush(self) -> None:
        os.fdatasync(self._descriptor)

    def size(self) -> int:
        return os.fstat(self._descriptor).st_size

    def truncate(self, size: int) -> None:
        os.ftruncate(self._descriptor, size)

    def lock(self) -> bool:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def close(self) -> None:
        # The number is forgotten: the next file to be opened gets it, and must never be written through here.
        descriptor, self._descriptor = self._descriptor, -1
        os.close(descriptor)


class OsFiles:
    """The operating system's files; what is made can be read by the owner alone, or `shared` with the group."""

    def __init__(self, *, shared: bool = False) -> None:
        self._file, self._folder = (0o640, 0o750) if shared else (0o600, 0o700)

    def open(self, path: Path, mode: Mode) -> OsFile:
        return OsFile(os.open(path, _FLAGS[mode], self._file))

    def make_folder(self, path: Path) -> None:
        path.mkdir(mode=self._folder, parents=True, exist_ok=True)

    def flush_folder(self, path: Path) -> None:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
