"""Failed sign-ins are counted a minute and become one entry each (AUDIT "Order of durability")."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import datetime, timedelta

from tre.app.compose import SYSTEM, House
from tre.base.reasons import Refused
from tre.journal.entries import signin_failed

_MINUTE = timedelta(minutes=1)


class FailedSignIns:
    """Counts by reason; entries go through the outbox, so a flood costs one entry a minute."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._lock = threading.Lock()
        self._minute: datetime | None = None
        self._reasons: Counter[str] = Counter()

    def count(self, reason: str) -> None:
        """Count one failure."""
        with self._lock:
            if self._minute is None:
                self._minute = self._house.clock.now().replace(second=0, microsecond=0)
            self._reasons[reason] += 1

    def flush_past(self) -> None:
        """Record the counted minute once it is over."""
        if self._minute is not None and self._house.clock.now() >= self._minute + _MINUTE:
            self.flush()

    def flush(self) -> None:
        """Record what is counted."""
        with self._lock:
            minute, counted = self._minute, self._reasons
            self._minute, self._reasons = None, Counter()
        if minute is None:
            return
        trail = self._house.trail(SYSTEM)
        try:
            with self._house.store.transaction() as tx:
                trail.record(tx, signin_failed(trail.act(), counted.total(), sorted(counted)))
        except Refused:
            self._take_back(minute, counted)
            raise

    def _take_back(self, minute: datetime, counted: Counter[str]) -> None:
        """Keep what could not be written for the next attempt."""
        with self._lock:
            self._minute = minute
            self._reasons += counted
