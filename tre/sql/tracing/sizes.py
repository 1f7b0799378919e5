"""Worst cases of joins: caps multiplied, except where a side is looked up (PRIVACY §3.9)."""

from __future__ import annotations

from tre.sql.plan import Join, JoinKind
from tre.sql.tracing.rows import chosen
from tre.sql.tracing.sides import Side
from tre.sql.tracing.traits import Status, plus, times


def sizes(node: Join, left: Side, right: Side) -> dict[str, int | dict[int, int] | None]:
    """Return the worst cases of the join, caps multiplied except where a side is looked up (PRIVACY §3.9)."""
    of_left = left.traits.rows if node.kind is JoinKind.LEFT else _chosen(node, left, left.traits.rows)
    rows = matches(node, left, right, of_left, _chosen(node, right, right.traits.rows))
    statuses = (left.traits.status, right.traits.status)
    if Status.UNIT_KEYED not in statuses:
        return {"rows": rows, "fans": fans(node, left, right, rows)}
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


def _chosen(node: Join, side: Side, rows: int) -> int:
    """Return the most rows of a side that ON lets through by constants: an outer join keeps others of its left side."""
    return chosen(node.condition, side.traits.fans, rows)


def fans(node: Join, left: Side, right: Side, rows: int) -> dict[int, int]:
    """Return the most pairs that have one value of a column: those rows of its side, each with what it may match."""
    renamed = {old.id: new.id for new, old in node.nulled}
    least = 1 if node.kind is JoinKind.LEFT else 0
    of_left = {
        one: min(rows, times(most, max(least, right.fan(right.traits.rows)))) for one, most in left.traits.fans.items()
    }
    of_right = {
        renamed.get(one, one): min(rows, times(most, left.fan(left.traits.rows)))
        for one, most in right.traits.fans.items()
    }
    return {**of_left, **of_right}


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
