"""A request as a row: what was decided, where it stands, what it answered."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, bindparam, insert, null, select, update

from tre.base.clock import parse_stamp, stamp
from tre.store import Reading, Transaction
from tre.store.tables import indexed, queries

ROWS = select(queries, indexed.c.log_index).outerjoin(indexed, indexed.c.event_id == queries.c.outcome)
"""Every request with the place of its outcome in the log: what is read of a request is read of both."""

_SUBMIT = insert(queries).returning(queries, null().label("log_index"))
_JOB = ROWS.where(queries.c.id == bindparam("job"))
_STATES = select(queries.c.id, queries.c.state).where(queries.c.id.in_(bindparam("jobs", expanding=True)))


class State(StrEnum):
    """Where a request stands (AUDIT "Order of durability"). A queued one has its price reserved."""

    QUEUED = "queued"
    RUNNING = "running"
    COMMITTED = "committed"
    BURNED = "burned"
    VOIDED = "voided"


@dataclass(frozen=True, slots=True)
class NewJob:
    """A request whose price is being reserved.

    `questions` are digests of blocks; `decision` the plan's facts, plain JSON without literals; `intent` the event
    id of its intent, under which the side-car holds its SQL; `release_ms` and `limit_ms` count from its start. `aim`
    marks a pilot, whose second step is asked for whom it names.
    """

    id: str
    project: str
    person: str
    dataset: str
    version: str
    questions: Sequence[str]
    decision: Mapping[str, Any]
    intent: str
    release_ms: int
    limit_ms: int
    aim: Mapping[str, str | None] | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a committed request released: its draws as (question, position), its rows as plain JSON."""

    releases: Sequence[tuple[str, int]]
    result: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Job:
    """A request. `receipt_index` is the place of its outcome in the log, once that is under a signed head.

    `aim` stands on a pilot until its second step is taken, then `second` names that, or refused, as `error` says.
    """

    number: int
    id: str
    state: State
    project: str
    person: str
    dataset: str
    version: str
    questions: tuple[str, ...]
    decision: Mapping[str, Any]
    intent: str
    release_ms: int
    limit_ms: int
    created: datetime
    started: datetime | None
    finished: datetime | None
    lease_owner: str | None
    lease_until: datetime | None
    outcome: str | None
    receipt_index: int | None
    answer: Answer | None
    error: str | None
    cancelled: datetime | None
    aim: Mapping[str, str | None] | None
    second: str | None

    @property
    def release_at(self) -> datetime | None:
        """When a ready answer leaves; None before the start."""
        return self.started + timedelta(milliseconds=self.release_ms) if self.started else None

    @property
    def limit_at(self) -> datetime | None:
        """When every other outcome leaves (PRIVACY §3.10); None before the start."""
        return self.started + timedelta(milliseconds=self.limit_ms) if self.started else None


def submit(tx: Transaction, job: NewJob, now: datetime) -> Job:
    """Queue a request; in the transaction that reserves its price and records its intent."""
    values = {
        "id": job.id,
        "state": State.QUEUED.value,
        "project": job.project,
        "person": job.person,
        "dataset": job.dataset,
        "version": job.version,
        "questions": json.dumps(list(job.questions)),
        "decision": json.dumps(dict(job.decision), sort_keys=True),
        "intent": job.intent,
        "release_ms": job.release_ms,
        "limit_ms": job.limit_ms,
        "created": stamp(now),
        "aim": None if job.aim is None else json.dumps(dict(job.aim)),
    }
    return as_job(tx.execute(_SUBMIT, values).one())


def find(tx: Reading, job: str) -> Job | None:
    """Return a request by id."""
    row = tx.execute(_JOB, {"job": job}).one_or_none()
    return None if row is None else as_job(row)


def jobs_of(
    tx: Reading, project: str, *, person: str | None = None, before: int | None = None, most: int = 100
) -> tuple[Job, ...]:
    """Return a project's requests, newest first, or those of one person; `before` is the number to go on from."""
    statement = ROWS.where(queries.c.project == project)
    if person is not None:
        statement = statement.where(queries.c.person == person)
    if before is not None:
        statement = statement.where(queries.c.number < before)
    rows = tx.execute(statement.order_by(queries.c.number.desc()).limit(most))
    return tuple(as_job(row) for row in rows)


def states_of(tx: Reading, ids: Collection[str]) -> dict[str, State]:
    """Return the states of requests by id; unknown ones are left out."""
    if not ids:
        return {}
    return {row.id: State(row.state) for row in tx.execute(_STATES, {"jobs": list(ids)})}


def running(tx: Reading, leases_before: datetime | None = None) -> tuple[Job, ...]:
    """Return the requests that run; given a time, only those whose lease lapsed before it."""
    statement = ROWS.where(queries.c.state == State.RUNNING.value)
    if leases_before is not None:
        statement = statement.where(queries.c.lease_until < stamp(leases_before))
    return tuple(as_job(row) for row in tx.execute(statement.order_by(queries.c.number)))


def pilots(tx: Reading) -> tuple[Job, ...]:
    """Return the answered pilots whose second step is still to be taken."""
    t = queries.c
    found = ROWS.where(t.aim.is_not(None), t.state == State.COMMITTED.value)
    return tuple(as_job(row) for row in tx.execute(found.order_by(t.number)))


def note_second(tx: Transaction, job: str, second: str | None, error: str | None) -> None:
    """Note which request is a pilot's second step, or why there is none."""
    t = queries.c
    tx.execute(update(queries).where(t.id == job, t.aim.is_not(None)).values(aim=None, second=second, error=error))


def as_job(row: Row[Any]) -> Job:
    """Return the request that a row of `ROWS` tells of."""
    answer = None
    if row.result is not None:
        releases = tuple((question, position) for question, position in json.loads(row.releases))
        answer = Answer(releases, json.loads(row.result))
    return Job(
        row.number,
        row.id,
        State(row.state),
        row.project,
        row.person,
        row.dataset,
        row.version,
        tuple(json.loads(row.questions)),
        json.loads(row.decision),
        row.intent,
        row.release_ms,
        row.limit_ms,
        parse_stamp(row.created),
        _time(row.started),
        _time(row.finished),
        row.lease_owner,
        _time(row.lease_until),
        row.outcome,
        row.log_index,
        answer,
        row.error,
        _time(row.cancelled),
        None if row.aim is None else json.loads(row.aim),
        row.second,
    )


def _time(text: str | None) -> datetime | None:
    return parse_stamp(text) if text is not None else None
