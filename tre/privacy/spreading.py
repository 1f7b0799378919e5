"""Whether a person is bounded over all known groups together, or in each of a few: by their noise (SPEED, end).

One weight a person is the faster plan, and the less noisy one wherever a group may hold all of a person's rows: C
against C · √l0. Not so where a person has one row in each group by declaration, or is only counted: one change in each
of g groups is √g together (g under pure DP), while a weight allows for C, and people by places for all groups. Then
groups are bounded one by one, unless the difference is immaterial. All of it follows from declarations, never from data
or a request's price, as bounds do: another price would ask another question.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from tre.base.cost import Measure
from tre.privacy import bounds
from tre.privacy.bins import usual_noise
from tre.privacy.request import Ask, Rules
from tre.sql.plan import PrivateAggregate, PrivateFunction

_IMMATERIAL = 1 / 100
"""The part of an even share of the declared people that more noise may be: what is lost of people in more groups than
count, and the time that it takes to find them, would weigh more."""


@dataclass(frozen=True, slots=True)
class Reach:
    """How far one person reaches over all groups, as noise grows with it: bounded together, and in each of a few."""

    of: str
    together: float
    in_each: float


def in_each(block: PrivateAggregate, keys: int, ask: Ask, rules: Rules) -> bool:
    """Say whether groups are to be bounded one by one: nothing asked is noisier so, and something materially less."""
    found = reaches(block, keys, ask, rules)
    least = all(one.in_each <= one.together for one in found)
    return least and any(noise(one.together - one.in_each, rules) > _IMMATERIAL * rules.units / keys for one in found)


def reaches(block: PrivateAggregate, keys: int, ask: Ask, rules: Rules) -> tuple[Reach, ...]:
    """Return the reach in people, where those are counted, and in rows, where those are; each sum goes by its rows."""
    groups, _ = bounds.group_bound(block, None, rules, keys)  # a request that names groups has chosen already
    found = []
    functions = {one.function for one in block.asked}
    if PrivateFunction.COUNT_UNITS in functions:
        found.append(Reach("people", _over(keys, rules), _over(groups, rules)))
    rows = bounds.row_cap(block, ask)
    if rows is not None and functions - {PrivateFunction.COUNT_UNITS}:
        each = min(rows, bounds.proven_in_group(block))
        found.append(Reach("rows", float(rows), each * _over(groups, rules)))
    return tuple(found)


def noise(reach: float, rules: Rules) -> float:
    """Return the standard deviation of a count at the policy's usual price, of which half is its own."""
    return reach * usual_noise(rules)


def _over(groups: int, rules: Rules) -> float:
    """Return the length of one change in each of so many groups: in L2, and under pure DP in L1."""
    return math.sqrt(groups) if rules.measure is Measure.ZCDP else float(groups)
