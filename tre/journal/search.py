"""The reviewers' search over the log: which entries name a person, a project, a table, a reason, and when.

The index holds indexes and terms alone and is derived data: it is filled from the log, behind the requests and before
each search, and made again from the log where it is damaged. What is shown is read from the log itself.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple, Protocol

from sqlalchemy import Select, delete, func, insert, select
from sqlalchemy.exc import IntegrityError

from audit.entries import Event, decode_entry
from audit.reader import LogError
from tre.base.clock import parse_stamp, stamp
from tre.base.reasons import Refused
from tre.base.reasons import journal as reasons
from tre.base.reasons.faults import LOG_UNAVAILABLE
from tre.store import Reading, Store
from tre.store.tables import trail, trail_terms

LONGEST_PAGE = 200
_PIECE = 200
_TAKEN = 1000
_BEHIND = 5000
_PLAIN = ("event", "project", "dataset", "request")
_LISTED = (("person", "approved_by"), ("table", "tables"), ("reason", "reasons"))
_ENTRY, _TERM = insert(trail), insert(trail_terms)
_STAMP = len("2026-03-01T09:00:00.000Z")


class Entries(Protocol):
    """The log, read (`audit.reader.Reader`)."""

    @property
    def size(self) -> int: ...
    def entry(self, index: int) -> bytes: ...
    def scan(self, start: int = 0) -> Iterator[tuple[int, bytes]]: ...


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries: all that is given must hold. `since` counts, `until` no longer.

    :param person: who acted, who consented, or whom or what the entry is about.
    :param event: one of `audit.entries.Event`. :param reason: the code of a reason. :param request: a query's id.
    """

    request: str | None = None
    reason: str | None = None
    person: str | None = None
    table: str | None = None
    project: str | None = None
    dataset: str | None = None
    event: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def terms(self) -> tuple[tuple[str, str], ...]:
        """The (kind, term) that an entry must have, those first that few entries have."""
        kinds = ("request", "reason", "person", "table", "project", "dataset", "event")
        return tuple((kind, term) for kind in kinds if (term := getattr(self, kind)) is not None)


@dataclass(frozen=True, slots=True)
class Page:
    """A page, newest first: entries below the index `before` (None: from the newest), at most `limit` of them."""

    before: int | None = None
    limit: int = 50

    def __post_init__(self) -> None:
        """Raise ValueError outside 1 … `LONGEST_PAGE`."""
        if not 1 <= self.limit <= LONGEST_PAGE:
            raise ValueError(f"a page has 1 to {LONGEST_PAGE} entries")


@dataclass(frozen=True, slots=True)
class Hit:
    """An entry by its index."""

    index: int
    fields: dict[str, Any]


class Hits(NamedTuple):
    """A page of entries; `next` is the `before` of the page after it, None at the end."""

    entries: tuple[Hit, ...]
    next: int | None


def terms_of(fields: dict[str, Any]) -> set[tuple[str, str]]:
    """Return the (kind, term) by which an entry is found."""
    found = {(kind, fields[kind]) for kind in _PLAIN if kind in fields}
    found.add(("person", fields["actor"]))
    if "subject" in fields:
        found.add(("person", fields["subject"]))
    for kind, name in _LISTED:
        found.update((kind, term) for term in fields.get(name, ()))
    for gate in fields.get("gates", ()):
        found.update(("reason", code) for code in gate["reasons"])
    return found


