"""From a valid document to what the planner and the gates use: the catalogue and the rules, frozen."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType
from typing import Any

from tre.base.cost import Cost, Measure
from tre.catalogue import Access, Catalogue, Column, ColumnClass, Kind, Link, Table, Type
from tre.policy import model
from tre.policy.context import Requirement, Role
from tre.policy.document import PolicyDocument
from tre.policy.model import Policy
from tre.policy.purposes import Purposes
from tre.policy.words import ColumnType, interval, literal
from tre.privacy import accounting
from tre.privacy.accounting import limit
from tre.privacy.histograms import wanted
from tre.privacy.request import Rules

_BOUNDS_SHARE = 50
"""One in so many parts of a project's budget is what finding out bounds costs where the policy does not say."""
_SIZES_SHARE = 25
"""One in so many parts of what bounds cost is what the sizes of a version cost: every version pays for its own."""


@dataclass(frozen=True, slots=True, eq=False)
class CompiledPolicy:
    """What a policy lays down. `dataset` is the name under which the data are asked for.

    `catalogue` has no version yet (`with_version` adds it); `people` says what each role needs; `digest` is that of
    the document's content and stands in every decision, `catalogue.digest` that of what a version must satisfy.
    """

    name: str
    dataset: str
    catalogue: Catalogue
    rules: Rules
    people: Mapping[Role, Requirement]
    purposes: Purposes
    shown: Mapping[str, str]
    digest: str
    text: str


def compile_policy(document: PolicyDocument, dataset: str = "") -> CompiledPolicy:
    """Return what `document` lays down for the data set `dataset` (default: the policy's own name)."""
    policy = document.model
    dataset = dataset or policy.policy
    catalogue = _catalogue(policy, dataset)
    return CompiledPolicy(
        name=policy.policy,
        dataset=dataset,
        catalogue=catalogue,
        rules=_rules(policy, catalogue),
        people=_people(policy.people),
        purposes=Purposes(
            frozenset(policy.purposes.allowed), frozenset(policy.purposes.conditions), frozenset(policy.purposes.never)
        ),
        shown=_shown(policy),
        digest=document.digest,
        text=document.text,
    )


def with_version(
    catalogue: Catalogue,
    version: str,
    enforced: Mapping[str, int],
    public_sizes: Mapping[str, int],
    absent: Collection[str] = (),
    counted: Collection[str] = (),
) -> Catalogue:
    """Return `catalogue` at a version: caps that it has enforced, exact sizes of public tables, nothing `absent`.

    `counted` names the tables of which it keeps the rows of each unit; `public_sizes` has the rows of a public table
    (`table`) and the most that share a value of a column (`table.column`).
    `absent` names the optional tables (`table`) and columns (`table.column`) that the version lacks; they, and the
    links that rest on them, cannot be named by a query. Whether they are there is public, as the schema is.
    """
    present = {name: table for name, table in catalogue.tables.items() if name not in absent}
    tables = {
        name: replace(
            table,
            columns=_present_columns(table, absent),
            links=tuple(link for link in table.links if _stands(link, name, present, absent)),
            enforced_rows=enforced.get(name),
            counts_kept=name in counted,
            public_rows=public_sizes.get(name),
            public_fans=_fans(table, public_sizes),
        )
        for name, table in present.items()
    }
    return replace(catalogue, version=version, tables=MappingProxyType(tables))


def _fans(table: Table, public_sizes: Mapping[str, int]) -> Mapping[str, int]:
    sizes = {column: public_sizes.get(f"{table.name}.{column}") for column in table.columns}
    return MappingProxyType({column: size for column, size in sizes.items() if size is not None})


def _present_columns(table: Table, absent: Collection[str]) -> Mapping[str, Column]:
    kept = {name: column for name, column in table.columns.items() if f"{table.name}.{name}" not in absent}
    return MappingProxyType(kept)


def _stands(link: Link, table: str, present: Mapping[str, Table], absent: Collection[str]) -> bool:
    ends = [f"{table}.{column}" for column in link.columns]
    ends += [f"{link.target}.{column}" for column in link.target_columns]
    return link.target in present and not any(end in absent for end in ends)


def _catalogue(policy: Policy, dataset: str) -> Catalogue:
    tables = MappingProxyType({name: _table(policy, name) for name in policy.tables})
    units = policy.people_magnitude
    assert units is not None, "lint asks every private table for its magnitude"
    digest = hashlib.sha256(
        json.dumps([policy.unit.table, policy.unit.key, units, _plain(tables)], sort_keys=True).encode()
    ).hexdigest()
    return Catalogue(dataset, policy.unit.table, policy.unit.key, units, tables, digest)


def _table(policy: Policy, name: str) -> Table:
    said = policy.tables[name]
    if said.access == "hidden":
        return Table(name, Access.HIDDEN, MappingProxyType({}), optional=True)
    keys = {column for key in said.unique for column in key}
    columns = {name: _column(name, policy.column(column), name in keys) for name, column in said.columns.items()}
    if said.access == "private":
        columns = {name: replace(column, found=_to_be_found(policy, said, column)) for name, column in columns.items()}
    unit, via = _unit(policy, said)
    if unit:
        columns[unit] = _unit_column(policy, unit)
    return Table(
        name,
        Access(said.access),
        MappingProxyType(columns),
        unit=unit,
        unique=tuple(frozenset(key) for key in said.unique),
        links=tuple(_link(column, target) for column, target in said.links.items()),
        rows_per_unit=said.rows_per_unit,
        typical_rows=said.typical_rows,
        magnitude=policy.magnitude(said) or 0,
        unit_via=via,
        drop_unknown_units=said.unknown_people == "leave out",
        optional=said.optional,
        only_rows=tuple(
            (column, tuple(literal(value, columns[column].type.kind) for value in values))
            for column, values in said.only_rows.items()
        ),
    )


