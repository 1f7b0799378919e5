"""The states of a request as data, and one compare-and-set per transition.

Each function returns whether *this* caller made the transition; who gets False must not touch ledger or log.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from sqlalchemy import Update, bindparam, update

from tre.base.clock import stamp
from tre.base.reasons.journal import RESULT_LOST
from tre.jobs.rows import Answer, State
from tre.journal import Shown
from tre.store import Transaction
from tre.store.tables import queries

_ANYBODY = update(queries).where(queries.c.id == bindparam("job"), queries.c.state == bindparam("before"))
_OWNER = _ANYBODY.where(queries.c.lease_owner == bindparam("owner"))
_AFTER_ITS_LEASE = _ANYBODY.where(queries.c.lease_until < bindparam("now"))

TRANSITIONS = frozenset(
    {
        (State.QUEUED, State.RUNNING),
        (State.QUEUED, State.VOIDED),
        (State.RUNNING, State.COMMITTED),
        (State.RUNNING, State.BURNED),
    }
)
"""Queued is voided only when nothing was read; only running burns. There is no way back."""


def start(tx: Transaction, job: str, owner: str, now: datetime, lease_until: datetime) -> bool:
    """Queued → running, under a lease of `owner`; durable before the engine is asked."""
    values = {"lease_owner": owner, "lease_until": stamp(lease_until), "started": stamp(now)}
    return _move(tx, _ANYBODY, job, State.QUEUED, State.RUNNING, **values)


def commit(tx: Transaction, job: str, owner: str, now: datetime, outcome: str, answer: Answer) -> bool:
    """Running → committed, by the lease's owner alone; `outcome` is the event id of the entry that says so."""
    values = {"releases": json.dumps([list(one) for one in answer.releases]), "result": json.dumps(dict(answer.result))}
    values |= {"finished": stamp(now), "outcome": outcome, "owner": owner}
    return _move(tx, _OWNER, job, State.RUNNING, State.COMMITTED, **values)


def burn(tx: Transaction, job: str, now: datetime, outcome: str, error: str, owner: str | None = None) -> bool:
    """Running → burned: by its owner when the run failed, by whoever may say so when the owner is dead."""
    values = {"finished": stamp(now), "outcome": outcome, "error": error}
    if owner is None:
        return _move(tx, _ANYBODY, job, State.RUNNING, State.BURNED, **values)
    return _move(tx, _OWNER, job, State.RUNNING, State.BURNED, owner=owner, **values)


def burn_lapsed(tx: Transaction, job: str, now: datetime, outcome: str, error: str) -> bool:
    """Running → burned, once its lease has lapsed: its owner is dead, or cannot reach the database."""
    values = {"finished": stamp(now), "outcome": outcome, "error": error, "now": stamp(now)}
    return _move(tx, _AFTER_ITS_LEASE, job, State.RUNNING, State.BURNED, **values)


def cancel(tx: Transaction, job: str, now: datetime, outcome: str, error: str) -> bool:
    """Running → burned, by the wish of who asked: its owner finds it gone and stops its engine."""
    values = {"finished": stamp(now), "outcome": outcome, "error": error, "cancelled": stamp(now)}
    return _move(tx, _ANYBODY, job, State.RUNNING, State.BURNED, **values)


def void(tx: Transaction, job: str, now: datetime, outcome: str, error: str) -> bool:
    """Queued → voided: cancelled, revoked, pool or log down; nothing was read."""
    values = {"finished": stamp(now), "outcome": outcome, "error": error}
    return _move(tx, _ANYBODY, job, State.QUEUED, State.VOIDED, **values)


def adopt(tx: Transaction, shown: Shown) -> tuple[str, ...]:
    """End the requests of a restored back-up that the log shows as ended; return their ids.

    Their answers were given, and are lost with what the back-up lacks.
    """
    adopted = []
    for entry in shown.news:
        if entry.fields["event"] == "query-outcome" and _adopt_one(tx, entry.fields):
            adopted.append(str(entry.fields["request"]))
    return tuple(adopted)


def _adopt_one(tx: Transaction, fields: Any) -> bool:
    t = queries.c
    done = tx.execute(
        update(queries)
        .where(t.id == fields["request"], t.state.in_((State.QUEUED.value, State.RUNNING.value)))
        .values(
            state=fields["state"],
            finished=fields["time"],
            outcome=fields["event_id"],
            error=RESULT_LOST.code,
            lease_owner=None,
            lease_until=None,
        )
    )
    return bool(done.rowcount)


def _move(tx: Transaction, by: Update, job: str, before: State, after: State, **values: str) -> bool:
    """Make a transition if `by` finds the request in the state before it; what of `values` is a column is set."""
    if (before, after) not in TRANSITIONS:
        raise ValueError(f"no transition from {before} to {after}; this is a bug, report it")
    done = tx.execute(by, {"job": job, "before": before.value, "state": after.value, **values})
    return bool(done.rowcount)
