"""Length-framed messages over a pipe: the only way in and out of a confined child process."""

from __future__ import annotations

import os
import select
import struct
import time

PIPE = 1 << 20
"""Bytes that a pipe of long messages should hold: what an unprivileged process may ask of Linux."""

_LENGTH = struct.Struct(">Q")


class Broken(Exception):  # noqa: N818 - a state of the pipe
    """The other end closed the pipe, or the deadline passed."""


def send(pipe: int, *parts: bytes | bytearray | memoryview) -> None:
    """Write one message of several parts to the file descriptor `pipe`."""
    views = [memoryview(part).cast("B") if len(part) else memoryview(b"") for part in parts]
    head = _LENGTH.pack(len(views)) + b"".join(_LENGTH.pack(len(view)) for view in views)
    for view in (memoryview(head), *views):
        while view:
            view = view[os.write(pipe, view[:PIPE]) :]


def receive(pipe: int, deadline: float | None = None, most: int | None = None) -> tuple[bytearray, ...]:
    """Read one message; Broken at end of file, past the monotonic time `deadline`, or beyond `most` bytes."""
    count = _LENGTH.unpack(_exactly(pipe, 8, deadline))[0]
    lengths = [_LENGTH.unpack(_exactly(pipe, 8, deadline))[0] for _ in range(count)]
    if most is not None and sum(lengths) > most:
        raise Broken("size")
    return tuple(_exactly(pipe, length, deadline) for length in lengths)


def _exactly(pipe: int, length: int, deadline: float | None) -> bytearray:
    # Read to where it stays: a column of a million tokens is not copied once more for every hand it goes through.
    found = bytearray(length)
    with memoryview(found) as rest:
        while rest:
            if deadline is not None and not select.select([pipe], [], [], max(0.0, deadline - time.monotonic()))[0]:
                raise Broken("deadline")
            if not (read := os.readv(pipe, [rest])):
                raise Broken("closed")
            rest = rest[read:]
    return found
