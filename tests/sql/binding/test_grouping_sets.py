"""Which grouping sets a GROUP BY has, in every dialect's way to write them (PRIVACY §2)."""

from __future__ import annotations

from datetime import date

import pytest
from sqlglot import exp, parse_one

from tests.sql.catalogue import CATALOGUE
from tre.sql import bind
from tre.sql.binding.grouping_sets import count_of
from tre.sql.plan import Query

HEAD = "SELECT gender_concept_id AS g, location_id AS l, {bits}COUNT(*) AS n FROM person GROUP BY "
ROLLUP = HEAD + "ROLLUP (gender_concept_id, location_id)"
CUBE = HEAD + "CUBE (gender_concept_id, location_id)"


def bound(text: str, dialect: str = "postgres", bits: str = "") -> Query:
    return bind(text.format(bits=bits), CATALOGUE, date(2024, 1, 1), dialect)


@pytest.mark.parametrize(
    ("group", "expected"),
    [
        ("ROLLUP (g, l)", [("g", "l"), ("g",), ()]),
        ("CUBE (g, l)", [("g", "l"), ("g",), ("l",), ()]),
        ("ROLLUP ((g, l))", [("g", "l"), ()]),
        ("g, ROLLUP (l)", [("g", "l"), ("g",)]),
        ("GROUPING SETS ((g, l), l, ())", [("g", "l"), ("l",), ()]),
        ("GROUPING SETS (ROLLUP (g), GROUPING SETS ((l), ()))", [("g",), (), ("l",), ()]),
        ("GROUPING SETS (g), GROUPING SETS (l, ())", [("g", "l"), ("g",)]),
        ("ROLLUP (g), ROLLUP (g)", [("g",), ("g",), ("g",), ()]),
        ("DISTINCT ROLLUP (g), ROLLUP (g)", [("g",), ()]),
        ("()", [()]),
    ],
)
def test_elements_are_crossed_and_sets_stand_as_often_as_they_are_said(
    group: str, expected: list[tuple[str, ...]]
) -> None:
    people = "(SELECT person_id, gender_concept_id AS g, location_id AS l FROM person) q"
    blocks = bound(f"SELECT COUNT(*) AS n FROM {people} GROUP BY {group}").blocks
    assert [tuple(column.name for column, _ in block.keys) for block in blocks] == expected


@pytest.mark.parametrize(
    ("dialect", "text", "bits", "same"),
    [
        ("mysql", HEAD + "gender_concept_id, location_id WITH ROLLUP", "GROUPING(gender_concept_id) AS b, ", ROLLUP),
        ("tsql", HEAD + "gender_concept_id, location_id WITH CUBE", "GROUPING_ID(location_id) AS b, ", CUBE),
        ("tsql", HEAD + "ROLLUP (gender_concept_id, location_id)", "GROUPING(location_id) AS b, ", ROLLUP),
        ("spark", HEAD + "gender_concept_id, location_id WITH CUBE", "GROUPING_ID() AS b, ", CUBE),
        (
            "spark",
            HEAD + "gender_concept_id, location_id GROUPING SETS ((gender_concept_id, location_id), (location_id))",
            "",
            HEAD + "GROUPING SETS ((1, 2), (2))",
        ),
        ("oracle", CUBE, "GROUPING_ID(gender_concept_id, location_id) AS b, ", CUBE),
        ("bigquery", ROLLUP, "GROUPING(gender_concept_id) AS b, ", ROLLUP),
    ],
)
def test_every_dialects_way_means_postgresqls(dialect: str, text: str, bits: str, same: str) -> None:
    spoken = bits.replace("GROUPING_ID()", "GROUPING(gender_concept_id, location_id)").replace("_ID", "")
    assert bound(text, dialect, bits).canonical == bound(same, bits=spoken).canonical


def test_sets_are_counted_before_any_is_made() -> None:
    group = parse_one(f"SELECT 1 FROM t GROUP BY CUBE ({', '.join('abcdefgh' * 400)})", read="postgres").find(exp.Group)
    assert group is not None
    assert count_of(group) == 2**3200


def test_a_key_is_null_in_the_rows_that_are_without_it_and_says_so() -> None:
    root = bound("SELECT visit_occurrence_id, COUNT(*) AS n FROM visit_occurrence GROUP BY ROLLUP (1)").root
    assert root.columns[0].facts.nullable
    plain = bound("SELECT visit_occurrence_id, COUNT(*) AS n FROM visit_occurrence GROUP BY 1").root
    assert not plain.columns[0].facts.nullable
