"""A number as the type of an output writes it: dates are days, timestamps seconds, from 1970-01-01."""

from __future__ import annotations

import math
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction

from tre.catalogue import Kind, Type

Number = int | float | Decimal | date

_EPOCH = datetime.combine(date(1970, 1, 1), time())


def typed(value: Fraction | float, type_: Type) -> Number:
    """Return a number as the output's type writes it."""
    if type_.kind is Kind.INTEGER:
        return round(value)
    if type_.kind is Kind.DECIMAL:
        scaled = round(Fraction(value) * 10**type_.scale)
        return Decimal(scaled).scaleb(-type_.scale)
    if type_.kind is Kind.DATE:
        return _EPOCH.date() + timedelta(days=round(value))
    if type_.kind is Kind.TIMESTAMP:
        return _EPOCH + timedelta(seconds=round(value))
    return float(value)


def number_of(value: Number | None) -> float:
    """Return the number that `typed` wrote; NaN for none."""
    if value is None:
        return math.nan
    if isinstance(value, datetime):
        return (value - _EPOCH).total_seconds()
    if isinstance(value, date):
        return float((value - _EPOCH.date()).days)
    return float(value)
