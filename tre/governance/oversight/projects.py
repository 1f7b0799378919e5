"""The projects that somebody oversees: a controller sees of each what concerns their data sets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from sqlalchemy import func, select

from tre import ledger
from tre.base.reasons import Refused, web
from tre.governance.oversight.desk import Desk, allowed
from tre.governance.projects import ProjectRecord, find_project, list_projects
from tre.identity import Principal
from tre.ledger import LedgerId
from tre.policy.actions import Action
from tre.policy.context import Context, Project
from tre.store import Reading
from tre.store.tables import incidents, ledgers


@dataclass(frozen=True, slots=True)
class Share:
    """Which share of a budget on a data set is spent, and which reserved: of rho, because epsilon does not add."""

    dataset: str
    spent: float
    reserved: float


@dataclass(frozen=True, slots=True)
class Overseen:
    """A project with what a reviewer asks of it; `datasets` are those that concern them."""

    project: ProjectRecord
    datasets: tuple[str, ...]
    shares: tuple[Share, ...]
    incidents: int
    open_incidents: int


def projects(desk: Desk, principal: Principal) -> tuple[Overseen, ...]:
    """Return the projects that this person oversees, by id."""
    with desk.store.reading() as tx:
        who = desk.who(tx, principal)
        found = tuple(_overseen(tx, who, one) for one in list_projects(tx) if sees(who, one.for_gates(tx)))
    if found:
        desk.on_record(principal)
    return found


def project(desk: Desk, principal: Principal, name: str) -> Overseen:
    """Return one of them. Raises Refused (web.unknown-project)."""
    with desk.store.reading() as tx:
        who = desk.who(tx, principal)
        found = _overseen(tx, who, find_overseen(tx, who, name))
    desk.on_record(principal)
    return found


def find_overseen(tx: Reading, who: Context, name: str) -> ProjectRecord:
    """Return a project that `who` oversees. Raises Refused (web.unknown-project)."""
    found = find_project(tx, name)
    if found is None or not sees(who, found.for_gates(tx)):
        raise Refused.because(web.UNKNOWN_PROJECT)
    return found


def sees(who: Context, project: Project) -> bool:
    """Whether somebody oversees a project: members read theirs, but not the decisions on others' requests."""
    return allowed(who, Action.PROJECT_READ, project) and allowed(who, Action.DECISION_READ, project)


def sees_of(who: Context, project: Project, dataset: str | None) -> bool:
    """Whether they see decisions about this data set, or (None) about none that is known."""
    return sees(who, replace(project, datasets=frozenset(() if dataset is None else (dataset,))))


def share_of(tx: Reading, name: LedgerId, dataset: str) -> Share | None:
    """Return which share of a ledger is gone; None where there is no such ledger."""
    if tx.execute(select(ledgers.c.id).where(ledgers.c.id == name.text)).one_or_none() is None:
        return None
    found = ledger.balance(tx, name)
    whole = found.limit.amount or 1
    return Share(dataset, found.spent.amount / whole, found.reserved.amount / whole)


def _overseen(tx: Reading, who: Context, record: ProjectRecord) -> Overseen:
    granted = record.for_gates(tx)
    shown = tuple(name for name in sorted(record.datasets) if sees_of(who, granted, name))
    every, unsettled = _incidents(tx, record.id)
    return Overseen(record, shown, tuple(_shares(tx, record.id, shown)), every, unsettled)


def _shares(tx: Reading, project: str, datasets: tuple[str, ...]) -> Iterator[Share]:
    for name in datasets:
        found = share_of(tx, LedgerId.of_project(project, name), name)
        if found is not None:
            yield found


def _incidents(tx: Reading, project: str) -> tuple[int, int]:
    t = incidents.c
    count = select(func.count()).select_from(incidents).where(t.project == project)
    every: int = tx.execute(count).scalar_one()
    return every, tx.execute(count.where(t.settled.is_(None))).scalar_one()
