"""Incidents: what lies outside the proof is told to governance, and the second one locks the project (PRIVACY §3.9)."""

from __future__ import annotations

from sqlalchemy import func, insert, select, update

from tre.base.clock import stamp
from tre.base.reasons import Refused
from tre.base.reasons import governance as reasons
from tre.governance.context import context
from tre.governance.people import find_person
from tre.governance.projects import find_project
from tre.journal import Trail
from tre.journal.entries import incident, project_changed, project_unlocked
from tre.policy import gates
from tre.policy.actions import Action
from tre.policy.context import Status
from tre.store import Transaction
from tre.store.tables import incidents, projects

TOLERATED = 1
"""Incidents of a project that governance has not looked at before it is locked."""

_LONGEST_REASON = 2000


def record_incident(tx: Transaction, trail: Trail, project: str, reason: str, query: str | None = None) -> bool:
    """Note an incident of a project under a reason's code; return whether the project is locked now."""
    act = trail.act(query)
    tx.execute(
        insert(incidents).values(id=act.event_id, project=project, reason=reason, query=query, at=stamp(act.time))
    )
    trail.record(tx, incident(act, query or project, [reason], project=project))
    t = incidents.c
    open_ones = select(func.count()).select_from(incidents).where(t.project == project, t.settled.is_(None))
    if tx.execute(open_ones).scalar_one() <= TOLERATED:
        return False
    changed = tx.execute(
        update(projects)
        .where(projects.c.id == project, projects.c.state == Status.ACTIVE.value)
        .values(state=Status.LOCKED.value)
    )
    if changed.rowcount:
        trail.record(tx, project_changed(trail.act(), project, "locked", [reason]))
    return True


def unlock_project(tx: Transaction, trail: Trail, project: str, reason: str) -> None:
    """Unlock a project after its incidents were looked at by `trail.actor`, who is not of the project.

    Raises Refused (governance.no-reason, governance.unknown-project, governance.unknown-person,
    governance.own-project, governance.not-governance, governance.not-locked).
    """
    if not 0 < len(reason.strip()) <= _LONGEST_REASON:
        raise Refused.because(reasons.NO_REASON, most=str(_LONGEST_REASON))
    _check_unlocks(tx, trail, project)
    changed = tx.execute(
        update(projects)
        .where(projects.c.id == project, projects.c.state == Status.LOCKED.value)
        .values(state=Status.ACTIVE.value)
    )
    if not changed.rowcount:
        raise Refused.because(reasons.NOT_LOCKED, project=project)
    act = trail.sealed(tx, trail.act(), f"project/{project}", "reason", reason)
    t = incidents.c
    tx.execute(update(incidents).where(t.project == project, t.settled.is_(None)).values(settled=stamp(act.time)))
    trail.record(tx, project_unlocked(act, project))


def _check_unlocks(tx: Transaction, trail: Trail, project: str) -> None:
    person = trail.actor
    found, who = find_project(tx, project), context(tx, person, project, "", trail.clock.now())
    if found is None or who.project is None:
        raise Refused.because(reasons.UNKNOWN_PROJECT, project=ascii(project)[:60])
    if find_person(tx, person) is None:
        raise Refused.because(reasons.UNKNOWN_PERSON, person=ascii(person)[:60])
    if person in found.members:
        raise Refused.because(reasons.OWN_PROJECT, person=person, project=project)
    if not gates.may(Action.PROJECT_UNLOCK, who, who.project).allowed:
        raise Refused.because(reasons.NOT_GOVERNANCE, person=person)
