"""A plan as people can read it: its relations from the answer down, what each is, and why (PRIVACY §2)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tre.sql import predicates
from tre.sql.plan import (
    Aggregate,
    Column,
    Distinct,
    Expression,
    Filter,
    Join,
    JoinKind,
    PrivateAggregate,
    Project,
    Ref,
    Relation,
    Scan,
    SetOperation,
    Sort,
    Windowed,
)
from tre.sql.tracing import Status, Tracing, Traits
from tre.sql.walk import expressions, inputs, subqueries
from tre.sql.wording import name_of, worded


@dataclass(frozen=True, slots=True)
class Line:
    """One relation: how deep it stands under the answer, what is done, what comes of it, and why that is so."""

    depth: int
    operation: str
    status: Status
    why: str


def told(relation: Relation, results: Mapping[int, str]) -> tuple[Line, ...]:
    """Return the relations of a plan from the top; `results` names the private aggregates in it, by identity."""
    return tuple(_told(relation, results, Tracing(), 0))


def _told(relation: Relation, results: Mapping[int, str], tracing: Tracing, depth: int) -> Iterator[Line]:
    if id(relation) in results:
        yield Line(depth, results[id(relation)], Status.RELEASED, "noisy by then, and public from then on")
        return
    traits = tracing.of(relation)
    if not _renames(relation):
        yield Line(
            depth, _OPERATIONS.get(type(relation), _constants)(relation), traits.status, _why(relation, traits, tracing)
        )
        depth += 1
    for below in inputs(relation):
        yield from _told(below, results, tracing, depth)
    for expression in expressions(relation):
        for one in subqueries(expression):
            yield Line(depth, "not exists" if one.negated else "exists", *_subquery(tracing.of(one.relation), traits))
            yield from _told(one.relation, results, tracing, depth + 1)


def _renames(relation: Relation) -> bool:
    """A projection that only names columns, or chooses among them, is no step for people."""
    return isinstance(relation, Project) and all(isinstance(one, Ref) for _, one in relation.outputs)


# --- what is done -----------------------------------------------------------------------------------------


def _scan(node: Scan) -> str:
    return f"table {node.table.name}"


def _project(node: Project) -> str:
    made = (f"{column.name} = {worded(one)}" for column, one in node.outputs if not isinstance(one, Ref))
    return f"compute {', '.join(made)}"


def _join(node: Join) -> str:
    return f"{'left join' if node.kind is JoinKind.LEFT else 'join'} on {worded(node.condition)}"


def _aggregate(node: Aggregate) -> str:
    measured = ", ".join(f"{one.column.name} = {_called(one)}" for one in node.aggregates) or "distinct groups"
    return f"group by {_listed(node.keys)}: {measured}" if node.keys else measured


def _called(one: Any) -> str:
    argument = "*" if one.argument is None else worded(one.argument)
    return f"{one.function.value}({argument})" + ("" if one.where is None else f" where {worded(one.where)}")


def measured(node: PrivateAggregate) -> tuple[str, ...]:
    """Return what a private aggregate measures, one text each."""
    return tuple(_called(one) for one in node.asked)


def _listed(keys: tuple[tuple[Column, Expression], ...]) -> str:
    return ", ".join(worded(one) for _, one in keys)


def _windowed(node: Windowed) -> str:
    return "; ".join(
        f"{one.column.name} over partition by {', '.join(map(worded, one.partition)) or 'nothing'}"
        for one in node.windows
    )


def _sort(node: Sort) -> str:
    cut = "" if node.limit is None else f", the first {node.limit}"
    return f"order by {', '.join(worded(one) + ' desc' * down for one, down, _ in node.terms)}{cut}"


_OPERATIONS: dict[type[Relation], Callable[[Any], str]] = {
    Scan: _scan,
    Filter: lambda node: f"where {worded(node.condition)}",
    Project: _project,
    Join: _join,
    Aggregate: _aggregate,
    PrivateAggregate: lambda node: ", ".join(measured(node)),
    Windowed: _windowed,
    SetOperation: lambda node: node.kind.value + " all" * node.every,
    Distinct: lambda node: f"distinct {', '.join(map(name_of, node.columns))}",
    Sort: _sort,
}


def _constants(_node: Relation) -> str:
    """What is left are rows that the text states itself."""
    return "constants"


# --- why it is what it is -----------------------------------------------------------------------------------


def _why(node: Relation, traits: Traits, tracing: Tracing) -> str:
    if isinstance(node, Join):
        return _why_joined(node, tracing)
    if traits.status is not Status.UNIT_KEYED:
        return _OF_STATUS[traits.status]
    if isinstance(node, Scan):
        most = "one row" if traits.rows_per_unit == 1 else f"{traits.rows_per_unit:,} rows"
        return f"the key of its persons is {node.table.unit}; at most {most} of each"
    if isinstance(node, Aggregate | Distinct):
        return "the key of the person is one of the columns that it groups by"
    if isinstance(node, Windowed):
        return "every partition is of one person"
    if isinstance(node, SetOperation):
        return "both sides have the key of the person at the same place"
    return "each row stays one person's"


_OF_STATUS = {
    Status.PUBLIC: "public tables alone",
    Status.ATTRIBUTE: "rows that persons share: looked up from a person's row, by its key",
    Status.RELEASED: "of released results and public tables alone",
}


def _why_joined(node: Join, tracing: Tracing) -> str:
    left, right = tracing.of(node.left), tracing.of(node.right)
    if left.status is right.status is Status.UNIT_KEYED:
        pairs = predicates.across(node.condition, left.unit_keys, right.unit_keys)
        return f"the same person on both sides: {' and '.join(f'{name_of(a)} = {name_of(b)}' for a, b in pairs)}"
    statuses = {left.status, right.status}
    if Status.UNIT_KEYED not in statuses:
        return _OF_STATUS[Status.RELEASED if Status.RELEASED in statuses else Status.PUBLIC]
    other = left.status if right.status is Status.UNIT_KEYED else right.status
    return _BESIDE[other]


_BESIDE = {
    Status.PUBLIC: "each row stays one person's beside public rows",
    Status.RELEASED: "each row stays one person's beside rows that were released before",
    Status.ATTRIBUTE: "each row stays one person's beside what it looks up by a declared key",
}


def _subquery(inner: Traits, around: Traits) -> tuple[Status, str]:
    if inner.status is Status.UNIT_KEYED:
        return inner.status, "tied to the person of the row around it"
    return inner.status, f"{_OF_STATUS[inner.status]}, for a {around.status.value} row"
