"""Released blocks as Arrow tables, for the engine that computes what stands above them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tre.base.passage import Release
from tre.catalogue import Kind, Type
from tre.privacy.blocks import Block, PrivatePlan
from tre.privacy.estimates import Estimates, estimates
from tre.privacy.spelling import typed

if TYPE_CHECKING:
    import pyarrow as pa


def inputs_of(block: Block, plan: PrivatePlan, releases: Mapping[str, Release]) -> Mapping[str, pa.Table]:
    """Return the released tables that `block` reads, by name; `releases` are those of the questions before it."""
    read = [plan.named(name) for name in block.shape.inputs]
    return {one.shape.name: released_table(estimates(one, releases[one.shape.question])) for one in read}


def released_table(one: Estimates) -> pa.Table:
    """Return the block's keys and values, one row per group in key order, then its hidden row numbers."""
    import pyarrow as pa

    rows = len(one.keys)
    arrays = [_key_array(one, at) for at in range(len(one.block.shape.source.keys))]
    for output in one.block.shape.outputs:
        arrays.append(_array(one.values[output.column.id], output.column.type))
    arrays.append(pa.array(range(rows), pa.int64()))
    return _table(arrays)


def simulated_table(one: Estimates, simulated: Mapping[int, Any], count: int) -> pa.Table:
    """Return `count` replicates of the table below each other, with row and replicate numbers."""
    import numpy as np
    import pyarrow as pa

    rows = len(one.keys)
    row = np.repeat(np.arange(rows), count)
    arrays = [_key_array(one, at).take(pa.array(row)) for at in range(len(one.block.shape.source.keys))]
    for output in one.block.shape.outputs:
        arrays.append(_simulated_array(simulated[output.column.id].reshape(-1), output.column.type))
    arrays += [pa.array(row, pa.int64()), pa.array(np.tile(np.arange(count), rows), pa.int64())]
    return _table(arrays)


def _table(arrays: list[pa.Array]) -> pa.Table:
    """Name columns by place, as plans read released tables; outputs may share a name."""
    import pyarrow as pa

    return pa.table(arrays, names=[f"c{place}" for place in range(1, len(arrays) + 1)])


def _key_array(one: Estimates, at: int) -> pa.Array:
    column, _ = one.block.shape.source.keys[at]
    return _array([key[at] for key in one.keys], column.type)


def _array(values: Sequence[object], type_: Type) -> pa.Array:
    import pyarrow as pa

    return pa.array(list(values), _arrow(type_))


def _simulated_array(values: Any, type_: Type) -> pa.Array:
    import numpy as np
    import pyarrow as pa

    if type_.kind in (Kind.DECIMAL, Kind.DATE, Kind.TIMESTAMP):
        return pa.array([None if np.isnan(value) else typed(value, type_) for value in values], _arrow(type_))
    known = np.where(np.isnan(values), 0.0, values)
    if type_.kind is Kind.INTEGER:
        known = np.clip(np.rint(known), -(2.0**62), 2.0**62).astype(np.int64)
    return pa.array(known, _arrow(type_), mask=np.isnan(values))


def _arrow(type_: Type) -> pa.DataType:
    import pyarrow as pa

    return {
        Kind.BOOLEAN: pa.bool_(),
        Kind.INTEGER: pa.int64(),
        Kind.DECIMAL: pa.decimal128(38, type_.scale),
        Kind.DOUBLE: pa.float64(),
        Kind.TEXT: pa.string(),
        Kind.DATE: pa.date32(),
        Kind.TIMESTAMP: pa.timestamp("us"),
    }[type_.kind]
