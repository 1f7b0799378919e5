"""Dates and timestamps: the years 1 to 9999, ISO weeks, boundaries counted as OHDSI's T-SQL does."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from fractions import Fraction

from tre.base.reasons import Refused
from tre.base.reasons import sql_text as reasons
from tre.catalogue import Interval, Kind, Type, Value
from tre.sql.functions import intervals, rendering
from tre.sql.functions.casts import promoted
from tre.sql.functions.constants import literal
from tre.sql.functions.form import (
    DATE,
    INTEGER,
    MOMENTS,
    TIMESTAMP,
    Arguments,
    Function,
    Typed,
    constant,
    is_null_literal,
    kind,
    known,
    nullable,
    possible,
)
from tre.sql.plan import Call, Expression, Facts, Literal

MOST_KNOWN = 1_000
"""Most values that are listed as the domain of a part or a truncation of a bounded date."""

MONTHS = {"month": 1, "quarter": 3, "year": 12}
MICROSECONDS = {
    "microsecond": 1,
    "second": 1_000_000,
    "minute": 60_000_000,
    "hour": 3_600_000_000,
    "day": intervals.DAY,
    "week": 7 * intervals.DAY,
}
CLOCK = frozenset({"microsecond", "second", "minute", "hour"})
_DAYS = ("year", "quarter", "month", "week", "day")
_PARTS: dict[str, tuple[int, int]] = {
    "year": (1, 9999),
    "isoyear": (1, 9999),
    "quarter": (1, 4),
    "month": (1, 12),
    "week": (1, 53),
    "day": (1, 31),
    "dow": (0, 6),
    "isodow": (1, 7),
    "doy": (1, 366),
    "hour": (0, 23),
    "minute": (0, 59),
}
_COUNTED = ("year", "quarter", "month", "day", "hour", "minute", "second", "microsecond")


def moment(one: Expression) -> Expression | None:
    """Return `one` as a date or a timestamp: constant text in ISO form is read."""
    if isinstance(one, Literal) and isinstance(one.value, str | None):
        return promoted(one, DATE if is_null_literal(one) or len(str(one.value).strip()) <= 11 else TIMESTAMP)
    return one if kind(one) in MOMENTS else None


def unit(one: Expression, function: str, choices: tuple[str, ...], of: Kind) -> str:
    """Return the unit that the constant `one` names, or refuse it."""
    named = str(constant(one, function, "its unit").value).lower()
    if named not in choices or (of is Kind.DATE and named in CLOCK):
        fitting = [choice for choice in choices if of is Kind.TIMESTAMP or choice not in CLOCK]
        raise Refused.because(
            reasons.UNIT_UNKNOWN, function=function, unit=named[:40], type=of.value, choices=", ".join(fitting)
        )
    return named


def unit_of(call: Call) -> str:
    first = call.arguments[0]
    if not isinstance(first, Literal):
        raise ValueError("a unit that is no constant; this is a bug, report it")
    return str(first.value)


# --- parts and truncation ---------------------------------------------------------------------------------


def _part_typing(arguments: Arguments) -> Typed | None:
    one = moment(arguments[1]) if len(arguments) == 2 else None
    if one is None:
        return None
    return (literal(unit(arguments[0], "EXTRACT", tuple(_PARTS), kind(one))), one), INTEGER


def _part(arguments: Arguments, _type: Type) -> Facts:
    named, one = arguments
    part = str(named.value) if isinstance(named, Literal) else ""
    low, high = _PARTS[part]
    interval = known(one)
    if part in ("year", "isoyear") and interval is not None:
        first, last = (_date(end, kind(one)).year for end in (interval.low, interval.high))
        spread = part == "isoyear"
        low, high = max(low - spread, first - spread), min(high + spread, last + spread)
    elif part == "isoyear":
        low, high = low - 1, high + 1
    around = Interval(Fraction(low), Fraction(high))
    domain: tuple[Value, ...] | None = tuple(range(low, high + 1)) if high - low < MOST_KNOWN else None
    return Facts(one.facts.nullable, around, Fraction(1), domain)


def _date(end: Fraction, of: Kind) -> date:
    return intervals.date_of(int(end // intervals.DAY if of is Kind.TIMESTAMP else end // 1))


def _trunc_typing(arguments: Arguments) -> Typed | None:
    one = moment(arguments[1]) if len(arguments) == 2 else None
    if one is None:
        return None
    named = unit(arguments[0], "DATE_TRUNC", (*_DAYS, "hour", "minute", "second"), kind(one))
    return (literal(named), one), one.type


def _trunc(arguments: Arguments, type_: Type) -> Facts:
    named, one = arguments
    interval = known(one)
    if interval is None:
        return Facts(one.facts.nullable)
    step = str(named.value) if isinstance(named, Literal) else ""
    if type_.kind is Kind.TIMESTAMP:
        floor = intervals.microseconds(start_of(step, _date(interval.low, type_.kind)))
        low = Fraction(floor if step not in CLOCK else interval.low - interval.low % MICROSECONDS[step])
        return Facts(one.facts.nullable, Interval(low, interval.high))
    first, last = (start_of(step, _date(end, type_.kind)) for end in (interval.low, interval.high))
    around = Interval(Fraction(intervals.days(first)), Fraction(intervals.days(last)))
    return Facts(one.facts.nullable, around, domain=_starts(step, first, last))


def _starts(step: str, first: date, last: date) -> tuple[Value, ...] | None:
    found: list[Value] = []
    for one in _every(step, first, last):
        found.append(one)
        if len(found) > MOST_KNOWN:
            return None
    return tuple(found)


def _every(step: str, first: date, last: date) -> Iterator[date]:
    one = first
    while one <= last:
        yield one
        if last - one < timedelta(days=1) or one > date(9998, 12, 31):
            return
        one = start_of(step, one + timedelta(days={"year": 366, "quarter": 93, "month": 31, "week": 7}.get(step, 1)))


def start_of(step: str, one: date) -> date:
    """Return the first day of the year, quarter, month or ISO week of `one`, or the day itself."""
    if step == "week":
        return one - timedelta(days=one.weekday())
    months = MONTHS.get(step)
    if months is None:
        return one
    return date(one.year, (one.month - 1) // months * months + 1, 1)


# --- moments apart ----------------------------------------------------------------------------------------


def _diff_typing(arguments: Arguments) -> Typed | None:
    """`diff(unit, a, b)`: two dates, or two timestamps if either is one."""
    if len(arguments) != 3:
        return None
    one, other = (moment(argument) for argument in arguments[1:])
    if one is None or other is None:
        return None
    named = unit(arguments[0], "DATEDIFF", _COUNTED, Kind.TIMESTAMP)
    both = TIMESTAMP if named in CLOCK or Kind.TIMESTAMP in (kind(one), kind(other)) else DATE
    return (literal(named), promoted(one, both), promoted(other, both)), INTEGER


def _diff(arguments: Arguments, _type: Type) -> Facts:
    _, one, other = arguments
    named = str(arguments[0].value) if isinstance(arguments[0], Literal) else ""
    if known(one) is None or known(other) is None:
        return Facts(nullable((one, other)), granularity=Fraction(1))
    ends = (
        [_count(named, end, kind(one)) for end in _ends(one)],
        [_count(named, end, kind(one)) for end in _ends(other)],
    )
    around = Interval(Fraction(ends[1][0] - ends[0][1]), Fraction(ends[1][1] - ends[0][0]))
    return Facts(nullable((one, other)), around, Fraction(1))


def _ends(one: Expression) -> tuple[Fraction, Fraction]:
    return possible(one).low, possible(one).high


def _count(named: str, end: Fraction, of: Kind) -> int:
    """Return how many boundaries of the unit lie before `end`."""
    if named in MONTHS:
        day = _date(end, of)
        return (day.year * 12 + day.month - 1) // MONTHS[named]
    return int((end if of is Kind.TIMESTAMP else end * intervals.DAY) // MICROSECONDS[named])


# --- a date as one number ---------------------------------------------------------------------------------


def _number_typing(arguments: Arguments) -> Typed | None:
    one = moment(arguments[0]) if len(arguments) == 1 else None
    return None if one is None else ((one,), INTEGER)


def _number_facts(arguments: Arguments, _type: Type) -> Facts:
    (one,) = arguments
    interval = known(one)
    if interval is None:
        return Facts(one.facts.nullable, granularity=Fraction(1))
    first, last = (_date(end, kind(one)) for end in (interval.low, interval.high))
    low, high = (Fraction(day.year * 10_000 + day.month * 100 + day.day) for day in (first, last))
    return Facts(one.facts.nullable, Interval(low, high), Fraction(1))


_MOMENT = "a unit and a date or timestamp"
FUNCTIONS = (
    Function(
        "date_part",
        "EXTRACT(unit FROM d), DATE_PART('unit', d), YEAR(d), …: a whole number; week is the ISO week, dow 0 a Sunday.",
        _MOMENT,
        _part_typing,
        _part,
        lambda call, texts: f"CAST(date_part('{unit_of(call)}', {texts[1]}) AS BIGINT)",
        ("EXTRACT", "DATE_PART", "YEAR", "QUARTER", "MONTH", "DAY"),
    ),
    Function(
        "date_trunc",
        "DATE_TRUNC('unit', d): the start of the year, quarter, month, ISO week or day; a date stays a date. "
        "EOMONTH(d): the last day of its month.",
        _MOMENT,
        _trunc_typing,
        _trunc,
        lambda call, texts: rendering.cast(f"date_trunc('{unit_of(call)}', {texts[1]})", call.type),
        ("DATE_TRUNC", "EOMONTH"),
    ),
    Function(
        "date_diff",
        "b - a of dates in days, DATEDIFF(unit, a, b): how many boundaries of the unit lie between. "
        "EXTRACT(EPOCH FROM b - a) of timestamps: the seconds between, with their parts; EXTRACT(DAY FROM b - a): the "
        "whole days, toward zero.",
        "a unit and two dates or timestamps",
        _diff_typing,
        _diff,
        lambda call, texts: f"date_diff('{unit_of(call)}', {texts[1]}, {texts[2]})",
        ("DATEDIFF",),
    ),
    Function(
        "date_number",
        "CONVERT(VARCHAR, d, 112), TO_CHAR(d, 'YYYYMMDD'): the day as 20240131; YYYY-MM-DD, YYYY-MM, YYYY, MM, DD too. "
        "EXTRACT(YEAR FROM AGE(a, b)): whole years between, from the difference of such numbers.",
        "a date or timestamp",
        _number_typing,
        _number_facts,
        lambda _, texts: rendering.let(
            texts[0],
            lambda v: (
                f"CAST(date_part('year', {v}) * 10000 + date_part('month', {v}) * 100 + date_part('day', {v}) "
                "AS BIGINT)"
            ),
        ),
        ("TO_CHAR", "FORMAT", "AGE"),
    ),
)
