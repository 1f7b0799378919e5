"""Rows of a PostgreSQL server as Arrow: types are those of the statement's columns, whatever their values."""

from __future__ import annotations

from typing import Any

import psycopg
import pyarrow as pa

_AT_ONCE = 10_000
_DIGITS = 38
_TYPES = {
    16: (pa.bool_(), "boolean"),
    20: (pa.int64(), "bigint"),
    23: (pa.int64(), "integer"),
    25: (pa.string(), "text"),
    701: (pa.float64(), "double precision"),
    1016: (pa.list_(pa.list_(pa.int64())), "bigint[]"),
    1043: (pa.string(), "text"),
    1082: (pa.date32(), "date"),
    1114: (pa.timestamp("us"), "timestamp"),
}
_NUMERIC = 1700


def table(cursor: psycopg.Cursor[Any]) -> pa.Table:
    """Return the rows of what `cursor` ran. Raises KeyError for a type that no statement of ours has."""
    schema = pa.schema([(one.name, _type(one)) for one in cursor.description or ()])
    batches = []
    while rows := cursor.fetchmany(_AT_ONCE):
        columns = zip(*rows, strict=True)
        arrays = [pa.array(list(column), one.type) for column, one in zip(columns, schema, strict=True)]
        batches.append(pa.RecordBatch.from_arrays(arrays, schema=schema))
    return pa.Table.from_batches(batches, schema)


def _type(one: psycopg.Column) -> pa.DataType:
    """Whole numbers beyond 64 bits come without places of their own."""
    if one.type_code == _NUMERIC:
        return pa.decimal128(one.precision or _DIGITS, one.scale or 0)
    return _TYPES[one.type_code][0]


def array_of(type_: pa.DataType) -> str:
    """Return the array type as which a column of an input is given. Raises TypeError for another type."""
    if pa.types.is_decimal(type_):
        return f"numeric({type_.precision},{type_.scale})[]"
    for known, name in _TYPES.values():
        if known == type_:
            return f"{name}[]"
    raise TypeError(f"no input of {type_}")
