"""The plan as people can read it: golden, a function of declarations alone, and without the secret (PRIVACY §1).

TRE_UPDATE_GOLDEN=1 writes the file anew; the difference is then read like code.
"""

from __future__ import annotations

import os
from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest

from tests.privacy.blocks import rules
from tests.sql.catalogue import CATALOGUE
from tre.base.cost import Cost
from tre.base.reasons import Refused
from tre.catalogue import Interval
from tre.client.explaining import Explanation as Shown
from tre.decide import Decision, Drawn, Explanation, explain
from tre.decide.decide import _measured
from tre.privacy.choosing import SECRET
from tre.privacy.plan import plan
from tre.privacy.request import AUTOMATIC, Ask, Rules
from tre.sql import bind
from tre.web.adapter.explaining import explanation

GOLDEN = Path(__file__).parent / "explanations.txt"
RULES = rules(groups=3, minimum_group=10)


def nothing(_question: str) -> Drawn:
    return Drawn((), frozenset(), (), 0)


def once(_question: str) -> Drawn:
    return Drawn((Cost(RULES.measure, 10**10, 10**12),), frozenset({0}), (0,), 1)


def explained(text: str, ask: Ask | None = None, drawn_of: object = nothing, given: Rules = RULES) -> Explanation:
    ask = ask or Ask(Fraction(1, 2))
    query = bind(text, CATALOGUE, date(2024, 1, 1))
    planned = plan(query, ask, given, lambda keys: ("a", "b"))
    measured = _measured(planned, given, drawn_of)  # type: ignore[arg-type]
    decision = Decision((), planned, measured, planned.cost, planned.cost, None, "policy", "v1")
    found = explain(decision, ask, "duckdb")
    assert found is not None
    return found


def shown(found: Explanation) -> str:
    return str(Shown(explanation(found).model_dump(mode="json")))


def test_explanations_are_those_of_the_golden_file() -> None:
    cases = [part.partition("\n--")[0].strip() for part in GOLDEN.read_text().split("\n==\n")]
    now = "\n==\n".join(f"{case}\n--\n{shown(explained(case))}" for case in cases) + "\n"
    if os.environ.get("TRE_UPDATE_GOLDEN") == "1":
        GOLDEN.write_text(now)
    assert GOLDEN.read_text() == now


def test_the_secret_is_a_parameter_of_the_statement_and_no_part_of_it() -> None:
    (step,) = explained("SELECT visit_concept_id, COUNT(*) FROM visit_occurrence GROUP BY 1").steps
    assert f"${SECRET}" in step.sql


def test_one_weight_a_person_is_told_as_what_it_bounds() -> None:
    text = "SELECT condition_start_date, COUNT(*) FROM condition_occurrence GROUP BY 1"
    (step,) = explained(text, given=rules(groups=3)).steps
    assert step.bounds[0].of == "rows of one person in all groups together"
    assert any(one.together and one.cells == 1 for one in step.noise)


def test_a_bound_of_the_request_is_called_one() -> None:
    ask = Ask(Fraction(1, 2), groups=2, rows=7, totals={"s": Interval(Fraction(0), Fraction(9000))})
    (step,) = explained(
        "SELECT visit_concept_id, COUNT(*) AS n, SUM(visit_occurrence_id) AS s FROM visit_occurrence GROUP BY 1", ask
    ).steps
    assert [(one.value, one.source) for one in step.bounds][:2] == [("2", "the request"), ("7", "the request")]
    assert ("0 to 9,000", "the request") in [(one.value, one.source) for one in step.bounds]
    (step,) = explained("SELECT SUM(LEAST(year_of_birth, 1950)) AS s FROM person", ask=Ask(Fraction(1, 2))).steps
    assert ("0 to 1,950", "rows times values") in [(one.value, one.source) for one in step.bounds]


def test_what_is_stored_serves_and_costs_the_project_nothing_again() -> None:
    (step,) = explained("SELECT COUNT(*) AS n FROM person", drawn_of=once).steps
    assert (step.stored, step.new, step.paid) == (1, None, Cost.zero(RULES.measure))


def test_a_release_that_reads_others_names_them() -> None:
    found = explained("SELECT COUNT(*) FROM person WHERE year_of_birth > (SELECT AVG(year_of_birth) FROM person)")
    assert [(one.number, one.reads) for one in found.steps] == [(1, ()), (2, (1,))]
    assert "result 1 (released_0)" in {line.operation for line in found.steps[1].rows}
    assert '"released_0"' in found.steps[1].sql


def test_a_first_step_is_told_with_its_price_and_mechanism_and_the_answer_reads_it() -> None:
    text = "SELECT visit_concept_id, COUNT(DISTINCT person_id) FROM visit_occurrence GROUP BY 1"
    first, block = explained(text, Ask(Fraction(1, 2), groups=AUTOMATIC)).steps
    assert first.measures == ("people, by the number of groups that they stand in",)
    assert (first.known_groups, first.threshold, [one.sensitivity for one in first.noise]) == (11, None, [1])
    assert first.new is not None
    assert first.new.delta == 0
    assert block.reads == (first.number,)
    assert block.bounds[0].source == "chosen from a first step"
    assert block.errors == {"count": None}


@pytest.mark.parametrize("name", ["postcode", "qqqqqqqq"])
def test_hidden_and_unknown_names_have_no_plan_to_tell(name: str) -> None:
    with pytest.raises(Refused):
        explained(f"SELECT {name}, COUNT(*) FROM person GROUP BY 1")


def test_no_plan_names_a_column_that_the_asker_may_not_see() -> None:
    hidden = {one.name for table in CATALOGUE.tables.values() for one in table.columns.values() if not one.visible}
    text = shown(
        explained(
            "SELECT condition_concept_id, COUNT(*) FROM condition_occurrence JOIN person USING (person_id) GROUP BY 1"
        )
    )
    assert hidden
    assert not [name for name in hidden if name in text]


STATEMENTS = sorted(
    {
        part.partition("\n--")[0].strip()
        for path in (Path(__file__).parent.parent / "sql" / "golden").glob("*.txt")
        for part in path.read_text().split("\n==\n")
    }
)


def test_every_statement_that_can_be_planned_can_be_explained() -> None:
    told = 0
    for text in STATEMENTS:
        try:
            found = explained(text, Ask(Fraction(1, 2), groups=2, rows=3))
        except Refused:
            continue
        assert shown(found)
        told += 1
    assert told > len(STATEMENTS) / 3
