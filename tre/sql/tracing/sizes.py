"""Worst cases of joins: caps multiplied, except where a side is looked up (PRIVACY §3.9)."""

from __future__ import annotations

from tre.sql.plan import Join, JoinKind
from tre.sql.tracing.sides import Side
from tre.sql.tracing.traits import Status, plus, times


def sizes(node: Join, left: Side, right: Side) -> dict[str, int | None]:
    """Return the worst cases of the join, caps multiplied except where a side is looked up (PRIVACY §3.9)."""
    rows = matches(node, left, right, left.traits.rows, right.traits.rows)
    statuses = (left.traits.status, right.traits.status)
    if Status.UNIT_KEYED not in statuses:
        return {"rows": rows}
    per_unit = matches(node, left, right, *(_per_unit(side) for side in (left, right)))
    typical = [_typical(side) for side in (left, right)]
    usual = None
    if typical[0] is not None and typical[1] is not None:
        usual = min(per_unit, matches(node, left, right, typical[0], typical[1]))
    return {"rows_per_unit": per_unit, "typical_rows": usual, "rows": min(rows, _total(left, right, node))}


def matches(node: Join, left: Side, right: Side, of_left: int, of_right: int) -> int:
    """Return the most pairs of `of_left` and `of_right` rows, unmatched rows of a kept side included."""
    by_left = times(of_left, right.fan(of_right))
    by_right = times(of_right, left.fan(of_left))
    if node.kind is JoinKind.INNER:
        return min(by_left, by_right)
    return min(times(of_left, max(1, right.fan(of_right))), plus(of_left, by_right))


def _per_unit(side: Side) -> int:
    return side.traits.rows_per_unit if side.traits.status is Status.UNIT_KEYED else side.traits.rows


def _typical(side: Side) -> int | None:
    if side.traits.status is not Status.UNIT_KEYED:
        return side.traits.rows
    undeclared = side.traits.typical_rows is None
    return side.traits.rows_per_unit if undeclared and side.looked_up else side.traits.typical_rows


def _total(left: Side, right: Side, node: Join) -> int:
    """A unit's row meets the rows of its own unit only; a public row may meet those of every unit."""
    by_left = times(left.traits.rows, max(1, right.fan(_met(right, left))))
    by_right = times(right.traits.rows, max(1, left.fan(_met(left, right))))
    return by_left if node.kind is JoinKind.LEFT else min(by_left, by_right)


def _met(side: Side, other: Side) -> int:
    return _per_unit(side) if other.traits.status is Status.UNIT_KEYED else side.traits.rows
