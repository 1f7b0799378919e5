"""Working folders that hold private rows: gone when their work ends, and swept when it was killed."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tre.engines import VERSION_FILE

PREFIX = ".onboarding-"


@contextmanager
def working_folder(parent: Path, forget: Callable[[Path], bool] = lambda _folder: True) -> Iterator[Path]:
    """Yield a new folder (0700) below `parent` that is gone afterwards as `sweep` removes one, unless it was renamed.

    It is locked while this process lives, so that `sweep` can tell it from one whose process was killed.
    """
    parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _locked(parent):
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent.resolve()))
        handle = _lock(folder, wait=False)
    try:
        yield folder
    finally:
        with suppress(OSError):
            _remove(folder, forget)
        os.close(handle)


def sweep(*parents: Path, forget: Callable[[Path], bool]) -> int:
    """Remove the working folders below `parents` that no living process holds; return how many they were.

    To be called with a home's `versions` and `spill` before every onboarding and when a server starts: after a
    SIGKILL nobody else removes the private rows in them, nor in the server that `forget` asks to (`forgetting`). A
    folder that this says has to stay holds the name of its schema alone. Raises OSError where one cannot be removed.
    """
    return sum(_sweep(parent, forget) for parent in parents if parent.is_dir())


def _sweep(parent: Path, forget: Callable[[Path], bool]) -> int:
    removed = 0
    with _locked(parent):
        for folder in sorted(parent.glob(f"{PREFIX}*")):
            with suppress(BlockingIOError, FileNotFoundError):
                handle = _lock(folder, wait=False)
                try:
                    removed += _remove(folder, forget)
                finally:
                    os.close(handle)
    return removed


def _remove(folder: Path, forget: Callable[[Path], bool]) -> bool:
    """Remove the rows first, and the name of their schema when there is no such schema."""
    for one in folder.iterdir():
        if one.is_dir() and not one.is_symlink():
            shutil.rmtree(one)
        elif one.name != VERSION_FILE:
            one.unlink()
    if not forget(folder):
        return False
    shutil.rmtree(folder)
    return True


@contextmanager
def _locked(parent: Path) -> Iterator[None]:
    """Hold the folder `parent` itself: between making a working folder and locking it nobody sweeps."""
    handle = _lock(parent, wait=True)
    try:
        yield
    finally:
        os.close(handle)


def _lock(folder: Path, *, wait: bool) -> int:
    """Lock a folder until the returned handle is closed or the process ends; BlockingIOError if another holds it.

    The lock is the kernel's (flock), so that it ends with the process however that ends; a child started by
    exec does not inherit it.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BaseException:
        os.close(handle)
        raise
    return handle
