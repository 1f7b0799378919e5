"""A source small enough to read: three people, their visits, conditions and costs, and what a policy says of them."""

import csv
import itertools
import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from tests.onboarding.catalogues import (
    DATE,
    DOUBLE,
    IDENTIFIER,
    INTEGER,
    MONEY,
    TEXT,
    catalogue,
    columns,
    private,
    table,
    unit,
)
from tre.catalogue import Access, Catalogue, Column, Link, Table
from tre.onboarding import Limits, Version, onboard
from tre.pseudonyms import create_keyring

KEY = b"k" * 32
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
Rows = dict[str, list[dict[str, Any]]]

POLICY = catalogue(
    private(
        "person",
        unit(),
        *columns(INTEGER, "year_of_birth", "location_id"),
        *columns(TEXT, "nhs_number", klass=IDENTIFIER),
        key="person_id",
        links=(Link(("location_id",), "location", ("location_id",)),),
    ),
    private(
        "visit_occurrence",
        unit(),
        Column("visit_occurrence_id", INTEGER, nullable=False),
        *columns(DATE, "visit_start_date"),
        key="visit_occurrence_id",
        rows_per_unit=4,
        magnitude=10,
    ),
    private(
        "measurement",
        unit(),
        *columns(INTEGER, "visit_occurrence_id"),
        *columns(DOUBLE, "value_as_number"),
        *columns(TEXT, "note"),
        links=(Link(("visit_occurrence_id",), "visit_occurrence", ("visit_occurrence_id",)),),
    ),
    private(
        "cost",
        unit(),
        *columns(INTEGER, "cost_event_id"),
        *columns(MONEY, "total_cost"),
        unit_via=Link(("cost_event_id",), "visit_occurrence", ("visit_occurrence_id",)),
    ),
    table(
        "location",
        Access.ATTRIBUTE,
        columns(INTEGER, "location_id") + columns(TEXT, "county"),
        unique=(frozenset(["location_id"]),),
    ),
    table("concept", Access.PUBLIC, columns(INTEGER, "concept_id") + columns(TEXT, "concept_name")),
    table("fact_relationship", Access.HIDDEN, ()),
    units=10,
)


def rows() -> Rows:
    """The sound source; `secret_note` is a column that the policy does not list."""
    return {
        "person": [
            {"person_id": 11, "year_of_birth": 1950, "location_id": 1, "nhs_number": "9990000018", "secret_note": "x1"},
            {
                "person_id": 22,
                "year_of_birth": 1980,
                "location_id": None,
                "nhs_number": "9990000026",
                "secret_note": "x2",
            },
            {"person_id": 33, "year_of_birth": None, "location_id": 9, "nhs_number": "9990000034", "secret_note": "x3"},
        ],
        "visit_occurrence": [
            {"visit_occurrence_id": 100, "person_id": 22, "visit_start_date": date(2020, 1, 1)},
            {"visit_occurrence_id": 101, "person_id": 11, "visit_start_date": date(2020, 2, 1)},
            {"visit_occurrence_id": 102, "person_id": 22, "visit_start_date": None},
        ],
        "measurement": [
            {"person_id": 22, "visit_occurrence_id": 100, "value_as_number": 1.5, "note": 'a, "b"\nc'},
            {"person_id": 11, "visit_occurrence_id": None, "value_as_number": float("nan"), "note": None},
            {"person_id": 11, "visit_occurrence_id": 999, "value_as_number": float("inf"), "note": "|1:x"},
        ],
        "cost": [{"cost_event_id": 101, "total_cost": "12.34"}, {"cost_event_id": 100, "total_cost": "0.1"}],
        "location": [{"location_id": 1, "county": "Northfield"}],
        "concept": [{"concept_id": 8507, "concept_name": "MALE"}, {"concept_id": 8532, "concept_name": "FEMALE"}],
        "fact_relationship": [{"a": 1}],
        "unnamed": [{"b": 2}],
    }


def changed(change: Callable[[Rows], object]) -> Rows:
    found = rows()
    change(found)
    return found


def policy(name: str, **change: Any) -> Catalogue:
    """The policy with one table declared otherwise."""
    tables: dict[str, Table] = dict(POLICY.tables)
    tables[name] = replace(tables[name], **change)
    return replace(POLICY, tables=MappingProxyType(tables))


def write_parquet(folder: Path, found: Rows) -> Path:
    folder.mkdir()
    for name, lines in found.items():
        if lines:
            pq.write_table(pa.Table.from_pylist(lines), folder / f"{name}.parquet")
    return folder


def write_csv(folder: Path, found: Rows) -> Path:
    folder.mkdir()
    for name, lines in found.items():
        with (folder / f"{name.upper()}.csv").open("w", newline="", encoding="utf-8") as out:
            writer = csv.DictWriter(out, list(lines[0]))
            writer.writeheader()
            writer.writerows(lines)
    return folder


def write_duckdb(folder: Path, found: Rows) -> Path:
    folder.mkdir()
    with duckdb.connect(folder / "source.duckdb") as connection:
        for name, lines in found.items():
            connection.register("lines", pa.Table.from_pylist(lines))
            connection.execute(f"CREATE TABLE {name} AS SELECT * FROM lines")
            connection.unregister("lines")
    return folder / "source.duckdb"


class FixedClock:
    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return 0.0

    def sleep(self, seconds: float) -> None:
        raise AssertionError("onboarding does not wait")


_numbers = itertools.count()


def keyring(home: Path) -> Path:
    """The folder of the keyring in `home`, made when it is first asked for."""
    keys = home / "keys"
    if not keys.exists():
        keys.mkdir(mode=0o700)
        create_keyring(keys, FixedClock())
    return keys


def make(source: Path, home: Path, declared: Catalogue = POLICY, **more: Any) -> Version:
    """Onboard `source` into `home`/versions with this file's keys and clock."""
    arguments: dict[str, Any] = {
        "commitment_key": KEY,
        "keys": keyring(home),
        "randomness": secrets.token_bytes,
        "clock": FixedClock(),
        "limits": Limits(memory=1 << 30, threads=2, spill=home / "spill"),
        "progress": lambda step, part: None,
    }
    return onboard(source, declared, home / "versions", **(arguments | more))


def make_from(found: Rows, home: Path, declared: Catalogue = POLICY, **more: Any) -> Version:
    return make(write_parquet(home / f"source{next(_numbers)}", found), home, declared, **more)


def read(version: Version, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(version.path, read_only=True) as connection:
        return connection.execute(sql).fetchall()


def left_behind(home: Path) -> list[str]:
    return [
        path.name for place in ("versions", "spill") for path in (home / place).glob("*") if (home / place).exists()
    ]
