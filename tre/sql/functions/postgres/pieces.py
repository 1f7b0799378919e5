"""Pieces of PostgreSQL text. There is no TRY_CAST: what may fail stands in a CASE that looks at the value first.

PostgreSQL folds constant parts of a CASE when it plans, but drops a branch whose condition folds to false before it
looks at the result (eval_const_expressions). A guard and what it guards therefore always rest on the same operands, and
never on AND or OR, whose order of evaluation is nobody's promise.
"""
# ruff: noqa: S608 - constants are quoted, all else is generated

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from tre.catalogue import Kind, Type
from tre.sql.functions import rendering
from tre.sql.plan import Literal

_SHORT = 60
NUMERIC = "NUMERIC"
"""Whole numbers beyond 64 bits: PostgreSQL's own type has no 128."""
LARGEST = "1.7976931348623157e308"
LOWEST_WHOLE, HIGHEST_WHOLE = -(2**63), 2**63 - 1
FIRST_DAY, LAST_DAY = "DATE '0001-01-01'", "DATE '9999-12-31'"
FIRST_MOMENT, LAST_MOMENT = "TIMESTAMP '0001-01-01 00:00:00'", "TIMESTAMP '9999-12-31 23:59:59.999999'"


def type_name(type_: Type) -> str:
    """Return the engine's name of `type_`."""
    return "DOUBLE PRECISION" if type_.kind is Kind.DOUBLE else rendering.type_name(type_)


def declared(type_: Type) -> str:
    """Return how a version's column of `type_` is declared: text is compared by its bytes."""
    return type_name(type_) + (' COLLATE "C"' if type_.kind is Kind.TEXT else "")


def cast(text: str, type_: Type) -> str:
    """Return a cast that cannot fail; text is compared by its bytes, whatever the database was made with."""
    made = f"CAST({text} AS {type_name(type_)})"
    return f'({made} COLLATE "C")' if type_.kind is Kind.TEXT else made


def let(body: Callable[..., str], *texts: str) -> str:
    """Return `body` of texts, each evaluated once; OFFSET keeps the planner from writing them out again.

    `body` may mention its arguments and constants alone.
    """
    if all(len(text) <= _SHORT for text in texts):
        return f"({body(*texts)})"
    names = "abcdef"[: len(texts)]
    given = ", ".join(f"{text} AS {name}" for text, name in zip(texts, names, strict=True))
    return f"(SELECT {body(*(f'v.{name}' for name in names))} FROM (SELECT {given} OFFSET 0) AS v)"


def literal(expression: Literal) -> str:
    """Return a typed constant."""
    value = expression.value
    if isinstance(value, Fraction):
        return double(float(value))
    if value is None or isinstance(value, str):
        return cast("NULL" if value is None else rendering.string(value), expression.type)
    return rendering.literal(expression)


def double(value: float) -> str:
    """Return a double as a constant: numerals with a point would be exact decimals."""
    return f"CAST('{value!r}' AS DOUBLE PRECISION)"


def whole(text: str) -> str:
    """Return a number without fraction as a whole number of 64 bits, NULL where it does not fit."""
    return let(lambda v: f"CASE WHEN {v} BETWEEN {LOWEST_WHOLE} AND {HIGHEST_WHOLE} THEN CAST({v} AS BIGINT) END", text)


def whole_aggregate(text: str) -> str:
    """Return the same of an aggregate or a window, which no subquery may hold; it is computed once all the same."""
    return f"CASE WHEN {text} BETWEEN {LOWEST_WHOLE} AND {HIGHEST_WHOLE} THEN CAST({text} AS BIGINT) END"


def finite(text: str) -> str:
    """Return a double that is NULL where `text` is NaN or infinite."""
    return let(lambda v: f"CASE WHEN abs({v}) <= {LARGEST} THEN {v} END", text)


def when(text: str, condition: str) -> str:
    """Return `text` where `condition`, written with {} for it, is true, else NULL."""
    return let(lambda v: f"CASE WHEN {condition.format(v)} THEN {v} END", text)


def whole_of_double(v: str) -> str:
    """Return the double `v`, without fraction and below 2¹²⁷, as an exact number.

    A cast would keep 15 digits. Three limbs of 43 bits are exact doubles, and each fits 64 bits.
    """
    high = f"trunc({v} / {2.0**86!r})"
    rest = f"({v} - {high} * {2.0**86!r})"
    middle = f"trunc({rest} / {2.0**43!r})"
    low = f"({rest} - {middle} * {2.0**43!r})"
    limbs = zip((high, middle, low), (2**86, 2**43, 1), strict=True)
    return "(" + " + ".join(f"CAST(CAST({limb} AS BIGINT) AS {NUMERIC}) * {step}" for limb, step in limbs) + ")"


def seconds(text: str) -> str:
    """Return a timestamp, which is finite, as seconds since 1970: an exact number."""
    return f"extract(epoch FROM {text})"


def microseconds(v: str) -> str:
    """Return a timestamp as microseconds since 1970, NULL where it is infinite."""
    return f"CASE WHEN isfinite({v}) THEN CAST({seconds(v)} * 1000000 AS BIGINT) END"
