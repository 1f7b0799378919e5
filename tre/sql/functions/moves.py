"""Dates and timestamps moved and made: NULL outside the years 1 to 9999."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from fractions import Fraction

from tre.catalogue import Interval, Kind, Type
from tre.sql.functions import intervals, rendering
from tre.sql.functions.casts import promoted
from tre.sql.functions.constants import literal
from tre.sql.functions.form import (
    DATE,
    INTEGER,
    TIMESTAMP,
    Arguments,
    Function,
    Typed,
    kind,
    known,
    nullable,
    possible,
)
from tre.sql.functions.moments import CLOCK, MICROSECONDS, MONTHS, moment, unit, unit_of
from tre.sql.plan import Call, Facts, Literal

_RANGE = "{} BETWEEN " + f"{rendering.literal(literal(date.min))} AND {rendering.literal(literal(date.max))}"
_LAST = "TIMESTAMP '9999-12-31 23:59:59.999999'"
_SPAN = "{} BETWEEN TIMESTAMP '0001-01-01 00:00:00' AND " + _LAST


def _add_typing(arguments: Arguments) -> Typed | None:
    """`add(unit, n, moment)`: a date stays a date unless the unit is of the clock."""
    one = moment(arguments[2]) if len(arguments) == 3 else None
    if one is None:
        return None
    count = promoted(arguments[1], INTEGER) if isinstance(arguments[1], Literal) else arguments[1]
    if kind(count) is not Kind.INTEGER:
        return None
    named = unit(arguments[0], "DATEADD", (*MONTHS, *MICROSECONDS), Kind.TIMESTAMP)
    type_ = TIMESTAMP if named in CLOCK else one.type
    return (literal(named), count, promoted(one, type_)), type_


def _add(arguments: Arguments, type_: Type) -> Facts:
    named, count, one = arguments
    step = _step(str(named.value) if isinstance(named, Literal) else "", type_)
    room = intervals.limits(type_)
    if room is None:
        raise ValueError("only moments are moved; this is a bug, report it")
    moved = intervals.add(possible(one), step(possible(count)))
    fits = intervals.inside(moved, room)
    declared = known(one) is not None and known(count) is not None
    return Facts(nullable((count, one)) or not fits, intervals.clip(moved, room) if declared else None)


def _step(named: str, type_: Type) -> Callable[[Interval], Interval]:
    """Return how far `count` units can move; a month is 28 to 31 days, many months at most 31 each."""
    day = Fraction(intervals.DAY if type_.kind is Kind.TIMESTAMP else 1)
    if named in MONTHS:
        longest = 31 * MONTHS[named] * day
        return lambda count: Interval(min(count.low, Fraction(0)) * longest, max(count.high, Fraction(0)) * longest)
    step = Fraction(MICROSECONDS[named]) / intervals.DAY * day
    return lambda count: Interval(count.low * step, count.high * step)


def _moved(call: Call, texts: tuple[str, ...]) -> str:
    """Move by months or by whole units; the count is cut to what can stay in range, the result is checked."""
    named, (_, count, one) = unit_of(call), texts
    if named in MONTHS:
        most = 120_000 // MONTHS[named]
        months = rendering.when(count, "{} BETWEEN " + f"-{most} AND {most}")
        text = f"CAST({one} AS TIMESTAMP) + to_months(CAST({months} * {MONTHS[named]} AS INTEGER))"
        return _within(text, call)
    if call.type.kind is Kind.DATE:
        factor = 7 if named == "week" else 1
        days = rendering.when(count, "{} BETWEEN -4000000 AND 4000000")
        return _within(f"{one} + CAST({days} * {factor} AS INTEGER)", call)
    most = 4_000_000 * intervals.DAY // MICROSECONDS[named]
    steps = rendering.when(count, "{} BETWEEN " + f"-{most} AND {most}")
    return _within(f"make_timestamp(epoch_us({one}) + {steps} * {MICROSECONDS[named]})", call)


def _within(text: str, call: Call) -> str:
    if call.type.kind is Kind.TIMESTAMP:
        return rendering.when(text, _SPAN)
    return rendering.cast(rendering.when(f"CAST({text} AS DATE)", _RANGE), DATE)


def _made_typing(arguments: Arguments) -> Typed | None:
    if len(arguments) != 3:
        return None
    found = tuple(promoted(one, INTEGER) if isinstance(one, Literal) else one for one in arguments)
    return (found, DATE) if all(kind(one) is Kind.INTEGER for one in found) else None


def _made(call: Call, texts: tuple[str, ...]) -> str:
    """An impossible date is a text that no date looks like; so the cast gives NULL."""
    text = f"printf('%04d-%02d-%02d', {', '.join(texts)})"
    form = rendering.string(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")
    made = rendering.try_cast(f"regexp_extract({text}, {form})", call.type)
    return rendering.when(made, _RANGE)


FUNCTIONS = (
    Function(
        "date_add",
        "d + n (days), d + INTERVAL 'n unit', d + n * INTERVAL '1 unit', DATEADD(unit, n, d): NULL outside the years 1 "
        "to 9999.",
        "a unit, a whole number and a date or timestamp",
        _add_typing,
        _add,
        _moved,
        ("DATEADD",),
    ),
    Function(
        "make_date",
        "MAKE_DATE(year, month, day): NULL where there is no such date.",
        "three whole numbers",
        _made_typing,
        lambda arguments, _: Facts(),
        _made,
        ("MAKE_DATE", "DATEFROMPARTS"),
    ),
)
