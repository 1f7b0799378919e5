"""The handle on a log whose writer is another process: reads the folder, appends through the writer's socket."""

import os
import socket
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from audit.files import Files
from audit.group import Call, Group, checked
from audit.log import LogStoppedError
from audit.reader import LogError, LogReader
from audit.wire import (
    DONE,
    GREETING,
    MAX_REPLY,
    REPLY,
    WireError,
    connect,
    decode_indexes,
    encode_request,
)

PATIENCE = 30.0
"""Seconds in which the writer must have answered: it commits in less than one, also with a slow disk."""


class RemoteLog(LogReader):
    """A log written by another process (`audit.service`). Its methods may be called from many threads."""

    def __init__(self, folder: Path, path: Path, *, patience: float = PATIENCE, files: Files | None = None) -> None:
        """Open the log folder for reading, and connect to the writer's socket at `path`.

        Raises LogError when it is no log folder, or no writer answers.
        """
        super().__init__(folder, files)
        self._path, self._patience = path, patience
        self._talking = threading.Lock()
        self._group = Group(self._commit)
        self._socket: socket.socket | None = None
        self._process = os.getpid()
        try:
            self._seen = self.size
            self._deadline = time.monotonic() + patience
            self._socket = self._connected()
        except (OSError, WireError) as error:
            super().close()
            raise LogError(f"no writer of the log answers at {path}: {_text(error)}") from error

    def append(self, entries: Sequence[bytes], since: int | None = None) -> list[int]:
        """Append entries in this order; return their indexes once they are durable under a signed head.

        Like `audit.log.Log.append`; where the connection is lost the writer is asked once more, which drops what
        it has already. Raises ValueError, and LogStoppedError when the writer stopped or does not answer: then
        whether the entries are in the log is known by asking again, with the log's size before the first time as
        `since`.
        """
        call = Call(entries, since, checked(entries))
        if not entries:
            return []
        if self._process != os.getpid():
            raise LogStoppedError("a forked copy of the writer's handle must not write")
        self._group.submit(call)
        if call.indexes is None:
            raise LogStoppedError(f"the log's writer: {_text(call.error)}") from call.error
        return list(call.indexes)

    def close(self) -> None:
        """Close the connection and the files."""
        with self._talking:
            self._drop()
            super().close()

    def _commit(self, calls: Sequence[Call]) -> None:
        since = min((call.since for call in calls if call.since is not None), default=None)
        entries = [entry for call in calls for entry in call.entries]
        with self._talking:
            indexes = self._asked(since, entries)
        self._seen = max(self._seen, max(indexes) + 1)
        for call in calls:
            count = len(call.entries)
            call.indexes, indexes = indexes[:count], indexes[count:]

    def _asked(self, since: int | None, entries: Sequence[bytes]) -> list[int]:
        self._deadline = time.monotonic() + self._patience
        try:
            return self._ask(encode_request(since, entries), len(entries))
        except ConnectionError:
            # They may stand by now: behind all that had been acknowledged before they were sent.
            return self._ask(encode_request(self._seen if since is None else since, entries), len(entries))

    def _ask(self, request: bytes, count: int) -> list[int]:
        """Send a request and return its answer; a connection that failed in any way is not used again."""
        try:
            if self._socket is None:
                self._socket = self._connected()
            self._socket.settimeout(self._left())
            self._socket.sendall(request)
            code, size = REPLY.unpack(self._receive(self._socket, REPLY.size))
            if size > MAX_REPLY:
                raise WireError("a reply that is too long")
            body = self._receive(self._socket, size)
            if code != DONE:
                raise WireError(body.decode("utf-8", "replace"))
            return decode_indexes(body, count)
        except BaseException:
            self._drop()
            raise

    def _connected(self) -> socket.socket:
        found = connect(self._path, self._left())
        try:
            if self._receive(found, len(GREETING)) != GREETING:
                raise WireError("what listens there is no writer of this release")
        except BaseException:
            found.close()
            raise
        return found

    def _receive(self, connection: socket.socket, count: int) -> bytes:
        data = bytearray()
        while len(data) < count:
            connection.settimeout(self._left())
            more = connection.recv(count - len(data))
            if not more:
                raise ConnectionResetError("it closed the connection")
            data += more
        return bytes(data)

    def _left(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def _drop(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def _text(error: BaseException | None) -> str:
    """Return an error's words; of the operating system's, without its number."""
    if isinstance(error, TimeoutError):
        return "it did not answer in time"
    return (isinstance(error, OSError) and error.strerror) or str(error)