class Search:
    """The search of one process over its control database and the log. Safe for threads."""

    def __init__(self, store: Store, log: Entries) -> None:
        self._store, self._log = store, log
        self._filling = threading.Lock()

    def find(self, wanted: Sequence[Wanted], page: Page) -> Hits:
        """Return entries that any of `wanted` wants, newest first; later ones never move what a page shows.

        Raises Refused (journal.search-behind, fault.log-unavailable).
        """
        self._caught_up()
        with self._store.reading() as tx:
            found = {index for one in wanted for index in tx.execute(_newest(one, page)).scalars()}
        indexes = sorted(found, reverse=True)
        shown = indexes[: page.limit]
        return Hits(tuple(self.read(index) for index in shown), shown[-1] if len(indexes) > len(shown) else None)

    def outcomes(self, requests: Collection[str]) -> dict[str, Hit]:
        """Return the outcome of each request that has one in the log."""
        self._caught_up()
        named, ended = trail_terms, trail_terms.alias("ended")
        chosen = select(named.c.log_index).where(
            named.c.kind == "request",
            named.c.term.in_(list(requests)),
            ended.c.kind == "event",
            ended.c.term == Event.QUERY_OUTCOME.value,
            ended.c.log_index == named.c.log_index,
        )
        with self._store.reading() as tx:
            found = [self.read(index) for index in tx.execute(chosen).scalars().all()]
        return {hit.fields["request"]: hit for hit in found}

    def everything(self, wanted: Wanted) -> Iterator[Hit]:
        """Yield all entries that are wanted, oldest first, up to the newest at the time of the call."""
        end, index = self._caught_up(), _index(wanted)
        chosen = _chosen(wanted).where(index < end).order_by(index.asc()).limit(_PIECE)
        found, start = [0], 0
        while found:
            with self._store.reading() as tx:
                found = list(tx.execute(chosen.where(index >= start)).scalars())
            yield from (self.read(one) for one in found)
            start = found[-1] + 1 if found else end

    def read(self, index: int) -> Hit:
        """Return one entry as the log holds it. Raises IndexError, Refused (fault.log-unavailable)."""
        try:
            return Hit(index, decode_entry(self._log.entry(index)))
        except (LogError, OSError) as error:
            raise Refused.because(LOG_UNAVAILABLE) from error

    def step(self) -> bool:
        """Take in a piece of what the log has got since; return whether there may be more.

        Other processes may do the same. Raises Refused (fault.log-unavailable, store.unavailable).
        """
        with self._filling:
            start = self._next()
            if start >= self._size():
                return False
            self._take(start)
            return True

    def catch_up(self) -> None:
        """Take in everything."""
        while self.step():
            pass

    def mend(self) -> None:
        """Forget the index where rows or terms are missing, or are more than the log has: steps make it anew."""
        size = self._size()
        with self._store.reading() as tx:
            sound = _sound(tx, size)
        if not sound:
            self.forget()

    def forget(self) -> None:
        """Forget the whole index."""
        with self._store.transaction(lasting=False) as tx:
            tx.execute(delete(trail_terms))
            tx.execute(delete(trail))

    def _caught_up(self) -> int:
        """Catch up with a few entries; Refused where there are many: a search that misses some would mislead."""
        if self._size() - self._next() > _BEHIND:
            raise Refused.because(reasons.SEARCH_BEHIND)
        self.catch_up()
        return self._next()

    def _size(self) -> int:
        try:
            return self._log.size
        except (LogError, OSError) as error:
            raise Refused.because(LOG_UNAVAILABLE) from error

    def _next(self) -> int:
        with self._store.reading() as tx:
            return _next(tx)

    def _take(self, start: int) -> None:
        """Take in a piece of the log, in a short transaction: requests wait for the same lock."""
        try:
            piece = [Hit(index, decode_entry(entry)) for index, entry in islice(self._log.scan(start), _TAKEN)]
        except (LogError, OSError) as error:
            raise Refused.because(LOG_UNAVAILABLE) from error
        entries, terms = _rows(piece)
        try:
            with self._store.transaction(lasting=False) as tx:
                if _next(tx) == start:
                    tx.each(_ENTRY, entries)
                    tx.each(_TERM, terms)
        except IntegrityError:
            return  # another server took it in at the same moment


def _index(wanted: Wanted) -> Any:
    return (trail_terms if wanted.terms else trail).c.log_index


def _chosen(wanted: Wanted) -> Select[tuple[int]]:
    """Walk the entries of the first term in their order, and look each of them up under the others."""
    index = _index(wanted)
    chosen: Select[tuple[int]] = select(index)
    for number, (kind, term) in enumerate(wanted.terms):
        named = trail_terms if number == 0 else trail_terms.alias(f"also_{number}")
        chosen = chosen.where(named.c.kind == kind, named.c.term == term)
        chosen = chosen if number == 0 else chosen.where(named.c.log_index == index)
    if wanted.since is None and wanted.until is None:
        return chosen
    if wanted.terms:
        chosen = chosen.where(trail.c.log_index == index)
    if wanted.since is not None:
        chosen = chosen.where(trail.c.time >= stamp(wanted.since))
    return chosen if wanted.until is None else chosen.where(trail.c.time < stamp(wanted.until))


def _newest(wanted: Wanted, page: Page) -> Select[tuple[int]]:
    """Choose one more than the page shows, so that its end is known."""
    index = _index(wanted)
    chosen = _chosen(wanted).order_by(index.desc()).limit(page.limit + 1)
    return chosen if page.before is None else chosen.where(index < page.before)


def _next(tx: Reading) -> int:
    newest: int | None = tx.execute(select(func.max(trail.c.log_index))).scalar_one()
    return 0 if newest is None else newest + 1


def _sound(tx: Reading, size: int) -> bool:
    """Whether every entry up to the newest known one is there with all its terms."""
    rows: int = tx.execute(select(func.count()).select_from(trail)).scalar_one()
    terms: int = tx.execute(select(func.coalesce(func.sum(trail.c.terms), 0))).scalar_one()
    held: int = tx.execute(select(func.count()).select_from(trail_terms)).scalar_one()
    return rows == _next(tx) <= size and terms == held


def _rows(piece: list[Hit]) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """Return the rows of both tables, those of terms in the order of their key: neighbours lie on one page."""
    entries, terms = [], []
    for one in piece:
        found = terms_of(one.fields)
        entries.append((one.index, _stamped(one.fields["time"]), len(found)))
        terms += [(kind, term, one.index) for kind, term in found]
    return entries, sorted(terms)


def _stamped(time: str) -> str:
    """Return a time of the log as `stamp` writes it; most are."""
    return time if len(time) == _STAMP else stamp(parse_stamp(time))
