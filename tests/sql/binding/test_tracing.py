# ruff: noqa: E501 - tables of statements
"""Unit tracing: who may meet whom, what one person can contribute, and which rule says so (PRIVACY §2, §3.9)."""

from __future__ import annotations

from datetime import date
from typing import Any, get_args

import pytest

from tests.sql.catalogue import CATALOGUE
from tre.base.reasons import Refused
from tre.sql import bind
from tre.sql.plan import PrivateAggregate, PublicKeys, Query, Relation, Sort, UnitCounts
from tre.sql.tracing import RULES, joins, subqueries
from tre.sql.tracing.traits import Status
from tre.sql.walk import relations

TODAY = date(2024, 1, 1)


def bound(text: str) -> Query:
    return bind(text, CATALOGUE, TODAY)


def block(text: str) -> PrivateAggregate:
    (only,) = bound(text).blocks
    return only


def codes(text: str) -> list[str]:
    with pytest.raises(Refused) as refused:
        bound(text)
    return [one.reason.code for one in refused.value.refusals]


CONTRIBUTIONS = [
    ("SELECT COUNT(*) FROM person", (1, 1, 1, True)),
    ("SELECT COUNT(*) FROM visit_occurrence", (1, 200, 20, False)),
    ("SELECT visit_concept_id, COUNT(*) FROM visit_occurrence GROUP BY 1", (None, 200, 20, False)),
    ("SELECT gender_concept_id, COUNT(*) FROM person p JOIN visit_occurrence v USING (person_id) GROUP BY 1", (1, 200, 20, False)),
    # caps multiply, except through a unique key
    ("SELECT COUNT(*) FROM visit_occurrence v JOIN condition_occurrence c USING (person_id)", (1, 20_000, 400, False)),
    ("SELECT COUNT(*) FROM visit_occurrence v JOIN condition_occurrence c USING (visit_occurrence_id, person_id)", (1, 100, 20, False)),
    ("SELECT COUNT(*) FROM visit_occurrence v LEFT JOIN condition_occurrence c USING (visit_occurrence_id, person_id)", (1, 300, 40, False)),
    ("SELECT cause_concept_id, COUNT(*) FROM visit_occurrence v JOIN death d USING (person_id) GROUP BY 1", (1, 200, 20, False)),
    ("SELECT cause_concept_id, COUNT(*) FROM visit_occurrence v LEFT JOIN death d USING (person_id) GROUP BY 1", (1, 200, 20, False)),
    # ON has more than the keys: whether a row of the person matches depends on the row
    (
        "SELECT cause_concept_id, COUNT(*) FROM visit_occurrence v LEFT JOIN death d "
        "ON d.person_id = v.person_id AND v.visit_start_date < d.death_date GROUP BY 1",
        (None, 200, 20, False),
    ),
    # public rows multiply unless looked up; a constant in WHERE makes the key whole
    ("SELECT COUNT(*) FROM visit_occurrence v, concept", (1, 1_200, 120, False)),
    ("SELECT COUNT(*) FROM visit_occurrence v JOIN concept k ON k.concept_id = v.visit_concept_id", (1, 200, 20, False)),
    (
        "SELECT COUNT(*) FROM visit_occurrence v JOIN concept_ancestor a ON a.descendant_concept_id = v.visit_concept_id "
        "WHERE a.ancestor_concept_id = 1",
        (1, 200, 20, False),
    ),
    ("SELECT visit_concept_id, COUNT(*) FROM visit_occurrence WHERE visit_concept_id = 9201 GROUP BY 1", (1, 200, 20, False)),
    ("SELECT n, COUNT(*) FROM (SELECT person_id, COUNT(*) n FROM visit_occurrence GROUP BY 1) q GROUP BY n", (1, 1, 1, True)),
    ("SELECT COUNT(*) FROM (SELECT DISTINCT person_id FROM visit_occurrence) q", (1, 1, 1, True)),
    ("SELECT COUNT(*) FROM person p WHERE EXISTS (SELECT 1 FROM visit_occurrence v WHERE v.person_id = p.person_id)", (1, 1, 1, True)),
    (
        "SELECT CASE WHEN EXISTS (SELECT 1 FROM death d WHERE d.person_id = v.person_id) THEN 1 ELSE 0 END AS dead, "
        "COUNT(*) FROM visit_occurrence v GROUP BY 1",
        (1, 200, 20, False),
    ),
    ("SELECT l.state, COUNT(*) FROM person p JOIN location l USING (location_id) GROUP BY 1", (1, 1, 1, True)),
    # a row number identifies a row within its partition; what a whole partition shares is a function of it
    ("SELECT visit_concept_id, COUNT(*) FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY person_id ORDER BY visit_start_date) AS rn FROM visit_occurrence) q WHERE rn = 1 GROUP BY 1", (1, 1, 1, True)),
    ("SELECT COUNT(*) FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY person_id, visit_concept_id ORDER BY visit_start_date) AS rn FROM visit_occurrence) q WHERE rn = 1", (1, 200, 20, False)),
    ("SELECT COUNT(*) FROM (SELECT *, RANK() OVER (PARTITION BY person_id ORDER BY visit_start_date) AS rn FROM visit_occurrence) q WHERE rn = 1", (1, 200, 20, False)),
    ("SELECT visit_concept_id, COUNT(*) FROM (SELECT DISTINCT ON (person_id) person_id, visit_concept_id FROM visit_occurrence ORDER BY person_id, visit_start_date) q GROUP BY 1", (1, 1, 1, True)),
    # a union adds caps and loses what one side says; fewer rows of one side keep it
    ("SELECT COUNT(*) FROM (SELECT person_id, visit_concept_id FROM visit_occurrence UNION ALL SELECT person_id, cause_concept_id FROM death) q", (1, 201, 21, False)),
    ("SELECT COUNT(*) FROM (SELECT visit_concept_id FROM visit_occurrence UNION ALL SELECT cause_concept_id FROM death) q", (1, 201, 21, False)),
    ("SELECT c, COUNT(*) FROM (SELECT person_id, gender_concept_id AS c FROM person UNION SELECT person_id, cause_concept_id FROM death) q GROUP BY c", (None, 2, 2, False)),
    ("SELECT COUNT(*) FROM (SELECT person_id FROM visit_occurrence UNION SELECT person_id FROM death) q", (1, 1, 1, True)),
    ("SELECT c, COUNT(*) FROM (SELECT person_id, gender_concept_id AS c FROM person EXCEPT SELECT person_id, visit_concept_id FROM visit_occurrence) q GROUP BY c", (1, 1, 1, True)),
    ("SELECT COUNT(*) FROM (SELECT person_id, visit_concept_id FROM visit_occurrence INTERSECT ALL SELECT person_id, condition_concept_id FROM condition_occurrence) q", (1, 100, 20, False)),
    ("SELECT COUNT(*) FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY person_id ORDER BY visit_start_date) AS rn FROM visit_occurrence) q WHERE rn <= 3", (1, 3, 3, False)),
    ("SELECT COUNT(*) FROM person WHERE year_of_birth < 1800", (1, 1, 1, True)),
    ("SELECT COUNT(*) FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY person_id, visit_concept_id ORDER BY visit_start_date) AS rn FROM visit_occurrence) q WHERE rn <= 3", (1, 200, 20, False)),
    ("SELECT n, COUNT(*) FROM (SELECT person_id, COUNT(*) OVER (PARTITION BY person_id) AS n FROM visit_occurrence) q GROUP BY n", (1, 200, 20, False)),
    ("SELECT n, COUNT(*) FROM (SELECT person_id, COUNT(*) OVER (PARTITION BY person_id ORDER BY visit_start_date) AS n FROM visit_occurrence) q GROUP BY n", (None, 200, 20, False)),
    ("SELECT f, COUNT(*) FROM (SELECT person_id, FIRST_VALUE(visit_concept_id) OVER (PARTITION BY person_id ORDER BY visit_start_date) AS f FROM visit_occurrence) q GROUP BY f", (1, 200, 20, False)),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), CONTRIBUTIONS)
