"""A row as bytes: the ground of the row caps' hash and of the commitment to a version's logical content."""
# ruff: noqa: S608 - identifiers and texts enter SQL through tre.onboarding.sql alone

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from tre.catalogue import Column, Kind, Table
from tre.onboarding.sql import name
from tre.onboarding.stage import copied

if TYPE_CHECKING:
    import duckdb

_WORDS = 4  # a SHA-256 as four 64-bit words


def derived_key(commitment_key: bytes, purpose: str) -> str:
    """Return a key of its own for one `purpose`, in hex, as a parameter for the engine."""
    return hmac.new(commitment_key, purpose.encode(), hashlib.sha256).hexdigest()


def row_hash(table: Table) -> str:
    """Return SQL for the keyed SHA-256 (hex) of a row's copied columns; `$key` is the key.

    Every column is delimited, texts carry their length, NULL differs from empty: two rows have one encoding only if
    they are equal.
    """
    columns = sorted(copied(table), key=lambda column: column.name)
    encoded = ", ".join(_encoded(column) for column in columns)
    return f"sha256(concat($key, '|', {encoded}))"


def _encoded(column: Column) -> str:
    value = name(column.name)
    if column.type.kind is Kind.TEXT:
        return f"CASE WHEN {value} IS NULL THEN '|' ELSE concat(strlen({value}), ':', {value}, '|') END"
    return f"{value}, '|'"


def cut_to_caps(
    connection: duckdb.DuckDBPyConnection, tables: Mapping[str, Table], commitment_key: bytes
) -> dict[str, int]:
    """Delete each unit's rows beyond the declared cap, keeping those of lowest keyed hash; return the caps.

    The choice is a function of that unit's rows alone (PRIVACY §3.9) and, within one home, the same for the same
    rows in any order. Rows of one hash are equal, so that it does not matter which of them stays.
    """
    caps: dict[str, int] = {}
    for key, table in tables.items():
        if table.unit is None or table.rows_per_unit is None:
            continue
        caps[key] = table.rows_per_unit
        unit = name(table.unit)
        connection.execute(
            f"DELETE FROM {name(key)} WHERE rowid IN (SELECT place FROM (SELECT rowid AS place, row_number() OVER ("
            f"PARTITION BY {unit} ORDER BY {row_hash(table)}) AS rank FROM {name(key)} WHERE {unit} IN ("
            f"SELECT {unit} FROM {name(key)} GROUP BY {unit} HAVING count(*) > $cap)) WHERE rank > $cap)",
            {"key": derived_key(commitment_key, f"row cap of {key}"), "cap": table.rows_per_unit},
        )
    return caps


def commitment(
    connection: duckdb.DuckDBPyConnection,
    tables: Mapping[str, Table],
    commitment_key: bytes,
    report: Callable[[float], None],
) -> str:
    """Return the HMAC-SHA256 (hex) of what a version says, whatever the order of rows and the names of units.

    Each table is a multiset: keyed hashes of its rows, under the source's unit keys and after the caps, are added
    word by word (a keyed additive multiset hash, Clarke et al., ASIACRYPT 2003); the sums never leave this function.
    """
    content: dict[str, object] = {}
    for done, key in enumerate(sorted(tables)):
        columns = [[column.name, str(column.type)] for column in copied(tables[key])]
        sums = _sums(connection, tables[key], derived_key(commitment_key, f"rows of {key}"))
        content[key] = {"columns": sorted(columns), "sums": sums}
        report((done + 1) / len(tables))
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hmac.new(commitment_key, b"version\n" + text.encode(), hashlib.sha256).hexdigest()


def _sums(connection: duckdb.DuckDBPyConnection, table: Table, key: str) -> list[str]:
    words = ", ".join(
        f"CAST(coalesce(sum(CAST(concat('0x', substr(h, {1 + 16 * i}, 16)) AS UBIGINT)), 0) AS VARCHAR)"
        for i in range(_WORDS)
    )
    (row,) = connection.execute(
        f"SELECT CAST(count(*) AS VARCHAR), {words} FROM (SELECT {row_hash(table)} AS h FROM {name(table.name)})",
        {"key": key},
    ).fetchall()
    return [str(value) for value in row]
