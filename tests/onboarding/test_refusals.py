"""Each thing a policy declares, broken once: the version is refused with its code, and nothing stays."""

import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.onboarding.catalogues import DATE, INTEGER, TEXT, columns, table
from tests.onboarding.small import (
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
from tre.base.reasons import every_reason
from tre.catalogue import Access, Catalogue, Kind, Type
from tre.onboarding import Limits, VersionRefused
from tre.onboarding.sql import literal, name

PERSON_11_AGAIN = {"person_id": 11, "year_of_birth": 1, "location_id": None, "nhs_number": "9", "secret_note": ""}


def add(table: str, **values: Any) -> Callable[[Rows], None]:
    return lambda found: found[table].append(dict.fromkeys(found[table][0]) | values)


def put(table: str, **values: Any) -> Callable[[Rows], None]:
    return lambda found: found[table][0].update(values)


def drop(table: str) -> Callable[[Rows], Any]:
    return lambda found: found.pop(table)


def drop_column(table: str, column: str) -> Callable[[Rows], Any]:
    return lambda found: [line.pop(column) for line in found[table]]


SMALL = replace(POLICY, units=2)
BROKEN: list[tuple[str, Callable[[Rows], Any], str, Catalogue]] = [
    ("missing table", drop("location"), "onboarding.missing-table", POLICY),
    ("missing column", drop_column("person", "year_of_birth"), "onboarding.missing-column", POLICY),
    ("missing unit column", drop_column("measurement", "person_id"), "onboarding.missing-column", POLICY),
    ("text for a number", lambda f: [x.update(year_of_birth="195O") for x in f["person"]], "onboarding.type", POLICY),
    (
        "fraction for an integer",
        lambda f: [x.update(year_of_birth=1950.5) for x in f["person"]],
        "onboarding.type",
        POLICY,
    ),
    (
        "time for a date",
        lambda f: [x.update(visit_start_date=datetime(2020, 1, 1, 9)) for x in f["visit_occurrence"]],
        "onboarding.type",
        POLICY,
    ),
    ("a third decimal", put("cost", total_cost="12.345"), "onboarding.type", POLICY),
    ("too large a decimal", put("cost", total_cost="12345678901.00"), "onboarding.type", POLICY),
    ("person key empty", put("person", person_id=None), "onboarding.null", POLICY),
    ("event's person empty", add("measurement", note="x"), "onboarding.null", POLICY),
    ("event of a cost unknown", add("cost", cost_event_id=777), "onboarding.null", POLICY),
    ("event of a cost empty", add("cost"), "onboarding.null", POLICY),
    ("unique key empty", put("visit_occurrence", visit_occurrence_id=None), "onboarding.null", POLICY),
    ("person twice", add("person", **PERSON_11_AGAIN), "onboarding.not-unique", POLICY),
    ("visit twice", add("visit_occurrence", visit_occurrence_id=100, person_id=22), "onboarding.not-unique", POLICY),
    ("link target twice", add("location", location_id=1), "onboarding.not-unique", policy("location", unique=())),
    ("unknown person", add("measurement", person_id=44), "onboarding.unknown-unit", POLICY),
    ("another person's visit", put("measurement", visit_occurrence_id=101), "onboarding.link", POLICY),
    ("too many people", lambda f: None, "onboarding.magnitude", SMALL),
    ("too many rows", lambda f: None, "onboarding.magnitude", policy("visit_occurrence", magnitude=2)),
]


@pytest.mark.parametrize(
    ("change", "code", "declared"), [line[1:] for line in BROKEN], ids=[line[0] for line in BROKEN]
)
def test_each_declaration_broken_once_is_refused_with_its_code(
    change: Callable[[Rows], Any], code: str, declared: Catalogue, tmp_path: Path
) -> None:
    with pytest.raises(VersionRefused) as refused:
        make_from(changed(change), tmp_path, declared)
    assert [refusal.reason.code for refusal in refused.value.refusals] == [code]
    assert refused.value.detail
    assert left_behind(tmp_path) == []


def test_the_same_source_unbroken_is_a_version(tmp_path: Path) -> None:
    assert make_from(rows(), tmp_path).name in left_behind(tmp_path)


def test_nobody_is_no_data_set(tmp_path: Path) -> None:
    people = pa.schema([("person_id", pa.int64()), ("year_of_birth", pa.int64()), ("location_id", pa.int64())])
    source = write_parquet(tmp_path / "source", rows())
    pq.write_table(people.empty_table(), source / "person.parquet")
    for other in ("measurement", "visit_occurrence", "cost"):
        path = source / f"{other}.parquet"
        pq.write_table(pq.read_schema(path).empty_table(), path)
    with pytest.raises(VersionRefused, match=r"onboarding\.empty"):
        make(source, tmp_path)
    assert left_behind(tmp_path) == []


def test_who_is_not_a_person_is_dropped_only_where_the_policy_says_so(tmp_path: Path) -> None:
    stray = changed(put("measurement", person_id=44))
    version = make_from(stray, tmp_path, policy("measurement", drop_unknown_units=True))
    assert read(version, "SELECT count(*) FROM measurement") == [(2,)]
    lost = changed(add("cost", cost_event_id=777))
    version = make_from(lost, tmp_path, policy("cost", drop_unknown_units=True))
    assert read(version, "SELECT count(*) FROM cost") == [(2,)]
    empty = changed(put("measurement", person_id=None))
    with pytest.raises(VersionRefused, match=r"onboarding\.null"):
        make_from(empty, tmp_path, policy("measurement", drop_unknown_units=True))


def test_detail_names_the_place_and_the_text_of_the_refusal_does_not(tmp_path: Path) -> None:
    with pytest.raises(VersionRefused) as refused:
        make_from(changed(lambda f: [x.update(year_of_birth="SECRET") for x in f["person"]]), tmp_path)
    said = " ".join([str(refused.value), repr(refused.value)])
    said += " ".join(refusal.sentence + refusal.remedy for refusal in refused.value.refusals)
    assert "person.year_of_birth" in refused.value.detail
    assert "row 1" in refused.value.detail
    for private in ("SECRET", "year_of_birth", "row 1"):
        assert private not in said
    assert refused.value.__cause__ is None
    assert refused.value.__context__ is None


def test_all_that_a_step_finds_is_said_at_once(tmp_path: Path) -> None:
    two = changed(lambda f: (put("measurement", visit_occurrence_id=101)(f), add("measurement", person_id=44)(f)))
    with pytest.raises(VersionRefused) as refused:
        make_from(two, tmp_path)
    assert {r.reason.code for r in refused.value.refusals} == {"onboarding.link", "onboarding.unknown-unit"}


TEXTS = [
    (Kind.INTEGER, "0x1F", "1_000", "1e3", "9223372036854775808", " ", "1.5"),
    (Kind.DOUBLE, "one", "0x1p3", "1_0", "--1"),
    (Kind.DATE, "2020-13-01", "2020-02-30", "01/02/2020", "2020-01-01 10:00:00", "infinity", "20200101"),
    (Kind.TIMESTAMP, "2020-01-01T25:00", "2020-01-01T10:00+02:00", "now", "infinity"),
    (Kind.BOOLEAN, "maybe", "2"),
]


@pytest.mark.parametrize(("kind", "text"), [(line[0], text) for line in TEXTS for text in line[1:]])
def test_a_text_that_is_not_plainly_of_the_declared_type_is_refused(kind: Kind, text: str, tmp_path: Path) -> None:
    declared = replace(POLICY, tables={**POLICY.tables, "concept": one_column(Type(kind))})
    source = write_csv(tmp_path / "source", changed(put("concept", concept_id=text)))
    with pytest.raises(VersionRefused, match=r"onboarding\.type"):
        make(source, tmp_path, declared)


GOOD = [
    (Kind.INTEGER, "-9223372036854775808", -(2**63)),
    (Kind.INTEGER, "12.0", 12),
    (Kind.DOUBLE, "-1e-3", -0.001),
    (Kind.DOUBLE, "Infinity", float("inf")),
    (Kind.DATE, "2020-02-29", date(2020, 2, 29)),
    (Kind.DATE, "2020-02-29 00:00:00", date(2020, 2, 29)),
    (Kind.TIMESTAMP, "2020-02-29T23:59:59.5Z", datetime(2020, 2, 29, 23, 59, 59, 500_000)),
    (Kind.BOOLEAN, "T", True),
    (Kind.TEXT, "  NULL ", "  NULL "),
]


@pytest.mark.parametrize(("kind", "text", "value"), GOOD)
def test_a_plain_text_becomes_its_value(kind: Kind, text: str, value: object, tmp_path: Path) -> None:
    declared = replace(POLICY, tables={**POLICY.tables, "concept": one_column(Type(kind))})
    found = rows() | {"concept": [{"concept_id": text}]}
    version = make(write_csv(tmp_path / "source", found), tmp_path, declared)
    assert read(version, "SELECT concept_id FROM concept") == [(value,)]


def one_column(kind: Type) -> Any:
    return table("concept", Access.PUBLIC, columns(kind, "concept_id"))


@pytest.mark.parametrize(
    ("array", "kind"),
    [
        (pa.array([2**60 + 1]), Type(Kind.DOUBLE)),
        (pa.array([float("nan")]), INTEGER),
        (pa.array([1.005]), Type(Kind.DECIMAL, 5, 2)),
        (pa.array([2]), Type(Kind.BOOLEAN)),
        (pa.array([datetime(2020, 1, 1, 1)]), DATE),
        (pa.array([b"x"]), TEXT),
        (pa.array([[1]]), TEXT),
        (pa.array([date(2020, 1, 1)]), INTEGER),
        (pa.array([1], pa.timestamp("ns")), Type(Kind.TIMESTAMP)),
    ],
)
def test_a_typed_value_that_would_change_on_the_way_is_refused(array: pa.Array, kind: Type, tmp_path: Path) -> None:
    declared = replace(POLICY, tables={**POLICY.tables, "concept": one_column(kind)})
    source = write_parquet(tmp_path / "source", rows())
    pq.write_table(pa.table({"concept_id": array}), source / "concept.parquet")
    with pytest.raises(VersionRefused, match=r"onboarding\.type"):
        make(source, tmp_path, declared)


def damage(source: Path, name: str, content: bytes) -> None:
    (source / name).write_bytes(content)


@pytest.mark.parametrize(
    "content",
    [b"", b"PAR1", b"not parquet at all", b"PAR1" + bytes(200) + b"PAR1"],
    ids=["empty", "head", "text", "zeros"],
)
def test_a_damaged_parquet_file_is_refused_and_nothing_stays(content: bytes, tmp_path: Path) -> None:
    source = write_parquet(tmp_path / "source", rows())
    damage(source, "visit_occurrence.parquet", content)
    with pytest.raises(VersionRefused, match=r"onboarding\.unreadable"):
        make(source, tmp_path)
    assert left_behind(tmp_path) == []


def test_a_parquet_file_damaged_in_its_pages_is_refused(tmp_path: Path) -> None:
    source = write_parquet(tmp_path / "source", rows())
    path = source / "concept.parquet"
    content = bytearray(path.read_bytes())
    content[8:40] = bytes(32)
    path.write_bytes(content)
    with pytest.raises(VersionRefused, match=r"onboarding\.unreadable"):
        make(source, tmp_path)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "missing-column"),
        (b"concept_id\n1\n", "missing-column"),
        (b"concept_id,Concept_ID,concept_name\n1,2,x\n", "missing-column"),
        (b"concept_id,concept_name\n1,x,y\n", "unreadable"),
        (b'concept_id,concept_name\n1,"x\n', "unreadable"),
        (b"concept_id,concept_name\n1,\xff\xfe\n", "unreadable"),
        (b"concept_id,concept_name\n1\n", "unreadable"),
        (b"concept_id;concept_name\n1;x\n", "missing-column"),
    ],
)
def test_a_broken_csv_file_is_refused(content: bytes, code: str, tmp_path: Path) -> None:
    source = write_csv(tmp_path / "source", rows())
    damage(source, "CONCEPT.csv", content)
    with pytest.raises(VersionRefused, match=rf"^onboarding\.{code}$"):
        make(source, tmp_path)
    assert left_behind(tmp_path) == []


