"""The log's writer as a process of its own, behind a Unix socket.

One thread does everything in turn: it takes what all callers have sent, commits it in one batch, and answers.
What arrives while a batch is being flushed waits in the sockets, and goes into the next one.

Who may connect: the socket's mode says so, and the kernel's word on the peer's user (SO_PEERCRED) is checked too.
After a failure of the disk every caller is told, the process ends with an error, and must not be started again
before somebody has looked at the disk.
"""

import asyncio
import os
import signal
import socket
import stat
import struct
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path

from audit.group import Call, how_many
from audit.log import Log
from audit.reader import LogError
from audit.wire import (
    GREETING,
    REFUSED,
    STOPPED,
    WireError,
    address,
    connect,
    encode_failure,
    encode_indexes,
    take_request,
)

MAX_CALLERS = 128
LIMIT = 10.0
"""Seconds in which a caller must finish a request that it has begun, or take the answer."""
_CREDENTIALS = struct.Struct("3i")  # pid, uid, gid: struct ucred of unix(7)


def listen(path: Path, *, group: int | None = None) -> socket.socket:
    """Make the socket, for this user alone, or for `group` too.

    Called by who holds the log's lock: a socket that a killed writer left is replaced. Raises LogError when
    somebody answers there or it is no socket, OSError.
    """
    _clear(path)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        before = os.umask(0o177)
        try:
            with address(path) as name:
                listening.bind(name)
        finally:
            os.umask(before)
        if group is not None:
            os.chown(path, -1, group)
            path.chmod(0o660)
        listening.listen(MAX_CALLERS)
    except BaseException:
        listening.close()
        raise
    return listening


def _clear(path: Path) -> None:
    try:
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise LogError(f"{path} is no socket: it is left alone")
        connect(path, LIMIT).close()
    except FileNotFoundError:
        return
    except ConnectionRefusedError:
        path.unlink()
    else:
        raise LogError(f"another writer answers at {path}")


class Service:
    """Serves one open log to many callers."""

    def __init__(self, log: Log, users: Collection[int] | None = None) -> None:
        """`users` may connect; where they are not named, this process's own alone."""
        self._log = log
        self._users = frozenset({os.geteuid()} if users is None else users)
        self._callers: set[_Caller] = set()
        self._pending: list[tuple[_Caller, Call]] = []
        self._failure: BaseException | None = None

    async def run(self, listening: socket.socket, ready: Callable[[], None]) -> None:
        """Answer until SIGTERM or SIGINT. Raises what stopped the log's writer."""
        loop = asyncio.get_running_loop()
        self._ended = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._ended.set)
        server = await loop.create_unix_server(lambda: _Caller(self), sock=listening)
        ready()
        await self._ended.wait()
        server.close()
        while self._pending and self._failure is None:
            self._commit()
        for caller in list(self._callers):
            caller.close()
        if self._failure is not None:
            raise self._failure

    def admit(self, caller: "_Caller", user: int) -> bool:
        """Tell whether the kernel names a user who may connect, and there is room."""
        if user not in self._users or len(self._callers) >= MAX_CALLERS or self._ended.is_set():
            return False
        self._callers.add(caller)
        return True

    def leave(self, caller: "_Caller") -> None:
        """Forget a caller. What it sent whole is committed all the same: it may ask again."""
        self._callers.discard(caller)

    def take(self, caller: "_Caller", call: Call) -> None:
        """Take a request in: it goes with all that is here when the loop comes to it."""
        if not self._pending:
            asyncio.get_running_loop().call_soon(self._commit)
        self._pending.append((caller, call))

    def _commit(self) -> None:
        count = how_many([call for _, call in self._pending])
        batch, self._pending = self._pending[:count], self._pending[count:]
        if not batch:
            return
        try:
            self._log.commit([call for _, call in batch])
        except BaseException as error:
            self._stop(error, batch)
            if not isinstance(error, Exception):
                raise
        else:
            for caller, call in batch:
                caller.reply(encode_indexes(call.indexes or ()))
            if self._pending:
                asyncio.get_running_loop().call_soon(self._commit)

    def _stop(self, error: BaseException, batch: list[tuple["_Caller", Call]]) -> None:
        self._failure = error
        refusal = encode_failure(STOPPED, "it has stopped; its own output says why")
        for caller, _ in (*batch, *self._pending):
            caller.reply(refusal)
        self._pending = []
        self._ended.set()


class _Caller(asyncio.Protocol):
    """One connection."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._buffer = bytearray()
        self._limit: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        peer: socket.socket = transport.get_extra_info("socket")
        _, user, _ = _CREDENTIALS.unpack(peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))
        if self._service.admit(self, user):
            transport.write(GREETING)
        else:
            transport.abort()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        try:
            while (call := take_request(self._buffer)) is not None:
                self._service.take(self, call)
                self._expect(False)
        except WireError as error:
            self.reply(encode_failure(REFUSED, str(error)))
            self._transport.close()
        self._expect(bool(self._buffer))

    def reply(self, data: bytes) -> None:
        self._transport.write(data)

    def close(self) -> None:
        self._transport.close()

    def pause_writing(self) -> None:
        """Its answers pile up: nothing more is taken from it until it has read them, within the limit."""
        self._transport.pause_reading()
        self._expect(True)

    def resume_writing(self) -> None:
        self._transport.resume_reading()
        self._expect(bool(self._buffer))

    def connection_lost(self, _error: Exception | None) -> None:
        self._expect(False)
        self._service.leave(self)

    def _expect(self, something: bool) -> None:
        """Give the caller its time to go on; a request that is under way keeps the time that it has."""
        if something and self._limit is None:
            self._limit = asyncio.get_running_loop().call_later(LIMIT, self._transport.abort)
        elif not something and self._limit is not None:
            self._limit.cancel()
            self._limit = None


def serve(
    log: Log,
    path: Path,
    *,
    users: Collection[int] | None = None,
    group: int | None = None,
    ready: Callable[[], None] = lambda: None,
) -> None:
    """Serve an open log at the socket `path` until SIGTERM or SIGINT; remove the socket.

    `ready` is called when callers may come. Raises LogError, OSError; and what stopped the log's writer.
    """
    listening = listen(path, group=group)
    try:
        asyncio.run(Service(log, users).run(listening, ready))
    finally:
        with suppress(OSError):
            path.unlink()
