"""A process that dies at a named point of a request's way to the log: `python -m tests.journal.crashing HOME POINT`."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from audit.log import Log
from tests.control import conclude, intend, log_at, url_of
from tre.base.clock import SystemClock
from tre.journal import Journal
from tre.store import Store


def die() -> None:
    """As a killed process does: no handler, no flush, no goodbye."""
    os.kill(os.getpid(), signal.SIGKILL)


class Dying:
    """The log's writer, or what dies in its place."""

    def __init__(self, log: Log, point: str) -> None:
        self._log, self._point = log, point

    def append(self, entries: Sequence[bytes], since: int | None = None) -> list[int]:
        if self._point == "before the append":
            die()
        indexes = self._log.append(entries, since)
        if self._point == "before the note":
            die()
        return indexes

    def __getattr__(self, name: str) -> object:
        return getattr(self._log, name)


def main(home: Path, point: str) -> None:
    """Begin the request `q_2` and, where that is asked, end it."""
    store = Store(url_of(home))
    journal = Journal(store, log_at(home), SystemClock())
    journal.recover()
    if point in ("before the append", "before the note"):
        journal._writer = Dying(journal._writer, point)  # type: ignore[assignment,arg-type]
    with store.transaction() as tx:
        intent = intend(tx, "q_2", 10)
        if point == "before the commit":
            die()
    journal.settle([intent])
    with store.transaction() as tx:
        conclude(tx, "q_2", intent)
    if point == "before the outcome is settled":
        die()
    raise AssertionError("survived")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
