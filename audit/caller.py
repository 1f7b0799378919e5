"""One connection of the writer's service: requests in, replies out, and never a wait for the caller."""

import socket

from audit.group import Call
from audit.wire import read_requests

_SPACE = 1 << 16


class Caller:
    """One caller. What it has sent of a request, and what it has not read of the replies, is kept here.

    `gone` says that its connection is closed; `deaf` that it has a reply to read.
    """

    __slots__ = ("_received", "_unsent", "connection", "deaf", "gone")

    def __init__(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        self.connection = connection
        self._received = bytearray()
        self._unsent = b""
        self.deaf = self.gone = False

    @property
    def owing(self) -> bool:
        """Whether it has begun a request, or has a reply to read."""
        return self.deaf or bool(self._received)

    def receive(self) -> list[Call]:
        """Take what has arrived; return the requests that are whole.

        Raises WireError, and OSError when the connection is no more.
        """
        try:
            data = self.connection.recv(_SPACE)
        except BlockingIOError:
            return []
        if not data:
            raise ConnectionResetError("it closed the connection")
        if self._received:
            self._received += data
            calls, taken = read_requests(self._received)
            del self._received[:taken]
            return calls
        # Nearly always one request, whole: it is read where it lies.
        calls, taken = read_requests(data)
        self._received += data[taken:]
        return calls

    def send(self, reply: bytes = b"") -> None:
        """Send a reply, as far as the caller reads; the rest by the next call. Raises OSError."""
        data = self._unsent + reply if self._unsent else reply
        try:
            done = self.connection.send(data)
        except BlockingIOError:
            done = 0
        self.deaf = done < len(data)
        self._unsent = data[done:]

    def close(self) -> None:
        """Close the connection."""
        self.gone = True
        self.connection.close()
