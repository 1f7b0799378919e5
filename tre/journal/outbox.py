"""The outbox: an entry waits for the log in the transaction of what it tells of (AUDIT "Order of durability")."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from operator import itemgetter
from typing import NamedTuple

from sqlalchemy import String, bindparam, delete, func, insert, select, text

from tre.journal.entries import Entry
from tre.store import Reading, Transaction
from tre.store.tables import indexed, outbox

MOST = 250
"""Entries per batch: of the longest kind they still fit one call of the log."""

# Two of each are run for every query: made once, they need not be compiled, nor looked at, again.
_RECORD = insert(outbox)
_WAITING = select(outbox.c.event_id, outbox.c.entry).order_by(outbox.c.number)
_NOTED = select(func.max(indexed.c.log_index))
_FIRST = _WAITING.add_columns(_NOTED.scalar_subquery().label("newest")).limit(MOST)
_INDEXES = select(indexed).where(indexed.c.event_id.in_(bindparam("events", expanding=True)))
_FREE = select(func.coalesce(_NOTED.scalar_subquery() + text("1"), text("0")).label("place")).subquery()
_NOTE = insert(indexed).from_select(
    ["event_id", "log_index"],
    select(bindparam("event", type_=String), _FREE.c.place).where(_FREE.c.place == bindparam("place")),
)
_FORGET = delete(outbox).where(outbox.c.event_id == bindparam("event"))


class Waiting(NamedTuple):
    """An entry that has no index yet."""

    event_id: str
    entry: bytes


def record(tx: Transaction, entry: Entry) -> str:
    """Put an entry on its way in the transaction of what it tells of; return its event id."""
    tx.execute(_RECORD, {"event_id": entry.event_id, "entry": entry.data})
    return entry.event_id


def waiting(tx: Reading) -> list[Waiting]:
    """Return every waiting entry, in order.

    Two transactions may commit out of the order of their numbers, but never two that move one ledger: the later
    one waits for the earlier before it takes its number.
    """
    return [Waiting(row.event_id, row.entry) for row in tx.execute(_WAITING)]


def batch(tx: Reading) -> tuple[int, list[Waiting]]:
    """Return how many log entries are noted, and the oldest that wait: as many as make one batch, none of the noted.

    One statement: what it sees is of one moment, in any isolation.
    """
    rows = tx.execute(_FIRST).all()
    return _after(rows[0].newest) if rows else 0, [Waiting(row.event_id, row.entry) for row in rows]


def indexes_of(tx: Reading, event_ids: Iterable[str]) -> dict[str, int]:
    """Return the log index of each event that has one."""
    rows = tx.execute(_INDEXES, {"events": list(event_ids)})
    return {row.event_id: row.log_index for row in rows}


def note(tx: Transaction, indexes: Mapping[str, int]) -> int:
    """Note where events stand in the log, those that follow what is noted; return how many.

    What is noted is always the log's beginning: an event with a gap before it is not noted, and none twice.
    """
    return tx.each(_NOTE, sorted(indexes.items(), key=itemgetter(1)))


def forget(tx: Transaction, event_ids: Iterable[str]) -> int:
    """Let events that stand in the log wait no longer; return how many of them waited."""
    return tx.each(_FORGET, [(event,) for event in event_ids])


def noted(tx: Reading) -> int:
    """Return how many log entries, from the first on, the control database knows of."""
    return _after(tx.execute(_NOTED).scalar_one())


def _after(newest: int | None) -> int:
    return 0 if newest is None else newest + 1
