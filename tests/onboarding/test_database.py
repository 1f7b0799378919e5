"""A PostgreSQL database as a source: the same content as from files, the same refusals, one moment, no secrets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from math import copysign, inf, isnan
from pathlib import Path
from tempfile import mkdtemp
from types import MappingProxyType
from typing import Any

import psycopg
import pytest

from tests.engines.servers import roles
from tests.onboarding.catalogues import catalogue, columns, private, unit
from tests.onboarding.small import POLICY, Rows, changed, left_behind, make, make_from, policy, read, rows
from tests.postgresql import drop_database, fresh_database
from tre.catalogue import Catalogue, Column, IdentifierType, Kind, Type
from tre.onboarding import Server, VersionRefused

SHAPE = """
CREATE TABLE person (person_id int PRIMARY KEY, year_of_birth smallint, location_id bigint, nhs_number varchar(10),
  secret_note text);
CREATE TABLE visit_occurrence (visit_occurrence_id bigint, person_id int, visit_start_date date);
CREATE TABLE measurement (person_id int, visit_occurrence_id bigint, value_as_number float8, note text);
CREATE TABLE "Cost" (cost_event_id bigint, "Total_Cost" numeric);
CREATE TABLE location (location_id bigint, county char(20));
CREATE TABLE concept (concept_id int, concept_name varchar);
CREATE TABLE fact_relationship (a int);
CREATE TABLE unnamed (b int);
"""


def fill(address: str, found: Rows) -> str:
    """Make the tables in an empty database, with these rows; return its address."""
    with psycopg.connect(address) as connection:
        connection.execute(SHAPE.encode())
        for table, lines in found.items():
            held = {"cost": '"Cost"'}.get(table, table)
            for line in lines:
                listed = ", ".join(f'"{"Total_Cost" if one == "total_cost" else one}"' for one in line)
                places = ", ".join("%s" for _ in line)
                connection.execute(f"INSERT INTO {held} ({listed}) VALUES ({places})".encode(), list(line.values()))
    return address


@pytest.fixture
def empty() -> Iterator[str]:
    address = fresh_database()
    yield address
    drop_database(address)


@pytest.fixture
def source(empty: str) -> str:
    return fill(empty, rows())


def run(address: str, *statements: str) -> list[Any]:
    with psycopg.connect(address, autocommit=True) as connection:
        for statement in statements:
            found = connection.execute(statement.encode())
        return found.fetchall() if found.description else []


def test_a_database_gives_the_content_that_files_give(source: str, tmp_path: Path) -> None:
    """Whatever case its names have, whatever whole number, text or decimal type its columns are of."""
    version = make(source, tmp_path)
    assert version.commitment == make_from(rows(), tmp_path).commitment
    assert version.public_sizes == make_from(rows(), tmp_path).public_sizes


def test_tokens_are_made_of_the_identifiers_of_the_database(source: str, tmp_path: Path) -> None:
    person = POLICY.tables["person"]
    named = replace(person.columns["nhs_number"], identifier=IdentifierType.NHS_NUMBER)
    declared = policy("person", columns=MappingProxyType({**person.columns, "nhs_number": named}))
    folders = [make(source, tmp_path, declared).path.parent, make_from(rows(), tmp_path, declared).path.parent]
    sizes = [[one.stat().st_size for one in folder.glob("tokens-*.arrow")] for folder in folders]
    assert sizes[0] == sizes[1] != []


REAL = Type(Kind.DOUBLE)
BREAKING = catalogue(
    private(
        "person",
        unit(),
        *columns(Type(Kind.TEXT), "words"),
        *columns(REAL, "real"),
        *columns(Type(Kind.DECIMAL, 38, 9), "money"),
        *columns(Type(Kind.DATE), "day"),
        *columns(Type(Kind.TIMESTAMP), "at", "zoned"),
        *columns(Type(Kind.BOOLEAN), "yes"),
        *columns(Type(Kind.INTEGER), "whole"),
        key="person_id",
    ),
    units=100,
)
VALUES = {
    "words": ["", None, " ", '"', "a,b", "x\ny\r\nz", "\\.", "\\N", "NULL", "Grüße 🩺", "e\u0301", "t", "\t", "'"],
    "real": [0.0, -0.0, 0.1, float("nan"), inf, -inf, 5e-324, 1.7976931348623157e308, 1 / 3, None, 1e15, 1e16],
    "money": ["0", "-0.000000001", "12345678901234567890123456789.123456789", "1.50", None],
    "day": ["0001-01-01", "9999-12-31", "2024-02-29", None],
    "at": ["0001-01-01 00:00:00", "9999-12-31 23:59:59.999999", "2024-02-29 12:00:00.000001", None],
    "zoned": ["2024-06-01 00:30:00+01", "1970-01-01 00:00:00Z", None],
    "yes": [True, False, None],
    "whole": [2**63 - 1, -(2**63), 0, None],
}


def breaking(address: str) -> list[tuple[Any, ...]]:
    """Fill a database with the values that break copies; return the rows, by person, as they must arrive."""
    shape = "words text, real float8, money numeric, day date, at timestamp, zoned timestamptz, yes boolean, whole int8"
    run(address, f"CREATE TABLE person (person_id bigint, {shape})")
    most = max(len(values) for values in VALUES.values())
    lines = [[at, *(values[at % len(values)] for values in VALUES.values())] for at in range(most)]
    with psycopg.connect(address) as connection:
        for line in lines:
            connection.execute(b"INSERT INTO person VALUES (%s,%s,%s,%s,%s,%s,%s,%s,%s)", line)
    with psycopg.connect(address) as connection:
        connection.execute("SET timezone = 'UTC'")
        listed = "words, real, money::numeric(38,9), day, at, zoned AT TIME ZONE 'UTC', yes, whole"
        return connection.execute(f"SELECT {listed} FROM person".encode()).fetchall()


def alike(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """A row so that equal means the same: NaN is itself, and no zero is another."""
    return tuple(("nan" if isnan(one) else (copysign(1, one), one)) if isinstance(one, float) else one for one in row)


@pytest.mark.parametrize("encoding", ["UTF8", "LATIN1"])
def test_values_that_break_copies_arrive_as_they_are_in_either_engine(
    empty: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    """NULL and the empty text, quotes, line ends, signs of zero, the ends of time, beyond ASCII, whatever is usual."""
    expected = sorted((alike(one) for one in breaking(empty)), key=repr)
    monkeypatch.setenv("PGCLIENTENCODING", encoding)
    listed = "SELECT " + ", ".join(f'"{one}"' for one in VALUES) + " FROM "
    embedded = make(empty, tmp_path, BREAKING)
    assert sorted((alike(one) for one in read(embedded, f"{listed} person")), key=repr) == expected
    with roles() as (owner, _reader, role):
        there = make(empty, tmp_path, BREAKING, server=Server(owner, role))
        assert there.commitment == embedded.commitment
        monkeypatch.undo()
        found = run(owner, f"{listed} {there.path.read_text().strip()}.person")
    assert sorted((alike(one) for one in found), key=repr) == expected


def test_a_database_in_another_encoding_gives_the_same_texts(tmp_path: Path) -> None:
    """Two letters of Latin 1 can be one of UTF-8: they would be another name, and nothing would be refused."""
    address = fresh_database("ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    fill(address, changed(lambda found: found["concept"][0].update(concept_name="MÃ©")))
    assert read(make(address, tmp_path), "SELECT concept_name FROM concept ORDER BY 1") == [("FEMALE",), ("MÃ©",)]
    drop_database(address)


def test_rows_of_one_empty_column_are_rows(source: str, tmp_path: Path) -> None:
    """A line of CSV without anything in it is a row of NULL; an empty table has no line at all."""
    run(source, "INSERT INTO concept VALUES (1, NULL), (2, ''), (3, NULL)")
    declared = policy("concept", columns=MappingProxyType(named(columns(Type(Kind.TEXT), "concept_name"))))
    version = make(source, tmp_path, declared)
    found = "SELECT count(*), count(concept_name), count(*) FILTER (concept_name = '') FROM concept"
    assert read(version, found) == [(5, 3, 1)]
    run(source, "TRUNCATE concept")
    assert read(make(source, tmp_path, declared), found) == [(0, 0, 0)]


def refused(address: str, home: Path, declared: Catalogue = POLICY, **more: Any) -> VersionRefused:
    with pytest.raises(VersionRefused) as caught:
        make(address, home, declared, **more)
    assert left_behind(home) == []
    assert caught.value.__cause__ is caught.value.__context__ is None
    return caught.value


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda found: found["visit_occurrence"][0].update(person_id=11), "link"),
        (lambda found: found["visit_occurrence"][0].update(visit_occurrence_id=101), "not-unique"),
        (lambda found: found["visit_occurrence"].extend(found["visit_occurrence"] * 3), "not-unique"),
        (lambda found: found["measurement"][0].update(person_id=44), "unknown-unit"),
        (lambda found: found["cost"][0].update(total_cost="12.345"), "type"),
        (lambda found: found["cost"][0].update(total_cost="NaN"), "type"),
        (lambda found: found["visit_occurrence"][0].update(visit_start_date="infinity"), "type"),
        (lambda found: found["visit_occurrence"][0].update(visit_start_date="0044-03-15 BC"), "type"),
        (lambda found: found["person"].clear(), "unknown-unit"),
    ],
)
def test_what_files_are_refused_for_a_database_is_refused_for(
    empty: str, tmp_path: Path, change: Callable[[Rows], object], code: str
) -> None:
    assert f"onboarding.{code}" in str(refused(fill(empty, changed(change)), tmp_path))


@pytest.mark.parametrize(
    ("statement", "code", "said"),
    [
        ("DROP TABLE concept", "missing-table", "concept"),
        ("ALTER TABLE concept DROP concept_name", "missing-column", "concept.concept_name"),
        ('CREATE TABLE "CONCEPT" (concept_id int)', "ambiguous-table", "public.CONCEPT, public.concept"),
        ('ALTER TABLE concept ADD "Concept_Id" int', "missing-column", "concept_id stands there twice"),
        ("ALTER TABLE concept ALTER concept_name TYPE bytea USING concept_name::bytea", "type", "concept_name"),
        ("ALTER TABLE visit_occurrence ALTER visit_start_date TYPE text USING '1.1.20'", "type", "visit_start_date"),
    ],
)
def test_what_a_database_lacks_or_has_twice_is_said(
    source: str, tmp_path: Path, statement: str, code: str, said: str
) -> None:
    run(source, statement)
    found = refused(source, tmp_path)
    assert str(found) == f"onboarding.{code}"
    assert said in found.detail


def test_views_are_read_and_other_servers_tables_are_not(source: str, tmp_path: Path) -> None:
    run(
        source,
        "ALTER TABLE concept RENAME TO held",
        "CREATE VIEW concept AS SELECT * FROM held",
        "ALTER TABLE location RENAME TO place",
        "CREATE MATERIALIZED VIEW location AS SELECT * FROM place",
    )
    assert make(source, home(tmp_path)).commitment == make_from(rows(), tmp_path).commitment
    run(source, "DROP VIEW concept", "CREATE FOREIGN DATA WRAPPER far", "CREATE SERVER far FOREIGN DATA WRAPPER far")
    run(source, "CREATE FOREIGN TABLE concept (concept_id int, concept_name text) SERVER far")
    assert "foreign" in refused(source, home(tmp_path)).detail


def test_the_search_path_of_the_address_says_where_the_tables_are(source: str, tmp_path: Path) -> None:
    run(source, "CREATE SCHEMA cdm", "CREATE SCHEMA vocabulary", "ALTER TABLE concept SET SCHEMA vocabulary")
    run(source, *(f'ALTER TABLE "{one}" SET SCHEMA cdm' for one in ("person", "visit_occurrence", "measurement")))
    run(source, *(f'ALTER TABLE "{one}" SET SCHEMA cdm' for one in ("Cost", "location")))
    named = f"{source}&options=-csearch_path%3Dcdm,vocabulary"
    assert make(named, tmp_path).commitment == make_from(rows(), tmp_path).commitment


def test_a_role_that_sees_a_part_of_the_rows_is_refused(source: str, tmp_path: Path) -> None:
    """Fewer rows than there are would be a smaller hospital; what may not be read is said."""
    with roles() as (_owner, reader, role):
        there = reader.replace(name_of(reader), name_of(source))
        assert "permission denied" in refused(there, tmp_path).detail
        run(source, f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")
        assert make(there, home(tmp_path)).commitment == make_from(rows(), tmp_path).commitment
        run(source, "ALTER TABLE measurement ENABLE ROW LEVEL SECURITY")
        run(source, f"CREATE POLICY few ON measurement TO {role} USING (person_id = 11)")
        assert "row-level security" in refused(there, home(tmp_path)).detail
        run(source, f"DROP OWNED BY {role}")


def home(folder: Path) -> Path:
    """Another home in this folder."""
    return Path(mkdtemp(dir=folder))


def name_of(address: str) -> str:
    return address.partition("?")[0].rpartition("/")[2]


def test_all_tables_are_those_of_one_moment(source: str, tmp_path: Path) -> None:
    """A hospital goes on writing: a visit whose person came after the people were read is not there yet."""
    told: list[str] = []

    def written(step: str, _part: float) -> None:
        told.append(step)
        if told == ["read"]:
            run(source, "INSERT INTO person (person_id) VALUES (44)")
            run(source, "INSERT INTO visit_occurrence VALUES (104, 44, '2020-01-01')")

    version = make(source, tmp_path, progress=written)
    assert told[0] == "read"
    assert version.commitment == make_from(rows(), tmp_path).commitment
    assert make(source, tmp_path).commitment != version.commitment


@pytest.mark.parametrize("last", [10, 60_000])
def test_a_table_that_breaks_off_is_no_smaller_table(source: str, tmp_path: Path, last: int) -> None:
    """Whether the server stops at once or after some of the blocks were taken in."""
    run(source, f"INSERT INTO concept SELECT g, repeat('x', 1000) FROM generate_series(1, {last}) g")
    run(source, "ALTER TABLE concept RENAME TO held")
    run(source, f"CREATE VIEW concept AS SELECT concept_id, concept_name, 1 / (concept_id - {last}) AS z FROM held")
    kept = policy("concept", columns=POLICY.tables["concept"].columns | named(columns(Type(Kind.INTEGER), "z")))
    assert str(refused(source, tmp_path, kept)) in ("onboarding.source", "onboarding.unreadable")
    assert "division by zero" in refused(source, tmp_path, kept).detail


def named(found: tuple[Column, ...]) -> dict[str, Column]:
    return {one.name: one for one in found}


def test_a_value_that_no_row_may_have_ends_the_reading(source: str, tmp_path: Path) -> None:
    run(source, f"INSERT INTO concept SELECT 1, repeat('x', {40 * 2**20})")
    assert str(refused(source, tmp_path)) == "onboarding.unreadable"


def test_a_server_that_is_not_there_is_said(tmp_path: Path) -> None:
    found = refused(f"postgresql://nobody@/nothing?host={tmp_path}", tmp_path)
    assert str(found) == "onboarding.source"
    assert "nothing" not in str(found)
