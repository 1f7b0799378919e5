"""What a source may lack, and which rows alone may enter: said by the policy, shown by the version."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.onboarding.catalogues import IDENTIFIER, TEXT, columns
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
)
from tests.support import ROOT, data
from tre.catalogue import Catalogue
from tre.demo import generate
from tre.onboarding import Version, VersionRefused, load_version
from tre.policy import compile_policy, load_policy, with_version


def optional(*parts: str, base: Catalogue = POLICY) -> Catalogue:
    """The policy with these tables and columns declared optional."""
    tables = dict(base.tables)
    for part in parts:
        table, _, column = part.partition(".")
        if column:
            found = dict(tables[table].columns)
            found[column] = replace(found[column], optional=True)
            tables[table] = replace(tables[table], columns=found)
        else:
            tables[table] = replace(tables[table], optional=True)
    return replace(base, tables=tables)


def without(*parts: str) -> Rows:
    found = rows()
    for part in parts:
        table, _, column = part.partition(".")
        if column:
            found[table] = [{k: v for k, v in line.items() if k != column} for line in found[table]]
        else:
            del found[table]
    return found


PARTS = ("location", "concept", "measurement.note", "measurement.visit_occurrence_id")


def test_what_is_optional_may_be_lacking_and_the_version_says_so(tmp_path: Path) -> None:
    version = make_from(without(*PARTS), tmp_path, optional(*PARTS))
    assert version.absent == ("measurement.visit_occurrence_id", "measurement.note", "location", "concept")
    assert load_version(version.path.parent).absent == version.absent
    assert version.public_sizes == {}
    held = read(version, "SELECT column_name FROM duckdb_columns() WHERE table_name = 'measurement'")
    assert {column for (column,) in held} == {"person_id", "value_as_number", "unit", "n"}


@pytest.mark.parametrize("write", [write_csv, write_duckdb])
def test_the_same_is_lacking_in_every_kind_of_source(write: Any, tmp_path: Path) -> None:
    version = make(write(tmp_path / "source", without(*PARTS)), tmp_path, optional(*PARTS))
    assert set(version.absent) == set(PARTS)


def test_what_is_optional_and_there_is_checked_and_copied(tmp_path: Path) -> None:
    declared = optional(*PARTS)
    assert make_from(rows(), tmp_path, declared).absent == ()
    stray = changed(lambda f: f["measurement"][0].update(visit_occurrence_id=101))
    with pytest.raises(VersionRefused, match=r"onboarding\.link"):
        make_from(stray, tmp_path, declared)


def test_a_damaged_optional_table_is_not_taken_for_absent(tmp_path: Path) -> None:
    source = write_csv(tmp_path / "source", rows())
    (source / "CONCEPT.csv").write_bytes(b"concept_id,concept_name\n1\n")
    with pytest.raises(VersionRefused, match=r"onboarding\.unreadable"):
        make(source, tmp_path, optional("concept"))


def test_a_view_is_not_taken_for_an_absent_table(tmp_path: Path) -> None:
    source = write_duckdb(tmp_path / "source", rows())
    with duckdb.connect(source) as connection:
        connection.execute("ALTER TABLE concept RENAME TO held; CREATE VIEW concept AS SELECT * FROM held")
    with pytest.raises(VersionRefused, match=r"onboarding\.missing-table"):
        make(source, tmp_path, optional("concept"))


def test_a_table_that_finds_its_people_through_an_absent_one_is_refused(tmp_path: Path) -> None:
    declared = optional("visit_occurrence", "cost")
    with pytest.raises(VersionRefused, match=r"onboarding\.missing-table"):
        make_from(without("visit_occurrence"), tmp_path, declared)
    version = make_from(without("visit_occurrence", "cost"), tmp_path, declared)
    assert version.absent == ("visit_occurrence", "cost")
    assert left_behind(tmp_path) == [version.name]


def with_domains(*domains: str | None) -> tuple[Rows, Catalogue]:
    """The source with a cost of each domain, all of a visit's number; only costs of visits may enter."""
    cost = POLICY.tables["cost"]
    found = dict(cost.columns) | {column.name: column for column in columns(TEXT, "cost_domain_id")}
    declared = policy("cost", columns=found, only_rows=(("cost_domain_id", ("Visit", "Stay")),))
    lines = [{"cost_event_id": 100, "total_cost": f"{i}", "cost_domain_id": d} for i, d in enumerate(domains)]
    return rows() | {"cost": lines}, declared


