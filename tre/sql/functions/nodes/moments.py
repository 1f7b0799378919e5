"""Parts, truncations, differences and moves of dates and timestamps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, time
from decimal import Decimal

from sqlglot import exp

from tre.base.reasons import Refused
from tre.base.reasons import sql_text as reasons
from tre.catalogue import Kind
from tre.sql.functions.casts import cast, promoted
from tre.sql.functions.constants import literal
from tre.sql.functions.form import DATE, INTEGER, TEXT, Arguments, kind
from tre.sql.functions.moments import MICROSECONDS, moment
from tre.sql.functions.nodes.form import Build, Form, Node, form
from tre.sql.functions.nodes.operators import minus, negated
from tre.sql.functions.nodes.units import multiple_of, unit_name
from tre.sql.functions.registry import call
from tre.sql.plan import Expression, Literal


def _part_of(unit: str) -> Form:
    return form("", "this", lambda _node, arguments, _today: call("date_part", literal(unit), *arguments))


def _extract(node: Node, arguments: Arguments, today: date) -> Expression:
    if is_age(node.expression):
        return _age(arguments, today)
    elapsed = _elapsed(node)
    if elapsed is not None and Kind.TIMESTAMP in map(kind, arguments):
        return _part_of_elapsed(unit_name(node.this), *arguments)
    if elapsed is not None:
        arguments = (minus(elapsed, arguments, today),)
    return call("date_part", literal(unit_name(node.this)), *arguments)


def _extract_nodes(node: Node) -> Sequence[Node]:
    elapsed = _elapsed(node)
    if elapsed is not None:
        return [elapsed.this, elapsed.expression]
    return node.expression.expressions if is_age(node.expression) else [node.expression]


_OF_ELAPSED = ("epoch", "day")


def _elapsed(node: Node) -> exp.Sub | None:
    """Return the difference of two moments of which seconds or days are taken."""
    found = node.expression.unnest()
    plain = isinstance(found, exp.Sub) and not any(map(multiple_of, (found.this, found.expression)))
    return found if plain and unit_name(node.this) in _OF_ELAPSED else None


def _part_of_elapsed(part: str, later: Expression, earlier: Expression) -> Expression:
    """Seconds keep their parts, as PostgreSQL's do; of days only the whole ones count, toward zero."""
    passed = call("date_diff", literal("microsecond"), earlier, later)
    if part == "day":
        return call("/", passed, literal(MICROSECONDS["day"]))
    return call("*", passed, literal(Decimal("0.000001")))


def is_age(node: Node) -> bool:
    """Say whether `node` is AGE(later, earlier) of which the years are taken: the only part that days determine."""
    asked = node.parent if isinstance(node, exp.Anonymous) and str(node.this).lower() == "age" else None
    return isinstance(asked, exp.Extract) and asked.expression is node and unit_name(asked.this) == "year"


def _age(arguments: Arguments, today: date) -> Expression:
    """Whole years between two days, toward zero: their numbers, as 20240131, differ by 10000 for each."""
    if len(arguments) not in (1, 2):
        raise Refused.because(reasons.FUNCTION_AGE)
    later, earlier = (literal(today), *arguments)[-2:]
    return call("/", call("-", call("date_number", later), call("date_number", earlier)), literal(10_000))


def _last_day(_node: Node, arguments: Arguments, _today: date) -> Expression:
    first = call("date_trunc", literal("month"), *arguments)
    return cast(
        call("date_add", literal("day"), literal(-1), call("date_add", literal("month"), literal(1), first)), DATE
    )


def made_date(_node: Node, arguments: Arguments, _today: date) -> Expression:
    """A day of constant parts is a constant."""
    found = [one.value for one in arguments if isinstance(one, Literal) and isinstance(one.value, int)]
    if len(found) == 3 and all(0 < part <= 9999 for part in found):
        try:
            return literal(date(*found))
        except ValueError:
            pass
    return call("make_date", *arguments)


_TEXTS: dict[str, Callable[[Expression], Expression]] = {
    "%Y-%m-%d": lambda day: cast(day, TEXT),
    "%Y-%m": lambda day: call("left", cast(day, TEXT), literal(7)),
    "%Y%m%d": lambda day: cast(call("date_number", day), TEXT),
    "%Y%m": lambda day: cast(call("/", call("date_number", day), literal(100)), TEXT),
    "%Y": lambda day: call("left", cast(day, TEXT), literal(4)),
    "%m": lambda day: call("substring", cast(day, TEXT), literal(6), literal(2)),
    "%d": lambda day: call("substring", cast(day, TEXT), literal(9), literal(2)),
}
"""TO_CHAR and FORMAT of a day, by the format as the reader gives it."""


def _as_text(node: Node, arguments: Arguments, _today: date) -> Expression:
    made = _TEXTS.get(_format_of(node))
    one = moment(arguments[0])
    if made is None or one is None:
        raise Refused.because(reasons.FORM, form="A date written in that format")
    return made(cast(one, DATE))


def _from_text(node: Node, arguments: Arguments, _today: date) -> Expression:
    if _format_of(node) not in ("%Y-%m-%d", "%Y%m%d"):
        raise Refused.because(reasons.FORM, form="A date read in that format")
    (one,) = arguments
    return promoted(one, DATE) if isinstance(one, Literal) else cast(one, DATE)


def _format_of(node: Node) -> str:
    given = node.args.get("format")
    return str(given.this) if isinstance(given, exp.Literal) else ""


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
        if kind(count) in (Kind.DOUBLE, Kind.DECIMAL):  # T-SQL moves by the whole part
            count = cast(call("trunc", count), INTEGER)
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
    exp.Extract: Form(frozenset({"this", "expression"}), _extract_nodes, _extract),
    exp.LastDay: form("", "this", _last_day),
    exp.TimeToStr: form("format", "this", _as_text),
    exp.StrToDate: form("format", "this", _from_text),
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
    exp.DateFromParts: form("", "year month day", made_date),
    exp.CurrentDate: form("", "", _today_is),
    exp.CurrentTimestamp: form("", "", _now_is),
}
