"""Blocks over released rows: what is released first, and what the later question is (PRIVACY §2, §4)."""

from datetime import date

from tests.privacy.blocks import pure, rules
from tests.sql.catalogue import CATALOGUE
from tre.privacy.plan import PrivatePlan, plan
from tre.privacy.question import over_draws
from tre.privacy.request import Ask
from tre.sql import bind, render

COUNTS = "SELECT gender_concept_id AS g, COUNT(*) AS n FROM person GROUP BY 1"


def planned(text: str, **changes: object) -> PrivatePlan:
    asked = bind(text, CATALOGUE, date(2024, 1, 1))
    return plan(asked, Ask(groups=2, rows=20), rules(**changes), lambda keys: ())


def test_a_block_reads_the_last_release_before_it_and_not_what_that_was_made_of() -> None:
    average = "(SELECT AVG(year_of_birth) FROM person)"
    twice = average.replace("FROM person)", f"FROM person WHERE year_of_birth > {average})")
    found = planned(f"SELECT COUNT(*) FROM person WHERE year_of_birth > {twice}")
    assert [block.shape.inputs for block in found.measured] == [(), ("released_0",), ("released_1",)]
    assert [block.shape.relation == block.shape.source.input for block in found.measured] == [False] * 3
    assert "released_0" not in render(found.measured[2].shape.relation).sql


def test_what_two_blocks_ask_alike_is_released_once_and_before_both_read_it() -> None:
    average = "(SELECT AVG(year_of_birth) FROM person)"
    found = planned(
        f"SELECT COUNT(*), {average} AS a FROM person WHERE year_of_birth > {average} AND year_of_birth > 1950"
    )
    asked = [block.shape.source.asked[0].function.value for block in found.measured]
    assert len(found.blocks) == 3
    assert asked == ["avg", "count_rows"]


def test_withheld_groups_come_last_also_where_a_limit_stands_inside() -> None:
    found = planned(
        f"SELECT COUNT(*) FROM person p JOIN ({COUNTS} ORDER BY n DESC LIMIT 1) q ON q.g = p.gender_concept_id",
        minimum_group=10,
    )
    assert "DESC NULLS LAST" in render(found.measured[1].shape.relation).sql


def test_windows_within_a_person_keep_their_order_beside_what_is_released() -> None:
    found = planned(
        "SELECT COUNT(*) FROM (SELECT v.person_id, ROW_NUMBER() OVER (PARTITION BY v.person_id ORDER BY q.n DESC) AS r "
        f"FROM visit_occurrence v JOIN ({COUNTS}) q ON q.g = v.visit_concept_id) x WHERE r = 1"
    )
    assert "DESC NULLS FIRST" in render(found.measured[1].shape.relation).sql


def test_other_bounds_or_another_minimum_of_the_first_release_are_another_question() -> None:
    text = f"SELECT COUNT(*) FROM person p JOIN ({COUNTS}) q ON q.g = p.gender_concept_id WHERE q.n > 10"
    one, other = planned(text).measured[1].shape, planned(text, minimum_group=10).measured[1].shape
    assert one.question != other.question
    assert over_draws(one.question, [(0,)]) != over_draws(one.question, [(0, 1)])
    assert over_draws(one.question, []) == one.question


def test_pure_answers_release_first_too() -> None:
    found = plan(
        bind(
            "SELECT COUNT(*) FROM person WHERE year_of_birth > (SELECT AVG(year_of_birth) FROM person)",
            CATALOGUE,
            date(2024, 1, 1),
        ),
        Ask(),
        pure(),
        lambda keys: (),
    )
    assert [block.shape.inputs for block in found.measured] == [(), ("released_0",)]
    assert sum(block.cost.amount for block in found.measured) == found.cost.amount


def test_a_key_of_a_released_result_is_known_where_its_column_declares_it() -> None:
    text = "SELECT q.{0}, COUNT(*) FROM person p JOIN ({1}) q ON q.g = p.gender_concept_id GROUP BY 1"
    assert planned(text.format("g", COUNTS)).measured[1].shape.keys is not None
    assert planned(text.format("n", COUNTS)).measured[1].shape.keys is None
