"""Ends without an answer: a queued request gives its price back, a running one burns it; each with its outcome."""

from __future__ import annotations

from tre import governance, jobs, ledger
from tre.base.reasons import Reason
from tre.broker.parts import Parts
from tre.jobs import Job
from tre.journal.entries import query_outcome
from tre.store import Transaction


def burn(parts: Parts, job: Job, why: Reason, owner: str | None) -> None:
    """End a running request without an answer: its price stays spent, governance is told."""
    trail = parts.trail(job.person)
    with parts.store.transaction() as tx:
        act = trail.act(job.id)
        if not jobs.burn(tx, job.id, parts.clock.now(), act.event_id, why.code, owner):
            return
        for question, position in _leading(job):
            ledger.fail_draw(tx, question, position, job.id)
        moved = [movement.as_entry() for movement in ledger.burn(tx, job.id)]
        trail.record(tx, query_outcome(act, job.project, "burned", job.intent, moved, reasons=[why.code]))
        governance.record_incident(tx, trail, job.project, why.code, job.id)
    parts.step("burned")
    settle_outcome(parts, job, act.event_id, trail.events)


def void(parts: Parts, job: Job, why: Reason) -> None:
    """End a queued request from which nothing was read: its price is given back."""
    trail = parts.trail(job.person)
    with parts.store.transaction() as tx:
        act = trail.act(job.id)
        if not jobs.void(tx, job.id, parts.clock.now(), act.event_id, why.code):
            return
        for question, position in _leading(job):
            ledger.drop_draw(tx, question, position, job.id)
        ledger.unpay(tx, job.id)
        moved = [movement.as_entry() for movement in ledger.void(tx, job.id)]
        trail.record(tx, query_outcome(act, job.project, "voided", job.intent, moved, reasons=[why.code]))
    settle_outcome(parts, job, act.event_id, trail.events)


def _leading(job: Job) -> list[tuple[str, int]]:
    return [(question, leads) for question, _, leads in job.decision["uses"] if leads is not None]


def settle_outcome(parts: Parts, job: Job, outcome: str, events: list[str]) -> None:
    """Return once the outcome has its place in the log, and note it. Raises Refused (fault.log-unavailable)."""
    indexes = parts.journal.settle(events)
    parts.ends.tell(job.id)
    # A lost note is no loss: until there is one, the index is looked up by the outcome's event id.
    with parts.store.transaction(lasting=False) as tx:
        note(tx, job.id, indexes[outcome])


def note(tx: Transaction, job: str, index: int) -> None:
    """Note where a request's outcome stands in the log: from now on it may be shown."""
    jobs.note_receipt(tx, job, index)