def test_what_one_person_can_contribute_follows_from_declarations(text: str, expected: tuple[Any, ...]) -> None:
    found = block(text)
    assert (found.groups_per_unit, found.rows_per_unit, found.typical_rows, found.one_row) == expected


@pytest.mark.parametrize(
    ("text", "claimed"),
    [
        ("SELECT c, COUNT(*) FROM (SELECT DISTINCT person_id, visit_concept_id AS c FROM visit_occurrence) q GROUP BY c", True),
        ("SELECT c % 2, COUNT(*) FROM (SELECT DISTINCT person_id, visit_concept_id AS c FROM visit_occurrence) q GROUP BY 1", False),
        ("SELECT n, COUNT(*) FROM (SELECT person_id, visit_concept_id, COUNT(*) AS n FROM visit_occurrence GROUP BY 1, 2) q GROUP BY n", False),
        ("SELECT visit_concept_id, COUNT(*) FROM visit_occurrence GROUP BY 1", False),
        ("SELECT visit_occurrence_id, COUNT(*) FROM visit_occurrence GROUP BY 1", True),
    ],
)  # fmt: skip
def test_one_row_of_a_person_in_each_group_is_claimed_where_unit_and_keys_identify_it(text: str, claimed: bool) -> None:
    assert block(text).one_row_a_group == claimed


