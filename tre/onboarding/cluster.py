"""The version's own file: unit keys replaced by random numbers, rows clustered by them."""
# ruff: noqa: S608 - identifiers and texts enter SQL through tre.onboarding.sql alone

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from tre.base.ids import Randomness
from tre.catalogue import SIDE_SCHEMA, Access, Catalogue, Kind, Table
from tre.onboarding.sql import literal, name, names
from tre.onboarding.stage import copied

if TYPE_CHECKING:
    import duckdb
    import numpy as np
    import numpy.typing as npt

UNITS = name("tre units")
"""Temporary table of the stage: each unit's key in the source (`source`) and its number here (`unit`)."""


def write_version(
    connection: duckdb.DuckDBPyConnection,
    catalogue: Catalogue,
    tables: Mapping[str, Table],
    file: Path,
    randomness: Randomness,
    report: Callable[[float], None],
) -> dict[str, int]:
    """Write the staged `tables` into the new DuckDB file `file`; return the exact sizes of public tables:
    their rows (`table`), and the most that have one value of a column (`table.column`).

    The file never holds anything else, so that no page of it remembers an identifier.
    """
    _number_units(connection, catalogue, randomness)
    connection.execute(f"ATTACH {literal(str(file))} AS version")
    connection.execute(f"CREATE SCHEMA version.{name(SIDE_SCHEMA)}")
    sizes: dict[str, int] = {}
    for done, table in enumerate(tables.values()):
        rows = _write_private(connection, table) if table.unit else _write_shared(connection, table)
        if table.access is Access.PUBLIC:
            sizes[table.name] = rows
            sizes |= _fans(connection, table)
        connection.execute(f"DROP TABLE {name(table.name)}")
        report((done + 1) / len(tables))
    connection.execute("CHECKPOINT version")
    connection.execute("DETACH version")
    return sizes


def _number_units(connection: duckdb.DuckDBPyConnection, catalogue: Catalogue, randomness: Randomness) -> None:
    """Give every unit a random number, which is kept nowhere else."""
    import pyarrow as pa

    keys = connection.sql(
        f"SELECT {name(catalogue.unit_key)} AS source FROM {name(catalogue.unit_table)}"
    ).to_arrow_table()
    numbered = keys.append_column("unit", pa.array(unit_numbers(keys.num_rows, randomness)))
    connection.register("tre numbering", numbered)
    connection.execute(f"CREATE TEMP TABLE {UNITS} AS SELECT * FROM {name('tre numbering')}")
    connection.unregister("tre numbering")


def unit_numbers(count: int, randomness: Randomness) -> npt.NDArray[np.int64]:
    """Return `count` distinct random numbers of 62 bits.

    A person's number says nothing of anybody else's presence. Ranks 1..n would: one person less, and somebody else
    bears another number, so a plan that looks at numbers (a filter on the unit key, the keyed choice of groups)
    would differ in two people's rows, not one's (PRIVACY §1 "Neighbours").
    """
    import numpy as np

    while True:
        found = (np.frombuffer(randomness(8 * count), dtype="<u8") >> np.uint64(2)).astype(np.int64)
        if len(np.unique(found)) == count:
            return found


def _write_private(connection: duckdb.DuckDBPyConnection, table: Table) -> int:
    assert table.unit, "the caller asks for tables with a unit"
    unit = name(table.unit)
    columns = ", ".join(
        f"m.unit AS {unit}" if column.name == table.unit else name("t", column.name) for column in copied(table)
    )
    connection.execute(
        f"CREATE TABLE {name('version', 'main', table.name)} AS SELECT {columns} FROM {name(table.name)} t "
        f"JOIN {UNITS} m ON {name('t', table.unit)} = m.source ORDER BY m.unit"
    )
    connection.execute(
        f"CREATE TABLE {name('version', SIDE_SCHEMA, table.name)} AS SELECT {unit} AS unit, count(*) AS n "
        f"FROM {name('version', 'main', table.name)} GROUP BY ALL ORDER BY unit"
    )
    return 0


def _write_shared(connection: duckdb.DuckDBPyConnection, table: Table) -> int:
    """Copy a public or attribute table in the order of all its columns, so that a source's order says nothing."""
    columns = names(column.name for column in copied(table))
    rows = connection.execute(
        f"CREATE TABLE {name('version', 'main', table.name)} AS SELECT {columns} FROM {name(table.name)} ORDER BY ALL"
    ).fetchall()
    return int(rows[0][0])


def _fans(connection: duckdb.DuckDBPyConnection, table: Table) -> dict[str, int]:
    """Return the most rows that have one value of a column, texts cut to the length that scans cut them to."""
    found = {}
    for column in copied(table):
        if column.type.kind in (Kind.INTEGER, Kind.TEXT, Kind.DATE) and column.bounds is None:
            text = name(column.name)
            value = text if column.max_length is None else f"substring({text}, 1, {column.max_length})"
            ((most,),) = connection.execute(
                f"SELECT coalesce(max(n), 0) FROM (SELECT count(*) AS n FROM {name(table.name)} "
                f"WHERE {text} IS NOT NULL GROUP BY {value})"
            ).fetchall()
            found[f"{table.name}.{column.name}"] = int(most)
    return found
