"""What a version is: immutable, clustered, renumbered, without identifiers, and committed to."""

import itertools
import json
import os
import re
import secrets
from dataclasses import fields, replace
from datetime import date
from decimal import Decimal
from math import inf, isnan
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.onboarding.catalogues import TEXT, columns, omop, table
from tests.onboarding.small import (
    NOW,
    POLICY,
    Rows,
    changed,
    left_behind,
    make,
    make_from,
    policy,
    read,
    rows,
    write_csv,
    write_duckdb,
    write_parquet,
)
from tests.support import data
from tre.catalogue import SIDE_SCHEMA, Access, ColumnClass
from tre.demo import generate
from tre.onboarding import load_version

SECRETS = (b"9990000018", b"9990000026", b"9990000034", b"x1", b"secret_note")


@pytest.fixture(scope="module")
def population(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("demo")
    generate(2_000, 5, target)
    return target


def test_values_arrive_as_they_are(tmp_path: Path) -> None:
    version = make_from(rows(), tmp_path)
    found = read(
        version,
        "SELECT p.year_of_birth, m.visit_occurrence_id, m.value_as_number, m.note "
        "FROM person p JOIN measurement m USING (person_id) ORDER BY ALL",
    )
    by_visit = {visit: (born, value, note) for born, visit, value, note in found}
    assert by_visit[100] == (1980, 1.5, 'a, "b"\nc')
    assert by_visit[999] == (1950, inf, "|1:x")
    assert isnan(by_visit[None][1])
    assert by_visit[None][2] is None
    assert read(version, "SELECT visit_start_date FROM visit_occurrence WHERE visit_occurrence_id = 101") == [
        (date(2020, 2, 1),)
    ]
    assert read(version, "SELECT * FROM concept ORDER BY 1") == [(8507, "MALE"), (8532, "FEMALE")]


def test_a_table_without_a_unit_column_gets_that_of_the_row_it_is_linked_to(tmp_path: Path) -> None:
    found = read(
        make_from(rows(), tmp_path),
        "SELECT p.year_of_birth, c.total_cost FROM cost c JOIN person p USING (person_id) ORDER BY 1",
    )
    assert found == [(1950, Decimal("12.34")), (1980, Decimal("0.10"))]


def test_parquet_csv_and_duckdb_give_the_same_content(tmp_path: Path) -> None:
    sources = [
        write_parquet(tmp_path / "parquet", rows()),
        write_csv(tmp_path / "csv", rows()),
        write_duckdb(tmp_path / "duckdb", rows()),
    ]
    versions = [make(source, tmp_path) for source in sources]
    assert len({version.commitment for version in versions}) == 1
    assert len({version.name for version in versions}) == 3


def test_only_declared_tables_and_columns_are_in_the_file(tmp_path: Path) -> None:
    version = make_from(rows(), tmp_path)
    found = read(version, "SELECT schema_name, table_name, column_name FROM duckdb_columns() WHERE NOT internal")
    main: dict[str, set[str]] = {}
    for schema, held, column in found:
        if schema == "main":
            main.setdefault(held, set()).add(column)
    assert main.keys() == POLICY.tables.keys() - {"fact_relationship"}
    assert main["person"] == {"person_id", "year_of_birth", "location_id"}
    assert {schema for schema, _, _ in found} == {"main", SIDE_SCHEMA}


def test_identifiers_are_nowhere_in_the_files_bytes(tmp_path: Path) -> None:
    folder = make_from(rows(), tmp_path).path.parent
    for file in folder.iterdir():
        content = file.read_bytes()
        assert not [secret for secret in SECRETS if secret in content], file.name


def test_no_nhs_number_or_postcode_of_the_population_is_in_the_files_bytes(population: Path, tmp_path: Path) -> None:
    people = pq.read_table(population / "person.parquet", columns=["nhs_number", "postcode"]).to_pydict()
    known = {text.encode() for column in people.values() for text in column if text}
    assert not known & identifiers(make(population, tmp_path, omop()).path)
    # The search sees what a version that does copy them holds.
    person = omop().tables["person"]
    careless = {name: replace(column, klass=ColumnClass.ORDINARY) for name, column in person.columns.items()}
    careless["person_id"] = person.columns["person_id"]
    tables = dict(omop().tables) | {"person": replace(person, columns=careless)}
    assert known & identifiers(make(population, tmp_path, replace(omop(), tables=tables)).path)


def identifiers(file: Path) -> set[bytes]:
    """All that looks like an NHS number or a postcode of the population in the raw bytes."""
    return set(re.findall(rb"(?=(99[89][0-9]{7}|ZZ[0-9]{1,2} [0-9][A-Z]{2}))", file.read_bytes()))


def test_units_have_random_numbers(population: Path, tmp_path: Path) -> None:
    """Two versions number the same people differently, neither in the order of the source's keys."""
    orders = []
    for _ in range(2):
        version = make(population, tmp_path, omop())
        orders.append(
            [
                key
                for (key,) in read(
                    version,
                    "SELECT min(visit_occurrence_id) FROM visit_occurrence GROUP BY person_id ORDER BY person_id",
                )
            ]
        )
        assert read(version, "SELECT count(DISTINCT person_id) FROM person") == [(2_000,)]
    assert orders[0] != orders[1]
    # Visit keys of the source rise with its person keys; in a random order about half of all steps rise.
    for order in orders:
        rises = sum(a < b for a, b in itertools.pairwise(order)) / len(order)
        assert 0.4 < rises < 0.6


def test_every_private_table_is_sorted_by_unit_and_its_rows_per_unit_are_kept(population: Path, tmp_path: Path) -> None:
    catalogue = omop()
    version = make(population, tmp_path, catalogue)
    for name, declared in catalogue.tables.items():
        if declared.unit is None:
            continue
        keys = [key for (key,) in read(version, f"SELECT person_id FROM {name}")]
        assert keys == sorted(keys), name
        counted = read(version, f"SELECT person_id, count(*) FROM {name} GROUP BY 1 ORDER BY 1")
        assert read(version, f"SELECT unit, n FROM {SIDE_SCHEMA}.{name}") == counted


def test_the_population_keeps_its_rows(population: Path, tmp_path: Path) -> None:
    catalogue = omop()
    version = make(population, tmp_path, catalogue)
    for name in catalogue.tables.keys() - {"fact_relationship"}:
        assert read(version, f"SELECT count(*) FROM {name}") == [
            (pq.ParquetFile(population / f"{name}.parquet").metadata.num_rows,)
        ]
    sizes = version.public_sizes
    assert sizes["concept"] == 114
    for column in ("concept_id", "domain_id"):
        ((most,),) = read(version, f"SELECT max(n) FROM (SELECT count(*) AS n FROM concept GROUP BY {column})")
        assert sizes[f"concept.{column}"] == most


def test_gibleed_becomes_a_version(tmp_path: Path) -> None:
    version = make(data("gibleed"), tmp_path, omop())
    assert read(version, "SELECT count(*) FROM person") == [(2_694,)]
    assert read(version, "SELECT count(*), count(DISTINCT person_id) FROM observation_period") == [(2_694, 2_694)]
    assert read(version, "SELECT count(*) FROM condition_occurrence") == [(65_332,)]
    assert version.public_sizes["concept"] == 444


def test_the_commitment_is_of_content_alone(tmp_path: Path) -> None:
    """Not of the order of rows, tables' unlisted columns, names or moments; any change of content changes it."""
    one = make_from(rows(), tmp_path)
    turned = changed(lambda found: [lines.reverse() for lines in found.values()])
    assert make_from(turned, tmp_path).commitment == one.commitment

    def edit(table: str, column: str, value: object) -> Rows:
        return changed(lambda found: found[table][0].update({column: value}))

    assert make_from(edit("person", "secret_note", "other"), tmp_path).commitment == one.commitment
    others = [
        edit("person", "year_of_birth", 1951),
        edit("person", "year_of_birth", None),
        edit("measurement", "note", ""),
        edit("concept", "concept_name", "MAN"),
        changed(lambda found: found["measurement"].append(dict(found["measurement"][0]))),
        changed(lambda found: found["measurement"].extend([dict(found["measurement"][0])] * 2)),
        changed(lambda found: found["concept"].pop()),
    ]
    seen = [make_from(other, tmp_path).commitment for other in others]
    assert len({one.commitment, *seen}) == len(others) + 1


def test_the_commitment_is_keyed(tmp_path: Path) -> None:
    assert make_from(rows(), tmp_path).commitment != make_from(rows(), tmp_path, commitment_key=b"j" * 32).commitment


def test_a_separator_in_a_text_does_not_make_two_contents_one(tmp_path: Path) -> None:
    two_texts = table("concept", Access.PUBLIC, columns(TEXT, "first", "second"))
    declared = replace(POLICY, tables={**POLICY.tables, "concept": two_texts})
    contents: list[dict[str, str | None]] = [
        {"first": "1|2", "second": "3"},
        {"first": "1", "second": "2|3"},
        {"first": "1", "second": ""},
        {"first": "1", "second": None},
        {"first": "1|0:", "second": None},
    ]
    sources = [rows() | {"concept": [line, {"first": "x", "second": "y"}]} for line in contents]
    assert len({make_from(source, tmp_path, declared).commitment for source in sources}) == len(contents)


def with_many_visits(order: int = 1) -> Rows:
    visits = [
        {"visit_occurrence_id": 200 + i, "person_id": 33, "visit_start_date": date(2021, 1, 1 + i)} for i in range(6)
    ]
    return changed(lambda found: found["visit_occurrence"].extend(visits[::order]))


def test_rows_beyond_the_cap_are_cut_the_same_way_in_any_order(tmp_path: Path) -> None:
    one, two = make_from(with_many_visits(), tmp_path), make_from(with_many_visits(-1), tmp_path)
    kept = "SELECT visit_occurrence_id FROM visit_occurrence WHERE visit_occurrence_id >= 200 ORDER BY 1"
    assert len(read(one, kept)) == 4
    assert read(one, kept) == read(two, kept)
    assert one.commitment == two.commitment
    assert one.enforced == {"visit_occurrence": 4}
    assert read(one, "SELECT count(*) FROM visit_occurrence WHERE visit_occurrence_id < 200") == [(3,)]


def test_which_rows_the_cap_keeps_depends_on_the_key_and_not_on_other_people(tmp_path: Path) -> None:
    kept = "SELECT visit_occurrence_id FROM visit_occurrence WHERE visit_occurrence_id >= 200 ORDER BY 1"
    whole = read(make_from(with_many_visits(), tmp_path), kept)
    without = with_many_visits()
    for name in ("person", "visit_occurrence", "measurement"):
        without[name] = [line for line in without[name] if line["person_id"] != 22]
    without["cost"] = without["cost"][:1]
    assert read(make_from(without, tmp_path), kept) == whole
    keys = [secrets.token_bytes(32) for _ in range(8)]
    assert len({str(read(make_from(with_many_visits(), tmp_path, commitment_key=key), kept)) for key in keys}) > 1


def test_identical_rows_are_cut_to_the_cap_too(tmp_path: Path) -> None:
    same = changed(lambda found: found["measurement"].extend([dict(found["measurement"][0])] * 9))
    version = make_from(same, tmp_path, policy("measurement", rows_per_unit=3))
    assert read(version, "SELECT count(*) FROM measurement WHERE note IS NOT NULL AND visit_occurrence_id = 100") == [
        (3,)
    ]


def test_a_version_is_read_only_and_says_nothing_private(tmp_path: Path) -> None:
    version = make_from(rows(), tmp_path)
    folder = version.path.parent
    assert folder == tmp_path / "versions" / version.name
    assert {path.name: oct(path.stat().st_mode & 0o777) for path in folder.iterdir()} == {
        "data.duckdb": "0o400",
        "version.json": "0o400",
    }
    assert folder.stat().st_mode & 0o077 == 0
    facts = json.loads((folder / "version.json").read_text())
    assert facts == {
        "name": version.name,
        "commitment": version.commitment,
        "enforced": {"visit_occurrence": 4},
        "public_sizes": {"concept": 2, "concept.concept_id": 1, "concept.concept_name": 1},
        "absent": [],
        "counted": ["person", "visit_occurrence", "measurement", "cost"],
        "catalogue_digest": "d" * 64,
        "created": "2026-03-01T12:00:00.000Z",
    }
    read, written = load_version(folder), replace(version, created=NOW)
    assert all(getattr(read, one.name) == getattr(written, one.name) for one in fields(read))
    assert left_behind(tmp_path) == [version.name]


def test_progress_goes_through_all_steps_to_the_end(tmp_path: Path) -> None:
    told: list[tuple[str, float]] = []
    make_from(rows(), tmp_path, progress=lambda step, part: told.append((step, part)))
    assert list(dict.fromkeys(step for step, _ in told)) == ["read", "check", "commit", "cluster"]
    for step in ("read", "check", "commit", "cluster"):
        parts = [part for name, part in told if name == step]
        assert parts == sorted(parts)
        assert parts[-1] == 1.0


def test_what_is_written_is_flushed_before_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[str] = []
    sync, rename = os.fsync, Path.rename

    def note_sync(handle: int) -> None:
        steps.append("fsync " + Path(os.readlink(f"/proc/self/fd/{handle}")).name)
        sync(handle)

    def note_rename(path: Path, target: Path) -> Path:
        steps.append("rename")
        return rename(path, target)

    monkeypatch.setattr(os, "fsync", note_sync)
    monkeypatch.setattr(Path, "rename", note_rename)
    make_from(rows(), tmp_path)
    at = steps.index("rename")
    assert {"fsync data.duckdb", "fsync version.json"} <= set(steps[:at])
    assert steps[at + 1 :] == ["fsync versions"]
