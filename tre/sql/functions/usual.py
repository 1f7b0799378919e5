"""What one person's values of an expression are taken to add up to, from what its columns' are (PRIVACY §3.2).

The same analysis as that of intervals, over sums of absolute values: |a + b| ≤ |a| + |b| holds of them as of a row, so
that a clip of a total need not be a clip of each row times the rows. Where nothing follows the interval serves alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction

from tre.catalogue import Kind, Type, Usual
from tre.sql.plan import Expression, Facts

_NOTHING = Usual(Fraction(0))


def with_usual(facts: Facts, found: Usual | None) -> Facts:
    """Return `facts` with what a person's values are taken to add up to."""
    return facts if found == facts.usually else replace(facts, usually=found)


def of_call(name: str, arguments: Sequence[Expression], type_: Type) -> Usual | None:
    """Return what the results of a function are taken to add up to; None where no argument says anything."""
    if all(one.facts.usually is None for one in arguments):
        return None
    rule = _RULES.get(name)
    return None if rule is None else rule(arguments, type_)


def of_either(choices: Sequence[Expression]) -> Usual | None:
    """Return what values that are each one of `choices` are taken to add up to: every choice counts once."""
    once = [one for at, one in enumerate(choices) if one not in choices[:at]]
    if all(one.facts.usually is None for one in once):
        return None
    return _sum(once)


def within_person(found: Usual | None, rows: int | None) -> Usual | None:
    """Return the same of a value that is computed once from all of a person's rows, at most their sum."""
    if found is None or (found.each and rows is None):
        return None
    total = found.total + found.each * (rows or 0)
    return Usual(total, squares=total**2)


def in_each_row(found: Usual | None) -> Usual | None:
    """Return the same of a value that may stand in every row: none exceeds what all of them add up to."""
    return None if found is None or found.each else Usual(Fraction(0), found.total)


def _sum(arguments: Sequence[Expression]) -> Usual | None:
    found = [_of(one) for one in arguments]
    known = [one for one in found if one is not None]
    if len(known) < len(found):
        return None
    total = Usual(sum((one.total for one in known), Fraction(0)), sum((one.each for one in known), Fraction(0)))
    named = [one for one in known if one != _NOTHING]
    return replace(named[0], each=total.each) if len(named) == 1 else total


def _of(one: Expression) -> Usual | None:
    """Return what `one` adds up to: where nothing else is known, its largest value in each row."""
    if one.facts.usually is not None:
        return one.facts.usually
    if getattr(one, "value", one) is None:  # the word NULL
        return _NOTHING
    interval = one.facts.interval
    return None if interval is None else Usual(Fraction(0), interval.magnitude)


def _added(arguments: Sequence[Expression], _type: Type) -> Usual | None:
    return _sum(arguments)


def _negated(arguments: Sequence[Expression], _type: Type) -> Usual | None:
    found = _of(arguments[0])
    return None if found is None else replace(found, mean=-found.mean)


def _same(arguments: Sequence[Expression], _type: Type) -> Usual | None:
    return _of(arguments[0])


def _rounded(arguments: Sequence[Expression], type_: Type) -> Usual | None:
    """Rounding moves a row by less than the last place that is kept; nothing that keeps its places."""
    (one, *_), found = arguments, _of(arguments[0])
    exact = type_.kind is Kind.DOUBLE or (one.type.kind is not Kind.DOUBLE and one.type.scale <= type_.scale)
    if found is None or exact:
        return found
    return replace(found, each=found.each + Fraction(1, 10**type_.scale), squares=None)


def _times(arguments: Sequence[Expression], _type: Type) -> Usual | None:
    one, other = arguments
    if one.facts.usually is None:
        one, other = other, one
    by = other.facts.interval
    return None if by is None else _scaled(_of(one), by.magnitude, by.low if by.low == by.high else Fraction(0))


def _divided(arguments: Sequence[Expression], _type: Type) -> Usual | None:
    by = arguments[1].facts.interval
    if by is None or by.low <= 0 <= by.high:
        return None
    return _scaled(
        _of(arguments[0]), 1 / min(abs(by.low), abs(by.high)), 1 / by.low if by.low == by.high else Fraction(0)
    )


def _scaled(found: Usual | None, by: Fraction, mean_by: Fraction) -> Usual | None:
    """Return what values multiplied by at most `by` add up to; `mean_by` is 0 where the factor varies."""
    if found is None:
        return None
    squares = None if found.squares is None else found.squares * by**2
    return Usual(found.total * by, found.each * by, squares, found.mean * mean_by)


_RULES: dict[str, Callable[[Sequence[Expression], Type], Usual | None]] = {
    **dict.fromkeys(("+", "-", "coalesce", "greatest", "least"), _added),
    **dict.fromkeys(("abs", "nullif", "trunc", "clamp"), _same),
    **dict.fromkeys(("round", "floor", "ceil", "cast"), _rounded),
    "negate": _negated,
    "*": _times,
    "/": _divided,
}
