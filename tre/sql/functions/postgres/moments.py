"""Dates and timestamps. PostgreSQL raises on infinite ones and beyond its years; both are looked for first."""

from __future__ import annotations

from tre.catalogue import Kind
from tre.sql.functions.form import DATE, Rendering, kind
from tre.sql.functions.intervals import DAY
from tre.sql.functions.moments import MICROSECONDS, MONTHS, unit_of
from tre.sql.functions.postgres.pieces import (
    FIRST_DAY,
    FIRST_MOMENT,
    LAST_DAY,
    LAST_MOMENT,
    cast,
    let,
    microseconds,
    seconds,
    when,
)
from tre.sql.plan import Call

_MONTH = "(date_part('year', {0}) * 12 + date_part('month', {0}))"
_QUARTER = "(date_part('year', {0}) * 4 + date_part('quarter', {0}))"
_COUNTS = {"year": "date_part('year', {0})", "quarter": _QUARTER, "month": _MONTH}
_LENGTHS = {"hour": 3600, "minute": 60, "second": 1}
_FIRST, _LAST = -62_135_596_800_000_000, 253_402_300_799_999_999
"""The microseconds from 1970 to the first and the last of the years 1 to 9999."""


def part(call: Call, texts: tuple[str, ...]) -> str:
    """Return a part; those of an infinite moment are none."""
    found = f"CAST(date_part('{unit_of(call)}', {{v}}) AS BIGINT)"
    return let(lambda v: f"CASE WHEN isfinite({v}) THEN {found.format(v=v)} END", texts[1])


def truncated(call: Call, texts: tuple[str, ...]) -> str:
    """Return the start of a unit; of a date as a timestamp without a zone, never with one."""
    found = f"date_trunc('{unit_of(call)}', CAST({texts[1]} AS TIMESTAMP))"
    return cast(found, call.type)


def difference(call: Call, texts: tuple[str, ...]) -> str:
    """Return how many boundaries lie between."""
    unit = unit_of(call)

    def body(a: str, b: str) -> str:
        return f"CASE WHEN isfinite({a}) THEN CASE WHEN isfinite({b}) THEN {_between(unit, a, b)} END END"

    return let(body, texts[1], texts[2])


def _between(unit: str, a: str, b: str) -> str:
    if unit == "day":
        return f"CAST(CAST({b} AS DATE) - CAST({a} AS DATE) AS BIGINT)"
    if unit == "microsecond":
        return f"CAST(({seconds(b)} - {seconds(a)}) * 1000000 AS BIGINT)"
    if unit in _COUNTS:
        return f"CAST({_COUNTS[unit].format(b)} - {_COUNTS[unit].format(a)} AS BIGINT)"
    starts = [f"{seconds(f'date_trunc({unit!r}, {one})')} / {_LENGTHS[unit]}" for one in (b, a)]
    return f"CAST(round({starts[0]}) - round({starts[1]}) AS BIGINT)"


def moved(call: Call, texts: tuple[str, ...]) -> str:
    """Return a moment moved by whole units: where it would come to is computed before it goes there."""
    unit, count, one = unit_of(call), texts[1], texts[2]
    if unit in MONTHS:
        return cast(let(lambda a, n: _by_months(call, MONTHS[unit], a, n), one, count), call.type)
    if call.type.kind is Kind.DATE:
        return let(lambda a, n: _by_days(7 if unit == "week" else 1, a, n), one, count)
    return let(lambda a, n: _by_steps(MICROSECONDS[unit], a, n), one, count)


def _by_months(call: Call, months: int, a: str, n: str) -> str:
    """A finite moment of the years 1 to 9999 comes to a month of theirs, or nowhere."""
    most = 120_000 // months
    there = f"{_MONTH.format(a)} + {n} * {months} BETWEEN 13 AND 120000"
    step = f"make_interval(months => CAST({n} * {months} AS INTEGER))"
    span = (FIRST_DAY, LAST_DAY) if kind(call.arguments[2]) is Kind.DATE else (FIRST_MOMENT, LAST_MOMENT)
    return (
        f"CASE WHEN {a} BETWEEN {span[0]} AND {span[1]} THEN CASE WHEN {n} BETWEEN -{most} AND {most} "
        f"THEN CASE WHEN {there} THEN CAST({a} AS TIMESTAMP) + {step} END END END"
    )


def _by_days(days: int, a: str, n: str) -> str:
    return (
        f"CASE WHEN {a} BETWEEN {FIRST_DAY} AND {LAST_DAY} THEN CASE WHEN {n} BETWEEN -4000000 AND 4000000 "
        f"THEN CASE WHEN ({a} - {FIRST_DAY}) + {n} * {days} BETWEEN 0 AND 3652058 "
        f"THEN {a} + CAST({n} * {days} AS INTEGER) END END END"
    )


def _by_steps(step: int, a: str, n: str) -> str:
    """Days and the rest apart: an interval is multiplied as a double, which is exact below 2⁵³."""
    most = 4_000_000 * DAY // step
    total = f"({n} * {step})"
    by = f"make_interval(days => CAST({total} / {DAY} AS INTEGER)) + ({total} % {DAY}) * INTERVAL '1 microsecond'"
    return (
        f"CASE WHEN {a} BETWEEN {FIRST_MOMENT} AND {LAST_MOMENT} THEN CASE WHEN {n} BETWEEN -{most} AND {most} "
        f"THEN CASE WHEN ({microseconds(a)}) + {total} BETWEEN {_FIRST} AND {_LAST} THEN {a} + ({by}) END END END"
    )


def made(_call: Call, texts: tuple[str, ...]) -> str:
    """Return a date from its parts; an impossible one is a text that no date looks like."""

    def body(y: str, m: str, d: str) -> str:
        parts = ((y, 4), (m, 2), (d, 2))
        text = " || '-' || ".join(f"lpad(CAST({one} AS VARCHAR), {width}, '0')" for one, width in parts)
        fits = when(f"({text})", "pg_input_is_valid({0}, 'date')")
        return (
            f"CASE WHEN {y} BETWEEN 1 AND 9999 THEN CASE WHEN {m} BETWEEN 1 AND 12 "
            f"THEN CASE WHEN {d} BETWEEN 1 AND 31 THEN {cast(fits, DATE)} END END END"
        )

    return let(body, *texts)


def number(_call: Call, texts: tuple[str, ...]) -> str:
    """Return a day as 20240131."""
    found = "date_part('year', {v}) * 10000 + date_part('month', {v}) * 100 + date_part('day', {v})"
    return let(lambda v: f"CASE WHEN isfinite({v}) THEN CAST({found.format(v=v)} AS BIGINT) END", texts[0])


FORMS: dict[str, Rendering] = {
    "date_number": number,
    "date_part": part,
    "date_trunc": truncated,
    "date_diff": difference,
    "date_add": moved,
    "make_date": made,
}
