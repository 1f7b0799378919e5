"""Noise and its privacy maps: OpenDP's, on integers, and the one correction that it needs (PRIVACY §3.3, §3.5).

Nothing else in this project draws noise. The library is imported when first used: it takes half a second.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from fractions import Fraction
from functools import cache, lru_cache
from types import ModuleType
from typing import Any, Protocol

from tre.base.cost import Measure

SATURATION = 2**62
"""Exact sums are clamped to ± this before noise: a 1-Lipschitz step, so it changes no sensitivity."""


@dataclass(frozen=True, slots=True)
class Mechanism:
    """Discrete Gaussian (zCDP) or discrete Laplace (pure) noise of OpenDP's parameter `scale`, in grid units."""

    measure: Measure
    scale: float

    @property
    def variance(self) -> Fraction:
        """An upper bound of the noise's variance, in squared grid units (Canonne, Kamath & Steinke 2020)."""
        square = Fraction(self.scale) ** 2
        return square if self.measure is Measure.ZCDP else 2 * square

    @classmethod
    def of_variance(cls, measure: Measure, variance: Fraction) -> Mechanism:
        """Return noise of that variance, for its accuracy: that of several draws combined, or of parts added."""
        return cls(measure, math.sqrt(variance if measure is Measure.ZCDP else variance / 2))


def combined(variances: Sequence[Fraction]) -> Fraction:
    """Return the variance of several draws combined by inverse variance, rounded to the grid once (PRIVACY §4)."""
    return 1 / sum((1 / one for one in variances), Fraction(0)) + Fraction(1, 12)


class Noise(Protocol):
    """Where noise comes from: OpenDP, or in tests nothing at all."""

    def vector(self, values: Sequence[int], mechanism: Mechanism) -> list[int]:
        """Return `values` with independent noise on each."""

    def above(self, values: Sequence[int], mechanism: Mechanism, threshold: int) -> list[int | None]:
        """Return each noisy value that lies *above* `threshold`, and None for every other."""


class OpenDPNoise:
    """The noise of every release outside tests."""

    def vector(self, values: Sequence[int], mechanism: Mechanism) -> list[int]:
        """Return `values`, clamped to ±2⁶², with OpenDP's noise; OpenDP itself saturates at 64 bits."""
        clamped = [max(-SATURATION, min(SATURATION, value)) for value in values]
        if not clamped:
            return []
        return [int(value) for value in _vector_measurement(mechanism)(clamped)]

    def above(self, values: Sequence[int], mechanism: Mechanism, threshold: int) -> list[int | None]:
        """Release thresholded counts by position.

        A value *equal* to the threshold is dropped afterwards: OpenDP 0.16 releases "≥" and prices ">"
        (opendp#2922).
        """
        if not values:
            return []
        released = _threshold_measurement(mechanism, threshold)(dict(enumerate(values)))
        return [
            int(released[position]) if released.get(position, threshold) > threshold else None
            for position in range(len(values))
        ]


@cache
def opendp() -> ModuleType:
    """Return `opendp.prelude` with the one feature set that is used."""
    import opendp.prelude as dp

    dp.enable_features("contrib")
    module: ModuleType = dp
    return module


@lru_cache(4096)
def _vector_measurement(mechanism: Mechanism) -> Any:
    dp = opendp()
    domain = dp.vector_domain(dp.atom_domain(T=dp.i64))
    if mechanism.measure is Measure.ZCDP:
        return dp.m.make_gaussian(domain, dp.l2_distance(T=dp.f64), scale=mechanism.scale)
    return dp.m.make_laplace(domain, dp.l1_distance(T=dp.i64), scale=mechanism.scale)


@lru_cache(4096)
def _threshold_measurement(mechanism: Mechanism, threshold: int) -> Any:
    if mechanism.measure is not Measure.ZCDP:
        raise ValueError("unknown keys have no pure mechanism; this is a bug, report it")
    dp = opendp()
    domain = dp.map_domain(dp.atom_domain(T=dp.i64), dp.atom_domain(T=dp.i64))
    metric = dp.l02inf_distance(dp.absolute_distance(T=dp.f64))
    return dp.m.make_gaussian_threshold(domain, metric, scale=mechanism.scale, threshold=threshold)


