"""The rules of aggregates, DISTINCT and order: where rows of one person, and of many, become one (PRIVACY §2)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from tre.base.reasons import sql_private as reasons
from tre.catalogue import Kind
from tre.sql.dependencies import Dependencies
from tre.sql.plan import (
    SPREADS,
    Aggregate,
    Aggregated,
    Aggregation,
    Asked,
    Column,
    Distinct,
    Expression,
    Keep,
    PrivateAggregate,
    Ref,
    Relation,
    Released,
    Sort,
)
from tre.sql.tracing.known import most_values
from tre.sql.tracing.rows import carries_key, computed
from tre.sql.tracing.subqueries import attribute_alone, with_subqueries
from tre.sql.tracing.tracer import RULES, Tracing
from tre.sql.tracing.traits import Broken, Status, Traits, times
from tre.sql.walk import expressions, outer


def aggregated(node: Aggregate, tracing: Tracing) -> Traits:
    """Exact aggregates: over public or released rows, or by a grouping that contains the unit key."""
    below = with_subqueries(tracing.of(node.input), expressions(node), tracing)
    if below.status is Status.ATTRIBUTE:
        raise attribute_alone(node.input)
    merged_rows = merged(below, node.keys, node.columns)
    if below.status is not Status.UNIT_KEYED:
        return replace(merged_rows, inexact=below.inexact or any(sums_doubles(one) for one in node.aggregates))
    if not grouped_by_unit(node.keys, below.unit_keys):
        raise Broken(reasons.AGGREGATE_INSIDE)
    for one in node.aggregates:
        if sums_doubles(one):
            raise Broken(reasons.SUM_OF_DOUBLES, function=one.function.value.upper())
    carried = {one.column.id for one in node.aggregates if measures_key(one, below.identifying)}
    return replace(merged_rows, identifying=merged_rows.identifying | carried)


def grouped_by_unit(keys: Iterable[tuple[Column, Expression]], unit_keys: frozenset[int]) -> bool:
    """Say whether the unit key is one of the grouping's keys, bare."""
    return any(isinstance(expression, Ref) and expression.column.id in unit_keys for _, expression in keys)


def sums_doubles(one: Aggregated) -> bool:
    """Say whether an engine's order of adding could change the value (PRIVACY §2 "Order")."""
    if one.function.value in SPREADS:  # engines compute them in doubles, whatever the argument
        return True
    adds = one.function in (Aggregation.SUM, Aggregation.AVG)
    return adds and one.argument is not None and one.argument.type.kind is Kind.DOUBLE


def measures_key(one: Aggregated | Asked, identifying: frozenset[int]) -> bool:
    """Say whether the aggregate's value could tell a unit key: everything but a count could."""
    counts = ("count_rows", "count", "count_distinct", "count_units")
    return one.function.value not in counts and one.argument is not None and carries_key(one.argument, identifying)


def merged(below: Traits, keys: Iterable[tuple[Column, Expression]], columns: tuple[Column, ...]) -> Traits:
    """Return the traits after rows with equal `keys` have become one."""
    keys = tuple(keys)
    traits = computed(below, keys)
    names = frozenset(column.id for column, _ in keys)
    dependencies = traits.dependencies.within(names, names)
    whole = (names, frozenset(column.id for column in columns))
    rows = traits.rows if names else 1
    return replace(traits, dependencies=dependencies.plus([whole]), rows=rows, instances=())


def private(node: PrivateAggregate, tracing: Tracing) -> Traits:
    """The mechanism's place: what leaves it is released, and no unit key is part of it."""
    below = with_subqueries(tracing.of(node.input), expressions(node), tracing)
    if below.status is not Status.UNIT_KEYED or node.unit.id not in below.unit_keys:
        raise Broken(reasons.AGGREGATE_INSIDE)
    if outer(node):
        raise Broken(reasons.CORRELATED_AGGREGATE)
    leaves = any(carries_key(expression, below.identifying) for _, expression in node.keys)
    if leaves or any(measures_key(one, below.identifying) for one in node.asked):
        raise Broken(reasons.KEY_LEAVES)
    names = frozenset(column.id for column, _ in node.keys)
    whole = frozenset(column.id for column in node.columns)
    rows = groups_of(node, below.rows, tracing)
    return Traits(Status.RELEASED, Dependencies(names, frozenset({(names, whole)})), rows=rows)


def groups_of(node: PrivateAggregate, rows: int, tracing: Tracing) -> int:
    """Return the most groups that leave: all known ones, whether or not any of the `rows` below is in them."""
    most = 1
    for column, _ in node.keys:
        values = most_values(column, lambda relation: tracing.of(relation).rows)
        if values is None:
            return rows
        most = times(most, values)
    return most


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one unit can contribute to a private aggregate, by declarations alone (fields as PrivateAggregate's)."""

    groups_per_unit: int | None
    rows_per_unit: int
    typical_rows: int | None
    one_row: bool
    one_row_a_group: bool


def contribution(
    relation: Relation, unit: Column, keys: Iterable[tuple[Column, Expression]], tracing: Tracing
) -> Contribution:
    """Return what a unit contributes to an aggregate of `relation` by `keys`."""
    traits, by = tracing.of(relation), {column.id for column, _ in keys}
    known = computed(traits, keys).dependencies
    one_row = traits.dependencies.unique_on({unit.id})
    groups = 1 if one_row or by <= known.closure({unit.id}) else None
    one_a_group = one_row or known.unique_on({unit.id, *by})
    return Contribution(groups, traits.rows_per_unit, traits.typical_rows, one_row, one_a_group)


def distinct(node: Distinct, tracing: Tracing) -> Traits:
    """Distinct rows, of persons' rows only with the unit key in the row."""
    below = tracing.of(node.input)
    if below.status is Status.ATTRIBUTE:
        raise attribute_alone(node.input)
    if below.status is Status.UNIT_KEYED and not below.unit_keys & {column.id for column in node.columns}:
        raise Broken(reasons.AGGREGATE_INSIDE)
    return merged(below, tuple((column, Ref(column)) for column in node.columns), node.columns)


def sorted_rows(node: Sort, tracing: Tracing) -> Traits:
    """Order and limit are for public and released rows."""
    below = with_subqueries(tracing.of(node.input), expressions(node), tracing)
    if below.status not in (Status.PUBLIC, Status.RELEASED):
        raise Broken(reasons.LIMIT_INSIDE)
    return below


def kept(node: Keep, tracing: Tracing) -> Traits:
    """The first rows of each partition: a window whose partition includes the unit key."""
    below = tracing.of(node.input)
    bare = {one.column.id for one in node.partition if isinstance(one, Ref)}
    if below.status is Status.UNIT_KEYED and not bare & below.unit_keys:
        raise Broken(reasons.LIMIT_INSIDE)
    if below.status is Status.UNIT_KEYED and len(node.partition) == 1:
        return replace(below, rows_per_unit=min(node.rows, below.rows_per_unit))
    return below


def released(node: Released, _tracing: Tracing) -> Traits:
    """Rows that have left already."""
    return Traits(Status.RELEASED)


RULES[Aggregate] = aggregated
RULES[PrivateAggregate] = private
RULES[Distinct] = distinct
RULES[Sort] = sorted_rows
RULES[Keep] = kept
RULES[Released] = released
