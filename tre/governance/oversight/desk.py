"""What a review stands on, who reviews with which rights, and the entry that says that they did."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field, replace
from datetime import timedelta

from sqlalchemy import delete, select

from audit.reader import Reader
from tre.base.clock import Clock, stamp
from tre.base.ids import Randomness
from tre.governance.context import context
from tre.identity import Principal
from tre.journal import Journal, Sidecar, Trail
from tre.journal.entries import audit_read
from tre.journal.search import Search
from tre.policy import gates
from tre.policy.actions import Action, Resource
from tre.policy.context import Context, Person
from tre.store import Reading, Store
from tre.store.tables import audit_reads

LOG = "log"
"""The subject of the entry that says that somebody reads what others did."""

_KEPT = timedelta(days=1)
_REMEMBERED = 10_000


@dataclass(frozen=True)
class Desk:
    """Where reviewers work. `noted` are readings whose entry is known to be in the log."""

    store: Store
    journal: Journal
    log: Reader
    search: Search
    sidecar: Sidecar
    clock: Clock
    randomness: Randomness = secrets.token_bytes
    noted: set[str] = field(default_factory=set)

    def trail(self, principal: Principal) -> Trail:
        """Begin an act of this person."""
        return Trail(principal.person, self.clock, self.sidecar, principal.token, self.randomness)

    def who(self, tx: Reading, principal: Principal) -> Context:
        """Return a reviewer's circumstances. A token made for one project carries no rights of review."""
        found = context(tx, principal.person, None, principal.acr, self.clock.now())
        return found if principal.project is None else replace(found, person=Person(principal.person))

    def may(self, principal: Principal, action: Action, resource: Resource) -> bool:
        """Whether the core rules let this person do `action` now."""
        with self.store.reading() as tx:
            return allowed(self.who(tx, principal), action, resource)

    def on_record(self, principal: Principal, subject: str = LOG) -> None:
        """Return once the log says that this session or token reads `subject`: one entry, however much is read.

        Raises Refused (fault.log-unavailable, journal.not-indexed); nothing may be shown then.
        """
        key = hashlib.sha256("\n".join((principal.issuer, principal.token, subject)).encode()).hexdigest()
        if key in self.noted:
            return
        self.journal.settle([self._noted(principal, subject, key)])
        if len(self.noted) >= _REMEMBERED:
            self.noted.clear()
        self.noted.add(key)

    def _noted(self, principal: Principal, subject: str, key: str) -> str:
        """Note the reading, if it is not, and return its event id."""
        trail, t = self.trail(principal), audit_reads.c
        act = trail.act()
        row = {"key": key, "event": act.event_id, "expires": stamp(principal.expires)}
        with self.store.transaction() as tx:
            tx.execute(delete(audit_reads).where(t.expires < stamp(act.time - _KEPT)))
            if tx.insert_new(audit_reads, row):
                trail.record(tx, audit_read(act, 0, self.log.size, subject=subject))
            event: str = tx.execute(select(t.event).where(t.key == key)).scalar_one()
        return event


def allowed(who: Context, action: Action, resource: Resource) -> bool:
    """Whether the core rules let `who` do `action`."""
    return gates.may(action, who, resource).allowed