def test_a_csv_with_a_byte_order_mark_and_windows_lines_is_read(tmp_path: Path) -> None:
    source = write_csv(tmp_path / "source", rows())
    damage(source, "CONCEPT.csv", b"\xef\xbb\xbfconcept_id,concept_name\r\n8507,MALE\r\n")
    assert read(make(source, tmp_path), "SELECT * FROM concept") == [(8507, "MALE")]


def test_a_table_in_two_files_is_refused(tmp_path: Path) -> None:
    source = write_parquet(tmp_path / "source", rows())
    damage(source, "Person.CSV", b"person_id\n1\n")
    with pytest.raises(VersionRefused, match=r"onboarding\.ambiguous-table"):
        make(source, tmp_path)


@pytest.mark.parametrize("kind", ["absent", "text file", "empty folder"])
def test_what_is_no_source_is_refused(kind: str, tmp_path: Path) -> None:
    source = tmp_path / "source"
    if kind == "text file":
        source.write_text("hello")
    if kind == "empty folder":
        source.mkdir()
    with pytest.raises(VersionRefused, match="missing-table" if kind == "empty folder" else "no-source"):
        make(source, tmp_path)
    assert left_behind(tmp_path) == []


def test_names_in_the_source_are_never_sql_or_patterns(tmp_path: Path) -> None:
    """Wildcards and quotes in paths, hostile columns and files: nothing but declared names reaches the engine."""
    folder = tmp_path / 'it\'s [a] year=2020 * "x"; DROP TABLE person'
    found = changed(lambda f: [line.update({'x"; DROP TABLE person; --': 1, "select": 2}) for line in f["person"]])
    source = write_parquet(folder, found)
    damage(source, "'; ATTACH 'x'.parquet", b"x")
    version = make(source, tmp_path)
    assert read(version, "SELECT count(*) FROM person") == [(3,)]


