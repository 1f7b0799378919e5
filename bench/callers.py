"""Callers of the log's writer, each with a connection of its own, from one process that waits for all of them at once.

A process or thread for each caller would measure those: here a caller costs what its two system calls do.
"""

from __future__ import annotations

import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from audit.wire import DONE, GREETING, REPLY, connect, encode_request
from bench.houses import ROOT

_REPLY = REPLY.size + 8


@contextmanager
def writing(folder: Path) -> Iterator[Path]:
    """Have the log in `folder` written by a process of its own; yield its socket."""
    log = ["--log", str(folder / "log"), "--head", str(folder / "head"), "--key", str(folder / "log.key")]
    command = [sys.executable, "-m", "audit", "serve", *log, "--socket", str(folder / "socket")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as writer:
        try:
            if writer.stdout is None or not writer.stdout.readline():
                raise RuntimeError("the log's writer did not start")
            yield folder / "socket"
        finally:
            writer.terminate()


def together(path: Path, callers: Sequence[Iterable[bytes]]) -> float:
    """Append every caller's entries, each when the one before it is acknowledged; return the seconds."""
    asked = [[encode_request(None, [entry]) for entry in entries] for entries in callers]
    with ExitStack() as opened, selectors.DefaultSelector() as selector:
        for requests in asked:
            connection = opened.enter_context(connect(path, 10))
            if connection.recv(len(GREETING), socket.MSG_WAITALL) != GREETING:
                raise RuntimeError("not the log's writer")
            selector.register(connection, selectors.EVENT_READ, iter(requests))
        began = time.perf_counter()
        for key in list(selector.get_map().values()):
            _ask(selector, key)
        while selector.get_map():
            for key, _ in selector.select():
                _acknowledged(key)
                _ask(selector, key)
        return time.perf_counter() - began


def _ask(selector: selectors.BaseSelector, key: selectors.SelectorKey) -> None:
    request = next(key.data, None)
    if request is None:
        selector.unregister(key.fileobj)
    else:
        key.fileobj.sendall(request)  # type: ignore[union-attr]


def _acknowledged(key: selectors.SelectorKey) -> None:
    reply = key.fileobj.recv(_REPLY, socket.MSG_WAITALL)  # type: ignore[union-attr]
    if len(reply) != _REPLY or reply[0] != DONE:
        raise RuntimeError("the log's writer has stopped")
