"""What a policy declares holds for every value that a scan yields (PRIVACY §1 "Declared, enforced, never inferred")."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType
from typing import Any

import duckdb
import pytest

from tests.sql.catalogue import CATALOGUE, CONDITION
from tests.sql.expressions.engines import NAMES, kept, opened
from tre.catalogue import Access, Catalogue, Column, ColumnClass, Interval, Kind, Table, Type
from tre.sql import bind, render
from tre.sql.plan import Column as PlanColumn
from tre.sql.plan import Scan

TODAY = date(2024, 1, 1)
DOUBLE, INTEGER, TEXT, DATE = Type(Kind.DOUBLE), Type(Kind.INTEGER), Type(Kind.TEXT), Type(Kind.DATE)


def interval(low: str, high: str) -> Interval:
    return Interval(Fraction(low), Fraction(high))


CASES: list[tuple[Column, str, Any]] = [
    (Column("x", DOUBLE), "'nan'", None),
    (Column("x", DOUBLE), "'-inf'", None),
    (Column("x", DOUBLE, bounds=interval("0", "5/2")), "9e300", 2.5),
    (Column("x", DOUBLE, bounds=interval("0", "5/2")), "-1", 0.0),
    (Column("x", INTEGER, bounds=interval("1/2", "7/2")), "0", 1),
    (Column("x", INTEGER, bounds=interval("1/2", "7/2")), "9223372036854775807", 3),
    (Column("x", INTEGER, bounds=interval("0", "3")), "NULL", None),
    (Column("x", INTEGER, domain=(1, 2)), "3", None),
    (Column("x", INTEGER, domain=(1, 2)), "2", 2),
    (Column("x", INTEGER, domain=()), "2", None),
    (Column("x", Type(Kind.DECIMAL, 12, 2), bounds=interval("0", "1/3")), "5", Decimal("0.33")),
    (Column("x", TEXT, max_length=3), "'żółw🐢'", "żół"),
    (Column("x", TEXT, domain=("o'k",)), "'o''k'", "o'k"),
    (Column("x", DATE, bounds=interval("0", "1")), "DATE '1900-01-01'", date(1970, 1, 1)),
    (Column("x", DATE, calendar=(date(2020, 1, 1), date(2020, 1, 2))), "DATE '2020-01-03'", None),
    (Column("x", DATE, calendar=(date(2020, 1, 1), date(2020, 1, 2))), "DATE '2020-01-02'", date(2020, 1, 2)),
    (
        Column("x", Type(Kind.TIMESTAMP), bounds=interval("0", "1")),
        "TIMESTAMP '2020-01-03 00:00:00'",
        datetime(1970, 1, 1, 0, 0, 0, 1),
    ),
]  # fmt: skip


@pytest.mark.parametrize("dialect", NAMES)
@pytest.mark.parametrize(("column", "given", "wanted"), CASES)
def test_a_scan_yields_what_was_declared(column: Column, given: str, wanted: Any, dialect: str) -> None:
    table = Table("scanned", Access.PUBLIC, MappingProxyType({"x": column}), magnitude=1, public_rows=1)
    engine = kept(dialect)
    engine.execute("DROP TABLE IF EXISTS scanned")
    engine.execute(f"CREATE TABLE scanned (x {engine.type_name(column.type)})")
    engine.execute(f"INSERT INTO scanned VALUES ({given})")
    assert engine.execute(render(_root(table), dialect).sql) == [(wanted,)]
    engine.execute("DROP TABLE scanned")


@pytest.mark.parametrize("dialect", NAMES)
def test_a_scan_keeps_no_more_rows_of_a_person_than_the_cap(dialect: str) -> None:
    table = replace(CONDITION, rows_per_unit=2)
    with opened(dialect) as engine:
        names = ", ".join(
            f"{name} {'DATE' if 'date' in name else 'VARCHAR' if 'status' in name else 'BIGINT'}"
            for name in table.columns
        )
        engine.execute(f"CREATE TABLE condition_occurrence ({names})")
        engine.execute(
            "INSERT INTO condition_occurrence "
            "SELECT i, i % 3, 1, NULL, DATE '2020-01-01', 'x' FROM generate_series(0, 29) AS t(i)"
        )
        query = bind(
            "SELECT COUNT(*) FROM condition_occurrence", _catalogue({**CATALOGUE.tables, table.name: table}), TODAY
        )
        sql = render(query.blocks[0].input, dialect).sql
        assert engine.execute(f"SELECT c1, COUNT(*) FROM ({sql}) AS kept GROUP BY 1 ORDER BY 1") == [
            (0, 2),
            (1, 2),
            (2, 2),
        ]


def test_a_cap_that_the_version_has_enforced_costs_nothing() -> None:
    table = replace(CONDITION, enforced_rows=100)
    query = bind(
        "SELECT COUNT(*) FROM condition_occurrence", _catalogue({**CATALOGUE.tables, table.name: table}), TODAY
    )
    assert "ROW_NUMBER" not in render(query.blocks[0].input).sql


def test_identifiers_are_quoted_and_never_text_of_the_asker() -> None:
    odd = Column('we"ird; --', INTEGER, ColumnClass.ORDINARY)
    table = Table('ta"ble', Access.PUBLIC, MappingProxyType({odd.name: odd}), magnitude=1, public_rows=1)
    sql = render(Scan(table, (PlanColumn(1, odd.name, INTEGER),))).sql
    with duckdb.connect() as engine:
        engine.execute('CREATE TABLE "ta""ble" ("we""ird; --" BIGINT); INSERT INTO "ta""ble" VALUES (7)')
        assert engine.execute(sql).fetchall() == [(7,)]


def _root(table: Table) -> Any:
    return bind(f"SELECT * FROM {table.name}", _catalogue({table.name: table}), TODAY).root


def _catalogue(tables: Mapping[str, Table]) -> Catalogue:
    return replace(CATALOGUE, tables=MappingProxyType(dict(tables)))
