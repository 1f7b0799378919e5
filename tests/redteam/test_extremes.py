"""Extreme requests are planned or refused; none breaks the planner."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from tests.privacy.blocks import rules
from tests.redteam.claims import CATALOGUE, TODAY
from tre.base.cost import NANO, Cost, Measure
from tre.base.reasons import Refused
from tre.privacy.plan import plan, privacy_map
from tre.privacy.request import Ask
from tre.sql.binding import bind

RULES = replace(rules(), per_answer=Cost(Measure.ZCDP, NANO))


def planned(sql: str, epsilon: Fraction):
    return plan(bind(sql, CATALOGUE, TODAY), Ask(epsilon), RULES, lambda _keys: ())


@pytest.mark.parametrize("far", [10**6, 10**9, 10**12])
def test_a_sum_of_values_far_from_zero_leaves_its_average_a_share(far: int) -> None:
    """The count mattered so much more than the deviations that these got a budget of 0, and the plan divided by it."""
    found = planned(f"SELECT AVG(year_of_birth + {far}) AS a, SUM(year_of_birth + {far}) AS s FROM person", Fraction(1))
    (block,) = found.blocks
    assert privacy_map(block)[0] <= block.cost.rho


@pytest.mark.parametrize("epsilon", [10**3, 10**6, 10**30])
def test_an_epsilon_beyond_all_limits_is_refused_and_not_converted(epsilon: int) -> None:
    with pytest.raises(Refused) as refused:
        planned("SELECT COUNT(*) AS n FROM person", Fraction(epsilon))
    assert [one.reason.code for one in refused.value.refusals] == ["privacy.epsilon-too-large"]
