"""Working folders that hold private rows: gone when their work ends, and swept when it was killed."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX = ".onboarding-"


@contextmanager
def working_folder(parent: Path) -> Iterator[Path]:
    """Yield a new folder (0700) below `parent` that is gone afterwards, unless it was renamed.

    It is locked while this process lives, so that `sweep` can tell it from one whose process was killed.
    """
    parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _locked(parent):
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent.resolve()))
        handle = _lock(folder, wait=False)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(handle)


def sweep(*parents: Path) -> int:
    """Remove the working folders below `parents` that no living process holds; return how many they were.

    To be called with a home's `versions` and `spill` before every onboarding and when a server starts: after a
    SIGKILL nobody else removes the private rows in them. Raises OSError where one cannot be removed.
    """
    return sum(_sweep(parent) for parent in parents if parent.is_dir())


def _sweep(parent: Path) -> int:
    removed = 0
    with _locked(parent):
        for folder in sorted(parent.glob(f"{PREFIX}*")):
            with suppress(BlockingIOError, FileNotFoundError):
                handle = _lock(folder, wait=False)
                try:
                    shutil.rmtree(folder)
                finally:
                    os.close(handle)
                removed += 1
    return removed


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
