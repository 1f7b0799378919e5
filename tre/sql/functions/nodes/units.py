"""Units of time and intervals, as the dialects spell them."""

from __future__ import annotations

from sqlglot import exp

from tre.base.reasons import Refused
from tre.base.reasons import sql_text as reasons
from tre.sql.functions.nodes.form import Node


def interval_of(node: exp.Interval) -> tuple[int, str]:
    """Return the count and the unit of INTERVAL '3 days' and its spellings."""
    value, unit = node.this, node.args.get("unit")
    sign = -1 if isinstance(value, exp.Neg) else 1
    value = value.this if isinstance(value, exp.Neg) else value
    text = str(value.this).strip() if isinstance(value, exp.Literal) else ""
    if not isinstance(unit, exp.Var) or not text.lstrip("+-").isdigit() or len(text) > 18:
        raise Refused.because(reasons.INTERVAL_FORM)
    return sign * int(text), unit_name(unit)


def multiple_of(node: Node) -> tuple[exp.Interval, Node | None] | None:
    """Return INTERVAL … and what it is multiplied by, if anything; None where `node` is no interval."""
    node = node.unnest()
    if isinstance(node, exp.Interval):
        return node, None
    for one, other in ((node.this, node.expression), (node.expression, node.this)) if isinstance(node, exp.Mul) else ():
        if isinstance(one, exp.Interval):
            return one, other
    return None


def unit_name(node: Node) -> str:
    """Return the unit that a node names, in the singular and in small letters."""
    named = str(node.this if isinstance(node, exp.Var | exp.Literal) else node.name).lower()
    named = _UNITS.get(named, named)
    return named[:-1] if named.endswith("s") and len(named) > 3 else named


_UNITS = {"yy": "year", "yyyy": "year", "mm": "month", "qq": "quarter", "dd": "day", "hh": "hour", "weekiso": "week"}
_UNITS |= {"dayofyear": "doy", "dayofweek": "dow", "dayofweekiso": "isodow", "weekofyear": "week", "dayofmonth": "day"}
