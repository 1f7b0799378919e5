"""Erasing what was typed in a project, by two people, each of whom has come as themselves."""

from __future__ import annotations

from collections.abc import Callable

from tre.base.reasons import Refused, web
from tre.governance.erasing import Erasure, agree_erasure, ask_erasure, asked_erasure
from tre.governance.oversight.desk import Desk, allowed
from tre.governance.projects import find_project
from tre.identity import Principal
from tre.journal import Trail
from tre.policy.actions import Action, House
from tre.store import Reading, Transaction


def erasure(desk: Desk, principal: Principal, project: str) -> Erasure:
    """Return how the erasure of a project's texts stands. Raises Refused (web.unknown-project)."""
    with desk.store.reading() as tx:
        _admit(desk, tx, principal, project)
        return asked_erasure(tx, project, desk.clock.now())


def ask(desk: Desk, principal: Principal, project: str) -> None:
    """Ask for the erasure. Raises Refused (web.unknown-project, and whatever `ask_erasure` raises)."""
    _done(desk, principal, project, ask_erasure)


def agree(desk: Desk, principal: Principal, project: str) -> None:
    """Agree to what another asked for, and erase. Raises Refused (web.unknown-project, and as `agree_erasure`)."""
    try:
        _done(desk, principal, project, agree_erasure)
    finally:  # also where it was erased before: a crash in between left what the files have
        desk.store.scrub()


def _done(desk: Desk, principal: Principal, project: str, change: Callable[[Transaction, Trail, str], None]) -> None:
    trail = desk.trail(principal)
    with desk.store.transaction() as tx:
        _admit(desk, tx, principal, project)
        change(tx, trail, project)
    desk.journal.settle(trail.events)


def _admit(desk: Desk, tx: Reading, principal: Principal, project: str) -> None:
    if find_project(tx, project) is None or not allowed(desk.who(tx, principal), Action.TEXT_ERASE, House()):
        raise Refused.because(web.UNKNOWN_PROJECT)
