"""What a review stands on, who reviews with which rights, and the entry that says that they did."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace

from audit.reader import Reader
from tre.base.clock import Clock
from tre.base.ids import Randomness
from tre.governance.context import context
from tre.identity import Principal
from tre.journal import Journal, OnRecord, Readings, Sidecar, Trail
from tre.journal.search import Search
from tre.policy import gates
from tre.policy.actions import Action, Resource
from tre.policy.context import Context, Person
from tre.store import Reading, Store

LOG = "log"
"""The subject of the entry that says that somebody reads what others did."""


@dataclass(frozen=True)
class Desk:
    """Where reviewers work."""

    store: Store
    journal: Journal
    log: Reader
    search: Search
    sidecar: Sidecar
    clock: Clock
    readings: Readings
    randomness: Randomness = secrets.token_bytes

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

    def on_record(self, principal: Principal, subject: str = LOG) -> OnRecord:
        """Return once the log says that this person, in this session, reads `subject`; see `Readings.on_record`."""
        return self.readings.on_record(self.trail(principal), subject)


def allowed(who: Context, action: Action, resource: Resource) -> bool:
    """Whether the core rules let `who` do `action`."""
    return gates.may(action, who, resource).allowed
