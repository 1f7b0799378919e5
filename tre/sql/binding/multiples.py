"""Joins whose multiplicity does not matter, as questions of whether a row matches at all.

MIN, MAX and COUNT(DISTINCT …) by person see no difference between one row and several alike. So under them a LEFT JOIN
of which no more is used than a constant (`1 AS treated`) becomes EXISTS, and three of them no longer multiply
(PRIVACY §3.9).
"""

from __future__ import annotations

from dataclasses import replace

from tre.catalogue import Kind, Type
from tre.sql import functions
from tre.sql.binding.session import Session
from tre.sql.plan import (
    Aggregated,
    Aggregation,
    Distinct,
    Exists,
    Expression,
    Filter,
    Join,
    JoinKind,
    Literal,
    Project,
    Ref,
    Relation,
    SetKind,
    SetOperation,
)
from tre.sql.tracing.sides import sides
from tre.sql.walk import referred

ALIKE = frozenset({Aggregation.MIN, Aggregation.MAX, Aggregation.COUNT_DISTINCT})
"""The aggregates to which several rows alike are one."""


def without(relation: Relation, read: list[Expression], measured: list[Aggregated], session: Session) -> Relation:
    """Return rows that differ from those of `relation` in how often they stand alone, where `measured` cannot tell."""
    if not measured or any(one.function not in ALIKE for one in measured):
        return relation
    return _set(relation, frozenset().union(*(referred(one) for one in read)), session)


def _set(node: Relation, needed: frozenset[int], session: Session) -> Relation:
    if isinstance(node, Filter):
        return replace(node, input=_set(node.input, needed | referred(node.condition), session))
    if isinstance(node, Project):
        kept = tuple(output for output in node.outputs if output[0].id in needed) or node.outputs[:1]
        below = frozenset[int]().union(*(referred(one) for _, one in kept))
        return replace(node, input=_set(node.input, below, session), outputs=kept)
    if not isinstance(node, Join):
        return node
    needed |= referred(node.condition)
    left = _set(node.left, needed, session)
    if node.kind is JoinKind.INNER:
        return replace(node, left=left, right=_set(node.right, needed, session))
    return _matched(replace(node, left=left), needed, session) or replace(node, left=left)


def _matched(node: Join, needed: frozenset[int], session: Session) -> Relation | None:
    """Return a LEFT JOIN as its left side, with the constants that stand where some row matches; None for another."""
    used = [(new, _constant(node.right, old.id)) for new, old in node.nulled if new.id in needed]
    if any(one is None for _, one in used) or sides(node, session.tracing)[1].looked_up:
        return None
    found = Exists(Filter(node.right, node.condition), False, Type(Kind.BOOLEAN))
    kept = tuple((column, Ref(column)) for column in node.left.columns)
    made = tuple(
        (new, functions.case(((found, one),), functions.literal(None, one.type)))
        for new, one in used
        if one is not None
    )
    return Project(node.left, (*kept, *made))


def _constant(node: Relation, column: int) -> Literal | None:
    """Return the constant that a column is in every row, or None."""
    if isinstance(node, Filter | Distinct):
        return _constant(node.input, column)
    if isinstance(node, Project):
        made = next(expression for output, expression in node.outputs if output.id == column)
        if isinstance(made, Literal):
            return made
        return _constant(node.input, made.column.id) if isinstance(made, Ref) else None
    if isinstance(node, SetOperation) and node.kind is SetKind.UNION:
        ((left, right),) = ((a.id, b.id) for made, a, b in node.outputs if made.id == column)
        one, other = _constant(node.left, left), _constant(node.right, right)
        return one if one == other else None
    return None
