"""How a block's price is split over its parts (PRIVACY §3.4), and the noise scales that follow.

Objective: the weighted sum of squared errors, each in units of what one person can change, is least. With
error ∝ 1/√rho that gives shares ∝ √weight under zCDP; with error ∝ 1/epsilon, ∝ ∛weight under pure DP. Outputs
asked alike therefore have near-equal errors relative to their clip bounds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction

from tre.base.cost import Measure
from tre.privacy.mechanisms import Mechanism, distance, loss
from tre.privacy.parts import Part, PartKind

CLIPPED_SHARE = Fraction(1, 20)
"""The share of the price that counts the people at a clip bound (PRIVACY §4)."""

_LEAST_SHARE = 1e-6
"""No part is measured at nothing, however little it matters: a sum of values far from zero is all but its count."""


def shares(measure: Measure, parts: Sequence[Part], weights: Mapping[str, Fraction]) -> dict[str, Fraction]:
    """Return each part's share of the price; together exactly at most 1."""
    exponent = 1 / 2 if measure is Measure.ZCDP else 1 / 3
    counted = {part.name: CLIPPED_SHARE for part in parts if part.kind is PartKind.CLIPPED}
    rest = 1 - sum(counted.values(), Fraction(0))
    raw = {part.name: float(weights[part.name]) ** exponent for part in parts if part.name not in counted}
    whole = math.fsum(raw.values())
    raw = {name: max(one, whole * _LEAST_SHARE) for name, one in raw.items()}
    whole = math.fsum(raw.values())
    # Rounded down on a grid, so that the sum of the shares cannot exceed 1.
    return counted | {name: rest * Fraction(math.floor(one / whole * 10**9), 10**9) for name, one in raw.items()}


def mechanism_for(measure: Measure, budget: Fraction, sensitivity: int, groups: int) -> Mechanism:
    """Return the least noise whose loss by OpenDP's map is at most `budget` for `groups` cells of one unit."""
    if measure is Measure.ZCDP:
        scale = distance(sensitivity, groups) / math.sqrt(2 * budget)
    else:
        scale = float(sensitivity * groups / budget)
    step = math.ulp(scale)
    while loss(Mechanism(measure, scale), sensitivity, groups) > budget:
        scale, step = scale + step, step * 2
    return Mechanism(measure, scale)
