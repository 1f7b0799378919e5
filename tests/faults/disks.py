"""Real disks for the tests: a small one that fills, and a folder that is read only."""

import os
import shutil
import subprocess
from contextlib import contextmanager, suppress

from tests.support import require


def _mount(*arguments):
    done = os.geteuid() == 0 and subprocess.run(["mount", *map(str, arguments)], capture_output=True).returncode == 0
    require(done, "mounting a file system needs root, and a machine that permits it")


@contextmanager
def small_disk(folder, megabytes):
    """Put what is in `folder` on a disk of its own, of this size, while the block lasts; it is kept afterwards."""
    kept = folder.with_name(f"{folder.name}-kept")
    shutil.copytree(folder, kept, copy_function=shutil.copy2)
    _mount("-t", "tmpfs", "-o", f"size={megabytes}m,mode=700", "tmpfs", folder)
    try:
        shutil.copytree(kept, folder, dirs_exist_ok=True, copy_function=shutil.copy2)
        yield
        shutil.rmtree(kept)
        shutil.copytree(folder, kept, copy_function=shutil.copy2)
    finally:
        subprocess.run(["umount", "-l", folder], check=True)
        shutil.copytree(kept, folder, dirs_exist_ok=True, copy_function=shutil.copy2)


@contextmanager
def read_only(folder):
    """Let nobody write into `folder`, not even root, while the block lasts."""
    _mount("--bind", folder, folder)
    try:
        _mount("-o", "remount,ro,bind", folder)
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


def fill(folder):
    """Write into `folder` until its disk is full; return the file that does."""
    file = folder / "filling"
    with file.open("wb", buffering=0) as filling, suppress(OSError):
        while True:
            filling.write(bytes(1 << 16))
    with file.open("ab", buffering=0) as filling, suppress(OSError):
        while True:
            filling.write(b"\0")
    return file
