"""Quantiles (PRIVACY §3.7): the search is SQL's without noise; with it ordered, covered, and drawn once a cell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from math import ceil
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.privacy.blocks import asked, block, column, known, no_public_keys, number, pure, query, rules, scan, unit
from tests.privacy.exact import NoNoise
from tre.base.cost import Measure
from tre.base.passage import Release, reload_release
from tre.base.reasons import Refused
from tre.privacy.blocks import PrivatePlan
from tre.privacy.estimates import estimates, replicates
from tre.privacy.mechanisms import Mechanism, OpenDPNoise, distance, loss
from tre.privacy.parts import Part, PartKind
from tre.privacy.plan import plan, privacy_map
from tre.privacy.quantiles import MOST_CELLS, place, searched
from tre.privacy.request import Ask, Rules
from tre.sql.plan import PrivateFunction

DISC, CONT = PrivateFunction.QUANTILE_DISC, PrivateFunction.QUANTILE_CONT
HALF, TENTH, LOWEST = Fraction(1, 2), Fraction(1, 10), Fraction(1, 200)
QUIET = Mechanism(Measure.ZCDP, 0.1)


def part(levels: int, *fractions: Fraction) -> Part:
    return Part("p0", PartKind.RANKED, None, None, 0, 1, levels=levels, fractions=fractions)


def textbook(cells: Sequence[int], fraction: Fraction) -> int:
    """PERCENTILE_DISC: the first value with at least that share of the rows at or under it."""
    return sorted(cells)[ceil(fraction * len(cells)) - 1]


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.integers(0, 2**16 - 1), min_size=1, max_size=60),
    st.fractions(LOWEST, 1 - LOWEST, max_denominator=1000),
)
def test_without_noise_a_search_finds_what_sql_finds(cells: list[int], fraction: Fraction) -> None:
    one = part(16, fraction)
    found = place(one, fraction, searched(one, [Counter(cells)], QUIET, NoNoise()), 0)
    assert found.whole == len(cells)
    assert found.found == textbook(cells, fraction)
    assert found.low <= found.found <= found.high


def test_groups_are_searched_apart_and_an_empty_one_has_no_rows() -> None:
    one = part(4, TENTH, HALF)
    vector = searched(one, [{3: 5, 9: 5}, {}, {15: 1}], QUIET, NoNoise())
    assert len(vector) == 3 * one.width
    assert [place(one, HALF, vector, at).whole for at in range(3)] == [10, 0, 1]
    assert [place(one, TENTH, vector, at).found for at in (0, 2)] == [3, 15]


class Counting:
    """OpenDP's noise, and how many cells it was drawn for, call by call."""

    def __init__(self) -> None:
        self.calls: list[int] = []

    def vector(self, values: Sequence[int], mechanism: Mechanism) -> list[int]:
        self.calls.append(len(values))
        return OpenDPNoise().vector(values, mechanism)

    def above(self, values: Sequence[int], mechanism: Mechanism, threshold: int) -> list[int | None]:
        raise AssertionError("a search releases no keys")


def test_searches_see_the_same_noise_in_the_same_cell_so_that_they_stay_ordered() -> None:
    """With noise drawn per search a quantile would pass another, and the ends of its interval pass it."""
    shares = tuple(Fraction(one, 10) for one in range(1, 10))
    one, mechanism = part(8, *shares), Mechanism(Measure.ZCDP, 20.0)
    for seed in range(60):
        rows = Counter(Random(seed).choices(range(256), k=30))
        vector = searched(one, [rows], mechanism, OpenDPNoise())
        places = [place(one, share, vector, 0) for share in shares]
        assert [here.found for here in places] == sorted(here.found for here in places)
        assert all(here.low <= here.found <= here.high for here in places)


def test_the_noise_of_a_cell_is_drawn_once_and_of_few_cells() -> None:
    noise = Counting()
    searched(part(16, HALF, HALF + TENTH), [{5: 1}, {7: 1}], QUIET, noise)
    assert noise.calls[0] == 4  # both halves of each of two groups, whatever the number of searches
    assert len(noise.calls) == 16
    assert sum(noise.calls) <= 2 * 2 * 3 * 2 * 16