def test_a_wildcard_in_the_sources_path_does_not_reach_its_neighbours(tmp_path: Path) -> None:
    write_parquet(tmp_path / "ab", rows())
    source = write_parquet(tmp_path / "a*", rows() | {"concept": [{"concept_id": 1, "concept_name": "mine"}]})
    assert read(make(source, tmp_path), "SELECT concept_name FROM concept") == [("mine",)]


def test_a_view_in_a_duckdb_file_is_not_read(tmp_path: Path) -> None:
    """A view may name any file of the machine; only tables are data."""
    (tmp_path / "outside.csv").write_text("concept_id,concept_name\n1,stolen\n")
    source = write_duckdb(tmp_path / "source", rows())
    with duckdb.connect(source) as connection:
        connection.execute("DROP TABLE concept")
        connection.execute(f"CREATE VIEW concept AS SELECT * FROM read_csv('{tmp_path / 'outside.csv'}')")
    with pytest.raises(VersionRefused, match=r"onboarding\.missing-table"):
        make(source, tmp_path)


def test_a_damaged_duckdb_file_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "source.duckdb"
    source.write_bytes(b"DUCK" + secrets.token_bytes(20_000))
    with pytest.raises(VersionRefused, match=r"onboarding\.unreadable"):
        make(source, tmp_path)
    assert left_behind(tmp_path) == []


