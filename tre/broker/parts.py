"""What the path of a request is made of: every effect is handed in, time and randomness included."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tre.base.clock import Clock
from tre.base.ids import Randomness
from tre.broker.ends import Ends
from tre.broker.plans import Plans
from tre.engines import Engine
from tre.journal import Journal, Readings, Sidecar, Trail
from tre.privacy.mechanisms import Noise
from tre.store import Store

Step = Callable[[str], None]
"""Told the name of each step of AUDIT's order as it is passed; tests stop the process there."""


@dataclass(frozen=True)
class Parts:
    """`question_key` keys every digest of a text or a question; `mix_secret` the choice of groups (PRIVACY §3.2).

    `owner` names this process in leases, which last `lease` seconds; `patience` is how long a request
    waits for an engine, in seconds.
    """

    store: Store
    journal: Journal
    engine: Engine
    sidecar: Sidecar
    readings: Readings
    noise: Noise
    clock: Clock
    randomness: Randomness
    versions: Path
    question_key: bytes
    mix_secret: int
    owner: str
    patience: float = 60.0
    lease: float = 60.0
    step: Step = lambda _name: None
    ends: Ends = field(default_factory=Ends)
    plans: Plans = field(default_factory=Plans)

    def trail(self, actor: str, session: str | None = None) -> Trail:
        """Begin an act of `actor`."""
        return Trail(actor, self.clock, self.sidecar, session, self.randomness)

    def digest(self, *texts: str) -> str:
        """Return the keyed digest of texts: it confirms no guess to who lacks the key."""
        return hmac.new(self.question_key, "\x00".join(texts).encode(), hashlib.sha256).hexdigest()
