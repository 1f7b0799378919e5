"""Leases: who has a request in hand, and who alone does a thing for all servers. They lapse unless renewed.

Several servers share one database. A queued request is claimed, so that no two plan it; a running one belongs to
its owner until its lease lapses, and then to whoever holds the lease `BURNER`. Safety rests on neither: each
transition is a compare-and-set of its own (`tre.jobs.states`). Wall clocks of servers must agree to within a lease.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, or_, update

from tre.base.clock import stamp
from tre.jobs.rows import ROWS, Job, State, as_job
from tre.store import Reading, Transaction
from tre.store.tables import leases, queries

BURNER = "burner"
_HELD = (State.QUEUED.value, State.RUNNING.value)
_FREE = (
    queries.c.state == State.QUEUED.value,
    or_(queries.c.lease_until.is_(None), queries.c.lease_until < bindparam("now")),
)
_UNCLAIMED = ROWS.where(*_FREE).order_by(queries.c.number).limit(bindparam("most"))
_CLAIM = (
    update(queries)
    .where(queries.c.id == bindparam("job"), *_FREE)
    .values(lease_owner=bindparam("owner"), lease_until=bindparam("until"))
)


def unclaimed(tx: Reading, now: datetime, most: int) -> tuple[Job, ...]:
    """Return the queued requests that nobody has in hand, those that have waited longest."""
    return tuple(as_job(row) for row in tx.execute(_UNCLAIMED, {"now": stamp(now), "most": most}))


def claim(tx: Transaction, job: str, owner: str, now: datetime, until: datetime) -> bool:
    """Take a queued request in hand; False where somebody has it or it waits no longer."""
    taken = {"job": job, "now": stamp(now), "owner": owner, "until": stamp(until)}
    return bool(tx.execute(_CLAIM, taken).rowcount)


def unclaim(tx: Transaction, owner: str | None = None, job: str | None = None) -> None:
    """Let queued requests go again: one of `owner`, or all, where the caller is known to be the only server."""
    which = [queries.c.lease_owner == owner, queries.c.id == job] if owner is not None else []
    tx.execute(
        update(queries).where(queries.c.state == State.QUEUED.value, *which).values(lease_owner=None, lease_until=None)
    )


def renew(tx: Transaction, owner: str, until: datetime) -> None:
    """Prolong every lease of `owner`, on what it claimed and on what it runs."""
    tx.execute(
        update(queries)
        .where(queries.c.lease_owner == owner, queries.c.state.in_(_HELD))
        .values(lease_until=stamp(until))
    )


def elect(tx: Transaction, name: str, owner: str, now: datetime, until: datetime) -> bool:
    """Take or keep the lease `name`; False while another holds it."""
    mine = (
        update(leases)
        .where(leases.c.name == name, or_(leases.c.owner == owner, leases.c.until < stamp(now)))
        .values(owner=owner, until=stamp(until))
    )
    if tx.execute(mine).rowcount:
        return True
    return tx.insert_new(leases, {"name": name, "owner": owner, "until": stamp(until)})
