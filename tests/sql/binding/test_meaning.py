# ruff: noqa: E501 - tables of statements
"""The generated statement means what PostgreSQL's text means: the same rows, on a real engine."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import duckdb
import pytest
import sqlglot

from tests.sql.catalogue import CATALOGUE, fill
from tests.sql.exact import exact
from tests.sql.expressions.engines import NAMES, Engine, opened
from tre.sql import bind, render

TODAY = date(2024, 1, 1)


@pytest.fixture(scope="module", params=NAMES)
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    with opened(request.param) as made:
        fill(made)
        yield made


ADMITTED = """
SELECT COUNT(*) FROM person
SELECT COUNT(*), COUNT(location_id), COUNT(DISTINCT person_id) FROM person WHERE year_of_birth > 1955
SELECT gender_concept_id, COUNT(DISTINCT p.person_id) FROM person p JOIN condition_occurrence c ON p.person_id = c.person_id WHERE c.condition_concept_id = 201826 GROUP BY 1
SELECT COUNT(*) FROM person p, condition_occurrence c WHERE p.person_id = c.person_id AND c.condition_concept_id = 320128
SELECT COUNT(*) FROM person JOIN condition_occurrence USING (person_id) JOIN death USING (person_id)
SELECT COUNT(*), COUNT(d.person_id), COUNT(DISTINCT d.person_id) FROM person p LEFT JOIN death d ON d.person_id = p.person_id
SELECT COUNT(*), COUNT(d.cause_concept_id) FROM person p LEFT JOIN death d ON d.person_id = p.person_id AND d.cause_concept_id = 320128
SELECT COUNT(*) FROM person p LEFT JOIN death d ON d.person_id = p.person_id WHERE d.person_id IS NULL
SELECT l.state, COUNT(*) FROM person p LEFT JOIN location l ON l.location_id = p.location_id GROUP BY l.state
SELECT l.state, COUNT(*) FROM location l, person p WHERE l.location_id = p.location_id AND l.deprivation = 1 GROUP BY l.state
SELECT k.concept_name, COUNT(*) FROM condition_occurrence c JOIN concept k ON k.concept_id = c.condition_concept_id GROUP BY 1
SELECT k.concept_name, COUNT(*) FROM condition_occurrence c LEFT JOIN concept k ON k.concept_id = c.condition_concept_id GROUP BY 1
SELECT COUNT(*) FROM condition_occurrence c JOIN concept_ancestor a ON a.descendant_concept_id = c.condition_concept_id WHERE a.ancestor_concept_id = 1
SELECT COUNT(*) FROM condition_occurrence c JOIN visit_occurrence v ON c.visit_occurrence_id = v.visit_occurrence_id
SELECT v.visit_concept_id, COUNT(*) FROM condition_occurrence c LEFT JOIN visit_occurrence v ON c.visit_occurrence_id = v.visit_occurrence_id GROUP BY 1
SELECT COUNT(*) FROM person WHERE person_id IN (SELECT person_id FROM death)
SELECT COUNT(*) FROM person WHERE person_id NOT IN (SELECT person_id FROM death)
SELECT COUNT(*) FROM person WHERE gender_concept_id NOT IN (SELECT concept_id FROM concept WHERE domain_id = 'Gender')
SELECT COUNT(*) FROM person WHERE gender_concept_id NOT IN (SELECT concept_id FROM concept WHERE domain_id = 'None')
SELECT COUNT(*) FROM condition_occurrence c WHERE condition_concept_id NOT IN (SELECT cause_concept_id FROM death d WHERE d.person_id = c.person_id)
SELECT COUNT(*) FROM condition_occurrence c WHERE condition_concept_id IN (SELECT cause_concept_id FROM death d WHERE d.person_id = c.person_id)
SELECT COUNT(*) FROM person p WHERE NOT (EXISTS (SELECT 1 FROM death d WHERE d.person_id = p.person_id) OR p.location_id = 10)
SELECT CASE WHEN EXISTS (SELECT 1 FROM death d WHERE d.person_id = p.person_id) THEN 1 ELSE 0 END AS dead, COUNT(*) FROM person p GROUP BY dead
SELECT p.gender_concept_id IN (SELECT cause_concept_id FROM death d WHERE d.person_id = p.person_id) AS x, COUNT(*) FROM person p GROUP BY 1
SELECT COUNT(*) FROM person p WHERE EXISTS (SELECT 1 FROM condition_occurrence c JOIN visit_occurrence v ON v.person_id = c.person_id WHERE c.person_id = p.person_id AND v.visit_start_date > DATE '2020-01-31')
SELECT COUNT(*) FROM person p WHERE person_id IN (SELECT person_id FROM condition_occurrence GROUP BY person_id HAVING COUNT(*) > 1)
SELECT n, COUNT(*) FROM (SELECT person_id, COUNT(*) AS n FROM condition_occurrence GROUP BY person_id) AS q GROUP BY n
SELECT SUM(total) FROM (SELECT person_id, SUM(paid) AS total FROM measurement GROUP BY person_id) AS q
SELECT COUNT(*) FROM (SELECT DISTINCT person_id, condition_concept_id FROM condition_occurrence) AS q
SELECT COUNT(*) FROM (SELECT gender_concept_id FROM person) AS q
WITH c AS (SELECT * FROM condition_occurrence WHERE condition_status = 'active') SELECT COUNT(*) FROM c a JOIN c b ON a.person_id = b.person_id
WITH a AS (SELECT gender_concept_id AS g, COUNT(*) AS n FROM person GROUP BY 1) SELECT x.g, y.n FROM a x JOIN a y ON x.g = y.g
SELECT g, n FROM (SELECT gender_concept_id AS g, COUNT(*) AS n FROM person GROUP BY g HAVING COUNT(*) > 1) AS q ORDER BY n DESC, g LIMIT 1
SELECT k.concept_name, q.n FROM (SELECT gender_concept_id AS g, COUNT(*) AS n FROM person GROUP BY 1) AS q JOIN concept k ON k.concept_id = q.g
SELECT COUNT(*) FILTER (WHERE gender_concept_id = 8507), COUNT(*) FILTER (WHERE EXISTS (SELECT 1 FROM death d WHERE d.person_id = p.person_id)) FROM person p
SELECT SUM(CASE WHEN gender_concept_id = 8507 THEN 1 ELSE 0 END) FROM person
SELECT year_of_birth + 1 AS y, COUNT(*) FROM person GROUP BY y ORDER BY y
SELECT year_of_birth + 1, year_of_birth + 1 + 1, COUNT(*) + 1 FROM person GROUP BY year_of_birth + 1
SELECT condition_start_date, COUNT(*) FROM condition_occurrence GROUP BY 1
SELECT DISTINCT gender_concept_id FROM person
SELECT domain_id, COUNT(*) AS n, MIN(concept_id), MAX(concept_name), COUNT(DISTINCT concept_name) FROM concept GROUP BY domain_id HAVING COUNT(*) > 1 ORDER BY n DESC, domain_id
SELECT SUM(concept_id), AVG(concept_id) FROM concept
SELECT DISTINCT domain_id FROM concept ORDER BY domain_id DESC LIMIT 2 OFFSET 1
SELECT * FROM concept ORDER BY concept_id LIMIT 3
SELECT a.*, k.concept_name FROM concept_ancestor a LEFT JOIN (SELECT concept_id, concept_name FROM concept WHERE concept_id < 300000) k ON k.concept_id = a.descendant_concept_id
SELECT concept_name FROM concept ORDER BY concept_id + 0 DESC
SELECT COUNT(*) FROM person p JOIN (visit_occurrence v JOIN condition_occurrence c ON c.person_id = v.person_id) ON v.person_id = p.person_id
SELECT COUNT(*), COUNT(DISTINCT COALESCE(d.person_id, v.person_id)), COUNT(v.visit_concept_id), COUNT(d.cause_concept_id) FROM death d FULL JOIN visit_occurrence v ON v.person_id = d.person_id
SELECT COUNT(*), COUNT(DISTINCT person_id) FROM visit_occurrence v FULL JOIN death d USING (person_id)
SELECT COUNT(*) FROM visit_occurrence v FULL JOIN death d ON d.person_id = v.person_id AND v.visit_concept_id = 9202
SELECT COALESCE(a.k, b.k) AS k, a.n, b.m FROM (SELECT gender_concept_id AS k, COUNT(*) AS n FROM person GROUP BY 1) a FULL JOIN (SELECT condition_concept_id AS k, COUNT(*) AS m FROM condition_occurrence GROUP BY 1) b ON a.k = b.k
SELECT n, COUNT(*) FROM (SELECT (SELECT COUNT(*) FROM visit_occurrence v WHERE v.person_id = p.person_id) AS n FROM person p) q GROUP BY n
SELECT n, COUNT(*) FROM (SELECT (SELECT COUNT(*) + 1 FROM visit_occurrence v WHERE v.person_id = p.person_id AND v.visit_concept_id = 9202) AS n FROM person p) q GROUP BY n
SELECT d, COUNT(*) FROM (SELECT (SELECT MAX(v.visit_start_date) FROM visit_occurrence v WHERE v.person_id = p.person_id) AS d FROM person p) q GROUP BY d
SELECT d, COUNT(*) FROM (SELECT (SELECT v.visit_concept_id FROM visit_occurrence v WHERE v.person_id = p.person_id ORDER BY v.visit_start_date DESC NULLS LAST LIMIT 1) AS d FROM person p) q GROUP BY d ORDER BY d
SELECT COUNT(*) FROM person p WHERE (SELECT d.cause_concept_id FROM death d WHERE d.person_id = p.person_id) = 320128
SELECT k.concept_name, (SELECT COUNT(*) FROM concept_ancestor a WHERE a.descendant_concept_id = k.concept_id) AS n FROM concept k
SELECT t.name, COUNT(*) FROM person p JOIN (VALUES (8507, 'm'), (8532, 'f'), (8532, 'g')) AS t(code, name) ON t.code = p.gender_concept_id GROUP BY t.name
WITH g(code, name) AS (SELECT 8507, 'm' UNION ALL SELECT 8532, NULL) SELECT g.name, COUNT(*) FROM person p JOIN g ON g.code = p.gender_concept_id GROUP BY g.name
SELECT value_as_number, COUNT(*) FROM measurement GROUP BY value_as_number
SELECT FLOOR(year_of_birth / 7.0) AS f, COUNT(*) FROM person GROUP BY FLOOR(year_of_birth / 7.0)
SELECT a, b, COUNT(*) FROM (SELECT p.person_id, p.year_of_birth, MAX(COALESCE(v.seen, 0)) AS a, MAX(c.ill) AS b FROM person p LEFT JOIN (SELECT person_id, visit_start_date, 1 AS seen FROM visit_occurrence) v ON v.person_id = p.person_id AND v.visit_start_date > DATE '2020-01-10' LEFT JOIN (SELECT person_id, condition_concept_id, 2 AS ill FROM condition_occurrence UNION SELECT person_id, cause_concept_id, 2 FROM death) c ON c.person_id = p.person_id AND c.condition_concept_id > 300000 GROUP BY p.person_id, p.year_of_birth) q GROUP BY a, b
SELECT COUNT(*), COUNT(c.condition_concept_id) FROM person p LEFT JOIN (visit_occurrence v JOIN condition_occurrence c ON c.person_id = v.person_id) ON v.person_id = p.person_id
SELECT COUNT(*) FROM person p LEFT JOIN death d ON d.person_id = p.person_id JOIN condition_occurrence c ON c.person_id = p.person_id WHERE c.condition_concept_id = d.cause_concept_id
""".strip().splitlines()


@pytest.mark.parametrize("text", ADMITTED)
def test_what_runs_means_what_was_asked(text: str, engine: Engine) -> None:
    query = bind(text, CATALOGUE, TODAY)
    statement = render(exact(query), engine.dialect)
    plain = sqlglot.transpile(text, read="postgres", write=engine.dialect)[0]
    found, wanted = (_counted(engine.execute(one)) for one in (statement.sql, plain))
    ordered = "ORDER BY" in text
    assert (found if ordered else _sorted(found)) == (wanted if ordered else _sorted(wanted))
    assert set(duckdb.connect().get_table_names(render(exact(query)).sql)) <= set(statement.tables)
    assert sqlglot.parse_one(statement.sql, read=engine.dialect) is not None


def _counted(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """An average of whole numbers is a double here, and an exact number with some digits in PostgreSQL."""
    return [tuple(float(one) if isinstance(one, Decimal) else one for one in row) for row in rows]


def _sorted(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return sorted(rows, key=lambda row: [(value is None, str(value)) for value in row])
