"""Columns of every kind with and without declared facts, and rows of the values that break functions."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction

from tests.sql.expressions.engines import Engine, Errors, opened
from tre.catalogue import Interval, Kind, Type
from tre.sql import functions
from tre.sql.expressions import render_expression
from tre.sql.functions import intervals
from tre.sql.plan import Column, Expression, Facts, Ref

INTEGER, DOUBLE, TEXT, BOOLEAN = Type(Kind.INTEGER), Type(Kind.DOUBLE), Type(Kind.TEXT), Type(Kind.BOOLEAN)
DATE, TIMESTAMP = Type(Kind.DATE), Type(Kind.TIMESTAMP)
MONEY, WIDE, TINY = Type(Kind.DECIMAL, 12, 2), Type(Kind.DECIMAL, 38, 10), Type(Kind.DECIMAL, 2, 2)


def between(low: object, high: object) -> Interval:
    return Interval(Fraction(str(low)), Fraction(str(high)))


_INTEGERS = [None, 0, 1, -1, 2, 7, 10, 12, 100, 2**31, -(2**31), 2**62, 2**63 - 1, -(2**63), -(2**63) + 1, 9999, 31]
_DOUBLES = [
    None,
    0.0,
    1.0,
    -1.0,
    0.1,
    0.5,
    1.5,
    2.5,
    -2.5,
    1e-320,
    1e308,
    -1e308,
    1.7976931348623157e308,
    710.0,
    1e19,
    1e15,
]
_TEXTS = [
    None,
    "",
    " ",
    "a",
    "A b ",
    "é🤦",
    "%_\\",
    "'",
    "1",
    " -7 ",
    "1.5",
    "1e400",
    "nan",
    "2020-02-30",
    "2020-02-29",
]
_TEXTS += ["true", "0000-01-01", "9223372036854775808", "2020-01-01 25:00", "2020-01-01 10:00:00.5", "x" * 8, "Ünï"]
_DATES = [
    None,
    date.min,
    date.max,
    date(2020, 2, 29),
    date(1970, 1, 1),
    date(1900, 1, 31),
    date(2021, 1, 3),
    date(2020, 12, 31),
]
_TIMESTAMPS = [None, datetime.min, datetime.max, datetime(2020, 2, 29, 23, 59, 59, 999999), datetime(1970, 1, 1)]
_TIMESTAMPS += [datetime(1969, 12, 31, 23, 59, 59), datetime(2021, 1, 3, 12, 30)]
_MONEY = [None, Decimal("0"), Decimal("0.01"), Decimal("-0.05"), Decimal("9999999999.99"), Decimal("-9999999999.99")]
_WIDE = [None, Decimal("0"), Decimal(1), Decimal("-0.5"), Decimal("9" * 28 + "." + "9" * 10), Decimal("1e-10")]

COLUMNS: dict[str, tuple[Type, Facts, list[object]]] = {
    "i1": (INTEGER, Facts(), _INTEGERS),
    "i2": (INTEGER, Facts(), _INTEGERS),
    "ib": (INTEGER, Facts(True, between(-5, 100), Fraction(5)), [None, -5, 0, 5, 50, 100]),
    "ip": (INTEGER, Facts(False, between(1, 9), Fraction(1), (1, 3, 9)), [1, 3, 9]),
    "d1": (MONEY, Facts(), _MONEY),
    "d2": (MONEY, Facts(False, between(-1, "2.5"), Fraction(1, 2)), [Decimal("-1"), Decimal("2.5"), Decimal("0.5")]),
    "dw": (WIDE, Facts(), _WIDE),
    "dt": (TINY, Facts(), [None, Decimal("0.99"), Decimal("-0.99"), Decimal("0.05"), Decimal("0.00")]),
    "f1": (DOUBLE, Facts(), _DOUBLES),
    "f2": (DOUBLE, Facts(), _DOUBLES),
    "fb": (DOUBLE, Facts(True, between(-1, 10)), [None, -1.0, 0.0, 0.1, 9.999, 10.0, 2.5]),
    "fp": (DOUBLE, Facts(False, between("0.5", 1000)), [0.5, 1000.0, 1.0, 2.0]),
    "t1": (TEXT, Facts(max_length=40), _TEXTS),
    "t2": (TEXT, Facts(False, domain=("Yes", "no"), max_length=3), ["Yes", "no"]),
    "t3": (TEXT, Facts(), _TEXTS),
    "b1": (BOOLEAN, Facts(), [None, True, False]),
    "b2": (BOOLEAN, Facts(False, domain=(True,)), [True]),
    "m1": (DATE, Facts(), _DATES),
    "m2": (DATE, Facts(), _DATES),
    "mb": (DATE, Facts(False, between(18262, 18992)), [date(2020, 1, 1), date(2021, 12, 31), date(2020, 6, 15)]),
    "s1": (TIMESTAMP, Facts(), _TIMESTAMPS),
    "sb": (
        TIMESTAMP,
        Facts(True, between(18262 * intervals.DAY, 18992 * intervals.DAY)),
        [None, datetime(2020, 1, 1), datetime(2021, 12, 31), datetime(2020, 5, 5, 5, 5, 5, 5)],
    ),
}
REFS: dict[str, Expression] = {
    name: Ref(Column(number, name, type_, facts)) for number, (name, (type_, facts, _)) in enumerate(COLUMNS.items())
}
CONSTANTS: list[Expression] = [
    functions.literal(value)
    for value in (None, True, 0, 1, -1, 2, 9, 2**63 - 1, Decimal("0.5"), Decimal("-1.25"), "", "a%", "2020-02-29", "7")
]
CONSTANTS += [functions.literal(value) for value in (date(2020, 2, 29), datetime(2020, 2, 29, 1, 2, 3))]
UNITS = [functions.literal(unit) for unit in ("year", "month", "week", "day", "dow", "hour", "quarter", "second")]
CONSTANTS += UNITS
CONSTANTS += [functions.literal(value) for value in (Fraction(1, 100), Fraction(5), Fraction(1, 3), 10**30)]
_AT_ONCE = 500
"""Expressions of one statement: PostgreSQL has at most 1664 columns."""
POOL = [*REFS.values(), *CONSTANTS]
_RAW = {
    Kind.DOUBLE: ["nan", "inf", "-inf", "-0.0"],
    Kind.DATE: ["infinity", "-infinity", "10000-01-01"],
    Kind.TIMESTAMP: ["infinity", "-infinity", "10000-01-01"],
}
_BEFORE = {"duckdb": "4000-01-01 (BC)", "postgres": "4000-01-01 BC"}


@contextmanager
def engine(dialect: str, rows: int = 300) -> Iterator[Engine]:
    """Yield an engine with table `t`, whose values keep what is declared, and `raw`, whose values do not."""
    with opened(dialect) as made:
        fill(made, rows)
        yield made


def fill(made: Engine, rows: int) -> None:
    """Make both tables, of the same rows on every engine."""
    shape = ", ".join(f"{name} {made.type_name(type_)}" for name, (type_, _, _) in COLUMNS.items())
    chance = random.Random(7)
    for table in ("t", "raw"):
        made.execute(f"CREATE TABLE {table} ({shape})")
        values = [[_value(chance, name, table, made.dialect) for name in COLUMNS] for _ in range(rows)]
        made.insert(table, values)


def _value(chance: random.Random, name: str, table: str, dialect: str) -> object:
    type_, _, values = COLUMNS[name]
    pool = list(values)
    if table == "raw":
        pool = [*values, None, *_RAW.get(type_.kind, [])]
        pool += [_BEFORE[dialect]] if type_.kind in (Kind.DATE, Kind.TIMESTAMP) else []
    return chance.choice(pool)


def text(expression: Expression, dialect: str = "duckdb") -> str:
    """Return the engine's text of an expression over the columns of the tables."""
    return render_expression(expression, lambda column: column.name, lambda _: "TRUE", dialect)


