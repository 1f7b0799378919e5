"""Ends without an answer: a queued request gives its price back, a running one burns it; each with its outcome."""

from __future__ import annotations

from collections.abc import Callable

from tre import governance, jobs, ledger
from tre.base.reasons import Reason, faults
from tre.base.reasons import requests as reasons
from tre.broker.parts import Parts
from tre.broker.standing import Asker
from tre.jobs import Job
from tre.journal import Trail
from tre.journal.entries import query_outcome
from tre.store import Transaction

Move = Callable[[Transaction, str], bool]
"""Makes the transition with the outcome's event id; False where somebody else has made one."""


def burn(parts: Parts, job: Job, owner: str | None) -> bool:
    """End a running request whose run failed: its price stays spent, governance is told."""

    def move(tx: Transaction, outcome: str) -> bool:
        return jobs.burn(tx, job.id, parts.clock.now(), outcome, faults.ENGINE.code, owner)

    return _burn(parts, job, parts.trail(job.person), faults.ENGINE, move, incident=True)


def burn_lapsed(parts: Parts, job: Job) -> bool:
    """End a running request that a dead server left, after its lease: nobody can say that it read nothing."""

    def move(tx: Transaction, outcome: str) -> bool:
        return jobs.burn_lapsed(tx, job.id, parts.clock.now(), outcome, faults.ENGINE.code)

    return _burn(parts, job, parts.trail(job.person), faults.ENGINE, move, incident=True)


def burn_cancelled(parts: Parts, job: Job, asker: Asker) -> bool:
    """End a running request by wish: its price stays spent whatever was read, and it is no incident."""

    def move(tx: Transaction, outcome: str) -> bool:
        return jobs.cancel(tx, job.id, parts.clock.now(), outcome, reasons.CANCELLED.code)

    return _burn(parts, job, parts.trail(asker.person, asker.token), reasons.CANCELLED, move, incident=False)


def void(parts: Parts, job: Job, why: Reason, asker: Asker | None = None) -> bool:
    """End a queued request from which nothing was read: its price is given back. `asker` is whose wish it is."""
    trail = parts.trail(asker.person, asker.token) if asker else parts.trail(job.person)
    with parts.store.transaction() as tx:
        act = trail.act(job.id)
        if not jobs.void(tx, job.id, parts.clock.now(), act.event_id, why.code):
            return False
        tx.in_turn(job.questions)
        for question, position in _leading(job):
            ledger.drop_draw(tx, question, position, job.id)
        ledger.unpay(tx, job.id)
        moved = [movement.as_entry() for movement in ledger.void(tx, job.id)]
        trail.record(tx, query_outcome(act, job.project, "voided", job.intent, moved, reasons=[why.code]))
    settle_outcome(parts, job, trail.events)
    return True


def _burn(parts: Parts, job: Job, trail: Trail, why: Reason, move: Move, *, incident: bool) -> bool:
    with parts.store.transaction() as tx:
        act = trail.act(job.id)
        if not move(tx, act.event_id):
            return False
        tx.in_turn(job.questions)
        for question, position in _leading(job):
            ledger.fail_draw(tx, question, position, job.id)
        moved = [movement.as_entry() for movement in ledger.burn(tx, job.id)]
        trail.record(tx, query_outcome(act, job.project, "burned", job.intent, moved, reasons=[why.code]))
        if incident:
            governance.record_incident(tx, trail, job.project, why.code, job.id)
    parts.step("burned")
    settle_outcome(parts, job, trail.events)
    return True


def _leading(job: Job) -> list[tuple[str, int]]:
    return [(question, leads) for question, _, leads in job.decision["uses"] if leads is not None]


def settle_outcome(parts: Parts, job: Job, events: list[str]) -> None:
    """Return once the outcome has its place in the log: it may be shown. Raises Refused (fault.log-unavailable)."""
    parts.journal.settle(events)
    parts.ends.tell(job.id)
