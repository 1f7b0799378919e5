"""One connection of the writer's service: requests in, replies out, and never a wait for the caller."""

import socket

from audit.group import Call
from audit.wire import take_requests


class Caller:
    """One caller. What it has sent of a request, and what it has not read of the replies, is kept here."""

    __slots__ = ("_received", "_unsent", "connection")

    def __init__(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        self.connection = connection
        self._received = bytearray()
        self._unsent = b""

    @property
    def owing(self) -> bool:
        """Whether it has begun a request, or has a reply to read."""
        return bool(self._received or self._unsent)

    @property
    def deaf(self) -> bool:
        """Whether it has a reply to read."""
        return bool(self._unsent)

    def receive(self, space: memoryview) -> list[Call]:
        """Take what has arrived, through `space`; return the requests that are whole.

        Raises WireError, and OSError when the connection is no more.
        """
        try:
            count = self.connection.recv_into(space)
        except BlockingIOError:
            return []
        if not count:
            raise ConnectionResetError("it closed the connection")
        self._received += space[:count]
        return take_requests(self._received)

    def send(self, reply: bytes = b"") -> None:
        """Send a reply, as far as the caller reads; the rest by the next call. Raises OSError."""
        data = self._unsent + reply if self._unsent else reply
        try:
            done = self.connection.send(data)
        except BlockingIOError:
            done = 0
        self._unsent = data[done:]
