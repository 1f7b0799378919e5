"""Threads that take queued requests in turn. A request is a durable row from the start, so a restart goes on here."""

from __future__ import annotations

import threading
import time
from contextlib import suppress

import structlog

from tre import jobs
from tre.base.reasons import Refused, faults
from tre.broker.ending import burn
from tre.broker.parts import Parts
from tre.broker.running import run
from tre.jobs import Job

_IDLE = 0.5


class Runner:
    """Takes requests in the order of their numbers, each once; `threads` run at the same time."""

    def __init__(self, parts: Parts, threads: int = 2) -> None:
        self._parts = parts
        self._wake = threading.Condition()
        self._taken: set[str] = set()
        self._stopping = False
        self._threads = [
            threading.Thread(target=self._work, name=f"runner-{number}", daemon=True) for number in range(threads)
        ]

    def start(self) -> None:
        """Burn what a dead process left running, then take what waits."""
        with self._parts.store.reading() as tx:
            left = jobs.running(tx)
        for job in left:
            burn(self._parts, job, faults.ENGINE, job.lease_owner)
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """Say that a request was queued."""
        with self._wake:
            self._wake.notify()

    def stop(self) -> None:
        """Take no more; what runs is finished first."""
        with self._wake:
            self._stopping = True
            self._wake.notify_all()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()

    def _work(self) -> None:
        while not self._stopping:
            with suppress(Refused):
                if (job := self._next()) is not None:
                    self._run(job)
                    continue
            with self._wake:
                self._wake.wait(_IDLE)

    def _next(self) -> Job | None:
        """Return the request that has waited longest and that no thread of this process has."""
        with self._wake, self._parts.store.reading() as tx:
            job = jobs.next_queued(tx, without=frozenset(self._taken))
            if job is not None:
                self._taken.add(job.id)
            return job

    def _run(self, job: Job) -> None:
        try:
            run(self._parts, job)
        except Exception as error:  # noqa: BLE001 - the message may quote what was in hand
            structlog.get_logger("tre.broker").error("request failed", query=job.id, kind=type(error).__name__)
            self._end(job)
        finally:
            with self._wake:
                self._taken.discard(job.id)

    def _end(self, job: Job) -> None:
        """Burn what the failed run left running, as soon as it can be written; one that still waits is taken again.

        Until then no other thread takes it. What a stop leaves so is burned by the next start.
        """
        while not self._stopping:
            time.sleep(_IDLE)
            with suppress(Refused):
                burn(self._parts, job, faults.ENGINE, self._parts.owner)
                return
