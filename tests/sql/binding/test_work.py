# ruff: noqa: E501 - tables of statements
"""Work is bounded before it runs, from declared caps and lengths alone (PRIVACY §3.9)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from types import MappingProxyType

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


def test_public_rows_count_as_often_as_one_value_stands_in_them() -> None:
    """A vocabulary of millions of rows has a code a few hundred times: exact public facts, kept with the version."""
    text = (
        "SELECT COUNT(*) FROM condition_occurrence c JOIN concept_ancestor a "
        "ON a.descendant_concept_id = c.condition_concept_id WHERE a.ancestor_concept_id IN (1, 2)"
    )
    ancestor = CATALOGUE.tables["concept_ancestor"]
    vast = replace(ancestor, public_rows=10**8)
    known = replace(vast, public_fans=MappingProxyType({"descendant_concept_id": 300}))
    for table, expected in ((vast, ["private.too-much-work"]), (known, [])):
        catalogue = replace(CATALOGUE, tables=MappingProxyType({**CATALOGUE.tables, table.name: table}))
        root = bind(text, catalogue, date(2024, 1, 1)).root
        assert [one.reason.code for one in refusals_for(root, 10**6, 10**13)] == expected


def test_a_chain_of_concatenations_is_refused() -> None:
    text = "condition_status"
    for _ in range(8):
        text = f"({text} || {text})"
    assert codes(f"SELECT COUNT(*) FROM condition_occurrence WHERE {text} = 'x'") == ["private.too-much-text"]