def distance(sensitivity: int, groups: int) -> float:
    """Return sensitivity · √groups, rounded up: the L2 distance of neighbours in one measured vector."""
    square = sensitivity * sensitivity * groups
    root = math.isqrt(square)
    if root * root == square and root < 2**53:
        return float(root)
    return math.nextafter(math.nextafter(math.sqrt(square), math.inf), math.inf)


@lru_cache(4096)
def loss(mechanism: Mechanism, sensitivity: int, groups: int) -> Fraction:
    """Return what OpenDP's map charges (rho or epsilon) when a person changes `groups` cells by `sensitivity`."""
    measurement = _vector_measurement(mechanism)
    if mechanism.measure is Measure.ZCDP:
        charged = float(measurement.map(distance(sensitivity, groups)))
    else:
        charged = float(measurement.map(sensitivity * groups))
    return Fraction(charged) if math.isfinite(charged) else Fraction(2**1000)


@lru_cache(4096)
def key_loss(mechanism: Mechanism, threshold: int, groups: int) -> tuple[Fraction, Fraction]:
    """Return (rho, delta) of releasing group names by distinct people, `groups` of one person.

    Delta is the larger of OpenDP's and the exact tail's union bound over the groups of one person.
    """
    rho, delta = _threshold_measurement(mechanism, threshold).map((groups, distance(1, groups), 1.0))
    return Fraction(rho), max(Fraction(delta), groups * tail(mechanism.scale, threshold))


_PRECISE = Context(prec=60)
_ROOT_OF_TWO_PI = Decimal("2.50662827463100050241576528481104525300698674060993831662992")


def tail(scale: float, threshold: int) -> Fraction:
    """Return an upper bound of P[Z ≥ threshold] for the discrete Gaussian, tight within a few per cent.

    A group of one person is released when 1 + Z > threshold. The terms above the first fall at least
    geometrically, and the normaliser is at least scale·√(2π) by Poisson summation; 60 digits of precision.
    """
    if threshold <= 0:
        return Fraction(1)
    twice_variance = 2 * Fraction(scale) ** 2
    first = _exponential(-Fraction(threshold**2) / twice_variance)
    ratio = _exponential(-Fraction(2 * threshold + 1) / twice_variance)
    normaliser = _PRECISE.multiply(_decimal(Fraction(scale)), _ROOT_OF_TWO_PI)
    bound = _PRECISE.divide(first, _PRECISE.multiply(Decimal(1) - ratio, max(normaliser, Decimal(1))))
    return min(Fraction(1), Fraction(bound) * (1 + Fraction(1, 10**40)))


def _decimal(value: Fraction) -> Decimal:
    return _PRECISE.divide(Decimal(value.numerator), Decimal(value.denominator))


def _exponential(value: Fraction) -> Decimal:
    # Below e⁻⁵⁰⁰⁰ the larger e⁻⁵⁰⁰⁰ serves as the bound: exact fractions of smaller numbers grow without end.
    return _PRECISE.exp(_decimal(max(value, Fraction(-5000))))


@lru_cache(4096)
def threshold_for(mechanism: Mechanism, groups: int, delta: Fraction) -> int:
    """Return the least threshold whose `key_loss` keeps within `delta`."""
    low, high = 0, 2
    while key_loss(mechanism, high, groups)[1] > delta:
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        if key_loss(mechanism, middle, groups)[1] > delta:
            low = middle
        else:
            high = middle
    return high


_WIDE, _NARROW = 100.0, 0.01


@lru_cache(4096)
def accuracy(mechanism: Mechanism, alpha: float = 0.05) -> float:
    """Return the half-width a with P[|noise| ≥ a] ≤ alpha, by OpenDP's accuracy functions, in grid units.

    OpenDP sums a discrete Gaussian term by term, without end for wide ones; there the continuous value and one
    grid step more serve. Below a hundredth of a grid step noise is all but never there, and OpenDP's sums overflow.
    """
    if mechanism.scale < _NARROW:
        return 1.0
    dp = opendp()
    if mechanism.measure is Measure.PURE:
        return float(dp.discrete_laplacian_scale_to_accuracy(mechanism.scale, alpha))
    if mechanism.scale > _WIDE:
        return float(dp.gaussian_scale_to_accuracy(mechanism.scale, alpha)) + 1
    return float(dp.discrete_gaussian_scale_to_accuracy(mechanism.scale, alpha))
