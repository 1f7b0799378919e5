"""Erasing what was typed and who people are: the key of a scope is destroyed, by two people together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, insert, select

from tre.base.clock import parse_stamp, stamp
from tre.base.reasons import Refused
from tre.base.reasons import governance as reasons
from tre.governance.context import context
from tre.governance.people import find_person
from tre.governance.projects import find_project
from tre.journal import Trail, destroy
from tre.journal.entries import key_destroyed, project_changed
from tre.policy import gates
from tre.policy.actions import Action, House
from tre.store import Reading, Transaction
from tre.store.tables import erasures, people, sidecar

_OPEN = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Erasure:
    """What may be erased of a project: how many texts are sealed; who has asked for it, and when, if anybody."""

    project: str
    texts: int
    person: str | None = None
    at: datetime | None = None


def asked_erasure(tx: Reading, project: str, now: datetime) -> Erasure:
    """Return how the erasure of a project's texts stands: a wish that nobody agreed to lapses after a week."""
    sealed = select(func.count()).select_from(sidecar).where(sidecar.c.scope == f"project/{project}")
    texts = tx.execute(sealed).scalar_one()
    row = tx.execute(select(erasures).where(erasures.c.project == project)).one_or_none()
    if row is None or parse_stamp(row.at) < now - _OPEN:
        return Erasure(project, texts)
    return Erasure(project, texts, row.person, parse_stamp(row.at))


def ask_erasure(tx: Transaction, trail: Trail, project: str) -> None:
    """Ask for the erasure of a project's texts, which another person has to agree to.

    Raises Refused (governance.unknown-project, governance.own-texts, governance.unknown-person,
    governance.not-eraser).
    """
    found = find_project(tx, project)
    if found is None:
        raise Refused.because(reasons.UNKNOWN_PROJECT, project=ascii(project)[:60])
    _check(tx, trail, trail.actor, frozenset(found.members))
    act = trail.act()
    tx.in_turn([f"erasure/{project}"])
    tx.execute(delete(erasures).where(erasures.c.project == project))
    tx.execute(insert(erasures).values(project=project, person=trail.actor, at=stamp(act.time)))
    trail.record(tx, project_changed(act, project, "erasure-asked"))


def agree_erasure(tx: Transaction, trail: Trail, project: str) -> None:
    """Agree to what another person has asked for, and erase.

    Raises Refused (governance.erasure-not-asked, and whatever `erase_project` raises).
    """
    tx.in_turn([f"erasure/{project}"])
    asked = asked_erasure(tx, project, trail.clock.now())
    if asked.person is None:
        raise Refused.because(reasons.NOT_ASKED, project=ascii(project)[:60])
    erase_project(tx, trail, project, asked.person)


def erase_project(tx: Transaction, trail: Trail, project: str, second: str) -> None:
    """Erase every question and reason of a project; its entries and answers stay, and what waits is refused.

    Raises Refused (governance.unknown-project, governance.own-texts, governance.one-person, governance.unknown-person,
    governance.not-eraser, governance.nothing-sealed).
    """
    found = find_project(tx, project)
    if found is None:
        raise Refused.because(reasons.UNKNOWN_PROJECT, project=ascii(project)[:60])
    _two(trail, second)
    _check(tx, trail, second, frozenset(found.members))
    _erase(tx, trail, f"project/{project}", second)
    tx.execute(delete(erasures).where(erasures.c.project == project))


def erase_person(tx: Transaction, trail: Trail, person: str, second: str) -> None:
    """Erase the name of somebody who has left, and who they were at outside issuers; the id stays taken.

    Raises Refused (governance.unknown-person, governance.still-here, governance.own-texts, governance.one-person,
    governance.not-eraser, governance.nothing-sealed).
    """
    row = tx.execute(select(people.c.ended).where(people.c.id == person)).one_or_none()
    if row is None:
        raise Refused.because(reasons.UNKNOWN_PERSON, person=ascii(person)[:60])
    if row.ended is None:
        raise Refused.because(reasons.STILL_HERE, person=person)
    _two(trail, second)
    _check(tx, trail, second, frozenset({person}))
    _erase(tx, trail, f"person/{person}", second)


def _two(trail: Trail, second: str) -> None:
    if trail.actor == second:
        raise Refused.because(reasons.ONE_PERSON)


def _check(tx: Reading, trail: Trail, second: str, own: frozenset[str]) -> None:
    """People who may, neither of whom the texts are of."""
    for one in (trail.actor, second):
        if find_person(tx, one) is None:
            raise Refused.because(reasons.UNKNOWN_PERSON, person=ascii(one)[:60])
        if one in own:
            raise Refused.because(reasons.OWN_TEXTS, person=one)
        if not gates.may(Action.TEXT_ERASE, context(tx, one, None, "", trail.clock.now()), House()).allowed:
            raise Refused.because(reasons.NOT_ERASER, person=one)


def _erase(tx: Transaction, trail: Trail, scope: str, second: str) -> None:
    if not destroy(tx, scope):
        raise Refused.because(reasons.NOTHING_SEALED)
    trail.record(tx, key_destroyed(trail.act(), scope, second))
