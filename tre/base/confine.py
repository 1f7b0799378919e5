"""What a child process of this house does first, before it reads a message or a secret."""

from __future__ import annotations

import ctypes
import os
import resource
import signal

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4


def private_pipes() -> tuple[int, int]:
    """Return descriptors for commands and replies (once the standard ones); the standard streams now go nowhere."""
    commands, replies = os.dup(0), os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    return commands, replies


def confine() -> None:
    """Die with the thread that made this process and by nothing milder; leave no core file; be traced by nobody."""
    libc = ctypes.CDLL(None)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    libc.prctl(_PR_SET_DUMPABLE, 0)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Terminals and service managers send these to every process of a server, which first finishes what runs.
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, signal.SIG_IGN)
