"""The stage: a private working database into which a source is read once, typed, before anything is checked."""
# ruff: noqa: S608 - identifiers and texts enter SQL through tre.onboarding.sql alone

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from tre.base.reasons import onboarding as reasons
from tre.catalogue import Access, Catalogue, Column, ColumnClass, Table
from tre.onboarding.casts import typed
from tre.onboarding.refusal import Fault, VersionRefused, refuse_if
from tre.onboarding.source import Relation, find_source, open_relation, readable
from tre.onboarding.sql import literal, name, names

FAULT = "tre fault"
"""Column of a staged table: the position (from 1) of the first column that holds no value of its type, else 0."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What onboarding may use: bytes of memory for the engine, its threads, a folder with room to spill."""

    memory: int
    threads: int
    spill: Path


def copied(table: Table) -> list[Column]:
    """Return the columns that enter a version: those that the policy lists and that identify nobody directly.

    A second unit key would be a link between two people, so only the declared one is copied (PRIVACY §2).
    """
    return [
        column
        for column in table.columns.values()
        if column.visible and (column.klass is not ColumnClass.UNIT_KEY or column.name == table.unit)
    ]


def staged(table: Table) -> list[Column]:
    """Return the columns that are read: the copied ones and those that a declared key or link needs."""
    needed = {column for key in table.unique for column in key}
    needed |= {column for link in table.links for column in link.columns}
    keep = {column.name for column in copied(table)} | needed
    if table.unit_via:
        keep = (keep | set(table.unit_via.columns)) - {table.unit or ""}
    return [column for column in table.columns.values() if column.name in keep]


def wanted(catalogue: Catalogue) -> dict[str, Table]:
    """Return the tables that a version holds: hidden ones are not read, unnamed ones do not exist (PRIVACY §1)."""
    return {key: table for key, table in catalogue.tables.items() if table.access is not Access.HIDDEN}


def fill_stage(
    connection: duckdb.DuckDBPyConnection,
    source: Path,
    tables: Mapping[str, Table],
    writable: tuple[Path, ...],
    report: Callable[[float], None],
) -> None:
    """Read all `tables` of `source` into the main schema of `connection`, closing the file system behind them.

    `writable` are the only folders that the engine may use besides the source's files; the first holds links to
    these. Refuses missing tables and columns, unreadable files, and values that are not of their type.
    """
    files = find_source(source, set(tables))
    _close_file_system(connection, writable, readable(files))
    relations = _relations(connection, tables, files, writable[0])
    for done, (key, table) in enumerate(tables.items()):
        _read(connection, table, relations[key])
        report((done + 1) / len(tables))
    refuse_if([fault for table in tables.values() for fault in _type_faults(connection, table)])


def _close_file_system(connection: duckdb.DuckDBPyConnection, writable: tuple[Path, ...], files: set[Path]) -> None:
    folders = ", ".join(literal(str(path)) for path in writable)
    paths = ", ".join(literal(str(path)) for path in sorted(files))
    connection.execute(f"SET allowed_directories = [{folders}]")
    connection.execute(f"SET allowed_paths = [{paths}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def _relations(
    connection: duckdb.DuckDBPyConnection, tables: Mapping[str, Table], files: Mapping[str, Path], work: Path
) -> dict[str, Relation]:
    faults: list[Fault] = []
    relations: dict[str, Relation] = {}
    for number, (key, table) in enumerate(tables.items()):
        relation = _open(connection, key, files.get(key), work / f"in_{number}", faults)
        if relation is None:
            continue
        relations[key] = relation
        absent = [column.name for column in staged(table) if column.name not in relation.columns]
        faults += [Fault(reasons.MISSING_COLUMN, f"{key}.{column}") for column in absent]
    refuse_if(faults)
    return relations


def _open(
    connection: duckdb.DuckDBPyConnection, key: str, path: Path | None, alias: Path, faults: list[Fault]
) -> Relation | None:
    """Open one table, or add to `faults` why not. What the engine says may quote a row, so it is no cause."""
    relation: Relation | None = None
    try:
        relation = open_relation(connection, key, path, alias) if path else None
    except VersionRefused as refused:
        faults += [Fault(refusal.reason, refused.detail) for refusal in refused.refusals]
        return None
    except (duckdb.Error, OSError, ValueError) as error:
        faults.append(Fault(reasons.UNREADABLE, f"{key}: {error}"))
        return None
    if relation is None:
        faults.append(Fault(reasons.MISSING_TABLE, key))
    return relation


def _read(connection: duckdb.DuckDBPyConnection, table: Table, relation: Relation) -> None:
    columns = staged(table)
    casts = [typed(name(relation.columns[c.name][0]), relation.columns[c.name][1], c.type) for c in columns]
    values = [f"{value} AS {name(c.name)}" for (value, _), c in zip(casts, columns, strict=True)]
    cases = " ".join(f"WHEN {wrong} THEN {i}" for i, (_, wrong) in enumerate(casts, 1))
    values.append(f"CAST(CASE {cases or 'WHEN false THEN 1'} ELSE 0 END AS SMALLINT) AS {name(FAULT)}")
    detail = ""
    try:
        connection.execute(f"CREATE TABLE {name(table.name)} AS SELECT {', '.join(values)} FROM {relation.sql}")
    except (duckdb.OutOfMemoryException, duckdb.InterruptException):
        raise
    except duckdb.Error as error:
        detail = f"{table.name}: {error}"
    if detail:
        raise VersionRefused([Fault(reasons.UNREADABLE, detail)])


def _type_faults(connection: duckdb.DuckDBPyConnection, table: Table) -> list[Fault]:
    columns = staged(table)
    rows = connection.execute(
        f"SELECT {name(FAULT)}, count(*), min(rowid) + 1 FROM {name(table.name)} "
        f"WHERE {name(FAULT)} > 0 GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    return [
        Fault(
            reasons.TYPE,
            f"{table.name}.{columns[position - 1].name}: {count} rows hold no {columns[position - 1].type}, "
            f"the first is row {first}",
        )
        for position, count, first in rows
    ]


def add_units_by_link(connection: duckdb.DuckDBPyConnection, tables: Mapping[str, Table]) -> None:
    """Give the tables that declare `unit_via` their unit column: that of the row the link leads to, or NULL."""
    for table in tables.values():
        if not (table.unit_via and table.unit):
            continue
        link = table.unit_via
        target = tables[link.target]
        if target.unit is None or target.unit_via:
            raise ValueError(f"{table.name}: its unit comes from a table that has none; the policy should not compile")
        pairs = " AND ".join(
            f"{name('t', here)} = {name('v', there)}"
            for here, there in zip(link.columns, link.target_columns, strict=True)
        )
        with_unit = name("tre with unit")
        connection.execute(
            f"CREATE TABLE {with_unit} AS SELECT {names((c.name for c in staged(table)), 't')}, "
            f"{name('v', target.unit)} AS {name(table.unit)} FROM {name(table.name)} t "
            f"LEFT JOIN {name(target.name)} v ON {pairs} ORDER BY t.rowid"
        )
        connection.execute(f"DROP TABLE {name(table.name)}")
        connection.execute(f"ALTER TABLE {with_unit} RENAME TO {name(table.name)}")
