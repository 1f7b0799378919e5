"""What tests hold OpenDP and the planner against: exact distributions, and noise that is none."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from decimal import Context, Decimal
from fractions import Fraction

import pyarrow as pa

from tre.base.passage import Partials, Release
from tre.privacy.first_step import BINS
from tre.privacy.mechanisms import Mechanism, Noise
from tre.privacy.plan import Block, PrivatePlan, settled
from tre.privacy.release import release
from tre.privacy.released import inputs_of
from tre.sql.plan import Relation

PRECISE = Context(prec=60)


Run = Callable[[Relation, Mapping[str, pa.Table]], Partials]
"""Computes exact partials over tables that were released before."""


def released(plan: PrivatePlan, run: Run, noise: Noise) -> list[Release]:
    """Return a release for every block, each over those before it, as the broker makes them but for ledger and log."""
    found: dict[str, Release] = {}
    for place in range(len(plan.measured)):
        plan = settled(plan, found)
        block = plan.measured[place]
        partials = run(block.shape.relation, inputs_of(block, plan, found))
        one = release(block, partials, noise)
        wide = isinstance(noise, NoNoise) and block.shape.question in plan.steps
        found[block.shape.question] = telling(block, len(BINS) - 1) if wide else one
    return [found[block.shape.question] for block in plan.blocks]


def telling(step: Block, outermost: int | None = None) -> Release:
    """Return a release of a first step in which a crowd stands in one bin, by which that many groups are chosen.

    What a step may tell is any number: by the question's name one of a few, unless `outermost` says which bin.
    """
    ((name, _),) = step.mechanisms.items()
    crowd = zlib.crc32(step.shape.question.encode()) % 4 if outermost is None else outermost
    keys = step.shape.keys or ()
    return Release(keys, {name: tuple(10**9 * (bin_ == crowd) for (bin_,) in keys)}, {name: Fraction(1)}, Fraction(1))


class NoNoise:
    """The test-only noise of truth in the limit: nothing at all; no setting of the product reaches it."""

    def vector(self, values: Sequence[int], mechanism: Mechanism) -> list[int]:
        return list(values)

    def above(self, values: Sequence[int], mechanism: Mechanism, threshold: int) -> list[int | None]:
        return [value if value > 0 else None for value in values]


def gaussian(scale: Fraction, most: int) -> dict[int, Decimal]:
    """The discrete Gaussian's probabilities on [-most, most], normalised there."""
    terms = {k: PRECISE.exp(-_decimal(Fraction(k * k) / (2 * scale**2))) for k in range(most + 1)}
    whole = terms[0] + 2 * sum(terms[k] for k in range(1, most + 1))
    return {k: terms[abs(k)] / whole for k in range(-most, most + 1)}


def laplace(scale: Fraction, most: int) -> dict[int, Decimal]:
    """The discrete Laplace's probabilities on [-most, most], normalised there."""
    terms = {k: PRECISE.exp(-_decimal(Fraction(k) / scale)) for k in range(most + 1)}
    whole = terms[0] + 2 * sum(terms[k] for k in range(1, most + 1))
    return {k: terms[abs(k)] / whole for k in range(-most, most + 1)}


def _decimal(value: Fraction) -> Decimal:
    return PRECISE.divide(Decimal(value.numerator), Decimal(value.denominator))
