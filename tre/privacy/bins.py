"""What a noisy histogram tells: which of its bins hold people, beside how much noise an answer has (PRIVACY §3.2)."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tre.base.cost import Measure
from tre.privacy import accounting
from tre.privacy.request import Rules

_SURE, _LIKELY = 5.0, 2.5
"""Standard deviations of noise: what one in three million, and one in 160 of empty bins hold."""


def filled(numbers: range, people: Sequence[int], deviation: float) -> list[tuple[int, int]]:
    """Return (number, people) of the bins up to the outermost one that is filled; none where none surely is.

    It is the outermost one that noise alone cannot have filled, or one reached from there by bins that are likely
    filled. A lower bin's noise outweighs nothing.

    :param deviation: the standard deviation of the noise in `people`.
    """
    sure = [at for at, count in enumerate(people) if count >= max(1.0, _SURE * deviation)]
    last = max(sure, default=-1)
    while 0 <= last < len(people) - 1 and people[last + 1] >= max(1.0, _LIKELY * deviation):
        last += 1
    return [(numbers[at], max(0, people[at])) for at in range(last + 1)]


def usual_noise(rules: Rules) -> float:
    """Return the noise of a usual answer's count or sum, of a clip bound of 1: half of the price is its own."""
    amount = accounting.price(rules.measure, rules.default_epsilon, rules.conversion_delta).rho / 2
    return math.sqrt(1 / (2 * float(amount))) if rules.measure is Measure.ZCDP else math.sqrt(2) / float(amount)
