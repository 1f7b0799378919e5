"""From SQL to an answer on the real engine: binder, plan, clipped partials, release, post-processing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from tests.privacy.blocks import rules
from tests.privacy.exact import NoNoise
from tests.sql.catalogue import CATALOGUE, CONDITION, fill
from tre.base.passage import Partials
from tre.base.reasons import Refused
from tre.catalogue import Interval, Value
from tre.privacy.answer import Answer, answer
from tre.privacy.choosing import SECRET
from tre.privacy.mechanisms import Noise, OpenDPNoise
from tre.privacy.plan import PrivatePlan, plan
from tre.privacy.release import release
from tre.privacy.request import Ask, Rules
from tre.sql.binding import bind
from tre.sql.plan import PublicKeys, Relation
from tre.sql.render import render


class House:
    """A DuckDB with the small catalogue's rows, and the path of a query over it."""

    def __init__(self) -> None:
        self.connection = duckdb.connect()
        fill(self.connection)

    def table(self, relation: Relation, inputs: Mapping[str, pa.Table] | None = None) -> pa.Table:
        statement = render(relation)
        for name, given in (inputs or {}).items():
            self.connection.register(name, given)
        values = {SECRET: 99991}
        given_values = {name: values[name] for name in statement.parameters}
        return self.connection.sql(statement.sql, params=given_values or None).to_arrow_table()

    def public_keys(self, keys: PublicKeys) -> tuple[Value, ...]:
        return tuple(self.table(keys.relation).column(0).to_pylist())

    def planned(self, sql: str, ask: Ask | None = None, given: Rules | None = None) -> PrivatePlan:
        return plan(
            bind(sql, CATALOGUE, date(2024, 1, 1)), ask or Ask(), given or rules(units=10_000), self.public_keys
        )

    def ask(self, sql: str, noise: Noise, ask: Ask | None = None, given: Rules | None = None) -> Answer:
        found = self.planned(sql, ask, given)
        releases = [release(one, self._partials(one.shape.relation), noise) for one in found.blocks]
        return answer(found, releases, self.table)

    def _partials(self, relation: Relation) -> Partials:
        table = self.table(relation)
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        return Partials(sink.getvalue().to_pybytes())


@pytest.fixture(scope="module")
def house() -> House:
    return House()


