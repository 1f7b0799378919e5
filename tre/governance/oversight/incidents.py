"""Incidents, for those who look at them, and the unlocking of a project once they have."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from tre.base.clock import parse_stamp
from tre.base.reasons import Refused, web
from tre.governance.incidents import unlock_project
from tre.governance.oversight.desk import Desk, allowed
from tre.governance.projects import find_project, list_projects
from tre.identity import Principal
from tre.journal.search import Page
from tre.policy.actions import Action
from tre.store.tables import incidents as table
from tre.store.tables import indexed


@dataclass(frozen=True, slots=True)
class IncidentRecord:
    """An incident: its entry in the log, its reason's code, and when governance has looked at it."""

    index: int
    project: str
    reason: str
    query: str | None
    at: datetime
    settled: datetime | None


@dataclass(frozen=True, slots=True)
class Incidents:
    """A page of incidents, newest first; `next` is the `before` of the page after it."""

    incidents: tuple[IncidentRecord, ...]
    next: int | None


def incidents(desk: Desk, principal: Principal, page: Page) -> Incidents:
    """Return the incidents of the projects that this person looks after; nobody's are none."""
    t = table.c
    with desk.store.reading() as tx:
        who = desk.who(tx, principal)
        seen = [one.id for one in list_projects(tx) if allowed(who, Action.INCIDENT_READ, one.for_gates(tx))]
        chosen = select(table, indexed.c.log_index).join(indexed, indexed.c.event_id == t.id)
        chosen = chosen.where(t.project.in_(seen)).order_by(indexed.c.log_index.desc()).limit(page.limit + 1)
        if page.before is not None:
            chosen = chosen.where(indexed.c.log_index < page.before)
        rows = tx.execute(chosen).all()
    if seen:
        desk.on_record(principal)
    found = tuple(
        IncidentRecord(
            row.log_index,
            row.project,
            row.reason,
            row.query,
            parse_stamp(row.at),
            parse_stamp(row.settled) if row.settled else None,
        )
        for row in rows[: page.limit]
    )
    return Incidents(found, found[-1].index if len(rows) > len(found) else None)


def unlock(desk: Desk, principal: Principal, project: str, reason: str) -> None:
    """Unlock a project whose incidents this person looks after.

    Raises Refused (web.unknown-project, governance.own-project, governance.not-governance, governance.no-reason,
    governance.not-locked).
    """
    with desk.store.reading() as tx:
        found = find_project(tx, project)
        if found is None or not allowed(desk.who(tx, principal), Action.INCIDENT_READ, found.for_gates(tx)):
            raise Refused.because(web.UNKNOWN_PROJECT)
    trail = desk.trail(principal)
    with desk.store.transaction() as tx:
        unlock_project(tx, trail, project, reason)
    desk.journal.settle(trail.events)
