"""Pieces of DuckDB text. Each mentions an operand a bounded number of times, so that no text explodes with depth."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction

from tre.catalogue import Kind, Type
from tre.sql.plan import Literal

_SHORT = 60
"""A text of at most so many characters may be repeated; a longer one is bound to a name once."""

_TYPES = {
    Kind.BOOLEAN: "BOOLEAN",
    Kind.INTEGER: "BIGINT",
    Kind.DOUBLE: "DOUBLE",
    Kind.TEXT: "VARCHAR",
    Kind.DATE: "DATE",
    Kind.TIMESTAMP: "TIMESTAMP",
}


def type_name(type_: Type) -> str:
    """Return the engine's name of `type_`."""
    if type_.kind is Kind.DECIMAL:
        return f"DECIMAL({type_.precision},{type_.scale})"
    return _TYPES[type_.kind]


def cast(text: str, type_: Type) -> str:
    """Return a cast that cannot fail, because the value is known to fit."""
    return f"CAST({text} AS {type_name(type_)})"


def try_cast(text: str, type_: Type) -> str:
    """Return a cast that gives NULL where it fails."""
    return f"TRY_CAST({text} AS {type_name(type_)})"


def let(text: str, body: Callable[[str], str]) -> str:
    """Return `body` of `text`, evaluated once: the engine has no LET, a one-element list with a lambda is one.

    `body` may mention its argument and constants alone. (NULLIF and nested CASE double the text at every level, and
    binding 18 levels of NULLIF took 43 s.)
    """
    if len(text) <= _SHORT:
        return f"({body(text)})"
    return f"list_transform([{text}], lambda v: {body('v')})[1]"


def let_two(one: str, other: str, body: Callable[[str, str], str]) -> str:
    """Return `body` of two texts, each evaluated once."""
    if len(one) <= _SHORT and len(other) <= _SHORT:
        return f"({body(one, other)})"
    return f"list_transform([{{'a': {one}, 'b': {other}}}], lambda v: {body('v.a', 'v.b')})[1]"


def finite(text: str) -> str:
    """Return a double that is NULL where `text` is NaN or infinite (PRIVACY §3.8)."""
    return let(text, lambda v: f"CASE WHEN isfinite({v}) THEN {v} END")


def when(text: str, condition: str) -> str:
    """Return `text` where `condition`, written with {} for it, is true, else NULL."""
    return let(text, lambda v: f"CASE WHEN {condition.format(v)} THEN {v} END")


def decimal_text(text: str, type_: Type) -> str:
    """Return a decimal as PostgreSQL shows it: with a digit before the point, which DuckDB omits where none is left."""
    shown = cast(text, Type(Kind.TEXT))
    if type_.precision > type_.scale:
        return shown
    return let(shown, lambda v: f"CASE WHEN {v} LIKE '-%' THEN '-0' || substr({v}, 2) ELSE '0' || {v} END")


def string(text: str) -> str:
    """Return a string constant: standard quoting, the one in which no other character is special."""
    return "'" + text.replace("'", "''") + "'"


def literal(expression: Literal) -> str:
    """Return a typed constant, so that no engine guesses a narrower type and overflows in it."""
    value, type_ = expression.value, expression.type
    if value is None:
        return cast("NULL", type_)
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, str):
        return string(value)
    if isinstance(value, datetime):
        return f"TIMESTAMP '{value.isoformat(sep=' ')}'"
    if isinstance(value, date):
        return f"DATE '{value.isoformat()}'"
    return _number(value, type_)


def _number(value: object, type_: Type) -> str:
    if isinstance(value, int):
        return f"({value})::{type_name(type_)}" if value < 0 else f"{value}::{type_name(type_)}"
    if isinstance(value, Decimal):
        return f"CAST('{value:f}' AS {type_name(type_)})"
    if isinstance(value, Fraction):
        return f"CAST('{float(value)!r}' AS DOUBLE)"
    raise ValueError("a constant of no type that engines know; this is a bug, report it")
