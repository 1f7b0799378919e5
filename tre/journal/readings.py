"""Whoever opens a sealed text, or reads what others did, is on the record first (AUDIT: every access is an entry).

Sealed texts open only against an `OnRecord`, and this module alone makes one: so there is no way to a text that names
no entry of the log. What it names is the audit-read entry of the person who reads; for the house itself, which runs and
refines what was asked, it is the entry that the text was sealed beside, which says who asked for that, and what it
commits to.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import delete, select

from tre.base.clock import stamp
from tre.journal import outbox
from tre.journal.entries import audit_read
from tre.journal.journal import Journal
from tre.journal.trail import Trail
from tre.store import Store
from tre.store.tables import audit_reads

OWN = "own"
"""The subject of the entry that says that somebody reads their own texts: their name, and the questions they asked."""

_KEPT = timedelta(days=2)
_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class OnRecord:
    """An entry that stands in the log, under a signed head, and tells of a reading; `event` is its id.

    `beside` is the entry whose text may be read, where it tells of one alone; else its subject says which.
    """

    event: str
    beside: str | None = None

    def covers(self, event: str) -> bool:
        """Whether it tells of a reading of what was sealed beside the entry `event`."""
        return self.beside in (None, event)


def on_record(journal: Journal, event: str, beside: str | None = None) -> OnRecord:
    """Return the entry `event` once it stands in the log, for reading what is sealed beside it, or `beside` another.

    Raises Refused (fault.log-unavailable, journal.not-indexed); nothing may be read then.
    """
    journal.settle([event])
    return OnRecord(event, beside or event)


@dataclass(frozen=True)
class Readings:
    """Readings that make an entry once for a person's session, a subject and a day (UTC), however much is read.

    `noted` are those whose entry is known to be in the log.
    """

    store: Store
    journal: Journal
    noted: dict[str, OnRecord] = field(default_factory=dict)

    def on_record(self, trail: Trail, subject: str) -> OnRecord:
        """Return once the log says that the actor of `trail` reads `subject`.

        Raises Refused (fault.log-unavailable, journal.not-indexed); nothing may be shown then.
        """
        day = trail.clock.now().date().isoformat()
        words = "\n".join((trail.actor, trail.session or "", subject, day))
        key = hashlib.sha256(words.encode()).hexdigest()
        if (known := self.noted.get(key)) is not None:
            return known
        found = OnRecord(self._noted(trail, subject, key))
        self.journal.settle([found.event])
        if len(self.noted) >= _REMEMBERED:
            self.noted.clear()
        self.noted[key] = found
        return found

    def _noted(self, trail: Trail, subject: str, key: str) -> str:
        """Note the reading, if it is not, and return its event id."""
        t, act = audit_reads.c, trail.act()
        row = {"key": key, "event": act.event_id, "expires": stamp(act.time + _KEPT)}
        with self.store.transaction() as tx:
            tx.execute(delete(audit_reads).where(t.expires < stamp(act.time)))
            if tx.insert_new(audit_reads, row):
                trail.record(tx, audit_read(act, 0, outbox.noted(tx), subject=subject))
            event: str = tx.execute(select(t.event).where(t.key == key)).scalar_one()
        return event
