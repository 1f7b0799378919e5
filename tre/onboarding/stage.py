"""The stage: a private working database into which a source is read once, typed, before anything is checked."""
# ruff: noqa: S608 - identifiers and texts enter SQL through tre.onboarding.sql alone

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tre.base.reasons import onboarding as reasons
from tre.catalogue import Access, Catalogue, Column, ColumnClass, Table, Value
from tre.onboarding.casts import typed
from tre.onboarding.database import Database, Streamed
from tre.onboarding.refusal import Fault, VersionRefused, refuse_if
from tre.onboarding.source import Relation, find_source, open_relation, readable
from tre.onboarding.sql import literal, name, names
from tre.policy import with_version

if TYPE_CHECKING:
    import duckdb

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
    """Return the columns that are read: the copied ones and those that a declared key, link or choice of rows needs."""
    needed = {column for key in table.unique for column in key} | {column for column, _ in table.only_rows}
    needed |= {column for link in table.links for column in link.columns}
    keep = {column.name for column in copied(table)} | needed
    if table.unit_via:
        keep = (keep | set(table.unit_via.columns)) - {table.unit or ""}
    return [column for column in table.columns.values() if column.name in keep]


def tokenised(table: Table) -> list[Column]:
    """Return the direct identifiers in whose place tokens are made; they are read for that alone, and not staged."""
    return [column for column in table.columns.values() if column.identifier is not None]


Found = Relation | Streamed
"""A table of the source, in a file or in a database."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What was read: `tables` as they stand, where each was `found`, and which optional parts are `absent`."""

    tables: dict[str, Table]
    found: dict[str, Found]
    absent: tuple[str, ...]


def wanted(catalogue: Catalogue) -> dict[str, Table]:
    """Return the tables that a version holds: hidden ones are not read, unnamed ones do not exist (PRIVACY §1)."""
    return {key: table for key, table in catalogue.tables.items() if table.access is not Access.HIDDEN}


def fill_stage(
    connection: duckdb.DuckDBPyConnection,
    source: Path | Database,
    catalogue: Catalogue,
    writable: tuple[Path, ...],
    report: Callable[[float], None],
) -> Stage:
    """Read what `catalogue` declares from `source` into the main schema, closing the file system behind it.

    `absent` in what is returned are the optional tables (`table`) and columns (`table.column`) that the source lacks.
    `writable` are the only folders that the engine may use besides a source's files; the first holds links to
    these. Refuses what else is missing, unreadable files, and values that are not of their type.
    """
    declared = wanted(catalogue)
    relations, absent = _relations(declared, _opener(connection, source, set(declared), writable))
    tables = wanted(with_version(catalogue, "", {}, {}, absent))
    for done, (key, table) in enumerate(tables.items()):
        _read(connection, table, relations[key])
        report((done + 1) / len(tables))
    refuse_if([fault for table in tables.values() for fault in _type_faults(connection, table)])
    for table in tables.values():
        _keep_only_rows(connection, table)
    return Stage(tables, relations, absent)


def _opener(
    connection: duckdb.DuckDBPyConnection, source: Path | Database, tables: set[str], writable: tuple[Path, ...]
) -> Callable[[str], Found | None]:
    """Close the file system, but for the files of `source`; return what opens one of the `tables`, where it is."""
    if isinstance(source, Database):
        close_file_system(connection, writable, set())
        return source.open
    files = find_source(source, tables)
    close_file_system(connection, writable, readable(files))
    aliases = {key: writable[0] / f"in_{number}" for number, key in enumerate(files)}
    return lambda key: open_relation(connection, key, files[key], aliases[key]) if key in files else None


