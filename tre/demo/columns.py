"""From numpy arrays to Arrow tables of the CDM: what is not given is missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tre.demo.schema import MONEY, SCHEMAS

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Gaps:
    """Values of which those under `missing` are NULL."""

    values: Array
    missing: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Pence:
    """Amounts of money in hundredths, which become exact decimals."""

    values: NDArray[np.int64]


Given = Array | Gaps | Pence | int | str
"""What a column may be given as; a scalar fills the column."""


def table(name: str, rows: int, **given: Given) -> pa.Table:
    """Return CDM table `name` of `rows` rows; columns that are not `given` are NULL throughout."""
    schema = SCHEMAS[name]
    unknown = given.keys() - set(schema.names)
    if unknown:
        raise ValueError(f"{name} has no column {', '.join(sorted(unknown))}")
    arrays = [_array(given.get(field.name), field.type, rows) for field in schema]
    return pa.Table.from_arrays(arrays, schema=schema)


def days(values: Array) -> Array:
    """Return days since 1970-01-01 as dates."""
    return values.astype("datetime64[D]")


def moments(values: Array, seconds: Array) -> Array:
    """Return days since 1970-01-01 and seconds of the day as timestamps."""
    return (values * 86_400 + seconds).astype("datetime64[s]").astype("datetime64[us]")


def _array(given: Given | None, kind: pa.DataType, rows: int) -> pa.Array:
    if given is None:
        return pa.nulls(rows, kind)
    if isinstance(given, Pence):
        return _decimal(given.values)
    if isinstance(given, Gaps):
        return pa.array(given.values, type=kind, mask=given.missing)
    if isinstance(given, int | str):
        return pa.repeat(pa.scalar(given, kind), rows)
    return pa.array(given, type=kind)


def _decimal(pence: NDArray[np.int64]) -> pa.Array:
    # Arrow's decimal128 is a 16-byte two's complement integer: the value and its sign, as two little-endian words.
    words = np.stack((pence, pence >> 63), axis=1).astype("<i8")
    return pa.Array.from_buffers(MONEY, len(pence), [None, pa.py_buffer(np.ascontiguousarray(words))])
