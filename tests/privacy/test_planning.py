"""Prices and refusals are functions of request, policy and public facts; the map never exceeds the price."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.privacy.blocks import (
    DOUBLE,
    asked,
    block,
    column,
    known,
    no_public_keys,
    number,
    pure,
    query,
    rules,
    scan,
    unit,
)
from tre.base.cost import Cost, Measure
from tre.base.reasons import Refused
from tre.catalogue import Interval, Value
from tre.privacy.allocation import mechanism_for
from tre.privacy.mechanisms import Mechanism
from tre.privacy.plan import PrivatePlan, at, plan, privacy_map
from tre.privacy.request import Ask, Rules
from tre.sql import walk
from tre.sql.plan import (
    Facts,
    Join,
    JoinKind,
    Literal,
    PrivateAggregate,
    PrivateFunction,
    PublicKeys,
    Query,
    Released,
    Scan,
)

COUNT, UNITS, SUM, AVG = (
    PrivateFunction.COUNT_ROWS,
    PrivateFunction.COUNT_UNITS,
    PrivateFunction.SUM,
    PrivateFunction.AVG,
)


def simple(*functions: PrivateFunction, is_known: bool = True, groups: int | None = None, **changes: Any) -> Query:
    person, value = unit(), number("value_as_number", 0, 300, Fraction(1, 10), DOUBLE)
    key = known("measurement_concept_id", 1, 2, nullable=True) if is_known else column("measurement_concept_id")
    outputs = [
        asked(one, value if one in (SUM, AVG) else None, name=f"{one.value}_{n}") for n, one in enumerate(functions)
    ]
    one = block(scan("measurement", person, key, value), person, *outputs, keys=(key,), groups=groups, **changes)
    return query(one, one)


def planned(wanted: Query, ask: Ask | None = None, given: Rules | None = None) -> PrivatePlan:
    return plan(wanted, ask or Ask(), given or rules(), no_public_keys)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from([COUNT, UNITS, SUM, AVG]), min_size=1, max_size=5),
    st.fractions(Fraction(1, 1000), 20),
    st.integers(1, 3),
    st.booleans(),
    st.booleans(),
)
def test_the_map_of_the_noise_in_use_never_exceeds_the_price(
    functions: list[PrivateFunction], epsilon: Fraction, groups: int, is_known: bool, is_pure: bool
) -> None:
    given_rules = pure(conversion_delta=Fraction(0)) if is_pure else rules()
    wanted = simple(*functions, is_known=is_known or is_pure)
    (one,) = planned(wanted, Ask(epsilon=epsilon, groups=groups), given_rules).blocks
    amount, delta = privacy_map(one)
    assert amount <= one.cost.rho
    assert delta <= one.cost.delta_fraction
    assert amount >= one.cost.rho * Fraction(98, 100)  # and the price is not wasted either


@settings(max_examples=30, deadline=None)
@given(st.fractions(Fraction(1, 100), 10), st.fractions(Fraction(1, 100), 10))
def test_a_larger_epsilon_never_costs_less_nor_errs_more(one: Fraction, other: Fraction) -> None:
    low, high = sorted((one, other))
    wanted = simple(COUNT)
    cheap, dear = planned(wanted, Ask(epsilon=low)), planned(wanted, Ask(epsilon=high))
    assert cheap.cost.amount <= dear.cost.amount
    assert (cheap.errors["count_rows_0"] or 0) >= (dear.errors["count_rows_0"] or 0)


def test_an_answer_costs_at_least_the_floor() -> None:
    assert planned(simple(COUNT), Ask(epsilon=Fraction(1, 10**6))).cost.amount == rules().floor


def test_two_blocks_share_one_price_and_delta_goes_to_unknown_keys() -> None:
    first, second = simple(COUNT, groups=1).root, simple(COUNT, is_known=False, groups=1).root
    assert isinstance(first, PrivateAggregate)
    assert isinstance(second, PrivateAggregate)
    joined = Join(JoinKind.INNER, first, second, Literal(True, first.unit.type, Facts()))
    found = planned(query(joined, first, second))
    alone = planned(query(first, first))
    assert alone.cost.amount <= found.cost.amount <= alone.cost.amount + 1
    assert [one.cost.delta for one in found.blocks] == [0, 10**12]
    assert [one.threshold is None for one in found.blocks] == [True, False]


def test_a_further_draw_with_its_keys_released_needs_no_delta_and_no_threshold() -> None:
    (one,) = planned(simple(COUNT, is_known=False), Ask(groups=1)).blocks
    further = at(one.shape, Cost(Measure.ZCDP, 10**6), 10**6, keys_known=True)
    assert further.threshold is None
    assert privacy_map(further)[1] == 0


def test_a_plan_whose_noise_is_too_small_for_its_price_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    (one,) = planned(simple(COUNT), Ask(groups=1)).blocks

    def too_small(measure: Measure, budget: Fraction, sensitivity: int, groups: int) -> Mechanism:
        return Mechanism(measure, mechanism_for(measure, budget, sensitivity, groups).scale * 0.97)

    monkeypatch.setattr("tre.privacy.noising.mechanism_for", too_small)
    with pytest.raises(ArithmeticError, match="exceeds its price"):
        at(one.shape, one.cost, 10**6)


def refusal(wanted: Query, ask: Ask | None = None, given: Rules | None = None) -> list[str]:
    with pytest.raises(Refused) as found:
        planned(wanted, ask, given)
    for one in found.value.refusals:
        assert one.sentence
        assert one.remedy
    return [one.reason.code for one in found.value.refusals]


def test_what_nothing_bounds_is_refused() -> None:
    assert refusal(simple(COUNT, typical=None)) == ["privacy.no-bound"]
    assert planned(simple(COUNT, typical=None), Ask(rows=3)).blocks
    assert planned(simple(UNITS, typical=None)).blocks
    person, cost = unit(), column("cost")
    one = block(scan("measurement", person, cost), person, asked(SUM, cost, name="total"))
    assert refusal(query(one, one)) == ["privacy.no-bound"]


def test_unknown_groups_without_a_bound_per_person_are_refused() -> None:
    assert refusal(simple(COUNT, is_known=False, typical=None)) == ["privacy.no-groups-bound"]
    assert planned(simple(COUNT, is_known=False), given=rules(groups=5)).blocks[0].shape.groups == 5


def test_a_person_of_so_many_usual_rows_is_in_no_more_groups() -> None:
    """Each row stands in one group; known groups need no bound, as a person has one weight over all of them."""
    assert planned(simple(COUNT, is_known=False, typical=4)).blocks[0].shape.groups == 4
    assert planned(simple(COUNT, is_known=False, typical=4), Ask(groups=2)).blocks[0].shape.groups == 2
    assert planned(simple(COUNT, is_known=False, typical=4), given=rules(groups=9)).blocks[0].shape.groups == 9


def test_a_request_never_widens_a_proven_bound() -> None:
    found = planned(simple(COUNT, rows=7), Ask(rows=10**6, groups=10**6)).blocks[0].shape
    assert found.groups == 3
    assert found.parts[0].cap == 7
    assert planned(simple(COUNT, groups=1), Ask(groups=9)).blocks[0].shape.groups == 1


def test_every_fault_of_the_request_is_said_at_once() -> None:
    ask = Ask(epsilon=Fraction(0), groups=0, rows=-1, totals={"x": Interval(Fraction(0), Fraction(1))})
    assert refusal(simple(COUNT), ask) == [
        "privacy.bound-not-positive",
        "privacy.bound-not-positive",
        "privacy.epsilon-not-positive",
        "privacy.no-such-output",
    ]


def test_a_total_outside_what_is_declared_is_refused() -> None:
    ask = Ask(totals={"sum_0": Interval(Fraction(10**9), Fraction(10**10))})
    assert refusal(simple(SUM), ask) == ["privacy.total-outside"]


def test_the_limit_of_one_answer_holds_for_both_parts() -> None:
    tight = rules(per_answer=Cost(Measure.ZCDP, 24355970, 10**11))
    assert planned(simple(COUNT), Ask(epsilon=Fraction(1)), tight).cost.amount == 24355970
    assert refusal(simple(COUNT), Ask(epsilon=Fraction(1001, 1000)), tight) == ["privacy.epsilon-too-large"]
    assert refusal(simple(COUNT, is_known=False), Ask(groups=1), tight) == ["privacy.delta-too-large"]


def test_pure_answers_refuse_unknown_keys() -> None:
    assert refusal(simple(COUNT, is_known=False), Ask(groups=1), pure()) == ["privacy.unknown-keys"]
    assert refusal(simple(COUNT), given=pure(known_keys=2)) == ["privacy.too-many-keys"]


def test_more_known_groups_than_the_policy_lists_are_unknown_ones() -> None:
    assert planned(simple(COUNT), Ask(groups=1), rules(known_keys=2)).blocks[0].shape.keys is None
    assert planned(simple(COUNT), Ask(groups=1), rules(known_keys=3)).blocks[0].shape.keys == ((1,), (2,), (None,))


def test_grouping_by_a_floating_point_number_is_refused() -> None:
    person, value = unit(), number("value_as_number", 0, 300, None, DOUBLE)
    one = block(scan("measurement", person, value), person, asked(COUNT), keys=(value,), groups=1)
    assert refusal(query(one, one)) == ["privacy.key-type"]


def test_what_may_overflow_is_refused_before_it_runs() -> None:
    person, value = unit(), number("cost", 0, 2**60)
    one = block(scan("measurement", person, value), person, asked(SUM, value, name="total"))
    assert refusal(query(one, one)) == ["privacy.overflow"]
    small = number("cost", 0, 2**40)
    two = block(scan("measurement", person, small), person, asked(SUM, small, name="total"))
    assert planned(query(two, two), given=rules(units=10**4)).blocks
    assert refusal(query(two, two), given=rules(units=2**33)) == ["privacy.overflow"]


def test_keys_of_a_public_column_are_looked_up_and_spelled_once() -> None:
    person = unit()
    name = replace(known("state", "x"), facts=Facts(nullable=True, domain=PublicKeys(scan("concept"))))
    one = block(scan("person", person, name), person, asked(COUNT), keys=(name,), groups=1, one_row=True)

    def looked_up(_: PublicKeys) -> tuple[Value, ...]:
        return ("b", "A", "a", "b")

    assert plan(query(one, one), Ask(), rules(), looked_up).blocks[0].shape.keys == (("A",), ("a",), ("b",), (None,))


def test_a_block_inside_another_is_released_first_and_stands_in_it_as_such() -> None:
    inner = simple(COUNT, groups=1).root
    assert isinstance(inner, PrivateAggregate)
    person, other = unit(), column("n", nullable=False)
    source = Join(JoinKind.INNER, scan("person", person, other), inner, Literal(True, other.type, Facts()))
    outer = block(source, person, asked(COUNT))
    found = planned(query(outer, inner, outer))
    relation = found.blocks[1].shape.relation
    assert found.blocks[1].shape.inputs == ("released_0",)
    assert any(isinstance(node, Released) and node.name == "released_0" for node in walk.relations(relation))
    assert not any(isinstance(node, PrivateAggregate) for node in walk.relations(relation))
    assert any(isinstance(node, Scan) for node in walk.relations(relation))


def test_outputs_asked_alike_err_alike_in_units_of_what_one_person_can_change() -> None:
    found = planned(simple(COUNT, SUM), Ask(groups=1))
    count_error, sum_error = (found.errors[name] or 0 for name in ("count_rows_0", "sum_1"))
    assert count_error / 20 == pytest.approx(sum_error / (20 * 300), rel=0.05)


def test_the_error_of_an_average_is_not_known_beforehand() -> None:
    assert planned(simple(AVG)).errors == {"avg_0": None}
