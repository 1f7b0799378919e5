"""Threads that take queued requests in turn. A request is a durable row from the start, so a restart goes on here."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from datetime import timedelta

import structlog

from tre import jobs
from tre.base.reasons import Refused
from tre.broker.ending import burn
from tre.broker.holding import Holding
from tre.broker.keeping import Keeper
from tre.broker.parts import Parts
from tre.broker.refining import second_step
from tre.broker.running import run
from tre.jobs import Job, State
from tre.store import Reading

_IDLE = 0.5
_LOOKED_AT = 16
"""How many waiting requests are looked at for one that waits for no other."""


class Runner:
    """Takes requests in the order of their numbers, each once; `threads` run at the same time.

    `alone` says that no other server can have anything in hand: what runs at the start was left by a dead one.
    """

    def __init__(self, parts: Parts, threads: int = 2, *, alone: bool = True) -> None:
        self._parts, self._alone = parts, alone
        self._wake = threading.Condition()
        self._waiting = False  # since a thread looked last: a wake must not be lost on threads that all look or run
        self._stopping = False
        self._holding = Holding()
        self._keeper = Keeper(parts, self._holding)
        self._threads = [
            threading.Thread(target=self._work, name=f"runner-{number}", daemon=True) for number in range(threads)
        ]

    def start(self) -> None:
        """Take what waits; alone, first end what a dead process left. Several servers wait for its lease to lapse."""
        if self._alone:
            self._take_over()
        self._keeper.start()
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """Say that a request was queued, or that one ended for which others wait: one thread looks."""
        with self._wake:
            self._waiting = True
            self._wake.notify()

    def end(self, job: str) -> None:
        """Stop the engine of a request that was ended, where it runs here."""
        self._holding.end(job)

    def stop(self) -> None:
        """Take no more; what runs is finished first."""
        with self._wake:
            self._stopping = True
            self._wake.notify_all()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()
        self._keeper.stop()

    def _take_over(self) -> None:
        with self._parts.store.transaction() as tx:
            jobs.unclaim(tx)
            left = jobs.running(tx)
        for job in left:
            burn(self._parts, job, job.lease_owner)

    def _work(self) -> None:
        while not self._stopping:
            with suppress(Refused):
                if (job := self._next()) is not None:
                    self._run(job)
                    continue
            if not self._woken():
                self._second_steps()  # also those that a dead server left

    def _woken(self) -> bool:
        """Wait until there may be something to take, or a while; return whether somebody said so."""
        with self._wake:
            woken = self._wake.wait_for(lambda: self._waiting or self._stopping, _IDLE)
            self._waiting = False
        return woken

    def _next(self) -> Job | None:
        """Claim the request that has waited longest and waits for no other's measurement."""
        parts = self._parts
        now = parts.clock.now()
        with parts.store.reading() as tx:
            ready = _ready(tx, jobs.unclaimed(tx, now, _LOOKED_AT))
        if len(ready) > 1:
            self.wake()  # another thread takes the next
        for job in ready:
            with parts.store.transaction(lasting=False) as tx:
                if jobs.claim(tx, job.id, parts.owner, now, now + timedelta(seconds=parts.lease)):
                    return job
        return None

    def _run(self, job: Job) -> None:
        try:
            run(self._parts, job, self._holding)
        except Exception as error:  # noqa: BLE001 - the message may quote what was in hand
            structlog.get_logger("tre.broker").error("request failed", query=job.id, kind=type(error).__name__)
            self._end(job)
        if job.aim is not None:
            self._second_steps()

    def _second_steps(self) -> None:
        """Take the second step of every pilot that is answered."""
        with suppress(Refused):  # database or log are away: the next look tries again
            with self._parts.store.reading() as tx:
                pilots = jobs.pilots(tx)
            for job in pilots:
                second_step(self._parts, job)

    def _end(self, job: Job) -> None:
        """Burn what the failed run left running, as soon as it can be written; one that still waits is let go.

        What a stop leaves so is burned by the next start, or by another server once its lease has lapsed.
        """
        while not self._stopping:
            time.sleep(_IDLE)
            with suppress(Refused):
                burn(self._parts, job, self._parts.owner)
                with self._parts.store.transaction(lasting=False) as tx:
                    jobs.unclaim(tx, self._parts.owner, job.id)
                return


def _ready(tx: Reading, waiting: tuple[Job, ...]) -> list[Job]:
    """Return those whose waiting is over; a request waits for earlier ones only, so nobody waits in a circle."""
    awaited = {one for job in waiting for one in job.decision["waits_for"]}
    states = jobs.states_of(tx, awaited)
    going = {one for one, state in states.items() if state in (State.QUEUED, State.RUNNING)}
    return [job for job in waiting if going.isdisjoint(job.decision["waits_for"])]
