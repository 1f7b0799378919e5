"""Epsilon is a reading of rho, rounded against the analyst (PRIVACY §1 "Measure")."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tre.base.cost import Cost, Measure
from tre.privacy.accounting import epsilon_for, limit, price, rho_for, shown

DELTA = Fraction(1, 10**6)


def test_a_request_s_epsilon_never_reads_back_larger() -> None:
    for epsilon in (Fraction(1, 100), Fraction(1, 10), Fraction(1), Fraction(5)):
        rho = rho_for(epsilon, DELTA)
        assert epsilon_for(rho, DELTA) <= epsilon
        assert epsilon_for(rho + Fraction(1, 10**9), DELTA) > epsilon


def test_epsilon_does_not_add() -> None:
    """An epsilon of 5 holds 1,442 answers of epsilon 0.1 at delta 10⁻⁶, not 50 (PRIVACY §1)."""
    assert rho_for(Fraction(5), DELTA) // rho_for(Fraction(1, 10), DELTA) == 1442


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 10**10), st.integers(1, 10**10))
def test_the_reading_is_monotone(one: int, other: int) -> None:
    low, high = sorted((one, other))
    assert epsilon_for(Fraction(low, 10**9), DELTA) <= epsilon_for(Fraction(high, 10**9), DELTA)


@pytest.mark.parametrize("rho", [Fraction(1, 1000), Fraction(1, 10), Fraction(2)])
def test_the_reading_lies_between_the_exact_gaussian_curve_and_the_textbook_bound(rho: Fraction) -> None:
    """Below Bun & Steinke 2016's rho + 2√(rho·ln(1/δ)), above one Gaussian's exact curve (Balle & Wang 2018)."""
    epsilon = epsilon_for(rho, DELTA)
    assert epsilon <= float(rho) + 2 * math.sqrt(float(rho) * math.log(10**6)) + 1e-9
    distance = math.sqrt(2 * float(rho))

    def normal(x: float) -> float:
        return 0.5 * math.erfc(-x / math.sqrt(2))

    delta = normal(distance / 2 - epsilon / distance) - math.exp(epsilon) * normal(-distance / 2 - epsilon / distance)
    assert delta <= float(DELTA)


def test_a_limit_is_rounded_down_and_a_request_for_all_of_it_fits() -> None:
    stored = limit(Measure.ZCDP, Fraction(1), Fraction(2, 10**6), DELTA)
    assert stored == Cost(Measure.ZCDP, 24355970, 10**12)
    assert price(Measure.ZCDP, Fraction(1), DELTA).fits(stored)
    assert not price(Measure.ZCDP, Fraction(101, 100), DELTA).fits(stored)
    assert limit(Measure.PURE, Fraction(1, 3), Fraction(0), Fraction(0)) == Cost(Measure.PURE, 333333333)


def test_a_limit_without_room_for_its_conversion_is_a_fault() -> None:
    with pytest.raises(ValueError, match="conversion"):
        limit(Measure.ZCDP, Fraction(1), Fraction(1, 10**7), DELTA)
    with pytest.raises(ValueError, match="pure"):
        limit(Measure.PURE, Fraction(1), DELTA, Fraction(0))


def test_delta_as_shown_is_the_conversion_share_plus_the_keys_share() -> None:
    epsilon, delta = shown(Cost(Measure.ZCDP, 24355970, 5 * 10**10), DELTA)
    assert epsilon == pytest.approx(1.0, abs=1e-6)
    assert delta == DELTA + Fraction(5, 10**8)
    assert shown(Cost(Measure.PURE, 5 * 10**8), Fraction(0)) == (0.5, Fraction(0))


@pytest.mark.parametrize("delta", [Fraction(0), Fraction(1)])
def test_a_reading_without_a_delta_is_a_fault(delta: Fraction) -> None:
    with pytest.raises(ValueError, match="delta"):
        epsilon_for(Fraction(1), delta)
