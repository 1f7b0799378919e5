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


def to_share(amounts: Sequence[int], result: Mapping[str, Any], accuracy: Accuracy, most: int) -> tuple[int, ...]:
    """Return the amounts that bring a relative accuracy, by the answer `result` that they were released in.

    Errors shrink with the root of the amount, so each question's grows by the square of what the worst number lacks.
    A number that its own interval does not tell from 0 has no share to be held to, and is left to the others; where
    none can be told, or they need more, the answer takes `most`. What is as exact already stays.
    """
    lacks, whole = max(_lacking(result, accuracy), default=None), sum(amounts)
    if lacks is None or whole * lacks**2 >= most:
        return tuple(max(amount, amount * most // whole) for amount in amounts)
    return tuple(max(amount, math.ceil(amount * Fraction(lacks) ** 2)) for amount in amounts)


def _lacking(result: Mapping[str, Any], accuracy: Accuracy) -> Iterator[float]:
    """Yield, of each number told from 0, how many times as wide as asked its interval is.

    The share is taken of the interval's end nearer to 0, so that it holds of the true value as surely as the interval.
    """
    cells = list(_cells(result))
    errors = NormalDist().inv_cdf(1 - accuracy.alpha(len(cells)) / 2) / _SHOWN
    for value, half in cells:
        if abs(value) > half:
            yield errors * half / (float(accuracy.width) * (abs(value) - half))


def _cells(result: Mapping[str, Any]) -> Iterator[tuple[float, float]]:
    """Yield each noisy number with the half-width of its interval; what is withheld or NULL has none."""
    columns = result["columns"]
    for place, column in enumerate(columns):
        if not column["noisy"] or column["type"].partition("(")[0] not in _NUMBERS:
            continue
        for row in result["rows"]:
            value, low, high = row[place : place + 3]
            if not isinstance(value, Mapping) and None not in (value, low, high):
                number, ends = float(value), (float(low), float(high))
                yield number, max(ends[1] - number, number - ends[0]) + _rounded(column["type"])


def _rounded(type_: str) -> float:
    """Whole numbers have whole half-widths, rounded down: by less than one."""
    return 1.0 if type_ == "integer" else 0.0
