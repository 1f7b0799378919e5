"""Interval and grid arithmetic: what is known of a result from what is known of its operands.

Intervals are closed and exact. Doubles round to nearest, which is monotone, so the ends of an exact result only
have to be moved outward to doubles.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from fractions import Fraction

from tre.catalogue import Interval, Kind, Type

DAY = 86_400_000_000
"""Microseconds of a day."""

_EPOCH = date(1970, 1, 1)
_LARGEST = Fraction(1.7976931348623157e308)


def days(moment: date) -> int:
    """Return the days from 1970-01-01 to `moment`."""
    return (date(moment.year, moment.month, moment.day) - _EPOCH).days


def microseconds(moment: date) -> int:
    """Return the microseconds from 1970-01-01 to `moment`; a date is its midnight."""
    within = moment - datetime.combine(moment, time()) if isinstance(moment, datetime) else timedelta()
    return days(moment) * DAY + within // timedelta(microseconds=1)


def date_of(count: int) -> date:
    """Return the date `count` days after 1970-01-01."""
    return _EPOCH + timedelta(days=count)


INT64 = Interval(Fraction(-(2**63)), Fraction(2**63 - 1))
DATES = Interval(Fraction(days(date.min)), Fraction(days(date.max)))
TIMESTAMPS = Interval(DATES.low * DAY, (DATES.high + 1) * DAY - 1)
_LIMITS = {
    Kind.INTEGER: INT64,
    Kind.DATE: DATES,
    Kind.TIMESTAMP: TIMESTAMPS,
    Kind.DOUBLE: Interval(-_LARGEST, _LARGEST),
}


def limits(type_: Type) -> Interval | None:
    """Return every value that `type_` can hold: the years 1 to 9999 for dates; None where values are not ordered so."""
    if type_.kind is Kind.DECIMAL:
        most = Fraction(10**type_.precision - 1, 10**type_.scale)
        return Interval(-most, most)
    return _LIMITS.get(type_.kind)


def hull(intervals: Iterable[Interval]) -> Interval:
    """Return the smallest interval around all of `intervals`."""
    every = tuple(intervals)
    return Interval(min(one.low for one in every), max(one.high for one in every))


def inside(interval: Interval, outer: Interval) -> bool:
    """Say whether `interval` lies in `outer`."""
    return outer.low <= interval.low and interval.high <= outer.high


def clip(interval: Interval, outer: Interval) -> Interval:
    """Return the part of `interval` in `outer`; `outer` where they do not meet, since then no value is left."""
    low, high = max(interval.low, outer.low), min(interval.high, outer.high)
    return Interval(low, high) if low <= high else outer


def holds_zero(interval: Interval) -> bool:
    """Say whether zero lies in `interval`."""
    return interval.low <= 0 <= interval.high


def add(one: Interval, other: Interval) -> Interval:
    """Return all sums."""
    return Interval(one.low + other.low, one.high + other.high)


def negate(one: Interval) -> Interval:
    """Return all negatives."""
    return Interval(-one.high, -one.low)


def subtract(one: Interval, other: Interval) -> Interval:
    """Return all differences."""
    return add(one, negate(other))


def multiply(one: Interval, other: Interval) -> Interval:
    """Return all products."""
    ends = [a * b for a in (one.low, one.high) for b in (other.low, other.high)]
    return Interval(min(ends), max(ends))


def divide(one: Interval, other: Interval) -> Interval:
    """Return all quotients; `other` must not hold zero."""
    return multiply(one, Interval(1 / other.high, 1 / other.low))


def absolute(one: Interval) -> Interval:
    """Return all absolute values."""
    low = Fraction(0) if holds_zero(one) else min(abs(one.low), abs(one.high))
    return Interval(low, one.magnitude)


def toward_zero(one: Interval) -> Interval:
    """Return both ends cut to whole numbers, as truncation does to every value."""
    return Interval(Fraction(math.trunc(one.low)), Fraction(math.trunc(one.high)))


def whole(one: Interval) -> Interval:
    """Return both ends moved outward to whole numbers: floor, ceiling and every rounding stay inside."""
    return Interval(Fraction(math.floor(one.low)), Fraction(math.ceil(one.high)))


def remainder(one: Interval, other: Interval) -> Interval:
    """Return all remainders with the sign of the dividend."""
    most = min(other.magnitude, one.magnitude)
    return Interval(-most if one.low < 0 else Fraction(0), most if one.high > 0 else Fraction(0))


def outward(one: Interval, slack: float = 0.0) -> Interval:
    """Return both ends moved outward to doubles, after widening them by the share `slack` of themselves."""
    low, high = one.low - abs(one.low) * Fraction(slack), one.high + abs(one.high) * Fraction(slack)
    return Interval(_down(low), -_down(-high))


def _down(end: Fraction) -> Fraction:
    if end <= -_LARGEST or end >= _LARGEST:
        return max(-_LARGEST, min(end, _LARGEST))
    nearest = float(end)
    return Fraction(nearest if Fraction(nearest) <= end else math.nextafter(nearest, -math.inf))


def common_grid(grids: Iterable[Fraction | None]) -> Fraction | None:
    """Return the coarsest grid that holds every grid, or None where one is missing."""
    found: Fraction | None = None
    for grid in grids:
        if grid is None:
            return None
        found = grid if found is None else _common(found, grid)
    return found


def _common(one: Fraction, other: Fraction) -> Fraction:
    top = math.gcd(one.numerator * other.denominator, other.numerator * one.denominator)
    return Fraction(top, one.denominator * other.denominator)


def digits(interval: Interval) -> int:
    """Return how many digits stand before the point in the largest value of `interval`."""
    whole_part = math.floor(interval.magnitude)
    return len(str(whole_part)) if whole_part else 0
