"""Aggregates as text. Of whole numbers and decimals they are exact in any order, and so is what sorts or counts."""

from __future__ import annotations

from collections.abc import Callable

from tre.catalogue import Kind, Type
from tre.sql.functions.postgres import aggregates
from tre.sql.plan import SPREADS, Aggregated, Aggregation

Over = Callable[[str], str]
"""What follows an aggregate: its FILTER."""


def measured(one: Aggregated, argument: str, over: Over, dialect: str) -> str:
    """Return an aggregate over the text of its argument ("*" where it has none) in an engine's dialect."""
    if dialect == "postgres":
        return _postgres(one, argument, over)
    if one.function.value in SPREADS and one.argument is not None and one.argument.type.kind is Kind.DOUBLE:
        # An engine raises where squares overflow: values that far out, infinities and NaN do not count.
        argument = f"CASE WHEN ABS({argument}) < 1e150 THEN {argument} END"
    text = over(_AGGREGATES[one.function].format(argument, None if one.fraction is None else float(one.fraction)))
    whole_sum = one.function is Aggregation.SUM and one.column.type.kind is Kind.INTEGER
    return f"TRY_CAST({text} AS BIGINT)" if whole_sum else text


def _postgres(one: Aggregated, argument: str, over: Over) -> str:
    if one.argument is None or one.function in (Aggregation.COUNT, Aggregation.COUNT_DISTINCT):
        return over(_AGGREGATES[one.function].format(argument))
    fraction = None if one.fraction is None else float(one.fraction)
    of: Type = one.argument.type
    return aggregates.aggregate(one.function.value, argument, of, one.column.type, over, fraction)


_AGGREGATES = {
    Aggregation.COUNT_ROWS: "COUNT({})",
    Aggregation.COUNT: "COUNT({})",
    Aggregation.COUNT_DISTINCT: "COUNT(DISTINCT {})",
    Aggregation.SUM: "SUM({})",
    Aggregation.AVG: "AVG({})",
    Aggregation.VAR_SAMP: "VAR_SAMP({})",
    Aggregation.VAR_POP: "VAR_POP({})",
    Aggregation.STDDEV_SAMP: "STDDEV_SAMP({})",
    Aggregation.STDDEV_POP: "STDDEV_POP({})",
    Aggregation.MIN: "MIN({})",
    Aggregation.MAX: "MAX({})",
    Aggregation.QUANTILE_CONT: "quantile_cont(CAST({} AS DOUBLE), {})",
    Aggregation.QUANTILE_DISC: "quantile_disc({}, {})",
    Aggregation.HISTOGRAM: "histogram({})",
    Aggregation.BIT_OR: "BIT_OR({})",
}
