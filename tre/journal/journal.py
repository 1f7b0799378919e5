"""The journal: entries leave the outbox in order through the single writer of the log, each once.

Several processes may drain one outbox, where the writer is a process of its own: each sends what waits with how much
of the log is noted, and the writer drops what stands there since. What is noted is always the log's beginning, so
that nothing can be sent again once it is forgotten here.

Nothing is acknowledged, replayed or shown before `settle` has returned for its entry. Nobody holds a control
transaction while the log is written. Where the log cannot be written every call is refused: fail closed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Protocol

from audit.reader import LogError
from tre.base.clock import Clock
from tre.base.reasons import Refused
from tre.base.reasons import journal as reasons
from tre.base.reasons.faults import LOG_UNAVAILABLE
from tre.journal import outbox
from tre.journal.outbox import Waiting
from tre.journal.recovery import Shown, events_of, read
from tre.store import Store, Transaction
from tre.store.tables import indexed
from tre.store.tables import outbox as outbox_table

_POLL = 0.02


class Writer(Protocol):
    """The one writer of the log (`audit.log.Log`), or a handle on it (`audit.remote.RemoteLog`)."""

    @property
    def size(self) -> int: ...
    def append(self, entries: Sequence[bytes], since: int | None = None) -> list[int]: ...
    def scan(self, start: int = 0) -> Iterator[tuple[int, bytes]]: ...
    def inclusion(self, index: int, *, with_entry: bool = False) -> str: ...
    def close(self) -> None: ...


Reconcile = Callable[[Transaction, Shown], None]
"""What the rooms above do, in one transaction, with what the log shows: raise ledgers, end what ended."""


class Journal:
    """One process's end of the road. Its methods may be called from many threads."""

    def __init__(
        self,
        store: Store,
        open_log: Callable[[], Writer],
        clock: Clock,
        reconcile: Reconcile = lambda _tx, _shown: None,
    ) -> None:
        """Open nothing yet.

        :param open_log: takes the writer's lock and opens the log; LogError when another process has it.
        :param reconcile: run inside `recover`, whoever calls it, before anything else is done.
        """
        self._store, self._open_log, self._clock, self._reconcile = store, open_log, clock, reconcile
        self._draining = threading.Lock()
        self._writer: Writer | None = None
        self._latest: dict[str, int] = {}

    def recover(self) -> Shown:
        """Become the writer: learn what the log holds, reconcile the rooms above with it, drain the outbox.

        Raises Refused (fault.log-unavailable, journal.state-ahead).
        """
        with self._draining:
            if self._writer is None:
                self._writer = self._opened()
            try:
                return self._recovered(self._writer)
            except BaseException:
                self._writer.close()
                self._writer = None
                raise

    def settle(self, event_ids: Collection[str], timeout: float = 10.0) -> dict[str, int]:
        """Return the log index of each event once all stand under a signed head.

        A process that is not the writer becomes it when nobody else is, or waits up to `timeout` seconds for the
        one who is. Raises Refused (fault.log-unavailable, journal.not-indexed).
        """
        if self._writer is None and not self._may_write():
            return self.wait_indexed(event_ids, timeout)
        wanted = set(event_ids)
        while True:
            with self._draining:
                # Whoever had the turn before may have taken these along.
                drained = 0 if wanted <= self._latest.keys() else self._drain()
                found = {event: index for event, index in self._latest.items() if event in wanted}
            if len(found) < len(wanted):
                found = self._found(wanted)
            if len(found) == len(wanted):
                return found
            if not drained:
                raise Refused.because(reasons.NOT_INDEXED)

    def drain_once(self) -> int:
        """Write what waits, entries of other processes too; return how many. Only for the writer's process."""
        with self._draining:
            return self._drain()

    def wait_indexed(self, event_ids: Collection[str], timeout: float) -> dict[str, int]:
        """Wait until the writer's process has written these. Raises Refused (journal.not-indexed)."""
        end = self._clock.monotonic() + timeout
        while len(found := self._found(event_ids)) < len(set(event_ids)):
            if self._clock.monotonic() >= end:
                raise Refused.because(reasons.NOT_INDEXED)
            self._clock.sleep(_POLL)
        return found

    def receipt(self, index: int, *, with_entry: bool = False) -> str:
        """Return the receipt (C2SP tlog-proof) of an entry; with the entry for whoever may read it."""
        if self._writer is None:
            raise Refused.because(LOG_UNAVAILABLE)
        with _log_faults():
            return self._writer.inclusion(index, with_entry=with_entry)

    def close(self) -> None:
        """Give the writer's lock back."""
        with self._draining:
            if self._writer is not None:
                self._writer.close()
                self._writer = None

    def _may_write(self) -> bool:
        try:
            self.recover()
        except Refused as refused:
            if isinstance(refused.__cause__, LogError):
                return False
            raise
        return True

    def _opened(self) -> Writer:
        with _log_faults():
            return self._open_log()

    def _recovered(self, writer: Writer) -> Shown:
        with self._store.reading() as tx:
            known = outbox.noted(tx)
        if known > writer.size:
            raise Refused.because(reasons.STATE_AHEAD)
        shown = read(writer.scan(), known)
        # One transaction, or a crash in between would leave entries noted whose effects were never taken over;
        # alone, or another server could send and note entries while this one looks at what waits.
        with self._store.transaction() as tx:
            tx.alone_on(indexed, outbox_table)
            shown.go_on(writer.scan(shown.size), outbox.noted(tx))
            news = {one.fields["event_id"]: one.index for one in shown.news}
            outbox.note(tx, news)
            outbox.forget(tx, news)
            for waiting in outbox.waiting(tx):
                shown.take(None, waiting.entry)
            self._reconcile(tx, shown)
        while self._drain():
            pass
        return shown

    def _found(self, event_ids: Collection[str]) -> dict[str, int]:
        with self._store.reading() as tx:
            return outbox.indexes_of(tx, event_ids)

    def _drain(self) -> int:
        """Append the oldest waiting entries and note their indexes; return how many there were."""
        if self._writer is None:
            raise Refused.because(LOG_UNAVAILABLE)
        with self._store.session() as session:
            with session.reading() as tx:
                known, batch = outbox.batch(tx)
            if batch:
                placed = _appended(self._writer, batch, known)
                # Lost, the note is made again from the log at the next start.
                with session.transaction(lasting=False) as tx:
                    _note(tx, self._writer, placed)
                self._latest = placed
        return len(batch)


def _appended(writer: Writer, batch: Sequence[Waiting], known: int) -> dict[str, int]:
    """Append what waits; return the log index of each event."""
    with _log_faults():
        indexes = writer.append([one.entry for one in batch], known)
    return dict(zip((one.event_id for one in batch), indexes, strict=True))


def _note(tx: Transaction, writer: Writer, placed: Mapping[str, int]) -> None:
    """Note these, with what other processes sent before them and have not noted."""
    tx.alone_on(indexed)
    count = outbox.note(tx, placed)
    if count < len(placed):
        known, end = outbox.noted(tx), max(placed.values()) + 1
        with _log_faults():
            between = dict(events_of(islice(writer.scan(known), max(0, end - known))))
        count += outbox.note(tx, between)
        placed = {**placed, **between}
    if outbox.forget(tx, placed) < count:
        raise Refused.because(reasons.STATE_BEHIND)


@contextmanager
def _log_faults() -> Iterator[None]:
    try:
        yield
    except (LogError, OSError) as error:
        raise Refused.because(LOG_UNAVAILABLE) from error
