"""Constants: their types and facts from their values, and text that is read as the type it is compared with."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from fractions import Fraction

from tre.base.reasons import Refused
from tre.base.reasons import sql_text as reasons
from tre.catalogue import Interval, Kind, Type, Value
from tre.sql.functions import intervals
from tre.sql.functions.form import BOOLEAN, DATE, DOUBLE, INTEGER, MOST_DIGITS, TEXT, TIMESTAMP
from tre.sql.plan import Facts, Literal

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_DIGITS = re.compile(r"(\d{4})(\d{2})(\d{2})")
_NAMED = re.compile(r"(\d{1,2})-([A-Za-z]{3})-(\d{4})")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_TIMESTAMP = re.compile(r"\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?)?")


def literal(value: Value | Fraction | None, type_: Type | None = None) -> Literal:
    """Return a constant. NULL takes `type_` (text where none is given); whole numbers beyond 64 bits are decimals."""
    if value is None:
        return Literal(None, type_ or TEXT, Facts(domain=()))
    if isinstance(value, bool):
        return Literal(value, BOOLEAN, Facts(nullable=False, domain=(value,)))
    if isinstance(value, str):
        return Literal(value, TEXT, Facts(nullable=False, domain=(value,), max_length=len(value)))
    if isinstance(value, Fraction):
        return Literal(value, DOUBLE, Facts(False, intervals.outward(Interval(value, value)), value))
    return _ordered(value)


def _ordered(value: int | Decimal | date) -> Literal:
    if isinstance(value, datetime):
        return Literal(value, TIMESTAMP, _point(value, Fraction(intervals.microseconds(value))))
    if isinstance(value, date):
        return Literal(value, DATE, _point(value, Fraction(intervals.days(value))))
    point = Fraction(value)
    if isinstance(value, int) and intervals.inside(Interval(point, point), intervals.INT64):
        return Literal(value, INTEGER, _point(value, point))
    return _decimal(Decimal(value))


def _decimal(value: Decimal) -> Literal:
    """Return an exact decimal with the digits that were written."""
    if not value.is_finite() or abs(value.adjusted()) > MOST_DIGITS:
        raise _malformed(str(value), "number of at most 38 digits")
    scale = max(0, -int(value.as_tuple().exponent))
    precision = max(intervals.digits(Interval(Fraction(value), Fraction(value))) + scale, 1)
    if precision > MOST_DIGITS:
        raise _malformed(f"{value:f}", "number of at most 38 digits")
    return Literal(value, Type(Kind.DECIMAL, precision, scale), _point(value, Fraction(value)))


def _point(value: Value, point: Fraction) -> Facts:
    """Return the facts of one number; zero lies on every grid, so it takes the grid of its type."""
    granularity = None if isinstance(value, date) else abs(point) or None
    return Facts(nullable=False, interval=Interval(point, point), granularity=granularity, domain=(value,))


def numeral(text: str) -> Literal:
    """Return the constant that a numeral of SQL means: whole numbers are integers, all others exact decimals."""
    try:
        return (
            _decimal(Decimal(text)) if not text.isdigit() else literal(int(text) if len(text) < 60 else Decimal(text))
        )
    except InvalidOperation:
        raise _malformed(text, "number") from None


def read_as(one: Literal, type_: Type) -> Literal:
    """Return the constant text or NULL `one` as a constant of the kind of `type_`, or refuse it as malformed."""
    if not isinstance(one.value, str):
        return literal(None, type_)
    text = one.value.strip()
    try:
        return _read(_iso(text) if type_.kind in (Kind.DATE, Kind.TIMESTAMP) else text, type_.kind)
    except (ValueError, InvalidOperation):
        raise _malformed(one.value, type_.kind.value) from None


def _iso(text: str) -> str:
    """Return a day as it is written in ISO form: 20240131 and 31-jan-2024 leave no doubt, 01/02/2024 does."""
    digits, named = _DIGITS.fullmatch(text), _NAMED.fullmatch(text)
    if digits:
        return "-".join(digits.groups())
    if named and named[2].lower() in _MONTHS:
        return f"{named[3]}-{_MONTHS.index(named[2].lower()) + 1:02}-{int(named[1]):02}"
    return text


def _read(text: str, kind: Kind) -> Literal:
    if kind is Kind.DATE and _DATE.fullmatch(text):
        return literal(date.fromisoformat(text))
    if kind in (Kind.DATE, Kind.TIMESTAMP) and _TIMESTAMP.fullmatch(text):
        return literal(datetime.fromisoformat(text))
    if kind in (Kind.INTEGER, Kind.DECIMAL, Kind.DOUBLE) and text.isascii():
        return literal(int(text)) if text.lstrip("+-").isdigit() and len(text) < 60 else _decimal(Decimal(text))
    if kind is Kind.BOOLEAN and text.lower() in ("true", "false", "t", "f"):
        return literal(text.lower().startswith("t"))
    raise ValueError(text)


def _malformed(text: str, type_: str) -> Refused:
    return Refused.because(reasons.CONSTANT_MALFORMED, text=text[:60], type=type_)
