"""The rule of windows: a row stays its person's as long as a window sees that person's rows alone (PRIVACY §2)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from tre.base.reasons import sql_private as reasons
from tre.catalogue import Kind
from tre.sql.dependencies import Arrow, Dependencies
from tre.sql.plan import SPREADS, Expression, FrameUnit, Ref, Window, Windowed, WindowFunction
from tre.sql.tracing.rows import carries_key
from tre.sql.tracing.subqueries import attribute_alone, with_subqueries
from tre.sql.tracing.tracer import RULES, Tracing
from tre.sql.tracing.traits import Broken, Status, Traits
from tre.sql.walk import expressions, referred, subqueries

RANKS = frozenset(
    {WindowFunction.RANK, WindowFunction.DENSE_RANK, WindowFunction.PERCENT_RANK, WindowFunction.CUME_DIST}
)
"""Functions that treat peers of the order alike."""
COUNTS = RANKS | {
    WindowFunction.ROW_NUMBER,
    WindowFunction.NTILE,
    WindowFunction.COUNT,
    WindowFunction.COUNT_ROWS,
}
"""Functions whose value could tell no unit key."""


def windowed(node: Windowed, tracing: Tracing) -> Traits:
    """The same rows with more columns; over persons' rows each partition is of one person."""
    below = with_subqueries(tracing.of(node.input), expressions(node), tracing)
    if below.status is Status.ATTRIBUTE:
        raise attribute_alone(node.input)
    private = below.status is Status.UNIT_KEYED
    for one in node.windows:
        if private and not partitioned_by_unit(one.partition, below.unit_keys):
            raise Broken(reasons.WINDOW_ACROSS, min(below.unit_keys, default=None))
        if private and sums_doubles(one):
            raise Broken(reasons.SUM_OF_DOUBLES, function=one.function.value.upper())
    telling = (one.column.id for one in node.windows if tells_key(one, below.identifying))
    return replace(
        below,
        dependencies=dependencies_of(node, below),
        identifying=below.identifying.union(telling),
        inexact=below.inexact or any(sums_doubles(one) for one in node.windows),
    )


def partitioned_by_unit(partition: Iterable[Expression], unit_keys: frozenset[int]) -> bool:
    """Say whether the unit key is one of the columns of PARTITION BY, bare."""
    return any(isinstance(one, Ref) and one.column.id in unit_keys for one in partition)


def sums_doubles(one: Window) -> bool:
    """Say whether an engine's order of adding could change the value (PRIVACY §2 "Order")."""
    if one.function.value in SPREADS:  # engines compute them in doubles, whatever the argument
        return True
    adds = one.function in (WindowFunction.SUM, WindowFunction.AVG)
    return adds and one.arguments[0].type.kind is Kind.DOUBLE


def tells_key(one: Window, identifying: frozenset[int]) -> bool:
    """Say whether a unit key could be read from the window's value."""
    return one.function not in COUNTS and any(carries_key(part, identifying) for part in one.arguments)


def dependencies_of(node: Windowed, below: Traits) -> Dependencies:
    """Return what holds besides: values that a whole partition, or all peers in it, have in common; row numbers."""
    found = below.dependencies
    for one in node.windows:
        found = found.plus(_arrows(one, found, below))
        if one.function is WindowFunction.ROW_NUMBER:
            numbered = _read(one.partition, below) | {one.column.id}
            key = numbered if found.key is None else found.key
            found = Dependencies(key, found.arrows | {(numbered, frozenset(column.id for column in node.columns))})
    return found


def _arrows(one: Window, known: Dependencies, below: Traits) -> Iterable[Arrow]:
    made, partition = frozenset({one.column.id}), _read(one.partition, below)
    if known.key is not None:
        yield known.key, made
    if same_in_partition(one):
        yield partition, made
    elif same_for_peers(one):
        yield partition | _read((expression for expression, _, _ in one.order), below), made


def same_in_partition(one: Window) -> bool:
    """Say whether every row of a partition has the same value."""
    return one.frame is not None and one.frame.whole


def same_for_peers(one: Window) -> bool:
    """Say whether rows that tie in the order have the same value."""
    ranged = one.frame is not None and one.frame.unit in (FrameUnit.RANGE, FrameUnit.GROUPS)
    return one.function in RANKS or ranged


def _read(read: Iterable[Expression], below: Traits) -> frozenset[int]:
    """Return the columns from which the expressions follow; what a tied subquery says follows from the unit's rows."""
    found: frozenset[int] = frozenset()
    for expression in read:
        found |= referred(expression)
        if subqueries(expression):
            found |= frozenset(sorted(below.unit_keys)[:1])
    return found


RULES[Windowed] = windowed