def test_many_groups_end_their_searches_earlier_so_that_the_work_is_bounded() -> None:
    noise = Counting()
    one = part(16, TENTH, HALF, 1 - TENTH)
    groups = [{at % 2**16: 1} for at in range(3000)]
    vector = searched(one, groups, Mechanism(Measure.ZCDP, 1e6), Zero(noise))
    assert sum(noise.calls) <= MOST_CELLS
    found = place(one, HALF, vector, 0)
    assert found.high - found.low + 1 >= 2 ** (16 - len(noise.calls))


class Zero(Counting):
    """Counts, and draws nothing."""

    def __init__(self, other: Counting) -> None:
        self.calls = other.calls

    def vector(self, values: Sequence[int], mechanism: Mechanism) -> list[int]:
        self.calls.append(len(values))
        return list(values)


# --- in a plan ----------------------------------------------------------------------------------------------


def planned(
    *fractions: Fraction,
    rows: int = 1,
    high: int = 1000,
    function: PrivateFunction = CONT,
    keys: bool = False,
    given_rules: Rules | None = None,
) -> PrivatePlan:
    person, value = unit(), number("value_as_number", 0, high)
    sex = known("measurement_concept_id", 1, 2)
    columns = (person, value, sex) if keys else (person, value)
    measures = tuple(
        replace(asked(function, value, name=f"q{at}"), fraction=fraction) for at, fraction in enumerate(fractions)
    )
    source = block(
        scan("measurement", *columns),
        person,
        *measures,
        keys=(sex,) if keys else (),
        groups=None,
        rows=rows,
        typical=rows,
        one_row=rows == 1,
    )
    return plan(query(source, source), Ask(epsilon=Fraction(1)), given_rules or rules(units=10**6), no_public_keys)


def drawn(found: PrivatePlan, values: Sequence[int], noise: object = None) -> Release:
    """Return a release of the only block over one group."""
    (one,) = found.blocks
    vectors = {}
    for each in one.shape.parts:
        mechanism = one.mechanisms[each.name]
        if each.fractions:
            vectors[each.name] = searched(each, [Counter(values)], mechanism, noise or OpenDPNoise())  # type: ignore[arg-type]
        else:
            vectors[each.name] = (len(values),)
    variances = {name: one.mechanisms[name].variance for name in vectors}
    return Release(((),), vectors, variances, one.cost.rho)


@pytest.mark.parametrize("given_rules", [rules(units=10**6), pure(units=10**6)], ids=["zcdp", "pure"])
def test_all_levels_of_all_groups_of_a_person_are_in_the_price(given_rules: Rules) -> None:
    found = planned(HALF, rows=20, keys=True, given_rules=given_rules)
    (one,) = found.blocks
    ranked = next(each for each in one.shape.parts if each.fractions)
    assert (ranked.levels, ranked.sensitivity, one.shape.groups) == (10, 20, 2)
    mechanism = one.mechanisms[ranked.name]
    charged = loss(mechanism, 20, 20)
    by_hand = (
        distance(20, 20) ** 2 / (2 * mechanism.scale**2)
        if given_rules.measure is Measure.ZCDP
        else 400 / mechanism.scale
    )
    assert float(charged) == pytest.approx(by_hand, rel=1e-9)
    assert privacy_map(one)[0] <= one.cost.rho


def test_quantiles_of_the_same_values_share_their_part_and_its_price() -> None:
    one, three = planned(HALF), planned(TENTH, HALF, 1 - TENTH)
    assert [len(found.blocks[0].shape.parts) for found in (one, three)] == [1, 1]
    assert one.blocks[0].mechanisms["p0"] == three.blocks[0].mechanisms["p0"]
    assert one.blocks[0].shape.question != three.blocks[0].shape.question


