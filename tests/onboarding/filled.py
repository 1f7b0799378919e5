"""A database that a hospital has filled: the tables of a folder of Parquet files, in a schema of their own."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import csv

_TYPES = {
    pa.bool_(): "boolean",
    pa.int32(): "integer",
    pa.int64(): "bigint",
    pa.float64(): "double precision",
    pa.string(): "text",
    pa.date32(): "date",
    pa.timestamp("us"): "timestamp",
}


def fill_from(folder: Path, address: str, schema: str) -> None:
    """Make a table of each file TABLE.parquet in the new `schema`, with its rows."""
    with psycopg.connect(address) as connection:
        connection.execute(f"CREATE SCHEMA {schema}".encode())
        for file in folder.glob("*.parquet"):
            _fill(connection, f"{schema}.{file.stem}", pq.read_table(file))


def _fill(connection: psycopg.Connection, table: str, rows: pa.Table) -> None:
    connection.execute(
        f"CREATE TABLE {table} ({', '.join(f'{one.name} {_type(one.type)}' for one in rows.schema)})".encode()
    )
    plain = pa.table(
        [column.cast(pa.string()) if pa.types.is_decimal(column.type) else column for column in rows.columns],
        rows.column_names,
    )
    sink = pa.BufferOutputStream()
    csv.write_csv(plain, sink, csv.WriteOptions(include_header=False))
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN (FORMAT csv)".encode()) as copy:
        copy.write(sink.getvalue())


def _type(found: pa.DataType) -> str:
    return f"numeric({found.precision}, {found.scale})" if pa.types.is_decimal(found) else _TYPES[found]
