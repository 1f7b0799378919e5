"""What a sharper answer takes, worked out from what was released and nothing else (PRIVACY §4 "Refine")."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from statistics import NormalDist
from typing import Any

from tre.base.cost import Cost, Measure
from tre.privacy import accounting
from tre.privacy.accuracy import Accuracy
from tre.privacy.request import Rules

_NUMBERS = ("integer", "decimal", "double")
_SHOWN = 1.959963984540054
"""Standard errors in the half-width of the intervals that answers show."""


@dataclass(frozen=True, slots=True)
class Sharper:
    """What would make an answer sharper: the price of half its error, whether that may be spent, and the least error.

    `least` is the part of its error that it would have if all were spent on it that may be.
    """

    half: Cost
    affordable: bool
    least: float


def sharper(amounts: Sequence[int], held: Sequence[bool], left: Cost, rules: Rules) -> Sharper:
    """Return it for an answer whose draws come to `amounts` by question, `held` ones being refined no more.

    Errors shrink with the root of the sum of the draws under zCDP, and under pure DP, where each draw stands by itself,
    with the larger draw that is made anew.
    """
    free, whole = sum(one for one, no in zip(amounts, held, strict=True) if not no), sum(amounts)
    room = min(left.amount, rules.per_answer.amount - (whole if rules.measure is Measure.ZCDP else whole - free))
    if rules.measure is Measure.ZCDP:
        half, least = 3 * free, math.sqrt(free / (free + max(0, room)))
    else:
        half, least = 2 * free, free / max(free, room)
    return Sharper(Cost(rules.measure, half), half <= room, least)


def further(amounts: Sequence[int], epsilon: Fraction, rules: Rules) -> tuple[int, ...]:
    """Return what the draws of each question come to with a further one, `epsilon` shared equally by the questions."""
    bought = max(rules.floor, accounting.price(rules.measure, epsilon, rules.conversion_delta).amount)
    return tuple(amount - (-bought // len(amounts)) for amount in amounts)


def to_accuracy(amounts: Sequence[int], result: Mapping[str, Any], accuracy: Accuracy, most: int) -> tuple[int, ...]:
    """Return the amounts that bring an accuracy, by the answer `result` that they were released in, or come to `most`.

    That much is taken where no number tells what it lacks, or they need more.
    """
    needed, whole = lacked(amounts, result, accuracy), sum(amounts)
    if needed is None or sum(needed) >= most:
        return tuple(max(amount, amount * most // whole) for amount in amounts)
    return needed


def lacked(amounts: Sequence[int], result: Mapping[str, Any], accuracy: Accuracy) -> tuple[int, ...] | None:
    """Return the amounts that bring an accuracy, whatever they come to; None where no number tells.

    Errors shrink with the root of the amount, so each question's grows by the square of what the worst number lacks.
    A number that its own interval does not tell from 0 has no share to be held to, and is left to the others. What is
    as exact already stays.
    """
    lacks = max(_lacking(result, accuracy), default=None)
    return None if lacks is None else tuple(max(one, math.ceil(one * Fraction(lacks) ** 2)) for one in amounts)


def halved(result: Mapping[str, Any]) -> Mapping[str, float | None]:
    """Return, by noisy number of an answer, about what its widest interval reaches to either side at half the error.

    None where there is no interval, and where one ends at a bound of its values: what it would be without is not told.
    """
    found = {}
    for place, column in _numbers(result):
        values = list(_told(result, place))
        ends = _ends_of_values(result, column["name"])
        cut = any(low in ends or high in ends for _, low, high in values)
        wide = max((max(high - value, value - low) for value, low, high in values), default=None)
        found[column["name"]] = None if cut or wide is None else wide / 2
    return found


def _lacking(result: Mapping[str, Any], accuracy: Accuracy) -> Iterator[float]:
    """Yield, of each number, how many times as wide as asked its interval is; of a share where it is told from 0.

    The share is taken of the interval's end nearer to 0, so that it holds of the true value as surely as the interval.
    """
    cells = list(_cells(result))
    errors = NormalDist().inv_cdf(1 - accuracy.alpha(len(cells)) / 2) / _SHOWN
    for value, half in cells:
        number = abs(value) - half if accuracy.relative else 1.0
        if number > 0:
            yield errors * half / (float(accuracy.width) * number)


def _cells(result: Mapping[str, Any]) -> Iterator[tuple[float, float]]:
    """Yield each noisy number with the half-width of its interval; what is withheld or NULL has none."""
    for place, column in _numbers(result):
        for value, low, high in _told(result, place):
            yield value, max(high - value, value - low) + _rounded(column["type"])


def _numbers(result: Mapping[str, Any]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield the columns of noisy numbers, each with its place."""
    for place, column in enumerate(result["columns"]):
        if column["noisy"] and column["type"].partition("(")[0] in _NUMBERS:
            yield place, column


def _told(result: Mapping[str, Any], place: int) -> Iterator[tuple[float, float, float]]:
    """Yield the numbers of a column with both ends of their intervals."""
    for row in result["rows"]:
        value, low, high = row[place : place + 3]
        if not isinstance(value, Mapping) and None not in (value, low, high):
            yield float(value), float(low), float(high)


def _ends_of_values(result: Mapping[str, Any], name: str) -> frozenset[float]:
    """Return the bounds of one row's values, which an average's interval never leaves."""
    used = result["bounds"].get(name, {})
    return frozenset(float(Fraction(used[end])) for end in ("value_low", "value_high") if end in used)


def _rounded(type_: str) -> float:
    """Whole numbers have whole half-widths, rounded down: by less than one."""
    return 1.0 if type_ == "integer" else 0.0
