"""Erasing what was typed and who people are: the key of a scope is destroyed, by two people together."""

from __future__ import annotations

from sqlalchemy import select

from tre.base.reasons import Refused
from tre.base.reasons import governance as reasons
from tre.governance.context import context
from tre.governance.people import find_person
from tre.governance.projects import find_project
from tre.journal import Trail, destroy
from tre.journal.entries import key_destroyed
from tre.policy import gates
from tre.policy.actions import Action, House
from tre.store import Reading, Transaction
from tre.store.tables import people


def erase_project(tx: Transaction, trail: Trail, project: str, second: str) -> None:
    """Erase every question and reason of a project; its entries and answers stay, and what waits is refused.

    Raises Refused (governance.unknown-project, governance.own-texts, governance.one-person, governance.unknown-person,
    governance.not-eraser, governance.nothing-sealed).
    """
    found = find_project(tx, project)
    if found is None:
        raise Refused.because(reasons.UNKNOWN_PROJECT, project=ascii(project)[:60])
    _check(tx, trail, second, frozenset(found.members))
    _erase(tx, trail, f"project/{project}", second)


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
    _check(tx, trail, second, frozenset({person}))
    _erase(tx, trail, f"person/{person}", second)


def _check(tx: Reading, trail: Trail, second: str, own: frozenset[str]) -> None:
    """Two people who may, neither of whom the texts are of."""
    if trail.actor == second:
        raise Refused.because(reasons.ONE_PERSON)
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
