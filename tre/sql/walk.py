"""Ways through a plan: what a node holds, which columns it refers to, the same node over other parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeVar

from tre.base.facts import fact
from tre.sql.plan import (
    Aggregate,
    Aggregated,
    Asked,
    Call,
    Case,
    Column,
    Distinct,
    Exists,
    Expression,
    Filter,
    Join,
    Keep,
    PrivateAggregate,
    Project,
    Ref,
    Relation,
    Scan,
    SetOperation,
    Sort,
    Window,
    Windowed,
)

Measured = TypeVar("Measured", Aggregated, Asked)
_NONE: frozenset[int] = frozenset()
_OVER_ONE = Filter | Project | Aggregate | Keep | Windowed | PrivateAggregate | Distinct | Sort


@fact
def inputs(relation: Relation) -> tuple[Relation, ...]:
    """Return the relations that `relation` reads, apart from those inside its expressions."""
    if isinstance(relation, Join | SetOperation):
        return (relation.left, relation.right)
    if isinstance(relation, _OVER_ONE):
        return (relation.input,)
    return ()


@fact
def expressions(relation: Relation) -> tuple[Expression, ...]:
    """Return the expressions that stand in `relation` itself, in a fixed order."""
    if isinstance(relation, Filter | Join):
        return (relation.condition,)
    if isinstance(relation, Project):
        return tuple(expression for _, expression in relation.outputs)
    if isinstance(relation, Aggregate | PrivateAggregate):
        asked = relation.aggregates if isinstance(relation, Aggregate) else relation.asked
        measured = (part for one in asked for part in (one.argument, one.where) if part is not None)
        return (*(expression for _, expression in relation.keys), *measured)
    if isinstance(relation, Keep):
        return relation.partition + relation.order
    if isinstance(relation, Windowed):
        return tuple(part for one in relation.windows for part in of_window(one))
    if isinstance(relation, Sort):
        return tuple(expression for expression, _, _ in relation.terms)
    return ()


def of_window(one: Window) -> tuple[Expression, ...]:
    """Return the expressions that stand in a window, in a fixed order."""
    order = tuple(expression for expression, _, _ in one.order)
    return one.arguments + one.partition + order + (() if one.where is None else (one.where,))


@fact
def parts(expression: Expression) -> tuple[Expression, ...]:
    """Return the direct operands of `expression`; the relation of an Exists is not among them."""
    if isinstance(expression, Call):
        return expression.arguments
    if isinstance(expression, Case):
        return (*(part for branch in expression.branches for part in branch), expression.otherwise)
    return ()


def subexpressions(expression: Expression) -> Iterator[Expression]:
    """Yield `expression` and everything in it, not entering the relation of an Exists."""
    yield expression
    for part in parts(expression):
        yield from subexpressions(part)


@fact
def subqueries(expression: Expression) -> tuple[Exists, ...]:
    """Return the Exists that stand directly in `expression`."""
    if isinstance(expression, Exists):
        return (expression,)
    return tuple([one for part in parts(expression) for one in subqueries(part)])


@fact
def referred(expression: Expression) -> frozenset[int]:
    """Return the ids of the columns that `expression` needs from around it, those of its subqueries included."""
    if isinstance(expression, Ref):
        return frozenset({expression.column.id})
    if isinstance(expression, Exists):
        return outer(expression.relation)
    return _NONE.union(*map(referred, parts(expression)))


@fact
def produced(relation: Relation) -> frozenset[int]:
    """Return the ids of the columns of `relation`."""
    return frozenset([column.id for column in relation.columns])


@fact
def outer(relation: Relation) -> frozenset[int]:
    """Return the ids of the columns of enclosing queries that `relation` refers to."""
    below = inputs(relation)
    here = _NONE.union(*map(referred, expressions(relation))).difference(*map(produced, below))
    return here.union(*map(outer, below))


def relations(relation: Relation) -> tuple[Relation, ...]:
    """Return every node under and including `relation` once, those inside its expressions too, inputs first."""
    return (*_under(relation), relation)


@fact
def _under(relation: Relation) -> tuple[Relation, ...]:
    found: dict[int, Relation] = {}

    def visit(node: Relation) -> None:
        subplans = [one.relation for expression in expressions(node) for one in subqueries(expression)]
        for below in (*inputs(node), *subplans):
            if id(below) not in found:
                visit(below)
        found[id(node)] = node

    visit(relation)
    return tuple(found.values())[:-1]  # without itself, so that a node does not hold itself


def over(relation: Relation, change: Callable[[Relation], Relation]) -> Relation:
    """Return `relation` with `change` applied to each of its inputs: itself where that changes none."""
    if isinstance(relation, Join | SetOperation):
        left, right = change(relation.left), change(relation.right)
        same = left is relation.left and right is relation.right
        return relation if same else replace(relation, left=left, right=right)
    if isinstance(relation, _OVER_ONE):
        below = change(relation.input)
        return relation if below is relation.input else replace(relation, input=below)
    return relation


def with_expressions(relation: Relation, change: Callable[[Expression], Expression]) -> Relation:
    """Return `relation` with `change` applied to each expression that stands in it."""
    if isinstance(relation, Filter | Join):
        return replace(relation, condition=change(relation.condition))
    if isinstance(relation, Project):
        return replace(relation, outputs=tuple((column, change(one)) for column, one in relation.outputs))
    if isinstance(relation, Aggregate):
        measured = tuple(_measured(one, change) for one in relation.aggregates)
        return replace(relation, keys=_keys(relation.keys, change), aggregates=measured)
    if isinstance(relation, PrivateAggregate):
        asked = tuple(_measured(one, change) for one in relation.asked)
        return replace(relation, keys=_keys(relation.keys, change), asked=asked)
    if isinstance(relation, Keep):
        partition, order = (tuple(change(one) for one in part) for part in (relation.partition, relation.order))
        return replace(relation, partition=partition, order=order)
    if isinstance(relation, Windowed):
        return replace(relation, windows=tuple(_window(one, change) for one in relation.windows))
    if isinstance(relation, Sort):
        return replace(relation, terms=_ordered(relation.terms, change))
    return relation


def _window(one: Window, change: Callable[[Expression], Expression]) -> Window:
    return replace(
        one,
        arguments=tuple(change(part) for part in one.arguments),
        partition=tuple(change(part) for part in one.partition),
        order=_ordered(one.order, change),
        where=None if one.where is None else change(one.where),
    )


def _ordered(
    terms: tuple[tuple[Expression, bool, bool], ...], change: Callable[[Expression], Expression]
) -> tuple[tuple[Expression, bool, bool], ...]:
    return tuple((change(one), down, first) for one, down, first in terms)


def _keys(
    keys: tuple[tuple[Column, Expression], ...], change: Callable[[Expression], Expression]
) -> tuple[tuple[Column, Expression], ...]:
    return tuple((column, change(expression)) for column, expression in keys)


def _measured(one: Measured, change: Callable[[Expression], Expression]) -> Measured:
    argument = None if one.argument is None else change(one.argument)
    return replace(one, argument=argument, where=None if one.where is None else change(one.where))


def rebuilt(expression: Expression, change: Callable[[Expression], Expression]) -> Expression:
    """Return `expression` with `change` applied to each direct operand; types and facts stay."""
    if isinstance(expression, Call):
        return replace(expression, arguments=tuple(change(one) for one in expression.arguments))
    if isinstance(expression, Case):
        branches = tuple((change(condition), change(result)) for condition, result in expression.branches)
        return replace(expression, branches=branches, otherwise=change(expression.otherwise))
    return expression


def substituted(expression: Expression, change: Callable[[Expression], Expression | None]) -> Expression:
    """Return `expression` with every part for which `change` gives another one replaced, in subqueries too."""
    found = change(expression)
    if found is not None:
        return found
    if isinstance(expression, Exists):
        return replace(expression, relation=everywhere(expression.relation, change))
    return rebuilt(expression, lambda part: substituted(part, change))


def everywhere(relation: Relation, change: Callable[[Expression], Expression | None]) -> Relation:
    """Return the plan with `change` applied to the parts of all its expressions."""
    below = over(relation, lambda one: everywhere(one, change))
    return with_expressions(below, lambda expression: substituted(expression, change))


def transformed(relation: Relation, change: Callable[[Relation], Relation]) -> Relation:
    """Return the plan with `change` applied to every node, inputs first, in subqueries too; shared ones stay shared."""
    made: dict[int, Relation] = {}

    def inside(expression: Expression) -> Expression | None:
        return replace(expression, relation=at(expression.relation)) if isinstance(expression, Exists) else None

    def at(node: Relation) -> Relation:
        if id(node) not in made:
            below = over(node, at)
            if any(map(subqueries, expressions(node))):
                below = with_expressions(below, lambda one: substituted(one, inside))
            made[id(node)] = change(below)
        return made[id(node)]

    return at(relation)


def replaced(relation: Relation, old: Relation, new: Relation) -> Relation:
    """Return the plan with every node equal to `old` replaced by `new`, in subqueries too."""
    return transformed(relation, lambda node: new if node == old else node)


def scans(relation: Relation) -> Iterator[Scan]:
    """Yield every scan of the plan."""
    return (node for node in relations(relation) if isinstance(node, Scan))
