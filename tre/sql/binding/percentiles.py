"""Percentiles counted by hand: rows numbered over all persons, and the number compared with a share of a count."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation

from sqlglot import exp

from tre.sql.binding.frames import Over
from tre.sql.binding.scope import folded

_NUMBERED = (exp.RowNumber, exp.Rank, exp.DenseRank, exp.PercentRank, exp.CumeDist, exp.Ntile)
_COMPARED = (exp.LT, exp.LTE, exp.GT, exp.GTE, exp.EQ, exp.Between)


def by_hand(node: exp.Window, over: Over, tree: exp.Expr) -> str | None:
    """Return what asks for the percentile that the window `node` helps to count, or None where it helps with none."""
    if not isinstance(node.this, _NUMBERED) or len(over.order) != 1:
        return None
    shares = dict.fromkeys(_shares(node, tree))
    value = over.order[0].this.sql("postgres")
    forms = [f"PERCENTILE_CONT({share}) WITHIN GROUP (ORDER BY {value})" for share in shares]
    return ", ".join(forms) or None


def _shares(node: exp.Window, tree: exp.Expr) -> Iterator[str]:
    """Yield the constants between 0 and 1 that the text has where it compares the window's value."""
    alias = folded(node.parent.alias) if isinstance(node.parent, exp.Alias) else ""
    for comparison in tree.find_all(*_COMPARED):
        named = any(folded(one.name) == alias for one in comparison.find_all(exp.Column)) and alias
        if named or any(one is node for one in comparison.find_all(exp.Window)):
            yield from (one.this for one in comparison.find_all(exp.Literal) if _share(one))


def _share(one: exp.Literal) -> bool:
    try:
        return not one.is_string and 0 < Decimal(one.this) < 1
    except InvalidOperation:
        return False