REFUSED = [
    ("private.join-without-unit", "SELECT COUNT(*) FROM person p, death d"),
    ("private.join-without-unit", "SELECT COUNT(*) FROM person p JOIN death d ON p.person_id = d.person_id OR TRUE"),
    ("private.join-without-unit", "SELECT COUNT(*) FROM person p JOIN death d ON p.person_id + 0 = d.person_id"),
    ("private.join-without-unit", "SELECT COUNT(*) FROM person p JOIN death d ON p.location_id = d.person_id"),
    ("private.join-without-unit", "SELECT COUNT(*) FROM person p LEFT JOIN death d ON TRUE WHERE p.person_id = d.person_id"),
    ("private.join-on-nullable-key", "SELECT COUNT(*) FROM person p LEFT JOIN death d USING (person_id) JOIN visit_occurrence v ON v.person_id = d.person_id"),
    ("private.outer-join-keeps-other", "SELECT COUNT(*) FROM concept k LEFT JOIN death d ON d.cause_concept_id = k.concept_id"),
    ("private.outer-join-keeps-other", "SELECT COUNT(*) FROM location l LEFT JOIN person p ON p.location_id = l.location_id"),
    ("private.attribute-alone", "SELECT COUNT(*) FROM location"),
    ("private.attribute-alone", "SELECT DISTINCT state FROM location"),
    ("private.attribute-alone", "SELECT location_id FROM location"),
    ("private.attribute-alone", "SELECT COUNT(*) FROM person WHERE location_id IN (SELECT location_id FROM location)"),
    ("private.attribute-alone", "SELECT COUNT(*) FROM location l JOIN concept k ON k.concept_id = l.location_id"),
    ("private.attribute-join", "SELECT COUNT(*) FROM person p JOIN location l ON l.state = 'north'"),
    ("private.attribute-join", "SELECT COUNT(*) FROM person p JOIN location l ON l.location_id = 10"),
    ("private.subquery-untied", "SELECT COUNT(*) FROM person WHERE EXISTS (SELECT 1 FROM death)"),
    ("private.subquery-untied", "SELECT COUNT(*) FROM person p WHERE EXISTS (SELECT 1 FROM death d WHERE d.person_id > p.person_id)"),
    ("private.subquery-untied", "SELECT COUNT(*) FROM person p WHERE EXISTS (SELECT 1 FROM person q LEFT JOIN death d ON d.person_id = q.person_id AND q.person_id = p.person_id)"),
    ("private.subquery-outside", "SELECT concept_id FROM concept k WHERE EXISTS (SELECT 1 FROM death d WHERE d.cause_concept_id = k.concept_id)"),
    ("private.subquery-untied", "SELECT COUNT(*) FROM person p LEFT JOIN death d USING (person_id) WHERE d.person_id IN (SELECT person_id FROM visit_occurrence)"),
    ("private.outer-join-keeps-other", "SELECT COUNT(*) FROM (SELECT cause_concept_id AS c, COUNT(*) AS n FROM death GROUP BY 1) q LEFT JOIN person p ON p.gender_concept_id = q.c"),
    ("private.sum-of-doubles-inside", "SELECT COUNT(*) FROM person WHERE year_of_birth > (SELECT SUM(a) FROM (SELECT gender_concept_id, AVG(year_of_birth) AS a FROM person GROUP BY 1) q)"),
    ("private.set-mixed", "SELECT COUNT(*) FROM (SELECT person_id FROM person UNION ALL SELECT COUNT(*) FROM death) q"),
    ("private.join-without-unit", "SELECT COUNT(*) FROM person p JOIN (SELECT cause_concept_id AS c, COUNT(*) AS n FROM death GROUP BY 1) q ON q.c = p.gender_concept_id JOIN death d ON d.cause_concept_id = q.c"),
    ("private.correlated-aggregate", "SELECT concept_id FROM concept k WHERE EXISTS (SELECT COUNT(*) FROM death d WHERE d.cause_concept_id = k.concept_id)"),
    ("private.several-aggregates", "SELECT 1 FROM " + ", ".join(f"(SELECT COUNT(*) n FROM person WHERE year_of_birth > {one}) q{one}" for one in range(9))),
    ("private.unit-key-leaves", "SELECT d.person_id, COUNT(*) FROM person p LEFT JOIN death d USING (person_id) GROUP BY d.person_id"),
    ("private.unit-key-leaves", "SELECT person_id + 1, COUNT(*) FROM person GROUP BY 1"),
    ("private.unit-key-leaves", "SELECT SUM(person_id) FROM person"),
    ("private.unit-key-leaves", "SELECT SUM(k) FROM (SELECT person_id, MAX(person_id + 1) AS k FROM person GROUP BY 1) q"),
    ("private.unit-key-leaves", "SELECT CASE WHEN year_of_birth > 1960 THEN person_id END AS x, COUNT(*) FROM person GROUP BY 1"),
    ("private.unit-key-leaves", "SELECT k.concept_id, COUNT(*) FROM person p JOIN concept k ON k.concept_id = p.person_id GROUP BY 1"),
    ("private.row-level-output", "SELECT year_of_birth FROM person"),
    ("private.row-level-output", "SELECT person_id, COUNT(*) FROM person GROUP BY 1"),
    ("private.row-level-output", "SELECT DISTINCT person_id FROM person"),
    ("private.limit-inside", "SELECT COUNT(*) FROM (SELECT person_id FROM person LIMIT 5) q"),
    ("private.limit-inside", "SELECT COUNT(*) FROM (SELECT person_id FROM person ORDER BY year_of_birth) q"),
    ("private.limit-inside", "SELECT year_of_birth FROM person LIMIT 5"),
    ("private.sum-of-doubles-inside", "SELECT SUM(t) FROM (SELECT person_id, SUM(value_as_number) t FROM measurement GROUP BY 1) q"),
    ("private.aggregate-unsupported", "SELECT QUANTILE(year_of_birth, 0.5) FROM person"),
    ("private.quantile-type", "SELECT MAX(condition_status) FROM condition_occurrence"),
    ("private.quantile-too-extreme", "SELECT PERCENTILE_DISC(1) WITHIN GROUP (ORDER BY year_of_birth) FROM person"),
    ("private.aggregate-unsupported", "SELECT SUM(DISTINCT year_of_birth) FROM person"),
    ("private.group-by-double", "SELECT SQRT(value_as_number), COUNT(*) FROM measurement GROUP BY 1"),
    ("private.row-level-output", "SELECT ROW_NUMBER() OVER (PARTITION BY person_id) FROM person"),
    ("private.window-across", "SELECT COUNT(*) FROM (SELECT person_id, RANK() OVER (PARTITION BY year_of_birth) AS r FROM person) q WHERE r = 1"),
    ("private.window-across", "SELECT COUNT(*) FROM (SELECT p.person_id, COUNT(*) OVER (PARTITION BY d.person_id) AS n FROM person p LEFT JOIN death d USING (person_id)) q WHERE n = 1"),
    ("private.window-percentile", "SELECT MIN(y) FROM (SELECT year_of_birth AS y, ROW_NUMBER() OVER (ORDER BY year_of_birth) AS place, (SELECT COUNT(*) FROM person) AS n FROM person) q WHERE CASE WHEN place < .25 * n THEN 1 ELSE 0 END = 0"),
    ("private.window-frame", "SELECT COUNT(*) FROM (SELECT person_id, LAST_VALUE(visit_concept_id) OVER (PARTITION BY person_id ORDER BY visit_start_date) AS l FROM visit_occurrence) q WHERE l = 1"),
    ("private.window", "SELECT COUNT(*) FROM (SELECT person_id, COUNT(DISTINCT visit_concept_id) OVER (PARTITION BY person_id) AS n FROM visit_occurrence) q WHERE n = 1"),
    ("private.unit-key-leaves", "SELECT k, COUNT(*) FROM (SELECT person_id, LAG(person_id) OVER (PARTITION BY person_id ORDER BY visit_start_date) AS k FROM visit_occurrence) q GROUP BY 1"),
    ("private.attribute-alone", "SELECT state, ROW_NUMBER() OVER (ORDER BY state) FROM location"),
    ("names.window-here", "SELECT COUNT(*) FROM visit_occurrence GROUP BY ROW_NUMBER() OVER (PARTITION BY person_id)"),
    ("names.unknown-window", "SELECT COUNT(*) OVER w FROM concept"),
    ("private.set-key", "SELECT 1 FROM person UNION SELECT 2 FROM person"),
    ("private.set-key", "SELECT COUNT(*) FROM (SELECT person_id, location_id FROM person EXCEPT SELECT cause_concept_id, person_id FROM death) q"),
    ("private.set-key", "SELECT COUNT(*) FROM (SELECT person_id FROM person EXCEPT SELECT d.person_id FROM person p LEFT JOIN death d USING (person_id)) q"),
    ("private.set-mixed", "SELECT COUNT(*) FROM (SELECT person_id FROM person UNION SELECT concept_id FROM concept) q"),
    ("private.set-mixed", "SELECT COUNT(*) FROM person UNION ALL SELECT concept_id FROM concept"),
    ("private.attribute-alone", "SELECT COUNT(*) FROM (SELECT location_id FROM location UNION SELECT location_id FROM location) q"),
    ("private.row-level-output", "SELECT person_id FROM person UNION ALL SELECT person_id FROM death"),
    ("private.limit-inside", "SELECT COUNT(*) FROM (SELECT person_id FROM person UNION ALL SELECT person_id FROM death LIMIT 3) q"),
    ("private.set-operation", "SELECT COUNT(*) FROM person p WHERE EXISTS (SELECT person_id FROM death d WHERE d.person_id = p.person_id UNION SELECT person_id FROM death)"),
    ("private.unit-key-leaves", "SELECT k, COUNT(*) FROM (SELECT person_id, location_id AS k FROM person UNION ALL SELECT person_id, person_id FROM death) q GROUP BY k"),
    ("names.set-width", "SELECT concept_id FROM concept UNION SELECT concept_id, concept_name FROM concept"),
    ("names.set-types", "SELECT concept_id FROM concept UNION SELECT concept_name FROM concept"),
    ("names.set-order", "SELECT concept_id FROM concept UNION SELECT concept_id FROM concept ORDER BY concept_id + 1"),
    ("private.outer-join", "SELECT COUNT(*) FROM person p SEMI JOIN death d ON d.person_id = p.person_id"),
    ("private.natural-join", "SELECT COUNT(*) FROM person NATURAL JOIN death"),
    ("private.sampling", "SELECT COUNT(*) FROM person TABLESAMPLE BERNOULLI (10)"),
    ("private.recursive", "WITH RECURSIVE r AS (SELECT 1 FROM person) SELECT COUNT(*) FROM r"),
    ("private.grouping-sets", "SELECT COUNT(*) FROM (SELECT person_id FROM person GROUP BY ROLLUP (person_id, gender_concept_id)) q"),
    ("private.grouping-sets", "SELECT COUNT(*) FROM (SELECT p.person_id FROM person p JOIN death d USING (person_id) GROUP BY GROUPING SETS ((p.person_id), (d.person_id))) q"),
    ("private.too-many-grouping-sets", "SELECT COUNT(*) FROM person GROUP BY CUBE (" + ", ".join(["gender_concept_id"] * 500) + ")"),
    ("private.several-aggregates", "SELECT COUNT(*) FROM person GROUP BY CUBE (gender_concept_id, year_of_birth, location_id, gender_concept_id + 1)"),
    ("private.set-operation", "SELECT COUNT(*) FROM person p WHERE EXISTS (SELECT 1 FROM death d WHERE d.person_id = p.person_id GROUP BY d.person_id, ROLLUP (d.cause_concept_id))"),
    ("private.clause-unsupported", "SELECT COUNT(*) FROM person GROUP BY ROLLUP (gender_concept_id) WITH CUBE"),
    ("private.unit-key-leaves", "SELECT d.person_id, COUNT(*) FROM person p LEFT JOIN death d USING (person_id) GROUP BY ROLLUP (d.person_id)"),
    ("names.not-grouped", "SELECT GROUPING(year_of_birth), COUNT(*) FROM person GROUP BY ROLLUP (gender_concept_id)"),
    ("names.not-grouped", "SELECT GROUPING(gender_concept_id + 1), COUNT(*) FROM person GROUP BY ROLLUP (gender_concept_id)"),
    ("names.aggregate-here", "SELECT COUNT(*) FROM person WHERE GROUPING(gender_concept_id) = 0"),
    ("private.distinct-on", "SELECT DISTINCT ON (domain_id) domain_id FROM concept ORDER BY concept_name"),
    ("private.distinct-on-across", "SELECT DISTINCT ON (gender_concept_id) gender_concept_id FROM person"),
    ("private.limit-inside", "SELECT DISTINCT ON (person_id) person_id FROM person ORDER BY person_id LIMIT 1"),
    ("private.scalar-subquery", "SELECT COUNT(*) FROM person p JOIN death d ON d.person_id = p.person_id AND p.year_of_birth > (SELECT MIN(concept_id) FROM concept)"),
    ("private.scalar-correlated", "SELECT COUNT(*) FROM person p WHERE year_of_birth > (SELECT COUNT(*) FROM concept k WHERE k.concept_id < p.gender_concept_id)"),
    ("private.scalar-rows", "SELECT COUNT(*) FROM person WHERE gender_concept_id = (SELECT concept_id FROM concept WHERE concept_name = 'FEMALE')"),
    ("private.row-level-output", "SELECT (SELECT MIN(concept_id) FROM concept) AS k FROM person"),
    ("private.quantified", "SELECT COUNT(*) FROM person WHERE person_id = ANY (SELECT person_id FROM death)"),
    ("sql.too-deep", f"SELECT {'+'.join(['year_of_birth'] * 1000)} AS y, COUNT(*) FROM person GROUP BY 1"),
    ("private.too-many-steps", "WITH a0 AS (SELECT * FROM concept)" + "".join(f", a{n} AS (SELECT x.* FROM a{n - 1} x, a{n - 1} y)" for n in range(1, 40)) + " SELECT * FROM a39"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "text"), REFUSED)
