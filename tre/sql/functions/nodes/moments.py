"""Parts, truncations, differences and moves of dates and timestamps."""

from __future__ import annotations

from datetime import date, datetime, time

from sqlglot import exp

from tre.sql.functions.casts import promoted
from tre.sql.functions.constants import literal
from tre.sql.functions.form import INTEGER, Arguments
from tre.sql.functions.nodes.form import Build, Form, Node, form, plain
from tre.sql.functions.nodes.operators import negated
from tre.sql.functions.nodes.units import unit_name
from tre.sql.functions.registry import call
from tre.sql.plan import Expression, Literal


def _part_of(unit: str) -> Form:
    return form("", "this", lambda _node, arguments, _today: call("date_part", literal(unit), *arguments))


def _extract(node: Node, arguments: Arguments, _today: date) -> Expression:
    return call("date_part", literal(unit_name(node.this)), *arguments)


def _truncated(node: Node, arguments: Arguments, _today: date) -> Expression:
    return call("date_trunc", literal(unit_name(node.args["unit"])), *arguments)


def _difference(node: Node, arguments: Arguments, _today: date) -> Expression:
    unit = node.args.get("unit")
    later, earlier = arguments
    return call("date_diff", literal("day" if unit is None else unit_name(unit)), earlier, later)


def _moved_by(sign: int) -> Build:
    def build(node: Node, arguments: Arguments, _today: date) -> Expression:
        unit = node.args.get("unit")
        one, count = arguments
        if isinstance(count, Literal) and isinstance(count.value, str):
            count = promoted(count, INTEGER)
        count = negated(count) if sign < 0 else count
        return call("date_add", literal("day" if unit is None else unit_name(unit)), count, one)

    return build


def _today_is(_node: Node, _arguments: Arguments, today: date) -> Expression:
    return literal(today)


def _now_is(_node: Node, _arguments: Arguments, today: date) -> Expression:
    """The version's date at midnight: a query asks of the version, not of the clock (PRIVACY §2 "Order")."""
    return literal(datetime.combine(today, time()))


_MOVED = "this expression"
FORMS: dict[type[exp.Expr], Form] = {
    exp.Extract: form("this", "expression", _extract),
    exp.Year: _part_of("year"),
    exp.Quarter: _part_of("quarter"),
    exp.Month: _part_of("month"),
    exp.Day: _part_of("day"),
    exp.DayOfMonth: _part_of("day"),
    exp.DayOfYear: _part_of("doy"),
    exp.DateTrunc: form("unit", "this", _truncated),
    exp.TimestampTrunc: form("unit", "this", _truncated),
    exp.DateDiff: form("unit big_int date_part_boundary", "this expression", _difference),
    exp.TsOrDsDiff: form("unit", "this expression", _difference),
    exp.TimestampDiff: form("unit", "this expression", _difference),
    exp.DateAdd: form("unit", _MOVED, _moved_by(1)),
    exp.DateSub: form("unit", _MOVED, _moved_by(-1)),
    exp.TsOrDsAdd: form("unit return_type", _MOVED, _moved_by(1)),
    exp.TimestampAdd: form("unit", _MOVED, _moved_by(1)),
    exp.DateFromParts: plain("make_date", "year month day"),
    exp.CurrentDate: form("", "", _today_is),
    exp.CurrentTimestamp: form("", "", _now_is),
}
