"""Epsilon to rho and back, by OpenDP's own conversion, rounded against the analyst (PRIVACY §1 "Measure")."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import cache, lru_cache
from typing import Any

from tre.base.cost import ATTO, NANO, Cost, Measure
from tre.privacy.mechanisms import opendp

_MOST = 10**6 * NANO
"""The largest rho, in nano: beyond it nothing is hidden and floats lose their meaning."""


@cache
def _conversion() -> Any:
    """A unit Gaussian cast to approximate DP: at distance d it costs rho = d²/2."""
    dp = opendp()
    space = dp.vector_domain(dp.atom_domain(T=dp.i64)), dp.l2_distance(T=dp.f64)
    gaussian = dp.m.make_gaussian(*space, scale=1.0)
    return gaussian, dp.c.make_zCDP_to_approxDP(gaussian)


def _distance_of(rho: Fraction) -> float:
    """Return a distance at which the unit Gaussian's own map charges at least `rho`."""
    gaussian, _ = _conversion()
    found = math.sqrt(2 * rho)
    while Fraction(gaussian.map(found)) < rho:
        found = math.nextafter(found, math.inf)
    return found


@lru_cache(maxsize=65536)
def epsilon_for(rho: Fraction, delta: Fraction) -> float:
    """Return an epsilon, rounded up, for which rho-zCDP implies (epsilon, delta)-DP; infinity where OpenDP's map ends.

    :param rho: at least 0 and at most 10⁶. :param delta: strictly between 0 and 1.
    """
    if not 0 < delta < 1:
        raise ValueError("delta lies strictly between 0 and 1")
    if not 0 <= rho <= Fraction(_MOST, NANO):
        raise ValueError("rho lies between 0 and a million")
    if rho == 0:
        return 0.0
    _, approximate = _conversion()
    from opendp.mod import OpenDPException

    try:
        return float(approximate.map(_distance_of(rho)).epsilon(math.nextafter(float(delta), 0.0)))
    except OpenDPException:  # an exponential beyond doubles, far above any epsilon that hides something
        return math.inf


@lru_cache(maxsize=4096)
def rho_for(epsilon: Fraction, delta: Fraction) -> Fraction:
    """Return the largest rho, in whole nano-rho, whose `epsilon_for` at `delta` is at most `epsilon`."""
    low, high = 0, 1
    while high < _MOST and epsilon_for(Fraction(high, NANO), delta) <= epsilon:
        low, high = high, min(_MOST, high * 4)
    while high - low > 1:
        middle = (low + high) // 2
        if epsilon_for(Fraction(middle, NANO), delta) <= epsilon:
            low = middle
        else:
            high = middle
    return Fraction(low, NANO)


def limit(measure: Measure, epsilon: Fraction, delta: Fraction, conversion: Fraction) -> Cost:
    """Return the limit (epsilon, delta) as it is stored, rounded down: (rho(epsilon, conversion), delta − conversion).

    Under pure DP it is epsilon, and `delta` and `conversion` are 0.
    """
    if measure is Measure.PURE:
        if delta or conversion:
            raise ValueError("pure differential privacy has no delta")
        return Cost(measure, math.floor(epsilon * NANO))
    if delta < conversion:
        raise ValueError("the limit's delta is smaller than its conversion share")
    amount = rho_for(epsilon, conversion) * NANO
    return Cost(measure, int(amount), math.floor((delta - conversion) * ATTO))


def price(measure: Measure, epsilon: Fraction, conversion: Fraction) -> Cost:
    """Return what a request's `epsilon` buys, without any delta: epsilon does not add, rho does."""
    if measure is Measure.PURE:
        return Cost(measure, math.floor(epsilon * NANO))
    return Cost(measure, int(rho_for(epsilon, conversion) * NANO))


def shown(cost: Cost, conversion: Fraction) -> tuple[float, Fraction]:
    """Return (epsilon, delta) as people read a total: delta is the conversion share plus the keys' share."""
    if cost.measure is Measure.PURE:
        return float(cost.rho), Fraction(0)
    return epsilon_for(cost.rho, conversion), conversion + cost.delta_fraction