WIDE = Ask(rows=100, groups=100)
PLAIN = [
    "SELECT COUNT(*) AS n FROM person",
    "SELECT COUNT(*) FROM person WHERE year_of_birth > 1970",
    "SELECT gender_concept_id, COUNT(*) AS n FROM person GROUP BY 1",
    "SELECT COUNT(*) AS n, COUNT(visit_occurrence_id), COUNT(DISTINCT person_id) FROM condition_occurrence",
    "SELECT SUM(value_as_number) AS s, AVG(value_as_number) AS m, COUNT(value_as_number) AS n FROM measurement",
    "SELECT SUM(paid) FROM measurement",
    "SELECT VAR_SAMP(value_as_number), VAR_POP(value_as_number), STDDEV(value_as_number) AS d, "
    "STDDEV_POP(value_as_number) AS p, AVG(value_as_number) AS m FROM measurement",
    "SELECT COUNT(DISTINCT visit_occurrence_id), COUNT(DISTINCT condition_concept_id) FROM condition_occurrence",
    "SELECT condition_concept_id AS c, COUNT(DISTINCT visit_occurrence_id), COUNT(DISTINCT condition_start_date) "
    "FILTER (WHERE condition_concept_id > 0) FROM condition_occurrence GROUP BY 1",
    "SELECT VARIANCE(year_of_birth) AS v, SUM(year_of_birth) AS s, AVG(year_of_birth) AS m FROM person",
    "SELECT SUM(paid) / COUNT(*) AS mean FROM measurement",
    "SELECT MIN(year_of_birth) AS a, MAX(year_of_birth) AS b, "
    "PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY year_of_birth) AS c FROM person",
    "SELECT MIN(condition_start_date) AS first FROM condition_occurrence",
    "SELECT MAX(value_as_number) - MIN(value_as_number) AS range, COUNT(*) AS n FROM measurement",
    "SELECT MEDIAN(concept_id) AS m, PERCENTILE_DISC(0.3) WITHIN GROUP (ORDER BY concept_id) AS d FROM concept",
    "SELECT AVG(m) AS a FROM (SELECT person_id, MEDIAN(value_as_number) AS m FROM measurement GROUP BY person_id) q",
    "SELECT MEDIAN(n) FROM (SELECT gender_concept_id AS g, COUNT(*) AS n FROM person GROUP BY 1) AS q",
    "SELECT p.gender_concept_id AS g, COUNT(*) AS n FROM person p JOIN condition_occurrence c "
    "ON c.person_id = p.person_id GROUP BY p.gender_concept_id HAVING COUNT(*) > 0 ORDER BY n DESC LIMIT 1",
    "SELECT gender_concept_id AS g, COUNT(*) FILTER (WHERE year_of_birth > 1960) AS n FROM person GROUP BY 1",
    "SELECT COUNT(*) FROM person p WHERE EXISTS (SELECT 1 FROM death d WHERE d.person_id = p.person_id)",
    "SELECT k.concept_name, q.n FROM (SELECT gender_concept_id AS g, COUNT(*) AS n FROM person GROUP BY 1) AS q "
    "JOIN concept k ON k.concept_id = q.g",
    "SELECT MAX(n) FROM (SELECT gender_concept_id AS g, COUNT(*) AS n FROM person GROUP BY 1) AS q",
    "WITH a AS (SELECT gender_concept_id AS g, COUNT(*) AS n FROM person GROUP BY 1) "
    "SELECT x.g, x.n * 1.0 / y.n AS r FROM a x JOIN a y ON x.g = y.g",
    "SELECT concept_name FROM concept ORDER BY 1",
    "SELECT concept_name, ROW_NUMBER() OVER (PARTITION BY domain_id ORDER BY concept_name) FROM concept",
    "SELECT visit_concept_id AS v, COUNT(*) AS n FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY person_id "
    "ORDER BY visit_start_date) AS rn FROM visit_occurrence WHERE visit_concept_id = 9202) q WHERE rn = 1 GROUP BY 1",
    "SELECT gender_concept_id AS g, COUNT(*) * 100.0 / SUM(COUNT(*)) OVER () AS share FROM person GROUP BY 1",
    "SELECT g, SUM(n) OVER (ORDER BY g) AS up_to, n - LAG(n) OVER (ORDER BY g) AS more FROM (SELECT gender_concept_id "
    "AS g, COUNT(*) AS n FROM person GROUP BY 1) q",
    "SELECT gender_concept_id AS g, COUNT(*) AS n FROM person GROUP BY 1 UNION ALL SELECT 0, COUNT(*) FROM death",
    "SELECT gender_concept_id AS g, COUNT(*) AS n, SUM(year_of_birth) AS s FROM person GROUP BY ROLLUP (1)",
    "SELECT gender_concept_id AS g, year_of_birth % 10 AS m, GROUPING(gender_concept_id, year_of_birth % 10) AS b, "
    "COUNT(*) AS n, COUNT(DISTINCT year_of_birth) AS d FROM person GROUP BY CUBE (gender_concept_id, "
    "year_of_birth % 10) HAVING COUNT(*) > 0",
    "SELECT k, COUNT(*) AS n FROM (SELECT person_id, visit_concept_id AS k FROM visit_occurrence GROUP BY "
    "GROUPING SETS ((person_id), (person_id, visit_concept_id))) q GROUP BY k",
    "SELECT domain_id, GROUPING(domain_id) AS b, COUNT(*) AS n FROM concept GROUP BY ROLLUP (domain_id)",
]


