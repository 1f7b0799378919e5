"""What tests hold OpenDP and the planner against: exact distributions, and noise that is none."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Context, Decimal
from fractions import Fraction

import pyarrow as pa

from tre.base.passage import Partials, Release
from tre.privacy.mechanisms import Mechanism, Noise
from tre.privacy.plan import PrivatePlan
from tre.privacy.release import release
from tre.privacy.released import inputs_of
from tre.sql.plan import Relation

PRECISE = Context(prec=60)


Run = Callable[[Relation, Mapping[str, pa.Table]], Partials]
"""Computes exact partials over tables that were released before."""


def released(plan: PrivatePlan, run: Run, noise: Noise) -> list[Release]:
    """Return a release for every block, each over those before it, as the broker makes them but for ledger and log."""
    found: dict[str, Release] = {}
    for block in plan.measured:
        partials = run(block.shape.relation, inputs_of(block, plan, found))
        found[block.shape.question] = release(block, partials, noise)
    return [found[block.shape.question] for block in plan.blocks]


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