def close_file_system(connection: duckdb.DuckDBPyConnection, writable: tuple[Path, ...], files: set[Path]) -> None:
    """Leave the engine the folders `writable` and the files `files`, and no way to open anything else."""
    folders = ", ".join(literal(str(path)) for path in writable)
    paths = ", ".join(literal(str(path)) for path in sorted(files))
    connection.execute(f"SET allowed_directories = [{folders}]")
    connection.execute(f"SET allowed_paths = [{paths}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def _relations(
    tables: Mapping[str, Table], opener: Callable[[str], Found | None]
) -> tuple[dict[str, Found], tuple[str, ...]]:
    """Open every table that is there; return them and the optional parts that are not."""
    faults: list[Fault] = []
    relations: dict[str, Found] = {}
    absent: list[str] = []
    for key, table in tables.items():
        before = len(faults)
        relation = _open(key, opener, faults)
        if relation is not None:
            relations[key] = relation
            asked = [*staged(table), *tokenised(table)]
            lacking = [column for column in asked if column.name not in relation.columns]
            absent += [f"{key}.{column.name}" for column in lacking if column.optional]
            faults += [Fault(reasons.MISSING_COLUMN, f"{key}.{c.name}") for c in lacking if not c.optional]
        elif table.optional:
            absent.append(key)
        elif len(faults) == before:
            faults.append(Fault(reasons.MISSING_TABLE, key))
    faults += _without_way(tables, relations)
    refuse_if(faults)
    return relations, tuple(absent)


def _without_way(tables: Mapping[str, Table], present: Mapping[str, Found]) -> list[Fault]:
    """A table that finds its people through another one cannot stand without it, optional or not."""
    ways = {key: tables[key].unit_via for key in present}
    return [
        Fault(reasons.MISSING_TABLE, f"{way.target}, through which {key} finds its people")
        for key, way in ways.items()
        if way and way.target not in present
    ]


def _open(key: str, opener: Callable[[str], Found | None], faults: list[Fault]) -> Found | None:
    """Open one table, or add to `faults` why not. What the engine says may quote a row, so it is no cause."""
    import duckdb

    try:
        return opener(key)
    except VersionRefused as refused:
        faults += [Fault(refusal.reason, refused.detail) for refusal in refused.refusals]
    except (duckdb.Error, OSError, ValueError) as error:
        faults.append(Fault(reasons.UNREADABLE, f"{key}: {error}"))
    return None


def _read(connection: duckdb.DuckDBPyConnection, table: Table, relation: Found) -> None:
    import duckdb

    columns = staged(table)
    casts = [typed(name(relation.columns[c.name][0]), relation.columns[c.name][1], c.type) for c in columns]
    values = [f"{value} AS {name(c.name)}" for (value, _), c in zip(casts, columns, strict=True)]
    cases = " ".join(f"WHEN {wrong} THEN {i}" for i, (_, wrong) in enumerate(casts, 1))
    values.append(f"CAST(CASE {cases or 'WHEN false THEN 1'} ELSE 0 END AS SMALLINT) AS {name(FAULT)}")
    detail = ""
    try:
        with relation.scan(connection, [relation.columns[c.name][0] for c in columns]) as rows:
            connection.execute(f"CREATE TABLE {name(table.name)} AS SELECT {', '.join(values)} FROM {rows}")
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


def _keep_only_rows(connection: duckdb.DuckDBPyConnection, table: Table) -> None:
    """Leave out rows whose values the policy does not admit, silently: a choice of rows, as a WHERE in every scan.

    Such rows are of another kind, not wrong, so they refuse nothing; what is declared of the table (but for types)
    holds for the rows that stay, and an empty value is none of those admitted.
    """
    admitted, values = only_rows(table)
    if admitted:
        connection.execute(f"DELETE FROM {name(table.name)} WHERE ({admitted}) IS NOT TRUE", values)


def only_rows(table: Table) -> tuple[str, list[Value]]:
    """Return the condition that the rows of `table` must meet, with its parameters; empty where all are admitted."""
    lists = [(column, ", ".join("?" for _ in values)) for column, values in table.only_rows]
    terms = [f"{name(column)} IN ({places})" if places else "false" for column, places in lists]
    return " AND ".join(terms), [value for _, values in table.only_rows for value in values]


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
