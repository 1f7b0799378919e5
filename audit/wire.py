"""What goes over the writer's Unix socket, byte for byte; bounded in size, and in time by both ends.

The writer greets with `GREETING`. A request is the size of its bundle, the number of its entries and the index
from which on they may stand already, or `NEW` (uint32, uint32, uint64, big-endian), then the entries as a tlog-tiles
bundle. A reply is a code (uint8) and the size of what follows (uint32): for `DONE` one index (uint64) for each
entry, else the reason as text. Replies come in the order of the requests.
"""

import os
import socket
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from audit.group import MAX_BATCH, Call
from audit.tiles import TileError, decode_bundle, encode_bundle

GREETING = b"tre-log-writer/1\n"
DONE, STOPPED, REFUSED = 0, 1, 2
NEW = (1 << 64) - 1
"""The index of a request whose entries have never been sent before: none is looked up."""
REQUEST = struct.Struct(">IIQ")
REPLY = struct.Struct(">BI")
MAX_REPLY = 1 << 23
_LONGEST_ADDRESS = 100


class WireError(Exception):
    """Bytes that are no request or no reply."""


def encode_request(since: int | None, entries: Sequence[bytes]) -> bytes:
    """Return the bytes of a request."""
    bundle = encode_bundle(entries)
    return REQUEST.pack(len(bundle), len(entries), NEW if since is None else since) + bundle


def read_requests(received: bytes | bytearray) -> tuple[list[Call], int]:
    """Return the requests that are there to their end, and how many bytes they are. Raises WireError."""
    calls, at, end = [], 0, len(received)
    while end - at >= REQUEST.size:
        size, count, since = REQUEST.unpack_from(received, at)
        if size > MAX_BATCH or not 0 < count <= MAX_REPLY // 8:
            raise WireError("a request that is too large, or empty")
        start = at + REQUEST.size
        if end - start < size:
            break
        at = start + size
        try:
            entries = decode_bundle(bytes(received[start:at]), count)
        except TileError as error:
            raise WireError(str(error)) from error
        calls.append(Call(entries, None if since == NEW else since, size))
    return calls, at


def encode_indexes(indexes: Sequence[int]) -> bytes:
    """Return the reply that gives entries their indexes."""
    return _reply(len(indexes)).pack(DONE, 8 * len(indexes), *indexes)


@lru_cache
def _reply(count: int) -> struct.Struct:
    return struct.Struct(f">BI{count}Q")


def encode_failure(code: int, reason: str) -> bytes:
    """Return the reply that says why there are none."""
    text = reason.encode()
    return REPLY.pack(code, len(text)) + text


def decode_indexes(body: bytes, count: int) -> list[int]:
    """Read the indexes of `count` entries. Raises WireError."""
    if len(body) != 8 * count:
        raise WireError("a reply of another length than the request's")
    return list(struct.unpack(f">{count}Q", body))


@contextmanager
def address(path: Path) -> Iterator[str]:
    """Name a socket so that the operating system takes it: 107 bytes are all that it allows."""
    if len(os.fsencode(path)) <= _LONGEST_ADDRESS:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def connect(path: Path, timeout: float) -> socket.socket:
    """Connect to a writer's socket. Raises OSError."""
    found = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        found.settimeout(timeout)
        with address(path) as name:
            found.connect(name)
    except BaseException:
        found.close()
        raise
    return found
