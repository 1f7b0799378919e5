"""The audit argument of every function that writes state: who acts, and the entries that the act leaves behind."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field, replace
from typing import Protocol

from tre.base.clock import Clock
from tre.base.ids import Randomness
from tre.journal.entries import Act, Entry
from tre.journal.outbox import record
from tre.store import Transaction


class Sealing(Protocol):
    """What seals a text beside an entry (`tre.journal.sidecar.Sidecar`)."""

    def write(self, tx: Transaction, event_id: str, scope: str, kind: str, text: str) -> str: ...


@dataclass
class Trail:
    """One actor's act. `events` are the ids to settle before anything of it is acknowledged."""

    actor: str
    clock: Clock
    sidecar: Sealing
    session: str | None = None
    randomness: Randomness = secrets.token_bytes
    events: list[str] = field(default_factory=list)

    def act(self, request: str | None = None) -> Act:
        """Begin an entry of this actor."""
        return Act.by(self.actor, self.clock, self.randomness, request=request, session=self.session)

    def record(self, tx: Transaction, entry: Entry) -> str:
        """Put an entry on its way to the log; return its event id."""
        self.events.append(record(tx, entry))
        return entry.event_id

    def sealed(self, tx: Transaction, act: Act, scope: str, kind: str, text: str) -> Act:
        """Seal `text` beside the entry that `act` begins; return the act that carries its digest."""
        return replace(act, sidecar=self.sidecar.write(tx, act.event_id, scope, kind, text))
