# ruff: noqa: E501 - tables of statements
"""Work is bounded before it runs, from declared caps and lengths alone (PRIVACY §3.9)."""

from __future__ import annotations

from datetime import date

import pytest

from tests.sql.catalogue import CATALOGUE
from tre.sql import bind, refusals_for

FOUR_WAY = "SELECT COUNT(*) FROM measurement a, measurement b, measurement c, measurement d WHERE " + " AND ".join(
    f"a.person_id = {other}.person_id" for other in "bcd"
)


def codes(text: str, per_unit: int = 10**6, rows: int = 10**13, length: int = 1000) -> list[str]:
    query = bind(text, CATALOGUE, date(2024, 1, 1))
    return [one.reason.code for one in refusals_for(query.root, per_unit, rows, length)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT COUNT(*) FROM person", []),
        ("SELECT COUNT(*) FROM visit_occurrence v JOIN condition_occurrence c USING (person_id)", []),
        (FOUR_WAY, ["private.too-much-work", "private.too-much-work"]),
        # a hashed look-up does not multiply; a comparison is one pass a row
        ("SELECT COUNT(*) FROM measurement m WHERE person_id IN (SELECT person_id FROM measurement)", []),
        (
            "SELECT COUNT(*) FROM visit_occurrence v, condition_occurrence c WHERE c.person_id = v.person_id AND EXISTS "
            "(SELECT 1 FROM measurement m WHERE m.person_id = v.person_id AND m.measurement_id > c.condition_concept_id)",
            ["private.too-much-work"],
        ),
    ],
)
def test_a_plan_that_could_run_long_for_one_person_is_refused(text: str, expected: list[str]) -> None:
    assert codes(text) == expected


def test_rows_in_all_are_bounded_too() -> None:
    assert codes("SELECT COUNT(*) FROM concept a, concept b, concept c", rows=100) == ["private.too-much-work"]


def test_a_chain_of_concatenations_is_refused() -> None:
    text = "condition_status"
    for _ in range(8):
        text = f"({text} || {text})"
    assert codes(f"SELECT COUNT(*) FROM condition_occurrence WHERE {text} = 'x'") == ["private.too-much-text"]
