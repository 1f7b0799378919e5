"""Answers as pandas, Polars or Arrow frames, where those are installed: nullable types, withheld cells missing."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tre.client.values import Cell

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

Columns = Iterable[tuple[str, str, list[Cell]]]
"""Name, type and values of each column; a withheld cell and NULL are None."""


def pandas_frame(columns: Columns) -> pd.DataFrame:
    """Return a pandas frame with nullable types."""
    import pandas as pd

    kinds = {"integer": "Int64", "double": "Float64", "boolean": "boolean", "text": "string"}
    series: dict[str, Any] = {}
    for name, kind, values in columns:
        made = pd.Series(values, dtype=kinds.get(kind, "object"))
        series[name] = pd.to_datetime(made) if kind in ("date", "timestamp") else made
    return pd.DataFrame(series)


def polars_frame(columns: Columns) -> pl.DataFrame:
    """Return a Polars frame."""
    import polars as pl

    kinds: dict[str, Any] = {
        "integer": pl.Int64,
        "double": pl.Float64,
        "boolean": pl.Boolean,
        "text": pl.String,
        "date": pl.Date,
        "timestamp": pl.Datetime("us"),
    }
    return pl.DataFrame(
        [
            pl.Series(name, values, dtype=kinds[kind] if kind in kinds else pl.Decimal(38, _scale(values)), strict=True)
            for name, kind, values in columns
        ]
    )


def arrow_table(columns: Columns) -> pa.Table:
    """Return an Arrow table."""
    import pyarrow as pa

    kinds = {
        "integer": pa.int64(),
        "double": pa.float64(),
        "boolean": pa.bool_(),
        "text": pa.string(),
        "date": pa.date32(),
        "timestamp": pa.timestamp("us"),
    }
    found = list(columns)
    arrays = [pa.array(values, kinds.get(kind) or pa.decimal128(38, _scale(values))) for _, kind, values in found]
    return pa.table(arrays, names=[name for name, _, _ in found])


def _scale(values: list[Cell]) -> int:
    exponents = [int(value.as_tuple().exponent) for value in values if isinstance(value, Decimal)]
    return max([0, *(-exponent for exponent in exponents)])
