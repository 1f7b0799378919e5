"""What a plan means exactly: private aggregates computed without clipping and noise. For tests alone."""

from __future__ import annotations

from dataclasses import replace

from tre.sql.plan import (
    QUANTILES,
    SPREADS,
    Aggregate,
    Aggregated,
    Aggregation,
    Asked,
    PrivateAggregate,
    PrivateFunction,
    Query,
    Ref,
    Relation,
)
from tre.sql.walk import replaced

_EXACT = {
    PrivateFunction.COUNT_ROWS: Aggregation.COUNT_ROWS,
    PrivateFunction.COUNT: Aggregation.COUNT,
    PrivateFunction.COUNT_UNITS: Aggregation.COUNT_DISTINCT,
    PrivateFunction.COUNT_DISTINCT: Aggregation.COUNT_DISTINCT,
    PrivateFunction.SUM: Aggregation.SUM,
    PrivateFunction.AVG: Aggregation.AVG,
    **{one: Aggregation(one.value) for one in PrivateFunction if one.value in SPREADS | QUANTILES},
}


def exact(query: Query) -> Relation:
    """Return the plan of `query` with exact aggregates in place of private ones."""
    root = query.root
    for block in query.blocks:
        root = replaced(root, block, exact_block(block))
    return root


def exact_block(block: PrivateAggregate) -> Aggregate:
    """Return the exact aggregate that a private one stands for."""
    return Aggregate(block.input, block.keys, tuple(_exact(one, block) for one in block.asked))


def _exact(one: Asked, block: PrivateAggregate) -> Aggregated:
    made = Aggregated(one.column, _EXACT[one.function], one.argument, one.where, one.fraction)
    return replace(made, argument=Ref(block.unit)) if one.function is PrivateFunction.COUNT_UNITS else made
