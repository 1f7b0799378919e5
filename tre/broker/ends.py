"""Who waits in this process hears at once that a request has ended."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Ends:
    """Tells the waiting threads of one process. Ends that another process makes are found by looking again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: set[tuple[str, threading.Event]] = set()

    @contextmanager
    def watch(self, query: str) -> Iterator[threading.Event]:
        """Hear of the end of `query`. Whoever looks after this has begun misses no end."""
        waiting = (query, threading.Event())
        with self._lock:
            self._waiting.add(waiting)
        try:
            yield waiting[1]
        finally:
            with self._lock:
                self._waiting.discard(waiting)

    def tell(self, query: str) -> None:
        """Wake who waits for `query`: its outcome is in the log."""
        with self._lock:
            for name, heard in self._waiting:
                if name == query:
                    heard.set()
