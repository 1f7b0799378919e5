"""How single values of a policy are written, and what they mean. Every function raises ValueError with a sentence."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from tre.catalogue import IdentifierType, Interval, Kind, Type, Value

_TYPE = re.compile(r"([a-z]+)(?:\((\d{1,5})(?:,\s?(\d{1,2}))?\))?")
_COUNT = re.compile(
    r"(\d{1,18}(?:\.\d{1,9})?(?:[eE]\+?\d{1,2})?)(?: (thousand|million|billion))?(?: (?:people|persons?|rows?))?"
)
_SCALE = {None: 1, "thousand": 10**3, "million": 10**6, "billion": 10**9}
_DURATION = re.compile(r"(\d{1,6}) (ms|s)")
_PER_PERSON = re.compile(r"(.+) per person")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_EPOCH = date(1970, 1, 1)
_MOST = 10**15


class ColumnType(NamedTuple):
    """A type; of a text, its greatest length; of an identifier, what it is."""

    type: Type
    length: int | None = None
    identifier: IdentifierType | None = None


def number(value: object) -> Fraction:
    """Return an exact number: 5, 0.01 or 1e-7, as written."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError("a number is wanted, such as 5, 0.01 or 1e-7")
    return Fraction(value)


def positive(value: object) -> Fraction:
    """Return an exact number above 0."""
    if (found := number(value)) <= 0:
        raise ValueError("a number above 0 is wanted")
    return found


def share(value: object) -> Fraction:
    """Return an exact number above 0 and below 1."""
    if not 0 < (found := number(value)) < 1:
        raise ValueError("a number between 0 and 1 is wanted, such as 1e-7")
    return found


def count(value: object) -> int:
    """Return a whole number above 0, written 500, 1e6, “2 million people” or “50 million rows”."""
    match = _COUNT.fullmatch(value if isinstance(value, str) else str(value))
    if isinstance(value, bool) or match is None:
        raise ValueError("a whole number is wanted, such as 500, 1e6 or “2 million rows”")
    found = Fraction(match[1]) * _SCALE[match[2]]
    if found.denominator != 1 or not 1 <= found <= _MOST:
        raise ValueError(f"a whole number from 1 to {_MOST} is wanted")
    return int(found)


def magnitude(value: object) -> tuple[int, bool]:
    """Return an upper bound of rows, and whether it is meant per person: “2 million rows”, “15 rows per person”.

    What is meant per person bounds the average, not a person: it grows with the number of people declared.
    """
    match = _PER_PERSON.fullmatch(value) if isinstance(value, str) else None
    return (count(match[1]), True) if match else (count(value), False)


def duration(value: object) -> Fraction:
    """Return seconds, written “250 ms” or “2 s”; “0 ms” is none."""
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("a time is wanted, such as “250 ms” or “2 s”")
    return Fraction(int(match[1]), 1000 if match[2] == "ms" else 1)


def column_type(value: object) -> ColumnType:
    """Return a type as it is written: integer, decimal(12, 2), text(50), nhs-number …"""
    if value in IdentifierType.__members__.values():
        return ColumnType(Type(Kind.TEXT), identifier=IdentifierType(str(value)))
    match = _TYPE.fullmatch(value) if isinstance(value, str) else None
    if match is None or match[1] not in Kind.__members__.values():
        raise ValueError(f"a type is wanted: {', '.join(Kind)}, with decimal(12, 2) and text(50) in brackets")
    kind, first, second = Kind(match[1]), match[2], match[3]
    if kind is Kind.DECIMAL:
        return ColumnType(_decimal(first, second))
    if first is not None and (kind is not Kind.TEXT or second is not None or int(first) == 0):
        raise ValueError("only text(LENGTH) and decimal(DIGITS, DECIMALS) have numbers in brackets")
    return ColumnType(Type(kind), int(first) if first else None)


def _decimal(first: str | None, second: str | None) -> Type:
    if first is None or second is None or not 1 <= int(first) <= 18 or int(second) > int(first):
        raise ValueError("a decimal is written decimal(DIGITS, DECIMALS) with at most 18 digits")
    return Type(Kind.DECIMAL, int(first), int(second))


def day(value: object) -> date:
    """Return a date, written 2020-01-31."""
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        raise ValueError("a date is wanted, written 2020-01-31")
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise ValueError(f"{value} is no day of the calendar") from None


def literal(value: object, kind: Kind) -> Value:
    """Return `value` as one of `kind`; doubles and timestamps have none, since no one groups by their equality."""
    if kind is Kind.DATE:
        return day(value)
    if kind is Kind.DECIMAL and isinstance(value, int | Decimal) and not isinstance(value, bool):
        return Decimal(value)
    wanted = {Kind.BOOLEAN: bool, Kind.INTEGER: int, Kind.TEXT: str}.get(kind)
    if isinstance(value, bool | int | str) and type(value) is wanted:
        return value
    raise ValueError(f"no {kind.value}")


def line_position(value: object, kind: Kind) -> Fraction:
    """Return where `value` lies on the number line of `kind` (days or microseconds since 1970 for times)."""
    if kind is Kind.DATE:
        return Fraction((day(value) - _EPOCH).days)
    if kind is Kind.TIMESTAMP:
        return Fraction((day(value) - _EPOCH).days * 86_400_000_000)
    if kind in (Kind.INTEGER, Kind.DECIMAL, Kind.DOUBLE):
        return number(value)
    raise ValueError(f"{kind.value} has no bounds")


def interval(pair: tuple[object, object], kind: Kind) -> Interval:
    """Return the closed interval between two values of `kind`; ValueError where it runs backwards."""
    return Interval(line_position(pair[0], kind), line_position(pair[1], kind))
