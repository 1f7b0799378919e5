"""A log behind its writer's socket, the writer in a thread of this process: on the disk of a test, like any other."""

import socket
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from audit import RemoteLog
from audit.service import Service, listen
from tests.audit.samples import open_log


class ServedLog:
    """What `open_log` returns, as a caller in another process has it."""

    def __init__(self, home: Path, **more: Any) -> None:
        self._log = open_log(home, **more)
        self._path = home / "s"
        self._told, self._tell = socket.socketpair()
        self._listening = listen(self._path)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        self._handle = RemoteLog(home / "log", self._path, patience=20, **more)

    def append(self, entries: Sequence[bytes]) -> list[int]:
        return self._handle.append(entries)

    @property
    def size(self) -> int:
        return self._handle.size

    def entry(self, index: int) -> bytes:
        return self._handle.entry(index)

    def close(self) -> None:
        self._handle.close()
        self._tell.send(b".")
        self._thread.join(20)
        assert not self._thread.is_alive()
        self._told.close()
        self._tell.close()
        self._log.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _serve(self) -> None:
        # What stops the writer ends its process, which has told every caller; a power loss is a BaseException.
        with suppress(BaseException), self._listening:
            Service(self._log, self._listening).run(self._told)
        self._path.unlink()
