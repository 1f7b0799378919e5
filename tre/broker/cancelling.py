"""Taking a question back (docs/decisions, "A wish ends a request at once").

Decided by the request's own state and the two times fixed in advance, never by what an engine has done.
"""

from __future__ import annotations

from tre import jobs
from tre.base.reasons import Refused, web
from tre.base.reasons import requests as reasons
from tre.broker.ending import burn_cancelled, void
from tre.broker.parts import Parts
from tre.broker.standing import Asker
from tre.jobs import Job, State

_ATTEMPTS = 3


def cancel(parts: Parts, asker: Asker, query: str) -> None:
    """End a request by its asker's wish: queued, its price is given back; running, it stays spent.

    One that was taken back before stays so. Raises Refused (request.ended, request.past-release).
    """
    for _ in range(_ATTEMPTS):
        job = _found(parts, query)
        if job.error == reasons.CANCELLED.code or _end(parts, asker, job):
            return
    raise Refused.because(reasons.BUSY)


def _end(parts: Parts, asker: Asker, job: Job) -> bool:
    """Whether this caller ended it; False where it moved on meanwhile."""
    if job.state is State.QUEUED:
        return void(parts, job, reasons.CANCELLED, asker)
    if job.state is not State.RUNNING:
        raise Refused.because(reasons.ENDED)
    if job.release_ms and job.release_at is not None and parts.clock.now() >= job.release_at:
        # Who sees it still running now knows that its engine is late: an incident, which no wish may undo.
        raise Refused.because(reasons.PAST_RELEASE)
    return burn_cancelled(parts, job, asker)


def _found(parts: Parts, query: str) -> Job:
    with parts.store.reading() as tx:
        job = jobs.find(tx, query)
    if job is None:
        raise Refused.because(web.UNKNOWN_QUERY)
    return job