def _same(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    """Say whether two rows agree, but for the rounding of doubles and of decimals that a client reads."""
    plain = [[float(value) if isinstance(value, Decimal) else value for value in row] for row in (one, other)]
    return all(
        a == b if a is None or isinstance(a, str) else a == pytest.approx(b) for a, b in zip(*plain, strict=True)
    )


@pytest.mark.parametrize("sql", PLAIN)
def test_with_wide_bounds_and_no_noise_the_answer_is_plain_sql_s(house: House, sql: str) -> None:
    found = house.ask(sql, NoNoise(), WIDE)
    plain = house.connection.execute(sql).fetchall()
    assert len(found.rows) == len(plain)
    assert all(any(_same(row, other) for other in plain) for row in found.rows)


@pytest.mark.parametrize("sql", PLAIN)
def test_every_noisy_number_carries_an_interval(house: House, sql: str) -> None:
    found = house.ask(sql, OpenDPNoise(), WIDE)
    for column, intervals in zip(found.columns, found.intervals, strict=True):
        assert (intervals is not None) == column.noisy or not found.rows
    names = [str(column["name"]) for column in found.as_json()["columns"]]  # type: ignore[attr-defined]
    assert sum(name.endswith("_low") for name in names) == sum(column.noisy for column in found.columns)


RANKED = (
    "SELECT gender_concept_id AS g, COUNT(*) AS n, SUM(COUNT(*)) OVER () AS total, "
    "RANK() OVER (ORDER BY COUNT(*) DESC) AS place FROM person GROUP BY 1"
)


def test_a_place_by_noise_has_no_interval_and_what_stands_beside_it_keeps_its_own(house: House) -> None:
    _, count, total, place = house.ask(RANKED, NoNoise(), WIDE).intervals
    assert count is not None
    assert total is not None
    assert all(ends != (None, None) for ends in (*count, *total))
    assert place == ((None, None),) * 3


def test_a_window_over_rows_that_noise_has_chosen_has_no_interval(house: House) -> None:
    sql = (
        "SELECT g, n, SUM(n) OVER (ORDER BY g) AS up_to FROM (SELECT gender_concept_id AS g, COUNT(*) AS n FROM person "
        "GROUP BY 1 HAVING COUNT(*) > -1000) q"
    )
    _, count, up_to = house.ask(sql, NoNoise(), WIDE).intervals
    assert count is not None
    assert up_to is None


SMALL = "SELECT gender_concept_id AS g, COUNT(*) AS n FROM person GROUP BY 1"


@pytest.mark.parametrize(
    "sql",
    [
        f"SELECT g, n, SUM(n) OVER () AS s, LAG(n, 1, 7) OVER (ORDER BY g) AS b FROM ({SMALL}) q",
        f"SELECT g, n FROM ({SMALL}) q UNION ALL SELECT g, n * 2 FROM ({SMALL}) r",
        f"SELECT g, n FROM ({SMALL}) q UNION ALL SELECT 1, COUNT(*) FROM death",
    ],
)
def test_what_is_suppressed_stays_so_through_windows_and_unions(house: House, sql: str) -> None:
    found = house.ask(sql, NoNoise(), WIDE, rules(units=10_000, minimum_group=30_000))
    assert all(found.suppressed)
    assert all(row[1] is None for row in found.rows)
    for row in found.as_json()["rows"]:  # type: ignore[attr-defined]
        assert row[1:] == [{"marker": "suppressed"}] * len(row[1:])


def test_known_groups_leave_alike_whatever_is_in_them(house: House) -> None:
    sql = "SELECT gender_concept_id AS g, COUNT(*) AS n FROM person GROUP BY 1"
    nobody = "SELECT gender_concept_id AS g, COUNT(*) AS n FROM person WHERE year_of_birth > 2020 GROUP BY 1"
    some, none = (house.ask(one, OpenDPNoise()) for one in (sql, nobody))
    assert [row[0] for row in some.rows] == [row[0] for row in none.rows] == [8507, 8532, None]


def test_a_person_in_many_unknown_groups_is_cut_to_the_bound_by_a_bound_secret(house: House) -> None:
    sql = "SELECT condition_concept_id, COUNT(*) AS n FROM condition_occurrence GROUP BY 1"
    assert (
        house.planned(sql).blocks[0].shape.groups == CONDITION.typical_rows
    )  # each of a person's usual rows stands in one group
    statement = render(house.planned(sql, Ask(groups=1)).blocks[0].shape.relation)
    assert statement.parameters == (SECRET,)
    kept = house.connection.sql(statement.sql, params={SECRET: 7}).fetchall()
    people = house.connection.execute("SELECT COUNT(DISTINCT person_id) FROM condition_occurrence").fetchone()
    assert people is not None
    assert sum(row[2] for row in kept) == people[0]


def test_the_same_question_spelled_otherwise_is_one_question(house: House) -> None:
    one = (
        house.planned("SELECT COUNT(*) AS n FROM person WHERE year_of_birth > 1970 AND location_id = 1").blocks[0].shape
    )
    other = house.planned(
        "select 2 * count(*) from (select * from person p) q where 1=location_id and year_of_birth > 1970"
    )
    assert other.blocks[0].shape.question == one.question
    assert (
        house.planned("SELECT COUNT(*) FROM person WHERE year_of_birth > 1971").blocks[0].shape.question != one.question
    )


def test_a_bound_of_a_total_is_named_as_the_query_names_the_output(house: House) -> None:
    ask = Ask(totals={"spent": Interval(Fraction(0), Fraction(100))})
    found = house.planned("SELECT SUM(paid) AS spent FROM measurement", ask)
    assert found.bounds["spent"]["high"] == "100"
    with pytest.raises(Refused):
        house.planned("SELECT SUM(paid) AS other FROM measurement", ask)


def test_the_share_at_a_bound_is_told_of_what_can_be_clipped_and_was_measured_together() -> None:
    """Two results: of the one half the people have more rows than count, of the other nobody can have."""
    house = House()
    text = (
        "SELECT a.n AS rows, b.n AS people FROM (SELECT COUNT(*) AS n FROM condition_occurrence) a "
        "CROSS JOIN (SELECT COUNT(*) AS n FROM person) b"
    )
    found = house.ask(text, NoNoise(), Ask(rows=1))
    assert set(found.clips) == {"rows"}
    assert found.clips["rows"] == found.clipped
    several = house.ask("SELECT COUNT(*) AS n, COUNT(DISTINCT person_id) AS p FROM condition_occurrence", NoNoise())
    assert set(several.clips) == {"n"}, "each person counts once whatever they have"
