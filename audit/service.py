"""The log's writer as a process of its own, behind a Unix socket.

One thread does everything in turn: it takes what all callers have sent, commits it in one batch, and answers.
What arrives while a batch is being flushed waits in the sockets, and goes into the next one.

Who may connect: the socket's mode says so, and the kernel's word on the peer's user (SO_PEERCRED) is checked too.
After a failure of the disk every caller is told, the process ends with an error, and must not be started again
before somebody has looked at the disk.
"""

import os
import select
import signal
import socket
import stat
import struct
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from itertools import repeat
from pathlib import Path

from audit.caller import Caller
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
)

MAX_CALLERS = 128
LIMIT = 10.0
"""Seconds in which a caller must finish a request that it has begun, or take the answer."""
_LOOKS = 8
"""How often the sockets are looked at before what they brought is committed."""
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

    def __init__(self, log: Log, listening: socket.socket, users: Collection[int] | None = None) -> None:
        """`users` may connect; where they are not named, this process's own alone."""
        self._log, self._listening = log, listening
        self._users = frozenset({os.geteuid()} if users is None else users)
        self._epoll = select.epoll()
        self._callers: dict[int, Caller] = {}  # by descriptor
        # Until when each must have gone on: in the order of time, since all have equally long.
        self._limits: dict[Caller, float] = {}
        self._pending: list[tuple[Caller, Call]] = []
        self._told = False

    def run(self, told: socket.socket, ready: Callable[[], None] = lambda: None) -> None:
        """Answer until something can be read from `told`. Raises what stopped the log's writer."""
        self._listening.setblocking(False)
        with self._epoll:
            for readable in (self._listening, told):
                self._epoll.register(readable, select.EPOLLIN)
            ready()
            try:
                while not self._told:
                    self._turn()
            finally:
                for caller in list(self._callers.values()):
                    self._leave(caller)

    def _turn(self) -> None:
        """Take what has arrived, commit it, answer."""
        patience = self._patience()
        for _ in range(_LOOKS):
            # Those who were answered last send while the others are read: one flush is for all of them.
            if not self._take(patience) or self._told or len(self._pending) >= len(self._callers):
                break
            patience = 0
        while self._pending:
            self._commit()

    def _take(self, patience: float | None) -> bool:
        """Take what has arrived, or arrives within so many seconds; return whether there was anything."""
        found = self._epoll.poll(patience)
        for descriptor, event in found:
            caller = self._callers.get(descriptor)
            if caller is None:
                self._admit_or_end(descriptor)
            elif event & select.EPOLLOUT:
                self._send_rest(caller)
            else:
                self._receive(caller)
        return bool(found)

    def _admit_or_end(self, descriptor: int) -> None:
        if descriptor == self._listening.fileno():
            self._admit()
        else:
            self._told = True

    def _commit(self) -> None:
        count = how_many([call for _, call in self._pending])
        batch, self._pending = self._pending[:count], self._pending[count:]
        try:
            self._log.commit([call for _, call in batch])
        except BaseException:
            for caller, _ in (*batch, *self._pending):
                self._send(caller, encode_failure(STOPPED, "it has stopped; its own output says why"))
            raise
        for caller, call in batch:
            self._send(caller, encode_indexes(call.indexes or ()))

    def _admit(self) -> None:
        """Let in whoever is of a user who may connect, by the kernel's word, while there is room."""
        try:
            connection, _ = self._listening.accept()
        except OSError:
            return
        peer = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        _, user, _ = _CREDENTIALS.unpack(peer)
        if user not in self._users or len(self._callers) >= MAX_CALLERS:
            connection.close()
            return
        caller = Caller(connection)
        self._callers[connection.fileno()] = caller
        self._epoll.register(connection, select.EPOLLIN)
        self._send(caller, GREETING)

    def _receive(self, caller: Caller) -> None:
        try:
            calls = caller.receive()
        except WireError as error:
            self._send(caller, encode_failure(REFUSED, str(error)))
            self._leave(caller)
        except OSError:
            # What it has sent whole is committed all the same: it may ask again.
            self._leave(caller)
        else:
            self._pending.extend(zip(repeat(caller), calls))
            if caller.owing or caller in self._limits:
                self._expect(caller, afresh=bool(calls))

    def _send(self, caller: Caller, reply: bytes) -> None:
        if caller.gone:
            return
        try:
            caller.send(reply)
        except OSError:
            self._leave(caller)
            return
        if caller.deaf:
            # Nothing more is taken from it until it has read its answers.
            self._epoll.modify(caller.connection, select.EPOLLOUT)
            self._expect(caller)

    def _send_rest(self, caller: Caller) -> None:
        self._send(caller, b"")
        if not (caller.gone or caller.deaf):
            self._epoll.modify(caller.connection, select.EPOLLIN)
            self._expect(caller)

    def _leave(self, caller: Caller) -> None:
        if caller.gone:
            return
        del self._callers[caller.connection.fileno()]
        self._limits.pop(caller, None)
        self._epoll.unregister(caller.connection)
        caller.close()

    def _expect(self, caller: Caller, *, afresh: bool = False) -> None:
        """Give a caller its time to go on; what is under way keeps the time that it has."""
        if afresh or not caller.owing:
            self._limits.pop(caller, None)
        if caller.owing:
            self._limits.setdefault(caller, time.monotonic() + LIMIT)

    def _patience(self) -> float | None:
        """Cut off those whose time is over; return the seconds that the next one has."""
        for caller, limit in list(self._limits.items()):
            left = limit - time.monotonic()
            if left > 0:
                return left
            self._leave(caller)
        return None


@contextmanager
def _told_to_end() -> Iterator[socket.socket]:
    """Yield a socket that something can be read from once SIGTERM or SIGINT has come."""
    told, tell = socket.socketpair()
    with told, tell:
        tell.setblocking(False)
        before = signal.set_wakeup_fd(tell.fileno(), warn_on_full_buffer=False)
        handlers = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield told
        finally:
            signal.set_wakeup_fd(before)
            for number, handler in handlers.items():
                signal.signal(number, handler)


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
        with listening, _told_to_end() as told:
            Service(log, listening, users).run(told, ready)
    finally:
        with suppress(OSError):
            path.unlink()
