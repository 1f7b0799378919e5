"""Costs are exact and never mix; private partials cannot leave; a stored release comes back equal."""

import json
import pickle
import string
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tre.base.cost import Cost, Measure
from tre.base.passage import Partials, Release, reload_release
from tre.base.reasons import every_reason

amounts = st.integers(0, 10**18)
costs = st.builds(Cost, st.just(Measure.ZCDP), amounts, amounts)
keys = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.decimals(allow_nan=False, allow_infinity=False),
    st.text(),
    st.dates(),
    st.datetimes(),
)
releases = st.builds(
    lambda rows, variance: Release(
        keys=tuple((key,) for key, _ in rows),
        vectors={"n": tuple(value for _, value in rows)},
        variances={"n": variance},
        rho=variance,
    ),
    st.lists(st.tuples(keys, st.integers(-(2**70), 2**70)), max_size=5),
    st.fractions(min_value=0),
)


@given(costs, costs)
def test_a_cost_fits_exactly_when_both_its_parts_do(one, other):
    assert one.fits(one + other)
    assert (one + other).fits(one) is (other.amount == 0 and other.delta == 0)
    assert one.least(other).fits(one)
    assert (one + other).minus_at_least_zero(other) == one


@given(st.fractions(min_value=0, max_value=10), st.fractions(min_value=0, max_value=1))
def test_a_price_is_rounded_against_the_analyst(rho, delta):
    cost = Cost.rounded_up(Measure.ZCDP, rho, delta)
    assert cost.rho >= rho
    assert cost.delta_fraction >= delta
    assert cost.rho - rho < Fraction(1, 10**9)


@given(costs)
def test_a_cost_survives_json_exactly(cost):
    assert Cost.from_json(json.loads(json.dumps(cost.as_json()))) == cost


def test_two_measures_never_add_up():
    with pytest.raises(TypeError):
        Cost(Measure.ZCDP, 1) + Cost(Measure.PURE, 1)
    with pytest.raises(ValueError, match="no delta"):
        Cost(Measure.PURE, 1, 1)
    with pytest.raises(ValueError, match="never negative"):
        Cost(Measure.ZCDP, -1)


@given(releases)
def test_a_stored_release_is_reloaded_equal_and_of_the_same_types(release):
    again = reload_release(release.as_json())
    assert again == release
    assert [type(key[0]) for key in again.keys] == [type(key[0]) for key in release.keys]


def test_partials_cannot_be_shown_pickled_or_written_as_json():
    secret = b"SECRET-42"
    partials = Partials(secret)
    assert "SECRET" not in repr(partials) + str(partials) + f"{partials}"
    with pytest.raises(TypeError):
        pickle.dumps(partials)
    with pytest.raises(TypeError):
        json.dumps(partials)


def test_every_reason_says_what_why_and_how_to_go_on():
    found = every_reason()
    assert found
    for reason in found:
        family, _, name = reason.code.partition(".")
        assert set(family + name) <= set(string.ascii_lowercase + "-0123456789"), reason.code
        assert reason.sentence.strip().endswith((".", "?", "}")), reason.code
        assert reason.remedy.strip().endswith((".", "?", "}")), reason.code


def test_dates_and_timestamps_stay_apart_in_a_stored_key():
    release = Release(((date(2026, 1, 1), datetime(2026, 1, 1), Decimal("1.50"), True),), {}, {}, Fraction(1))
    assert [type(part) for part in reload_release(release.as_json()).keys[0]] == [date, datetime, Decimal, bool]
