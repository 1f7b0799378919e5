"""Each grouping set is a block: its own price, keys, groups a person, noise and intervals (PRIVACY §3.2)."""

from __future__ import annotations

from fractions import Fraction

import pytest

from tests.privacy.blocks import rules
from tests.privacy.exact import NoNoise
from tests.privacy.test_end_to_end import House
from tre.catalogue import Interval
from tre.privacy.accuracy import Accuracy
from tre.privacy.estimates import estimates
from tre.privacy.mechanisms import OpenDPNoise
from tre.privacy.release import release
from tre.privacy.request import Ask

CUBE = (
    "SELECT gender_concept_id AS g, visit_concept_id AS v, COUNT(*) AS n FROM person JOIN visit_occurrence "
    "USING (person_id) GROUP BY CUBE (g, v)"
)

TOTAL = "SELECT COUNT(*) AS n FROM person JOIN visit_occurrence USING (person_id)"


@pytest.fixture(scope="module")
def house() -> House:
    return House()


def test_sets_share_the_price_and_each_has_its_own_keys_and_groups_a_person(house: House) -> None:
    found = house.planned(CUBE, Ask(rows=3, groups=5))
    amounts = [block.cost.amount for block in found.blocks]
    assert len(amounts) == 4
    assert max(amounts) - min(amounts) <= 1
    assert sum(amounts) == found.cost.amount
    assert [block.shape.groups for block in found.blocks] == [5, 1, 5, 1]
    assert [block.shape.keys is None for block in found.blocks] == [True, False, True, False]
    assert [block.cost.delta > 0 for block in found.blocks] == [True, False, True, False]
    sex, visit = "gender_concept_id", "visit_concept_id"
    assert set(found.bounds) == {f"n by {sex}, {visit}", f"n by {sex}", f"n by {visit}", "n in all"}


def test_the_error_that_is_told_beforehand_is_the_widest_of_all_sets(house: House) -> None:
    found = house.planned(CUBE, Ask(rows=3, groups=5))
    total = house.planned(TOTAL, Ask(rows=3, epsilon=Fraction(1)))
    assert found.errors["n"] is not None
    assert total.errors["n"] is not None
    assert found.errors["n"] > 2 * total.errors["n"]


def test_each_row_has_the_interval_of_its_own_sets_noise(house: House) -> None:
    """Not one of a simulation, which would tell the noise of all sets together."""
    sql = "SELECT g, b, n FROM (SELECT gender_concept_id AS g, GROUPING(gender_concept_id) AS b, COUNT(*) AS n FROM "
    sql += "person GROUP BY ROLLUP (1)) q WHERE n > -1000000 ORDER BY b, g"
    plan = house.planned(sql)
    noise = OpenDPNoise()
    found = house.ask(sql, noise)
    assert [row[1] for row in found.rows] == [0] * (len(found.rows) - 1) + [1]
    intervals = found.intervals[2]
    assert intervals is not None
    for at in (0, -1):
        block, ends, row = plan.blocks[at], intervals[at], found.rows[at]
        one = estimates(block, release(block, house._partials(block.shape.relation), NoNoise()))
        (low, high), value = next(iter(one.intervals.values()))[0], next(iter(one.values.values()))[0]
        assert (ends[0] - row[2], ends[1] - row[2]) == (low - value, high - value)  # type: ignore[operator]


def test_an_accuracy_gives_each_set_the_least_price_at_which_all_rows_are_so_exact(house: House) -> None:
    ask = Ask(rows=3, groups=5, accuracy=Accuracy.read("±200"))
    found = house.planned(CUBE, ask, rules(units=10_000))
    amounts = [block.cost.amount for block in found.blocks]
    assert amounts[0] > 2 * amounts[3] > 0
    assert found.errors["n"] is not None
    assert 150 < found.errors["n"] <= 200


def test_a_total_that_the_request_bounds_is_bounded_in_every_set(house: House) -> None:
    sql = "SELECT gender_concept_id AS g, SUM(year_of_birth - 1900) AS s FROM person GROUP BY ROLLUP (1)"
    found = house.planned(sql, Ask(totals={"s": Interval(Fraction(0), Fraction(10))}))
    assert {found.bounds[name]["high"] for name in ("s by gender_concept_id", "s in all")} == {"10"}
