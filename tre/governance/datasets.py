"""Data sets: their versions, and the policies under which they may be used."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Row, bindparam, func, insert, select, update

from tre import ledger
from tre.base.clock import parse_stamp, stamp
from tre.base.reasons import Refused
from tre.base.reasons import governance as reasons
from tre.governance.budgets import set_limits
from tre.governance.checks import id_refusals, refuse
from tre.journal import Trail
from tre.journal.entries import policy_activated, version_added
from tre.policy import CompiledPolicy, compile_policy, load_policy
from tre.store import Reading, Transaction
from tre.store.tables import datasets, policies, project_datasets, versions

_IN_FORCE = policies.c.dataset == bindparam("dataset"), policies.c.status == "active"
_DIGEST = select(policies.c.digest).where(*_IN_FORCE)
_ACTIVE = select(policies).where(*_IN_FORCE)
_NEWEST_FIRST = select(versions).where(versions.c.dataset == bindparam("dataset")).order_by(versions.c.number.desc())
_NEWEST = _NEWEST_FIRST.limit(1)


@dataclass(frozen=True, slots=True)
class VersionRecord:
    """A version of a data set: its random name, its place in the order, the HMAC of its logical content."""

    name: str
    dataset: str
    number: int
    commitment: str
    catalogue_digest: str
    added: datetime


@dataclass(frozen=True, slots=True)
class PolicyRecord:
    """A policy as it was activated. `status` is `active` or `ended`."""

    dataset: str
    digest: str
    text: str
    status: str
    by: str
    at: datetime
    ended: datetime | None


def add_dataset(tx: Transaction, trail: Trail, policy: CompiledPolicy) -> None:
    """Make the data set of `policy` known, if it is not, and put the policy into force.

    Raises Refused (governance.bad-id, budget.measure-fixed).
    """
    refuse(id_refusals(policy.dataset))
    tx.insert_new(datasets, {"name": policy.dataset, "added": stamp(trail.clock.now())})
    activate_policy(tx, trail, policy)


def list_datasets(tx: Reading) -> tuple[str, ...]:
    """Return the names of all data sets."""
    return tuple(tx.execute(select(datasets.c.name).order_by(datasets.c.name)).scalars().all())


def activate_policy(tx: Transaction, trail: Trail, policy: CompiledPolicy) -> None:
    """Put a policy into force in place of the one before, and bring the ledgers' limits to it.

    One that is in force already is left alone. Raises Refused (budget.measure-fixed).
    """
    name = policy.dataset
    before = active_policy(tx, name)
    if before is not None and before.text == policy.text:
        return
    act = trail.act()
    now = stamp(act.time)
    t = policies.c
    tx.execute(update(policies).where(t.dataset == name, t.status == "active").values(status="ended", ended=now))
    facts = {"dataset": name, "digest": policy.digest, "text": policy.text, "by": trail.actor, "at": now}
    tx.execute(insert(policies).values(status="active", **facts))
    event = trail.record(tx, policy_activated(act, name, policy.digest))
    ledger.ensure(tx, ledger.LedgerId.of_dataset(name), policy.rules.per_dataset, event)
    users = select(project_datasets.c.project).where(project_datasets.c.dataset == name)
    for project in tx.execute(users).scalars().all():
        set_limits(tx, project, policy, event)


def active_policy(tx: Reading, dataset: str) -> PolicyRecord | None:
    """Return the policy in force for a data set."""
    row = tx.execute(_ACTIVE, {"dataset": dataset}).one_or_none()
    return None if row is None else _policy(row)


def list_policies(tx: Reading, dataset: str) -> tuple[PolicyRecord, ...]:
    """Return the history of a data set's policies, oldest first."""
    rows = tx.execute(select(policies).where(policies.c.dataset == dataset).order_by(policies.c.id))
    return tuple(_policy(row) for row in rows)


def _policy(row: Row[Any]) -> PolicyRecord:
    ended = parse_stamp(row.ended) if row.ended else None
    return PolicyRecord(row.dataset, row.digest, row.text, row.status, row.by, parse_stamp(row.at), ended)


def policy_in_force(tx: Reading, dataset: str) -> CompiledPolicy | None:
    """Return the policy in force for a data set, compiled; None where there is none.

    Every request asks several times, so the text is read once for each digest.
    """
    digest = tx.execute(_DIGEST, {"dataset": dataset}).scalar_one_or_none()
    if digest is None:
        return None
    known = _known.get((dataset, digest))
    if known is None and (found := active_policy(tx, dataset)) is not None:
        known = _compiled(found.text, dataset)
        if known.digest == digest:
            _known[dataset, digest] = known
    return known


def policy_of_the_past(tx: Reading, dataset: str, digest: str) -> CompiledPolicy | None:
    """Return the policy under which something was decided; None where it is not known, or no longer understood."""
    try:
        return next((_compiled(one.text, dataset) for one in list_policies(tx, dataset) if one.digest == digest), None)
    except Refused:
        return None


def add_version(
    tx: Transaction, trail: Trail, dataset: str, name: str, commitment: str, catalogue_digest: str
) -> VersionRecord:
    """Make an onboarded version the data set's current one.

    Raises Refused (governance.unknown-dataset, governance.no-policy).
    """
    if tx.execute(select(datasets.c.name).where(datasets.c.name == dataset)).one_or_none() is None:
        raise Refused.because(reasons.UNKNOWN_DATASET, dataset=ascii(dataset)[:60])
    policy = active_policy(tx, dataset)
    if policy is None:
        raise Refused.because(reasons.NO_POLICY, dataset=dataset)
    newest = tx.execute(select(func.max(versions.c.number)).where(versions.c.dataset == dataset)).scalar_one()
    act = trail.act()
    record = VersionRecord(name, dataset, (newest or 0) + 1, commitment, catalogue_digest, act.time)
    tx.execute(
        insert(versions).values(
            name=name,
            dataset=dataset,
            number=record.number,
            commitment=commitment,
            catalogue_digest=catalogue_digest,
            added=stamp(act.time),
        )
    )
    trail.record(tx, version_added(act, dataset, name, commitment, policy.digest))
    return record


def list_versions(tx: Reading, dataset: str) -> tuple[VersionRecord, ...]:
    """Return the versions of a data set, newest first."""
    return tuple(_version(row) for row in tx.execute(_NEWEST_FIRST, {"dataset": dataset}))


def current_version(tx: Reading, dataset: str) -> VersionRecord:
    """Return the newest version of a data set. Raises Refused (governance.no-version)."""
    row = tx.execute(_NEWEST, {"dataset": dataset}).one_or_none()
    if row is None:
        raise Refused.because(reasons.NO_VERSION, dataset=dataset)
    return _version(row)


def _version(row: Row[Any]) -> VersionRecord:
    return VersionRecord(
        row.name, row.dataset, row.number, row.commitment, row.catalogue_digest, parse_stamp(row.added)
    )


_known: dict[tuple[str, str], CompiledPolicy] = {}
"""Policies that were in force in this process, by data set and digest: a handful in its life."""


@lru_cache(maxsize=64)
def _compiled(text: str, dataset: str) -> CompiledPolicy:
    return compile_policy(load_policy(text, dataset), dataset)