def test_only_the_declared_rows_enter(tmp_path: Path) -> None:
    found, declared = with_domains("Visit", "Drug", "Stay", None, "visit")
    version = make_from(found, tmp_path, declared)
    assert read(version, "SELECT total_cost, cost_domain_id FROM cost ORDER BY 1") == [(0, "Visit"), (2, "Stay")]


def test_rows_of_another_kind_are_left_out_before_their_link_is_followed(tmp_path: Path) -> None:
    """A drug's cost may bear the number of another person's visit, or of none: it is no visit's cost."""
    found, declared = with_domains("Visit", "Drug", "Drug")
    found["cost"][1]["cost_event_id"], found["cost"][2]["cost_event_id"] = None, 777
    assert read(make_from(found, tmp_path, declared), "SELECT count(*) FROM cost") == [(1,)]


def test_rows_of_another_kind_do_not_count_against_keys_and_magnitudes(tmp_path: Path) -> None:
    found, declared = with_domains("Visit", "Drug", "Drug")
    cost = replace(declared.tables["cost"], magnitude=1, unique=(frozenset(["cost_event_id"]),))
    version = make_from(found, tmp_path, replace(declared, tables={**declared.tables, "cost": cost}))
    assert read(version, "SELECT count(*) FROM cost") == [(1,)]


def test_rows_are_chosen_by_typed_values_of_columns_that_are_copied_or_not(tmp_path: Path) -> None:
    of_one = policy("measurement", only_rows=(("person_id", (11,)),))
    assert read(make_from(rows(), tmp_path, of_one), "SELECT count(*) FROM measurement") == [(2,)]
    of_number = policy("location", only_rows=(("location_id", (1,)), ("note", ("kept",))))
    note = replace(columns(TEXT, "note")[0], klass=IDENTIFIER)
    location = of_number.tables["location"]
    location = replace(location, columns={**location.columns, "note": note})
    found = rows() | {
        "location": [{"location_id": i, "county": "N", "note": n} for i, n in ((1, "kept"), (2, "kept"), (3, "no"))]
    }
    version = make_from(found, tmp_path, replace(of_number, tables={**of_number.tables, "location": location}))
    assert read(version, "SELECT * FROM location") == [(1, "N")]


@pytest.fixture(scope="module")
def shipped() -> Catalogue:
    return compile_policy(load_policy(ROOT / "policies" / "omop.yaml"), "demo").catalogue


def names(version: Version) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for table, column in read(
        version, "SELECT table_name, column_name FROM duckdb_columns() WHERE schema_name = 'main' AND NOT internal"
    ):
        found.setdefault(table, set()).add(column)
    return found


@pytest.mark.parametrize("kind", ["synthetic", "gibleed"])
def test_the_shipped_policy_fits_and_the_file_holds_what_queries_may_name(
    kind: str, shipped: Catalogue, tmp_path: Path
) -> None:
    if kind == "gibleed":
        source = data("gibleed")
    else:
        source = tmp_path / "population"
        generate(500, 5, source)
    version = make(source, tmp_path, shipped)
    at = with_version(shipped, version.name, version.enforced, version.public_sizes, version.absent)
    nameable = {
        name: {column.name for column in table.columns.values() if column.visible}
        for name, table in at.tables.items()
        if at.table(name)
    }
    assert names(version) == nameable
    assert {name for name in version.public_sizes if "." not in name} == {
        name for name, table in at.tables.items() if table.access == "public"
    }