def test_every_other_form_is_refused_with_its_own_code(code: str, text: str) -> None:
    assert code in codes(text)


def test_the_remedy_shows_the_mend_in_the_words_of_the_asker() -> None:
    text = "SELECT COUNT(*)\nFROM person AS p\nJOIN visit_occurrence v ON v.visit_concept_id = p.gender_concept_id"
    with pytest.raises(Refused) as refused:
        bound(text)
    (only,) = refused.value.refusals
    assert "p.person_id = v.person_id" in only.remedy
    assert only.place is not None
    assert only.place.line == 3


def test_a_link_implies_the_person_equality_and_says_so() -> None:
    query = bound("SELECT COUNT(*) FROM condition_occurrence c JOIN visit_occurrence v USING (visit_occurrence_id)")
    assert "c.person_id = v.person_id" in query.notes[0]


def test_a_key_of_a_public_table_is_known_from_the_private_domain() -> None:
    query = bound(
        "SELECT k.concept_name, COUNT(*) FROM person p JOIN concept k ON k.concept_id = p.gender_concept_id GROUP BY 1"
    )
    ((column, expression),) = query.blocks[0].keys
    assert isinstance(column.facts.domain, PublicKeys)
    assert expression.facts.domain == column.facts.domain


def test_a_with_query_used_twice_is_released_once() -> None:
    query = bound(
        "WITH a AS (SELECT gender_concept_id g, COUNT(*) n FROM person GROUP BY 1) "
        "SELECT x.n FROM a x JOIN a y ON x.g = y.g"
    )
    assert len(query.blocks) == 1