def test_a_duckdb_file_with_changes_beside_it_is_refused(tmp_path: Path) -> None:
    source = write_duckdb(tmp_path / "source", rows())
    source.with_name("source.duckdb.wal").write_bytes(b"x")
    with pytest.raises(VersionRefused, match=r"onboarding\.unreadable"):
        make(source, tmp_path)


def test_the_source_is_not_changed(tmp_path: Path) -> None:
    source = write_duckdb(tmp_path / "source", rows())
    before = source.read_bytes()
    make(source, tmp_path)
    assert source.read_bytes() == before
    assert [path.name for path in source.parent.iterdir()] == ["source.duckdb"]


def test_an_interrupted_onboarding_leaves_nothing(tmp_path: Path) -> None:
    def stop(step: str, part: float) -> None:
        if step == "cluster":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_from(rows(), tmp_path, progress=stop)
    assert left_behind(tmp_path) == []


def test_too_little_memory_is_said_without_the_engines_words(tmp_path: Path) -> None:
    limits = Limits(memory=1 << 20, threads=1, spill=tmp_path / "spill")
    with pytest.raises(VersionRefused) as refused:
        make_from(rows(), tmp_path, limits=limits)
    assert [r.reason.code for r in refused.value.refusals] == ["onboarding.unfinished"]
    assert refused.value.__cause__ is None
    assert refused.value.__context__ is None
    assert left_behind(tmp_path) == []


def test_every_reason_of_this_family_is_general() -> None:
    family = [reason for reason in every_reason() if reason.code.startswith("onboarding.")]
    assert len(family) >= 12
    assert not [reason.code for reason in family if "{" in reason.sentence + reason.remedy]


@pytest.mark.parametrize("text", ["a", 'a"b', "a.b", "select", "'", "é", "a b"])
def test_identifiers_and_texts_survive_quoting(text: str) -> None:
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE {name(text)} ({name(text)} INTEGER)")
        found = connection.execute(f"SELECT table_name FROM duckdb_tables() WHERE table_name = {literal(text)}")
        assert found.fetchall() == [(text,)]


@pytest.mark.parametrize("text", ["", "a\0b"])
def test_what_no_identifier_can_be_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="identifier"):
        name(text)