def test_an_interval_covers_as_promised() -> None:
    draw = Random(3)
    values = [int(min(max(draw.gauss(400, 80), 0), 1000)) for _ in range(4000)]
    found = planned(TENTH, HALF)
    truths = {at: textbook(values, fraction) for at, fraction in enumerate((TENTH, HALF))}
    hits = 0
    for _ in range(100):
        shown = estimates(found.blocks[0], drawn(found, values))
        for at, output in enumerate(found.blocks[0].shape.outputs):
            low, high = shown.intervals[output.column.id][0]
            hits += float(str(low)) <= truths[at] <= float(str(high))
    assert hits >= 180  # of 200; 190 expected at least


def test_the_error_is_a_small_share_of_the_spread() -> None:
    draw = Random(5)
    values = [int(min(max(draw.gauss(400, 80), 0), 1000)) for _ in range(100_000)]
    found = planned(HALF)
    errors = sorted(abs(float(str(_value(found, values))) - textbook(values, HALF)) for _ in range(40))
    assert errors[-3] <= 4  # 1 % of the range that matters, 400 ± 2.5 · 80


def _value(found: PrivatePlan, values: Sequence[int]) -> object:
    output = found.blocks[0].shape.outputs[0]
    return estimates(found.blocks[0], drawn(found, values)).values[output.column.id][0]


def test_a_group_without_rows_is_null_by_its_noisy_count() -> None:
    found = planned(HALF)
    output = found.blocks[0].shape.outputs[0].column.id
    shown = estimates(found.blocks[0], drawn(found, [], NoNoise()))
    assert (shown.values[output], shown.intervals[output]) == ((None,), ((None, None),))
    nulls = sum(_value(found, []) is None for _ in range(60))
    assert 10 < nulls < 50


def test_a_value_stays_of_its_type_within_its_bounds_and_counts_the_rounding_in_its_interval() -> None:
    found = planned(HALF, high=10**6, function=DISC)
    one = found.blocks[0].shape.parts[0]
    assert (one.step, one.levels) == (16, 16)
    output = found.blocks[0].shape.outputs[0].column.id
    shown = estimates(found.blocks[0], drawn(found, [62_500] * 3, NoNoise()))
    value, (low, high) = shown.values[output][0], shown.intervals[output][0]
    assert value == 10**6
    assert isinstance(value, int)
    assert low is not None
    assert high == 10**6


def test_draws_are_averaged_stay_ordered_and_are_stored_as_they_are() -> None:
    from tre.privacy.release import combine

    found = planned(TENTH, HALF)
    values = [100] * 50 + [900] * 50
    draws = [drawn(found, values) for _ in range(3)]
    assert [reload_release(one.as_json()) for one in draws] == draws
    both = combine(draws)
    part_ = found.blocks[0].shape.parts[0]
    low, half = (place(part_, share, both.vectors["p0"], 0) for share in (TENTH, HALF))
    assert low.found <= half.found
    assert low.low <= low.found <= low.high
    assert both.variances["p0"] < draws[0].variances["p0"]


def test_a_simulated_quantile_moves_within_its_interval() -> None:
    found = planned(HALF)
    draw = Random(1)
    values = [int(min(max(draw.gauss(400, 80), 0), 1000)) for _ in range(4000)]
    shown = estimates(found.blocks[0], drawn(found, values))
    output = found.blocks[0].shape.outputs[0].column.id
    low, high = shown.intervals[output][0]
    simulated = sorted(replicates(shown, 2000)[output][0])
    assert simulated[50] == pytest.approx(float(str(low)), abs=3)
    assert simulated[-50] == pytest.approx(float(str(high)), abs=3)


def test_values_without_bounds_are_refused() -> None:
    person, value = unit(), column("value_as_number")
    source = block(scan("measurement", person, value), person, replace(asked(DISC, value), fraction=HALF))
    with pytest.raises(Refused) as refused:
        plan(query(source, source), Ask(), rules(), no_public_keys)
    assert [one.reason.code for one in refused.value.refusals] == ["privacy.no-bound-of-values"]