def test_a_limit_on_public_rows_has_a_total_order() -> None:
    query = bound("SELECT COUNT(*) FROM person, (SELECT concept_name, domain_id FROM concept LIMIT 2) k")
    (order,) = [node for node in relations(query.root) if isinstance(node, Sort)]
    assert {column.id for column in order.input.columns} <= {term.column.id for term, _, _ in order.terms}


def test_direct_identifiers_and_hidden_tables_answer_like_unknown_ones() -> None:
    def shape(text: str, name: str) -> list[str]:
        with pytest.raises(Refused) as refused:
            bound(text)
        return [f"{one.sentence} {one.remedy}".replace(name, "?") for one in refused.value.refusals]

    assert shape("SELECT COUNT(*) FROM cost", "cost") == shape("SELECT COUNT(*) FROM xyzw", "xyzw")
    assert shape("SELECT postcode FROM person", "postcode") == shape("SELECT qqqqqqqq FROM person", "qqqqqqqq")


def test_every_unknown_name_is_told_at_once() -> None:
    assert codes("SELECT nope, person_id + nada FROM person WHERE zip = 1") == ["names.unknown-column"] * 3
    assert codes("SELECT 1 FROM cost, nothing") == ["names.unknown-table"] * 2


def test_without_the_rule_of_keys_an_untied_join_would_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oracle breaks rules like this: each is looked up when it is used."""
    text = "SELECT COUNT(*) FROM person p, death d"
    assert codes(text) == ["private.join-without-unit"]
    monkeypatch.setattr(joins, "keys_equated", lambda *_: True)
    assert block(text).unit.name == "person_id"


def test_without_the_rule_of_ties_an_untied_subquery_would_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "SELECT COUNT(*) FROM person WHERE EXISTS (SELECT 1 FROM death)"
    monkeypatch.setattr(subqueries, "over_units", subqueries.over_public)
    assert block(text).one_row


def test_without_the_rule_of_outer_joins_a_nullable_key_would_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    text = (
        "SELECT COUNT(*) FROM person p LEFT JOIN death d USING (person_id) "
        "JOIN visit_occurrence v ON v.person_id = d.person_id"
    )
    monkeypatch.setattr(joins, "nullable_side_keys", lambda other, new: frozenset(new[one] for one in other.unit_keys))
    assert block(text)


def test_without_the_rule_of_outer_dependencies_one_group_would_be_claimed(monkeypatch: pytest.MonkeyPatch) -> None:
    text = (
        "SELECT cause_concept_id, COUNT(*) FROM visit_occurrence v LEFT JOIN death d "
        "ON d.person_id = v.person_id AND v.visit_start_date < d.death_date GROUP BY 1"
    )
    assert block(text).groups_per_unit is None
    monkeypatch.setattr(joins, "only_equalities", lambda *_: True)
    assert block(text).groups_per_unit == 1


def test_every_node_and_every_pair_has_a_rule() -> None:
    written_by_the_planner = {UnitCounts}  # below a private aggregate, where nothing is traced any more
    assert set(RULES) == set(get_args(Relation)) - written_by_the_planner
    assert set(joins.PAIRS) == {(one, other) for one in Status for other in Status}