def run(made: Engine, expressions: list[Expression], table: str = "t") -> Iterator[tuple[object, ...]]:
    """Yield the values of each expression, over all rows; a failure names the expression that failed."""
    for start in range(0, len(expressions), _AT_ONCE):
        some = expressions[start : start + _AT_ONCE]
        columns = zip(*_all_or_first(made, [text(one, made.dialect) for one in some], table), strict=True)
        for one, values in zip(some, columns, strict=True):
            yield tuple(_whole(value) for value in values) if one.type.kind is Kind.INTEGER else values


def _all_or_first(made: Engine, texts: list[str], table: str) -> list[tuple[object, ...]]:
    try:
        return _rows(made, texts, table)
    except Errors:
        for one in texts:
            try:
                _rows(made, [one], table)
            except Errors as error:
                raise AssertionError(f"failed on a value: {one}\n{error}") from None
        raise


def _whole(value: object) -> object:
    """PostgreSQL's whole numbers beyond 64 bits are exact decimals without a fraction."""
    return int(value) if isinstance(value, Decimal) and value == int(value) else value


def _rows(made: Engine, texts: list[str], table: str) -> list[tuple[object, ...]]:
    raw = "" if table == "t" else "::VARCHAR"  # Python has no infinite dates
    return made.execute(f"SELECT {', '.join(f'({one}){raw}' for one in texts)} FROM {table}")


def check(expression: Expression, value: object) -> None:
    """Hold one value to what is claimed of its expression."""
    facts, kind, told = expression.facts, expression.type.kind, text(expression)
    if value is None:
        assert facts.nullable, f"NULL, although never NULL is claimed: {told}"
        return
    assert isinstance(value, _PYTHON[kind]), f"{value!r} is no {kind}: {told}"
    if kind is not Kind.TEXT and kind is not Kind.BOOLEAN:
        point = number(value)
        room = intervals.limits(expression.type)
        assert room is not None
        if facts.interval is not None:
            assert facts.interval.low <= point <= facts.interval.high, f"{value!r} outside {facts.interval}: {told}"
        if facts.granularity is not None and kind in (Kind.INTEGER, Kind.DECIMAL):
            assert (point / facts.granularity).denominator == 1, f"{value!r} off {facts.granularity}: {told}"
    if isinstance(facts.domain, tuple):
        assert value in facts.domain, f"{value!r} not in {facts.domain}: {told}"
    if kind is Kind.TEXT and facts.max_length is not None:
        assert len(str(value)) <= facts.max_length, f"{value!r} longer than {facts.max_length}: {told}"


_PYTHON: dict[Kind, type | tuple[type, ...]] = {
    Kind.BOOLEAN: bool,
    Kind.INTEGER: int,
    Kind.DECIMAL: Decimal,
    Kind.DOUBLE: float,
    Kind.TEXT: str,
    Kind.DATE: date,
    Kind.TIMESTAMP: datetime,
}


def number(value: object) -> Fraction:
    """Return a value as a point of the number line of `Interval`."""
    if isinstance(value, datetime):
        return Fraction(intervals.microseconds(value))
    if isinstance(value, date):
        return Fraction(intervals.days(value))
    assert isinstance(value, int | float | Decimal)
    return Fraction(value)  # raises for NaN and infinities
