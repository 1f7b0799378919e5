"""Variances and deviations: exact but for the noise, on a grid on which no sum of squares can overflow."""

from __future__ import annotations

from contextlib import suppress
from fractions import Fraction
from random import Random
from statistics import pstdev, pvariance, stdev, variance

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.privacy.blocks import asked, block, no_public_keys, number, query, rules, scan, unit
from tests.privacy.exact import NoNoise
from tests.privacy.naive import Naive
from tre.base.reasons import Refused
from tre.privacy.answer import Answer, answer
from tre.privacy.blocks import PrivatePlan, Shape
from tre.privacy.mechanisms import SATURATION, Noise, OpenDPNoise
from tre.privacy.parts import PartKind
from tre.privacy.plan import plan
from tre.privacy.release import release
from tre.privacy.request import Ask
from tre.sql.plan import PrivateFunction

ALL = (PrivateFunction.VAR_SAMP, PrivateFunction.VAR_POP, PrivateFunction.STDDEV_SAMP, PrivateFunction.STDDEV_POP)


def planned(
    *functions: PrivateFunction, high: int, units: int, rows: int = 1, granularity: Fraction = Fraction(1)
) -> PrivatePlan:
    person, value = unit(), number("value_as_number", 0, high, granularity)
    one_row = rows == 1
    measures = tuple(asked(function, value, name=function.value) for function in functions)
    source = block(scan("measurement", person, value), person, *measures, rows=rows, typical=rows, one_row=one_row)
    return plan(query(source, source), Ask(epsilon=Fraction(1)), rules(units=units), no_public_keys)


def answered(found: PrivatePlan, values: list[list[int]], noise: Noise) -> Answer:
    rows = [{"person_id": one, "value_as_number": value} for one, own in enumerate(values) for value in own]
    engine = Naive({"measurement": rows})
    return answer(
        found, [release(one, engine.partials(one.shape.relation), noise) for one in found.blocks], engine.table
    )


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 1000), min_size=2, max_size=40))
def test_without_noise_every_spread_is_the_textbook_s(values: list[int]) -> None:
    found = answered(planned(*ALL, high=1000, units=10_000), [[one] for one in values], NoNoise())
    expected = (variance(values), pvariance(values), stdev(values), pstdev(values))
    assert found.rows[0] == pytest.approx(expected, rel=1e-9, abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.integers(10, 2**40), st.sampled_from((1, 20, 400)), st.sampled_from((10**3, 10**6, 10**9)))
def test_no_sum_of_squares_can_overflow_whatever_the_bounds_and_sizes(high: int, rows: int, units: int) -> None:
    with suppress(Refused):
        holds(planned(PrivateFunction.VAR_SAMP, high=high, units=units, rows=rows).blocks[0].shape, units)


def holds(shape: Shape, units: int) -> None:
    squares = next(part for part in shape.parts if part.kind is PartKind.SQUARES)
    assert units * squares.sensitivity < SATURATION
    assert squares.sensitivity >= squares.cap * 400**2 or squares.step == 1


def test_a_spread_whose_bounds_leave_no_room_for_its_grid_is_refused() -> None:
    with pytest.raises(Refused, match=r"privacy\.overflow"):
        planned(PrivateFunction.VAR_POP, high=10**6, units=2**33, rows=10**7)


def test_values_on_a_coarser_grid_are_rounded_to_the_nearest_point_so_that_nothing_is_biased() -> None:
    draw = Random(4)
    values = [draw.randrange(10**9) for _ in range(4000)]
    found = planned(*ALL, PrivateFunction.AVG, high=10**9, units=10**9)
    assert next(part for part in found.blocks[0].shape.parts if part.kind is PartKind.SQUARES).step > 1
    row = answered(found, [[one] for one in values], NoNoise()).rows[0]
    assert row[:4] == pytest.approx((variance(values), pvariance(values), stdev(values), pstdev(values)), rel=1e-5)
    assert row[4] == pytest.approx(sum(values) / len(values), rel=1e-5)


def test_one_weight_keeps_the_spread_of_people_who_have_too_many_rows() -> None:
    """Separate clips of count, sum and squares would bias it (PRIVACY §3.2)."""
    found = planned(PrivateFunction.VAR_POP, high=100, units=1000, rows=40)
    values = [[10, 90] * 20] * 50
    assert answered(found, values, NoNoise()).rows[0][0] == pytest.approx(1600, rel=1e-6)


def test_a_spread_is_null_by_its_noisy_count_never_negative_and_within_what_bounds_allow() -> None:
    found = planned(*ALL, high=100, units=1000)
    assert answered(found, [], NoNoise()).rows[0] == (None, None, None, None)
    assert answered(found, [[5]], NoNoise()).rows[0] == (None, 0.0, None, 0.0)
    for _ in range(20):
        row = answered(found, [[50], [50], [51]], OpenDPNoise()).rows[0]
        assert all(value is None or 0 <= float(str(value)) <= 5000 for value in row)


def test_the_interval_of_a_spread_covers_as_promised() -> None:
    draw = Random(9)
    values = [[int(min(max(draw.gauss(60, 12), 0), 100))] for _ in range(3000)]
    truth = pstdev([one for own in values for one in own])
    found = planned(PrivateFunction.STDDEV_POP, high=100, units=10_000)
    hits = 0
    for _ in range(60):
        low, high = (answered(found, values, OpenDPNoise()).intervals[0] or ())[0]
        hits += float(low or 0) <= truth <= float(high or 0)
    assert hits >= 50  # 57 expected; fewer than 50 has probability 4e-3 at 0.95 only for a wrong width
