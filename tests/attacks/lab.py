"""What an attacker works with: a data set, the whole mechanism with its real noise, and statistics of answers."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from random import Random
from typing import Any

from tests.oracle.asking import TODAY, WIDE
from tests.oracle.stage import FULL, Stage, partials
from tests.oracle.worlds import Row, Rows, World, catalogue, rows
from tre.base.passage import Release
from tre.privacy.mechanisms import Noise, OpenDPNoise
from tre.privacy.plan import PrivatePlan, plan
from tre.privacy.release import release
from tre.privacy.request import Ask, Rules
from tre.sql import bind


def people(secrets: dict[int, int], extra: Callable[[int], Row] = lambda unit: {}) -> World:
    """Return a data set of one row a person, whose `sex` (1 or 2) is the secret."""
    made = catalogue(Random(0), plain=True)
    made = replace(made, units=max(secrets, default=1) + 1)
    empty: Rows = {
        name: () if table.unit else given
        for (name, given), table in zip(
            rows(Random(0), made).items(), (made.tables[name] for name in rows(Random(0), made)), strict=True
        )
    }
    blank: Row = {"born": 50, "place_id": None, "score": None, "note": None}
    one = tuple({"person_id": unit, "sex": sex, **blank, **extra(unit)} for unit, sex in secrets.items())
    return World(made, {**empty, "person": one})


class Lab:
    """Asks questions of one data set, as the system would."""

    def __init__(self, world: World, rules: Rules = WIDE) -> None:
        self.world, self.rules, self.stage = world, replace(rules, units=1000), Stage()
        self.stage.load(world)

    def plan(self, text: str, epsilon: Fraction | None = None, **bounds: Any) -> PrivatePlan:
        """Return the plan of `text`; raise Refused."""
        query = bind(text, self.world.catalogue, TODAY)
        return plan(query, Ask(epsilon=epsilon, **bounds), self.rules, self.stage.public_keys)

    def ask(self, found: PrivatePlan, times: int = 1, noise: Noise | None = None) -> list[Release]:
        """Release the one block of a plan `times` times, with independent noise."""
        (block,) = found.blocks
        exact = self.stage.run(block.shape.relation, FULL)
        drawn = OpenDPNoise() if noise is None else noise
        return [release(block, partials(exact), drawn) for _ in range(times)]

    def numbers(self, text: str, times: int, epsilon: Fraction | None = None) -> list[int]:
        """Return the first measured number of the first group, `times` times."""
        found = self.plan(text, epsilon)
        name = found.blocks[0].shape.outputs[0].terms[0][0]
        return [one.vectors[name][0] for one in self.ask(found, times)]


def clopper_pearson(hits: int, trials: int, confidence: float) -> tuple[float, float]:
    """Return the exact interval of a proportion (Clopper & Pearson 1934), each end at half of the error."""
    error = (1 - confidence) / 2
    low = 0.0 if hits == 0 else _solved(lambda p: 1 - _at_most(hits - 1, trials, p) - error, rising=True)
    high = 1.0 if hits == trials else _solved(lambda p: _at_most(hits, trials, p) - error, rising=False)
    return low, high


def _at_most(hits: int, trials: int, chance: float) -> float:
    if not 0 < chance < 1:
        return 1.0 if chance <= 0 or hits >= trials else 0.0
    return math.fsum(
        math.exp(
            math.lgamma(trials + 1)
            - math.lgamma(k + 1)
            - math.lgamma(trials - k + 1)
            + k * math.log(chance)
            + (trials - k) * math.log1p(-chance)
        )
        for k in range(hits + 1)
    )


def _solved(function: Callable[[float], float], rising: bool) -> float:
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if (function(middle) > 0) is rising:
            high = middle
        else:
            low = middle
    return (low + high) / 2


def epsilon_shown(one: list[int], other: list[int], delta: float, confidence: float = 0.999) -> float:
    """Return an epsilon that the two samples of neighbours prove with `confidence`, over threshold events.

    The event is chosen on the first half of the samples and judged on the second, so that choosing costs nothing.
    """
    half = len(one) // 2
    best = max(sorted({*one[:half], *other[:half]}), key=lambda cut: _ratio(one[:half], other[:half], cut))
    hits, misses = (sum(value >= best for value in sample[half:]) for sample in (one, other))
    low, _ = clopper_pearson(hits, len(one) - half, confidence)
    _, high = clopper_pearson(misses, len(other) - half, confidence)
    return math.log((low - delta) / high) if low > delta else 0.0


def _ratio(one: list[int], other: list[int], cut: int) -> float:
    mine, theirs = (sum(value >= cut for value in sample) for sample in (one, other))
    return (mine - 3 * math.sqrt(mine + 1)) / (theirs + 3 * math.sqrt(theirs + 1))