def _unit(policy: Policy, said: model.Table) -> tuple[str | None, Link | None]:
    """Return the unit column and, where the source has none, the link that fills it."""
    if said.unit is None:
        return None, None
    if said.unit.column is not None:
        return said.unit.column, None
    assert said.unit.through is not None, "the form asks for both"
    assert said.unit.to is not None, "the form asks for both"
    return policy.unit.key, _link(said.unit.through, said.unit.to)


def _unit_column(policy: Policy, name: str) -> Column:
    key = policy.column(policy.tables[policy.unit.table].columns[policy.unit.key])
    assert key.type is not None, "lint asks the unit key for its type"
    return Column(name, key.type.type, ColumnClass.UNIT_KEY, nullable=False, max_length=key.type.length)


def _link(column: str, target: str) -> Link:
    table, _, key = target.partition(".")
    return Link((column,), table, (key,))


def _column(name: str, said: model.Column, in_key: bool) -> Column:
    assert said.klass is not None, "lint asks every column for its class"
    kind, length, identifier = said.type or ColumnType(Type(Kind.TEXT))
    calendar = (said.calendar[0], said.calendar[1]) if said.calendar else None
    return Column(
        name,
        kind,
        ColumnClass(said.klass),
        nullable=not (said.never_empty or in_key),
        bounds=interval((said.bounds[0], said.bounds[1]), kind.kind) if isinstance(said.bounds, list) else None,
        granularity=said.granularity or _grid(kind),
        domain=tuple(literal(value, kind.kind) for value in said.domain) if said.domain else None,
        calendar=calendar,
        max_length=length,
        optional=said.optional,
        identifier=identifier,
    )


def _to_be_found(policy: Policy, said: model.Table, column: Column) -> bool:
    """Numbers with decimals are found bounds for unless some are declared; whole numbers and dates where it says so.

    Most whole numbers are codes, whose sums mean nothing, and each histogram makes the others noisier.
    """
    asked = policy.column(said.columns[column.name]).bounds == "automatic"
    open_ended = column.bounds is None and column.domain is None and column.calendar is None and column.visible
    return open_ended and (asked or column.type.kind in (Kind.DECIMAL, Kind.DOUBLE))


def _grid(kind: Type) -> Fraction | None:
    """Integers and decimals lie on a grid of their own."""
    if kind.kind is Kind.INTEGER:
        return Fraction(1)
    return Fraction(1, 10**kind.scale) if kind.kind is Kind.DECIMAL else None


def _rules(policy: Policy, catalogue: Catalogue) -> Rules:
    budget, answers = policy.budget, policy.answers
    measure = Measure(budget.measure)
    conversion = budget.delta.conversion if budget.delta else Fraction(0)

    def stored(level: model.Limit | model.AnswerLimit) -> Cost:
        return limit(measure, level.epsilon, level.delta or Fraction(0), conversion)

    units = policy.people_magnitude
    assert units is not None, "lint asks every private table for its magnitude"
    per_project = stored(budget.per_project)
    named = accounting.price(measure, budget.bounds.epsilon, conversion) if budget.bounds else None
    found = named or Cost(measure, per_project.amount // _BOUNDS_SHARE)
    # A policy that leaves nothing open and names no price for what is found has nothing found: it costs nothing.
    sized = named is not None or bool(wanted(catalogue))
    return Rules(
        measure=measure,
        per_answer=stored(budget.per_answer),
        per_project=per_project,
        per_dataset=stored(budget.dataset),
        conversion_delta=conversion,
        keys_delta=budget.delta.keys if budget.delta else Fraction(0),
        default_epsilon=budget.per_answer.by_default or budget.per_answer.epsilon,
        minimum_group=answers.minimum_group,
        groups=answers.groups,
        automatic=answers.automatic_groups,
        known_keys=answers.known_keys,
        release_every=answers.release_every,
        most_rows_per_unit=answers.most_rows_per_unit,
        most_rows=answers.most_rows,
        units=units,
        bounds=found,
        sizes=Cost(measure, found.amount // _SIZES_SHARE) if sized else None,
    )


def _people(people: model.People) -> Mapping[Role, Requirement]:
    lead = people.lead or people.researcher
    found = {Role.RESEARCHER: people.researcher, Role.LEAD: lead}
    return MappingProxyType(
        {role: Requirement(frozenset(said.needs), frozenset(said.acr)) for role, said in found.items()}
    )


def _shown(policy: Policy) -> Mapping[str, str]:
    """What the register and the data dictionary may print of the policy."""
    said = {
        "title": policy.shown.title,
        "description": policy.shown.description,
        "retention": policy.shown.retention,
        "controller": policy.controller.name,
        "contact": policy.controller.contact,
        "gdpr 6": policy.lawful_basis.article6,
        "gdpr 9": policy.lawful_basis.article9,
    }
    return MappingProxyType({key: value for key, value in said.items() if value is not None})


def _plain(value: Any) -> Any:
    """Return a frozen declaration as plain JSON values, for its digest."""
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, frozenset):
        return sorted(_plain(item) for item in value)
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, Fraction | Decimal | date) else value
