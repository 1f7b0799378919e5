"""Draws: a question's vectors are paid once by the data set, per prefix by each project (PRIVACY §4)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tre.base.cost import Cost, Measure
from tre.privacy.draws import charge

ZERO = Cost.zero(Measure.ZCDP)


def _cost(amount: int, delta: int = 0) -> Cost:
    return Cost(Measure.ZCDP, amount, delta)


def test_a_first_request_makes_a_draw_and_both_ledgers_pay_it() -> None:
    found = charge((), _cost(100, 7))
    assert (found.serves, found.new, found.project, found.dataset) == ((), _cost(100, 7), _cost(100, 7), _cost(100, 7))


def test_the_same_request_again_is_free_for_who_has_paid() -> None:
    found = charge((_cost(100, 7),), _cost(100, 7), {0})
    assert (found.serves, found.new, found.project, found.dataset) == ((0,), None, ZERO, ZERO)


def test_another_project_pays_the_prefix_and_the_data_set_nothing() -> None:
    found = charge((_cost(100, 7), _cost(50)), _cost(90, 7))
    assert (found.serves, found.new, found.project, found.dataset) == ((0,), None, _cost(100, 7), ZERO)


def test_asking_for_more_buys_the_difference_and_no_second_delta() -> None:
    found = charge((_cost(100, 7),), _cost(250, 7), {0})
    assert (found.serves, found.new, found.project, found.dataset) == ((0,), _cost(150), _cost(150), _cost(150))


def test_a_tiny_difference_costs_the_floor() -> None:
    assert charge((_cost(100),), _cost(101), {0}, floor=40).new == _cost(40)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 1000)), max_size=30))
def test_a_data_set_spends_the_largest_prefix_over_projects_and_each_project_its_own(
    asks: list[tuple[int, int]],
) -> None:
    draws: list[Cost] = []
    paid = dict.fromkeys(range(4), ZERO)
    held: dict[int, set[int]] = {project: set() for project in paid}
    spent = ZERO
    for project, amount in asks:
        found = charge(draws, _cost(amount), held[project])
        draws += [found.new] if found.new else []
        held[project] |= {*found.serves, *([len(draws) - 1] if found.new else [])}
        paid[project] = paid[project] + found.project
        spent = spent + found.dataset
        assert paid[project].amount >= amount
    assert spent == sum(draws, ZERO)
    assert spent.amount == max((one.amount for one in paid.values()), default=0)


def _pure(amount: int) -> Cost:
    return Cost(Measure.PURE, amount)


def test_under_pure_dp_a_draw_stands_by_itself_and_more_is_measured_anew_at_the_whole_price() -> None:
    """Two Laplace draws at 100 and 150 say less than one at 250, so nothing is combined and nothing deducted."""
    found = charge((_pure(100),), _pure(250), {0})
    assert (found.serves, found.new, found.project, found.dataset) == ((), _pure(250), _pure(250), _pure(250))
    other = charge((_pure(100), _pure(250), _pure(300)), _pure(200), {0})
    assert (other.serves, other.new, other.project, other.dataset) == ((1,), None, _pure(250), Cost.zero(Measure.PURE))
