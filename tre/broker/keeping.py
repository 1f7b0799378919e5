"""One thread a server: it renews leases, ends runs that were ended elsewhere, and, elected, what dead servers left."""

from __future__ import annotations

import threading
from contextlib import suppress
from datetime import timedelta

from tre import jobs
from tre.base.reasons import Refused
from tre.broker.ending import burn_lapsed
from tre.broker.holding import Holding
from tre.broker.parts import Parts
from tre.jobs import State

_LOOK = 0.5
_RENEWALS = 3
"""Renewals within one lease: two may fail."""


class Keeper:
    """Keeps the leases of `parts.owner` until stopped. A lease that cannot be renewed lapses: others may end it."""

    def __init__(self, parts: Parts, holding: Holding) -> None:
        self._parts, self._holding = parts, holding
        self._stopping = threading.Event()
        self._next = 0.0
        self._thread = threading.Thread(target=self._keep, name="keeper", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End; what runs must have ended before."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _keep(self) -> None:
        pace = min(_LOOK, self._parts.lease / _RENEWALS)
        while not self._stopping.wait(pace):
            with suppress(Refused):  # the database is away: whoever asks is told, the next look tries again
                self._end_the_ended()
                self._renew_in_time()

    def _end_the_ended(self) -> None:
        """A request that was burned by wish or after its lease is this server's no longer: its engine is stopped."""
        if not (here := self._holding.ids()):
            return
        with self._parts.store.reading() as tx:
            states = jobs.states_of(tx, here)
        for job in here:
            if states.get(job) in (State.BURNED, State.VOIDED):
                self._holding.end(job)

    def _renew_in_time(self) -> None:
        parts = self._parts
        if parts.clock.monotonic() < self._next:
            return
        now = parts.clock.now()
        until = now + timedelta(seconds=parts.lease)
        with parts.store.transaction(lasting=False) as tx:
            jobs.renew(tx, parts.owner, until)
            burner = jobs.elect(tx, jobs.BURNER, parts.owner, now, until)
            left = jobs.running(tx, leases_before=now) if burner else ()
        self._next = parts.clock.monotonic() + parts.lease / _RENEWALS
        for job in left:
            burn_lapsed(parts, job)
