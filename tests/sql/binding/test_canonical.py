"""One question has one canonical text, whatever its spelling; two questions have two (PRIVACY §4)."""

from __future__ import annotations

from datetime import date

import pytest

from tests.sql.catalogue import CATALOGUE
from tre.sql import bind

SAME = [
    ("SELECT COUNT(*) FROM person", "select  count(*) AS n\nFROM cdm.PERSON AS x"),
    (
        "SELECT COUNT(*) FROM person p WHERE gender_concept_id = 8507 AND year_of_birth > 1950",
        "SELECT COUNT(*) FROM (SELECT * FROM person WHERE year_of_birth > 1950) q WHERE 8507 = q.gender_concept_id",
    ),
    (
        "SELECT COUNT(*) FROM person p JOIN death d ON p.person_id = d.person_id WHERE d.cause_concept_id = 1",
        "SELECT COUNT(*) FROM person a, death b WHERE b.cause_concept_id = 1 AND b.person_id = a.person_id",
    ),
    (
        "SELECT COUNT(*) FROM person JOIN death USING (person_id)",
        "WITH d AS (SELECT * FROM death) SELECT COUNT(*) FROM person p JOIN d ON d.person_id = p.person_id",
    ),
    (
        "SELECT COUNT(*) FROM person p WHERE EXISTS (SELECT 1 FROM death d WHERE d.person_id = p.person_id) "
        "AND EXISTS (SELECT 1 FROM visit_occurrence v WHERE v.person_id = p.person_id)",
        "SELECT COUNT(*) FROM person p WHERE person_id IN (SELECT person_id FROM visit_occurrence) "
        "AND EXISTS (SELECT 2 FROM death x WHERE p.person_id = x.person_id)",
    ),
    (
        "SELECT COUNT(*) FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY person_id ORDER BY visit_start_date) AS r "
        "FROM visit_occurrence) q WHERE r = 1",
        "SELECT COUNT(*) FROM (SELECT person_id, ROW_NUMBER() OVER w AS place FROM visit_occurrence v "
        "WINDOW w AS (PARTITION BY v.person_id ORDER BY v.visit_start_date ASC)) x WHERE 1 = place",
    ),
    (
        "SELECT COUNT(*) FROM (SELECT DISTINCT ON (person_id) person_id FROM visit_occurrence ORDER BY person_id, "
        "visit_start_date) q",
        "SELECT COUNT(*) FROM (SELECT person_id, ROW_NUMBER() OVER (PARTITION BY person_id ORDER BY visit_start_date) "
        "AS r FROM visit_occurrence) q WHERE r = 1",
    ),
]
DIFFERENT = [
    (
        "SELECT COUNT(*) FROM (SELECT person_id, RANK() OVER (PARTITION BY person_id ORDER BY visit_start_date) AS r "
        "FROM visit_occurrence) q WHERE r = 1",
        "SELECT COUNT(*) FROM (SELECT person_id, RANK() OVER (PARTITION BY person_id ORDER BY visit_start_date DESC) "
        "AS r FROM visit_occurrence) q WHERE r = 1",
    ),
    (
        "SELECT COUNT(*) FROM (SELECT person_id, COUNT(*) OVER (PARTITION BY person_id ORDER BY visit_start_date) AS n "
        "FROM visit_occurrence) q WHERE n = 1",
        "SELECT COUNT(*) FROM (SELECT person_id, COUNT(*) OVER (PARTITION BY person_id ORDER BY visit_start_date ROWS "
        "1 PRECEDING) AS n FROM visit_occurrence) q WHERE n = 1",
    ),
    (
        "SELECT COUNT(*) FROM (SELECT person_id FROM person EXCEPT SELECT person_id FROM death) q",
        "SELECT COUNT(*) FROM (SELECT person_id FROM person INTERSECT SELECT person_id FROM death) q",
    ),
    ("SELECT COUNT(*) FROM person", "SELECT COUNT(*) FROM death"),
    ("SELECT COUNT(*) FROM person WHERE location_id = 1", "SELECT COUNT(*) FROM person WHERE location_id = 2"),
    (
        "WITH a AS (SELECT concept_id g, COUNT(*) n FROM concept GROUP BY 1) SELECT x.g FROM a x JOIN a y ON x.g = y.n",
        "WITH a AS (SELECT concept_id g, COUNT(*) n FROM concept GROUP BY 1) SELECT x.g FROM a x JOIN a y ON x.g = x.n",
    ),
    (
        "SELECT COUNT(*) FROM person p LEFT JOIN death d USING (person_id) WHERE d.cause_concept_id = 1",
        "SELECT COUNT(*) FROM person p LEFT JOIN death d ON d.person_id = p.person_id AND d.cause_concept_id = 1",
    ),
]


def canonical(text: str) -> str:
    return bind(text, CATALOGUE, date(2024, 1, 1)).canonical


@pytest.mark.parametrize(("one", "other"), SAME)
def test_spelling_leaves_no_trace(one: str, other: str) -> None:
    assert canonical(one) == canonical(other)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_meaning_does(one: str, other: str) -> None:
    assert canonical(one) != canonical(other)
