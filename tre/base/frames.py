"""Length-framed messages over a pipe: the only way in and out of a confined child process."""

from __future__ import annotations

import os
import select
import struct
import time

_LENGTH = struct.Struct(">Q")
_CHUNK = 1 << 20


class Broken(Exception):  # noqa: N818 - a state of the pipe
    """The other end closed the pipe, or the deadline passed."""


def send(pipe: int, *parts: bytes) -> None:
    """Write one message of several parts to the file descriptor `pipe`."""
    head = _LENGTH.pack(len(parts)) + b"".join(_LENGTH.pack(len(part)) for part in parts)
    for part in (head, *parts):
        view = memoryview(part)
        while view:
            view = view[os.write(pipe, view[:_CHUNK]) :]


def receive(pipe: int, deadline: float | None = None, most: int | None = None) -> tuple[bytes, ...]:
    """Read one message; Broken at end of file, past the monotonic time `deadline`, or beyond `most` bytes."""
    count = _LENGTH.unpack(_exactly(pipe, 8, deadline))[0]
    lengths = [_LENGTH.unpack(_exactly(pipe, 8, deadline))[0] for _ in range(count)]
    if most is not None and sum(lengths) > most:
        raise Broken("size")
    return tuple(_exactly(pipe, length, deadline) for length in lengths)


def _exactly(pipe: int, length: int, deadline: float | None) -> bytes:
    found = bytearray()
    while len(found) < length:
        if deadline is not None and not select.select([pipe], [], [], max(0.0, deadline - time.monotonic()))[0]:
            raise Broken("deadline")
        chunk = os.read(pipe, min(_CHUNK, length - len(found)))
        if not chunk:
            raise Broken("closed")
        found += chunk
    return bytes(found)
