"""What the policy declares, held against the staged rows (PRIVACY §1 "Declared, enforced, never inferred")."""
# ruff: noqa: S608 - identifiers and texts enter SQL through tre.onboarding.sql alone

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from tre.base.reasons import onboarding as reasons
from tre.catalogue import Access, Catalogue, Link, Table
from tre.onboarding.refusal import Fault, refuse_if
from tre.onboarding.sql import name, names
from tre.onboarding.stage import add_units_by_link, staged

if TYPE_CHECKING:
    import duckdb


def check_stage(
    connection: duckdb.DuckDBPyConnection,
    catalogue: Catalogue,
    tables: Mapping[str, Table],
    report: Callable[[float], None],
) -> None:
    """Refuse staged `tables` that break a declaration; tables that get their unit by a link have it afterwards.

    Uniqueness comes first and alone: without it a link leads to several rows.
    """
    refuse_if([fault for table in tables.values() for fault in _keys(connection, table, tables)])
    add_units_by_link(connection, tables)
    for table in tables.values():
        _drop_unknown_units(connection, catalogue, table)
    faults = _people(connection, catalogue)
    for done, table in enumerate(tables.values()):
        faults += _empty(connection, table)
        faults += _units(connection, catalogue, table)
        faults += [fault for link in table.links for fault in _link(connection, table, link, tables)]
        faults += _magnitude(connection, table)
        report((done + 1) / len(tables))
    refuse_if(faults)


def _keys(connection: duckdb.DuckDBPyConnection, table: Table, tables: Mapping[str, Table]) -> list[Fault]:
    """Declared keys, and the columns of this table that a link of any table leads to, hold no value twice."""
    keys = set(table.unique)
    for other in tables.values():
        links = (*other.links, *([other.unit_via] if other.unit_via else []))
        keys |= {frozenset(link.target_columns) for link in links if link.target == table.name}
    return [fault for key in sorted(keys, key=sorted) for fault in _key(connection, table, sorted(key))]


def _key(connection: duckdb.DuckDBPyConnection, table: Table, key: list[str]) -> list[Fault]:
    null = " OR ".join(f"{name(column)} IS NULL" for column in key)
    faults = _rows_where(connection, table, null, reasons.NULL, f"key ({', '.join(key)}) is empty")
    twice = _one(
        connection,
        f"SELECT count(*) FROM (SELECT 1 FROM {name(table.name)} WHERE NOT ({null}) "
        f"GROUP BY {names(key)} HAVING count(*) > 1)",
    )
    if twice:
        faults.append(Fault(reasons.NOT_UNIQUE, f"{table.name}: {twice} values of ({', '.join(key)}) repeat"))
    return faults


def _people(connection: duckdb.DuckDBPyConnection, catalogue: Catalogue) -> list[Fault]:
    """The unit table has at least one row, no more than declared, and its key is a key."""
    unit_table = catalogue.tables[catalogue.unit_table]
    people = _one(connection, f"SELECT count(*) FROM {name(catalogue.unit_table)}")
    faults = _key(connection, unit_table, [catalogue.unit_key])
    if people == 0:
        faults.append(Fault(reasons.EMPTY, catalogue.unit_table))
    if people > catalogue.units:
        faults.append(Fault(reasons.MAGNITUDE, f"{people} people, {catalogue.units} declared"))
    return faults


def _empty(connection: duckdb.DuckDBPyConnection, table: Table) -> list[Fault]:
    """Columns that are declared never to be empty, the unit key first, are not."""
    full = [column.name for column in staged(table) if not column.nullable]
    if table.unit:
        full = [table.unit, *(column for column in full if column != table.unit)]
    return [
        fault
        for column in full
        for fault in _rows_where(connection, table, f"{name(column)} IS NULL", reasons.NULL, f"{column} is empty")
    ]


def _units(connection: duckdb.DuckDBPyConnection, catalogue: Catalogue, table: Table) -> list[Fault]:
    """Every row of a private table belongs to a person in the unit table; no row is dropped unless declared."""
    if table.access is not Access.PRIVATE:
        return []
    condition = _of_nobody(catalogue, table)
    return _rows_where(connection, table, condition, reasons.UNKNOWN_UNIT, "whose person is not in the unit table")


def _drop_unknown_units(connection: duckdb.DuckDBPyConnection, catalogue: Catalogue, table: Table) -> None:
    """Leave out rows of people who are not in the unit table, where the policy says so.

    A NULL in the source's own unit column still refuses the version; one that `unit_via` left means a row without
    its target, which belongs to nobody either.
    """
    if not table.drop_unknown_units:
        return
    condition = _of_nobody(catalogue, table)
    if table.unit_via and table.unit:
        condition = f"{name(table.unit)} IS NULL OR {condition}"
    connection.execute(f"DELETE FROM {name(table.name)} WHERE {condition}")


def _of_nobody(catalogue: Catalogue, table: Table) -> str:
    if table.unit is None:
        raise ValueError(f"{table.name} is private and has no unit; the policy should not compile")
    known = f"SELECT {name(catalogue.unit_key)} FROM {name(catalogue.unit_table)}"
    return f"{name(table.unit)} IS NOT NULL AND {name(table.unit)} NOT IN ({known})"


def _link(connection: duckdb.DuckDBPyConnection, table: Table, link: Link, tables: Mapping[str, Table]) -> list[Fault]:
    """Where the target of a link exists it has the same unit; a missing target is allowed."""
    target = tables.get(link.target)
    if target is None or target.unit is None or table.unit is None:
        return []
    pairs = " AND ".join(
        f"{name('t', here)} = {name('v', there)}" for here, there in zip(link.columns, link.target_columns, strict=True)
    )
    count, first = _all(
        connection,
        f"SELECT count(*), min(t.rowid) + 1 FROM {name(table.name)} t JOIN {name(target.name)} v ON {pairs} "
        f"WHERE {name('t', table.unit)} IS DISTINCT FROM {name('v', target.unit)}",
    )
    if not count:
        return []
    return [
        Fault(
            reasons.LINK,
            f"{table.name} ({', '.join(link.columns)}) → {link.target}: {count} rows lead to another person's row, "
            f"the first is row {first}",
        )
    ]


def _magnitude(connection: duckdb.DuckDBPyConnection, table: Table) -> list[Fault]:
    """Rows are counted before caps cut: a source that is larger than declared is not what was declared."""
    if not table.magnitude:
        return []
    rows = _one(connection, f"SELECT count(*) FROM {name(table.name)}")
    if rows <= table.magnitude:
        return []
    return [Fault(reasons.MAGNITUDE, f"{table.name}: {rows} rows, {table.magnitude} declared")]


def _rows_where(
    connection: duckdb.DuckDBPyConnection, table: Table, condition: str, why: Any, words: str
) -> list[Fault]:
    count, first = _all(connection, f"SELECT count(*), min(rowid) + 1 FROM {name(table.name)} WHERE {condition}")
    if not count:
        return []
    return [Fault(why, f"{table.name}: {words} in {count} rows, the first is row {first}")]


def _all(connection: duckdb.DuckDBPyConnection, sql: str) -> tuple[Any, ...]:
    (row,) = connection.execute(sql).fetchall()
    return tuple(row)


def _one(connection: duckdb.DuckDBPyConnection, sql: str) -> int:
    return int(_all(connection, sql)[0])
