"""Types and facts of the values of aggregates."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import ceil, floor

from tre.catalogue import Interval, Kind, Type
from tre.sql.functions.usual import within_person
from tre.sql.plan import SPREADS, Expression, Facts

_NUMBERS = (Kind.INTEGER, Kind.DECIMAL, Kind.DOUBLE)
INTEGER, DOUBLE = Type(Kind.INTEGER), Type(Kind.DOUBLE)
COUNTED = Facts(nullable=False, granularity=Fraction(1))
NONE = Fraction(0)
MOST_DIGITS = 38


def released(function: str, argument: Expression | None) -> tuple[Type, Facts]:
    """Return type and facts of a noisy value: nothing bounds it, and a group under the minimum size has none."""
    if argument is None or function.startswith("count"):
        return INTEGER, replace(COUNTED, nullable=True)
    if function == "quantile_disc":  # found on a grid of the argument's bounds, whatever the noise
        return argument.type, Facts(interval=argument.facts.interval)
    if function in ("avg", "quantile_cont") or function in SPREADS:
        return DOUBLE, Facts()
    return _summed(argument.type), Facts(granularity=argument.facts.granularity)


def exact(function: str, argument: Expression | None, rows: int, usual: int | None = None) -> tuple[Type, Facts]:
    """Return type and facts of an exact value over at most `rows` rows, of which a person has `usual` ones."""
    type_, facts = _exact(function, argument, rows)
    added = argument is not None and type_.kind in _NUMBERS and not function.startswith("count")
    return type_, replace(facts, usually=within_person(argument.facts.usually, usual) if argument and added else None)


def _exact(function: str, argument: Expression | None, rows: int) -> tuple[Type, Facts]:
    if argument is None or function.startswith("count"):
        return INTEGER, replace(COUNTED, interval=Interval(Fraction(0), Fraction(rows)))
    facts = replace(argument.facts, nullable=True)
    if function in ("min", "max", "quantile_disc"):
        return argument.type, facts
    if function in SPREADS:
        return DOUBLE, Facts()
    inside = argument.facts.interval
    if function in ("avg", "quantile_cont"):
        whole = None if inside is None else Interval(Fraction(floor(inside.low)), Fraction(ceil(inside.high)))
        return DOUBLE, Facts(interval=whole)
    total = None if inside is None else Interval(min(NONE, inside.low) * rows, max(NONE, inside.high) * rows)
    return _summed(argument.type), Facts(interval=total, granularity=argument.facts.granularity)


def too_wide(function: str, argument: Expression | None, rows: int) -> bool:
    """Say whether the sum of `rows` values could overflow; an average overflows in its sum."""
    if argument is None or function not in ("sum", "avg"):
        return False
    return argument.type.precision + len(str(rows)) > MOST_DIGITS


def _summed(type_: Type) -> Type:
    if type_.kind is Kind.DOUBLE:
        return type_
    return Type(Kind.DECIMAL, 38, type_.scale) if type_.kind is Kind.DECIMAL else INTEGER
