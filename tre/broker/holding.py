"""What runs in this process: each run can be ended from outside, by whoever ended its request."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tre.engines import Slot


class Held:
    """One run and its engine slot."""

    def __init__(self, slot: Slot) -> None:
        self._slot = slot
        self._ended = threading.Event()

    def end(self) -> None:
        """Stop the engine and whatever waits for a time, as the request was ended already."""
        self._ended.set()
        self._slot.cancel()

    def wait(self, seconds: float) -> None:
        """Wait for `seconds`, or until the run is ended."""
        self._ended.wait(max(0.0, seconds))


class Holding:
    """The runs of one process by request."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._runs: dict[str, Held] = {}

    @contextmanager
    def run(self, job: str, slot: Slot) -> Iterator[Held]:
        """Hold a run while the block lasts."""
        held = Held(slot)
        with self._lock:
            self._runs[job] = held
        try:
            yield held
        finally:
            with self._lock:
                del self._runs[job]

    def ids(self) -> frozenset[str]:
        """Return the requests that run here."""
        with self._lock:
            return frozenset(self._runs)

    def end(self, job: str) -> None:
        """End a run, where it is of this process."""
        with self._lock:
            held = self._runs.get(job)
        if held is not None:
            held.end()
