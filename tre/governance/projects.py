"""Projects: who may ask what of which data sets, for which purposes, until when, and for how much."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from types import MappingProxyType
from typing import Any

from sqlalchemy import Row, bindparam, insert, select

from tre.base.clock import parse_stamp, stamp
from tre.base.reasons import Refusal, Refused
from tre.base.reasons import governance as reasons
from tre.governance.bounds import pay_as_newcomer
from tre.governance.budgets import granted, set_limits, still_granted
from tre.governance.checks import id_refusals, purpose_refusals, refuse, require_no_board
from tre.governance.datasets import policy_in_force
from tre.governance.people import find_person
from tre.journal import Trail
from tre.journal.entries import bootstrap_member, bootstrap_project
from tre.policy import CompiledPolicy
from tre.policy.context import Project, Role, Status
from tre.store import Reading, Transaction
from tre.store.tables import project_datasets, project_members, projects

_PROJECT = select(projects).where(projects.c.id == bindparam("project"))
_MEMBERS = select(project_members).where(project_members.c.project == bindparam("project"))
_ROLE = select(project_members.c.role).where(
    project_members.c.project == bindparam("project"), project_members.c.person == bindparam("person")
)
_DATASETS = select(project_datasets).where(project_datasets.c.project == bindparam("project"))

DEFAULT_LIFE = timedelta(days=365)
"""How long a project lasts that was given no end: none is granted for ever."""


@dataclass(frozen=True, slots=True)
class NewProject:
    """What a project is granted. Epsilon and delta hold for each of its data sets."""

    id: str
    datasets: tuple[str, ...]
    people: tuple[str, ...]
    purposes: tuple[str, ...]
    epsilon: Fraction
    delta: Fraction
    expires: datetime | None = None


@dataclass(frozen=True, slots=True)
class ProjectRecord:
    """A project as the environment knows it; `granted` is its (epsilon, delta) as asked for."""

    id: str
    status: Status
    purposes: frozenset[str]
    members: Mapping[str, Role]
    datasets: frozenset[str]
    looked: frozenset[str]
    starts: datetime
    expires: datetime
    granted: tuple[Fraction, Fraction]

    def for_gates(self, tx: Reading) -> Project:
        """Return what the gates need to know, with the limit on each data set that has a policy in force."""
        found = {name: policy_in_force(tx, name) for name in self.datasets}
        limits = {name: still_granted(*self.granted, policy) for name, policy in found.items() if policy is not None}
        return Project(
            self.id,
            self.members,
            self.purposes,
            self.datasets,
            self.starts,
            self.expires,
            self.status,
            MappingProxyType(limits),
            self.looked,
        )


def add_project(tx: Transaction, trail: Trail, new: NewProject) -> ProjectRecord:
    """Add an active project before there is a board, with its ledgers. Whoever adds it has judged its purposes.

    Raises Refused with everything that is wrong with it (governance.*); budget.exhausted where its budget would not
    cover the bounds that were found in a data set.
    """
    require_no_board(tx)
    now = trail.clock.now()
    expires = new.expires or now + DEFAULT_LIFE
    members, policies = _checked(tx, new, now, expires)
    row = {
        "id": new.id,
        "state": Status.ACTIVE.value,
        "purposes": json.dumps(sorted(set(new.purposes))),
        "epsilon": str(new.epsilon),
        "delta": str(new.delta),
        "starts": stamp(now),
        "expires": stamp(expires),
    }
    if not tx.insert_new(projects, row):
        raise Refused.because(reasons.PROJECT_EXISTS, project=new.id)
    for person, role in members.items():
        tx.execute(insert(project_members).values(project=new.id, person=person, role=role.value, since=stamp(now)))
        trail.record(tx, bootstrap_member(trail.act(), new.id, person, role.value, expires))
    for name, policy in policies.items():
        tx.execute(insert(project_datasets).values(project=new.id, dataset=name, looked=stamp(now)))
        event = trail.record(tx, bootstrap_project(trail.act(), new.id, new.purposes, name, expires))
        set_limits(tx, new.id, policy, event)
        pay_as_newcomer(tx, trail, new.id, name)
    found = find_project(tx, new.id)
    assert found is not None
    return found


def find_project(tx: Reading, project: str) -> ProjectRecord | None:
    """Return a project by id."""
    row = tx.execute(_PROJECT, {"project": project}).one_or_none()
    return None if row is None else _record(tx, row)


def role_in(tx: Reading, project: str, person: str) -> Role | None:
    """Return what a person is in a project; None where they or the project are unknown."""
    found = tx.execute(_ROLE, {"project": project, "person": person}).scalar_one_or_none()
    return None if found is None else Role(found)


def list_projects(tx: Reading, person: str | None = None) -> tuple[ProjectRecord, ...]:
    """Return all projects by id; given a person, those that they belong to."""
    statement = select(projects).order_by(projects.c.id)
    if person is not None:
        own = select(project_members.c.project).where(project_members.c.person == person)
        statement = statement.where(projects.c.id.in_(own))
    return tuple(_record(tx, row) for row in tx.execute(statement).all())


def _checked(
    tx: Reading, new: NewProject, now: datetime, expires: datetime
) -> tuple[dict[str, Role], dict[str, CompiledPolicy]]:
    refusals = id_refusals(new.id) + purpose_refusals(*new.purposes)
    lacking = [
        (new.people, reasons.NO_MEMBERS),
        (new.datasets, reasons.NO_DATASETS),
        (new.purposes, reasons.NO_PURPOSE),
    ]
    refusals += [Refusal(reason) for given, reason in lacking if not given]
    if expires <= now:
        refusals.append(Refusal(reasons.BAD_DATES))
    members = {person: _member(tx, person, refusals) for person in dict.fromkeys(new.people)}
    policies = {name: _usable(tx, new, name, refusals) for name in dict.fromkeys(new.datasets)}
    refuse(refusals)
    return (
        {person: role for person, role in members.items() if role is not None},
        {name: policy for name, policy in policies.items() if policy is not None},
    )


def _member(tx: Reading, person: str, refusals: list[Refusal]) -> Role | None:
    found = find_person(tx, person)
    if found is None:
        refusals.append(Refusal(reasons.UNKNOWN_PERSON, {"person": ascii(person)[:60]}))
        return None
    for role in (Role.LEAD, Role.RESEARCHER):
        if role in found.roles:
            return role
    refusals.append(Refusal(reasons.NOT_A_RESEARCHER, {"person": person}))
    return None


def _usable(tx: Reading, new: NewProject, dataset: str, refusals: list[Refusal]) -> CompiledPolicy | None:
    policy = policy_in_force(tx, dataset)
    if policy is None:
        refusals.append(Refusal(reasons.UNKNOWN_DATASET, {"dataset": ascii(dataset)[:60]}))
        return None
    try:
        granted(new.epsilon, new.delta, policy)
    except Refused as refused:
        refusals += refused.refusals
    return policy


def _record(tx: Reading, row: Row[Any]) -> ProjectRecord:
    members = tx.execute(_MEMBERS, {"project": row.id})
    uses = tx.execute(_DATASETS, {"project": row.id}).all()
    return ProjectRecord(
        row.id,
        Status(row.state),
        frozenset(json.loads(row.purposes)),
        MappingProxyType({member.person: Role(member.role) for member in members}),
        frozenset(use.dataset for use in uses),
        frozenset(use.dataset for use in uses if use.looked),
        parse_stamp(row.starts),
        parse_stamp(row.expires),
        (Fraction(row.epsilon), Fraction(row.delta)),
    )
