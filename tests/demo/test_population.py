"""The synthetic population: deterministic, consistent, plausible, and careful where it puts identifiers."""

import csv
import hashlib
from collections.abc import Iterator
from pathlib import Path

import duckdb
import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import data
from tre.demo import DIRECT_IDENTIFIERS, SCHEMAS, generate
from tre.demo.identifiers import check_digits, nhs_numbers

PEOPLE = 6_000
EVENTS = ("condition_occurrence", "drug_exposure", "procedure_occurrence", "measurement", "observation")
STARTS = {
    "condition_occurrence": "condition_start_date",
    "drug_exposure": "drug_exposure_start_date",
    "procedure_occurrence": "procedure_date",
    "measurement": "measurement_date",
    "observation": "observation_date",
}
EXTRA = {"nhs_number", "postcode", "date_of_birth"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("population")
    generate(PEOPLE, 7, target)
    return target


@pytest.fixture(scope="module")
def tables(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        for name in SCHEMAS:
            connection.execute(f"CREATE TABLE {name} AS SELECT * FROM '{folder / name}.parquet'")
        yield connection


def rows(tables: duckdb.DuckDBPyConnection, sql: str) -> list[tuple]:
    return tables.execute(sql).fetchall()


def count(tables: duckdb.DuckDBPyConnection, sql: str) -> float:
    ((value,),) = rows(tables, sql)
    return value


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def test_the_same_seed_gives_the_same_bytes_and_another_seed_another_population(tmp_path: Path) -> None:
    for name, seed in (("one", 3), ("two", 3), ("three", 4)):
        generate(500, seed, tmp_path / name)
    assert digests(tmp_path / "one") == digests(tmp_path / "two")
    assert digests(tmp_path / "one")["person.parquet"] != digests(tmp_path / "three")["person.parquet"]


def test_chunks_continue_keys_and_people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tre.demo.population.CHUNK", 400)
    told: list[tuple[str, float]] = []
    generate(1_000, 3, tmp_path, lambda step, part: told.append((step, part)))
    assert told == [("population", 0.4), ("population", 0.8), ("population", 1.0)]
    for name, key in (("person", "person_id"), ("visit_occurrence", "visit_occurrence_id"), ("cost", "cost_id")):
        keys = pq.read_table(tmp_path / f"{name}.parquet", columns=[key])[key].to_pylist()
        assert keys == list(range(1, len(keys) + 1))


@pytest.mark.parametrize(("people", "seed"), [(0, 1), (10, -1)])
def test_nonsense_is_refused_before_anything_is_written(people: int, seed: int, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least"):
        generate(people, seed, tmp_path / "none")
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("people", [1, 2, 3])
def test_the_smallest_populations_work(people: int, tmp_path: Path) -> None:
    generate(people, 1, tmp_path)
    assert pq.read_table(tmp_path / "person.parquet").num_rows == people


def test_columns_are_those_of_the_cdm_and_three_identifiers() -> None:
    with data("omop/OMOP_CDMv5.4_Field_Level.csv").open(encoding="utf-8-sig", newline="") as lines:
        fields: dict[str, list[str]] = {}
        for line in csv.DictReader(lines):
            fields.setdefault(line["cdmTableName"].lower(), []).append(line["cdmFieldName"].lower())
    for name, schema in SCHEMAS.items():
        assert [field for field in schema.names if field not in EXTRA] == fields[name], name


def test_every_event_belongs_to_a_known_person_inside_observation(tables: duckdb.DuckDBPyConnection) -> None:
    for name in (*EVENTS, "visit_occurrence"):
        start = STARTS.get(name, "visit_start_date")
        assert count(tables, f"SELECT count(*) FROM {name}") > 0
        outside = f"""SELECT count(*) FROM {name} LEFT JOIN observation_period o USING (person_id)
            WHERE o.person_id IS NULL
            OR {start} NOT BETWEEN observation_period_start_date AND observation_period_end_date"""
        assert count(tables, outside) == 0, name
        key = next(field for field in SCHEMAS[name].names if field.endswith("_id"))
        assert count(tables, f"SELECT count(*) - count(DISTINCT {key}) FROM {name}") == 0


def test_an_event_at_a_visit_has_that_visits_person_and_day_and_many_have_none(
    tables: duckdb.DuckDBPyConnection,
) -> None:
    for name in EVENTS:
        wrong = f"""SELECT count(*) FROM {name} e LEFT JOIN visit_occurrence v USING (visit_occurrence_id)
            WHERE e.visit_occurrence_id IS NOT NULL
            AND (v.person_id IS DISTINCT FROM e.person_id OR v.visit_start_date <> {STARTS[name]})"""
        assert count(tables, wrong) == 0, name
    assert count(tables, "SELECT avg((visit_occurrence_id IS NULL)::int) FROM drug_exposure") > 0.2
    preceding = """SELECT count(*) FROM visit_occurrence a
        LEFT JOIN visit_occurrence b ON a.preceding_visit_occurrence_id = b.visit_occurrence_id
        WHERE a.preceding_visit_occurrence_id IS NOT NULL
        AND (b.person_id IS DISTINCT FROM a.person_id OR b.visit_start_date > a.visit_start_date)"""
    assert count(tables, preceding) == 0


def test_places_costs_and_concepts_exist(tables: duckdb.DuckDBPyConnection) -> None:
    links = [("cost", "cost_event_id", "visit_occurrence", "visit_occurrence_id")]
    for name, schema in SCHEMAS.items():
        for field in schema.names:
            if field.endswith("concept_id") and name not in ("vocabulary", "domain"):
                links.append((name, field, "concept", "concept_id"))
            for target in ("location", "care_site", "provider"):
                if field == f"{target}_id" and name != target:
                    links.append((name, field, target, field))
    for name, field, target, key in links:
        lost = f"SELECT count(*) FROM {name} e WHERE e.{field} NOT IN (SELECT {key} FROM {target})"
        assert count(tables, lost) == 0, (name, field)
    lost = "SELECT count(*) FROM concept ANTI JOIN {0} USING ({0}_id)"
    assert count(tables, lost.format("vocabulary")) == count(tables, lost.format("domain")) == 0


def test_rates_are_plausible(tables: duckdb.DuckDBPyConnection) -> None:
    age = "2024 - year_of_birth"

    def share(concept: int, where: str) -> float:
        have = f"(SELECT person_id FROM condition_occurrence WHERE condition_concept_id = {concept})"
        return count(tables, f"SELECT avg((person_id IN {have})::int) FROM person WHERE {where}")

    assert 38 < count(tables, f"SELECT avg({age}) FROM person") < 44
    assert 0.48 < count(tables, "SELECT avg((gender_concept_id = 8532)::int) FROM person") < 0.54
    assert share(201826, f"{age} < 20") == 0
    assert 0.04 < share(201826, "true") < 0.12
    assert share(320128, f"{age} > 65") > 3 * share(320128, f"{age} BETWEEN 20 AND 45")
    assert 0.02 < count(tables, "SELECT (SELECT count(*) FROM death) / count(*) FROM person") < 0.09


def test_the_deprived_are_sicker(tables: duckdb.DuckDBPyConnection) -> None:
    sick = """SELECT substr(location_source_value, 5)::int <= 5 AS deprived, avg((person_id IN (SELECT person_id
        FROM condition_occurrence WHERE condition_concept_id IN (201826, 255573)))::int)
        FROM person JOIN location USING (location_id) WHERE year_of_birth < 1985 GROUP BY 1 ORDER BY 1"""
    (_, affluent), (_, deprived) = rows(tables, sick)
    assert deprived > 1.15 * affluent


def test_respiratory_illness_comes_in_winter(tables: duckdb.DuckDBPyConnection) -> None:
    season = """SELECT count(*) FILTER (month(condition_start_date) IN (12, 1, 2)),
        count(*) FILTER (month(condition_start_date) IN (6, 7, 8))
        FROM condition_occurrence WHERE condition_concept_id IN (260139, 4112343, 257011, 255848, 4266367)"""
    ((winter, summer),) = rows(tables, season)
    assert winter > 3 * summer


def test_contributions_are_skewed_and_some_people_have_hundreds_of_rows(
    tables: duckdb.DuckDBPyConnection,
) -> None:
    per_person = "SELECT person_id, count(*) AS n FROM measurement GROUP BY 1"
    ((median, most),) = rows(tables, f"SELECT median(n), max(n) FROM ({per_person})")
    assert most >= 200
    assert most > 15 * median
    nobody = "SELECT avg((person_id NOT IN (SELECT person_id FROM visit_occurrence))::int) FROM person"
    assert 0.1 < count(tables, nobody) < 0.5


def test_values_are_missing_here_and_there(tables: duckdb.DuckDBPyConnection) -> None:
    for name, field in (
        ("person", "location_id"),
        ("measurement", "value_as_number"),
        ("visit_occurrence", "provider_id"),
        ("condition_occurrence", "condition_end_date"),
    ):
        assert 0 < count(tables, f"SELECT avg(({field} IS NULL)::int) FROM {name}") < 0.6, (name, field)


def test_costs_are_money(tables: duckdb.DuckDBPyConnection) -> None:
    assert count(tables, "SELECT count(*) FROM cost WHERE total_cost <= 0 OR total_paid < 0") == 0
    balance = "SELECT count(*) FROM cost WHERE total_paid <> paid_by_payer + paid_by_patient"
    assert count(tables, balance) == 0
    ((mean, median),) = rows(tables, "SELECT avg(total_cost), median(total_cost) FROM cost")
    assert mean > 1.5 * float(median)
    assert pq_type(tables) == "DECIMAL(12,2)"


def pq_type(tables: duckdb.DuckDBPyConnection) -> str:
    return str(rows(tables, "SELECT typeof(total_cost) FROM cost LIMIT 1")[0][0])


def check_digit(stem: int) -> int:
    """The Data Dictionary's rule, spelled out: weights 10 … 2, 11 minus the remainder, 11 is 0, 10 is no number."""
    total = sum(int(digit) * weight for digit, weight in zip(f"{stem:09d}", range(10, 1, -1), strict=True))
    return (11 - total % 11) % 11


def test_the_data_dictionarys_example_has_its_check_digit() -> None:
    assert check_digits(np.array([943476591])).tolist() == [9]


@given(st.integers(0, 10**9 - 1))
def test_check_digits_follow_the_rule(stem: int) -> None:
    assert check_digits(np.array([stem])).tolist() == [check_digit(stem)]


def test_nhs_numbers_are_valid_distinct_and_of_the_test_range(tables: duckdb.DuckDBPyConnection) -> None:
    numbers = [number for (number,) in rows(tables, "SELECT nhs_number FROM person ORDER BY person_id")]
    assert len(set(numbers)) == PEOPLE
    assert all(len(n) == 10 and n.startswith("999") and check_digit(int(n[:9])) == int(n[9]) for n in numbers)
    assert numbers != sorted(numbers)


def test_nhs_numbers_go_on_when_the_test_range_is_used_up() -> None:
    numbers = nhs_numbers(905_000, 10_000)
    assert len(set(numbers)) == 10_000
    assert {number[:3] for number in numbers} == {"999", "998"}
    assert numbers[9_000:].tolist() == nhs_numbers(914_000, 1_000).tolist()


def test_identifiers_stand_in_the_declared_columns_and_nowhere_else(tables: duckdb.DuckDBPyConnection) -> None:
    postcodes = "SELECT postcode FROM person WHERE postcode IS NOT NULL"
    secrets = f"SELECT nhs_number FROM person UNION ALL {postcodes}"
    for name, schema in SCHEMAS.items():
        for field in schema.names:
            found = count(tables, f"SELECT count(*) FROM {name} e WHERE e.{field}::VARCHAR IN ({secrets})")
            declared = field in DIRECT_IDENTIFIERS.get(name, ())
            assert (found > 0) == (declared and field not in ("date_of_birth", "birth_datetime")), (name, field)
