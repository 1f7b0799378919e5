"""Data sets and their policies, for the controllers who answer for them and for auditors."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from tre.base.reasons import Refused, web
from tre.governance.datasets import (
    PolicyRecord,
    VersionRecord,
    active_policy,
    list_datasets,
    list_policies,
    list_versions,
)
from tre.governance.oversight.desk import Desk, allowed
from tre.governance.oversight.projects import Share, share_of
from tre.governance.people import controllers_of
from tre.identity import Principal
from tre.ledger import LedgerId
from tre.policy import PolicyDocument, load_policy
from tre.policy.actions import Action, DataSet, House
from tre.policy.context import Context
from tre.policy.findings import DocumentRefused, Finding
from tre.store import Reading
from tre.store.tables import project_datasets


@dataclass(frozen=True, slots=True)
class DataRecord:
    """A data set: versions newest first, the policy in force, who may use it, who answers for it, its budget."""

    name: str
    versions: tuple[VersionRecord, ...]
    policy: PolicyRecord | None
    projects: tuple[str, ...]
    controllers: tuple[str, ...]
    share: Share | None


@dataclass(frozen=True, slots=True)
class NumberedPolicy:
    """A policy and its number in the data set's history, from 1."""

    number: int
    policy: PolicyRecord


def datasets(desk: Desk, principal: Principal) -> tuple[DataRecord, ...]:
    """Return the data sets that this person answers for or audits, by name."""
    with desk.store.reading() as tx:
        who = desk.who(tx, principal)
        return tuple(_record(tx, name) for name in list_datasets(tx) if _sees(who, name))


def dataset(desk: Desk, principal: Principal, name: str) -> DataRecord:
    """Return one of them. Raises Refused (web.unknown-dataset)."""
    with desk.store.reading() as tx:
        _check(desk, tx, principal, name)
        return _record(tx, name)


def policies(desk: Desk, principal: Principal, name: str) -> tuple[NumberedPolicy, ...]:
    """Return the history of a data set's policies, oldest first. Raises Refused (web.unknown-dataset)."""
    with desk.store.reading() as tx:
        _check(desk, tx, principal, name)
        return tuple(NumberedPolicy(number, one) for number, one in enumerate(list_policies(tx, name), 1))


def linted(desk: Desk, principal: Principal, text: str) -> tuple[PolicyDocument | None, tuple[Finding, ...]]:
    """Return the policy in `text` if it is valid, and what is to be said of it. Raises Refused (web.unknown-path)."""
    if not desk.may(principal, Action.POLICY_LINT, House()):
        raise Refused.because(web.UNKNOWN_PATH)
    try:
        found = load_policy(text)
    except DocumentRefused as refused:
        return None, refused.findings
    return found, found.warnings


def _check(desk: Desk, tx: Reading, principal: Principal, name: str) -> None:
    if name not in list_datasets(tx) or not _sees(desk.who(tx, principal), name):
        raise Refused.because(web.UNKNOWN_DATASET)


def _sees(who: Context, name: str) -> bool:
    return allowed(who, Action.POLICY_READ, DataSet(name))


def _record(tx: Reading, name: str) -> DataRecord:
    users = select(project_datasets.c.project).where(project_datasets.c.dataset == name)
    return DataRecord(
        name,
        list_versions(tx, name),
        active_policy(tx, name),
        tuple(sorted(tx.execute(users).scalars().all())),
        controllers_of(tx, name),
        share_of(tx, LedgerId.of_dataset(name), name),
    )
