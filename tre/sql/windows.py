"""Windows as text. Whatever their values, they cannot fail: their numbers are constants that were checked."""

from __future__ import annotations

from collections.abc import Callable

from tre.catalogue import Kind
from tre.sql.functions.postgres import aggregates
from tre.sql.plan import SPREADS, Expression, Frame, FrameUnit, Window, WindowFunction

Text = Callable[[Expression], str]
Terms = tuple[tuple[Expression, bool, bool], ...]

_AGGREGATES = {"sum", "avg", "min", "max", *SPREADS}
_WIDE = {"duckdb": "HUGEINT", "postgres": "NUMERIC"}
"""Whole numbers that hold every sum of a value and a distance."""


def window_text(one: Window, text: Text, dialect: str) -> str:
    """Return a window as text in an engine's dialect; `text` gives that of an expression."""
    kept = "" if one.where is None else f" FILTER (WHERE {text(one.where)})"
    around = f"{kept} OVER ({' '.join(_over(one, text, _WIDE[dialect]))})"
    if one.function is WindowFunction.COUNT_ROWS:
        return f"COUNT(*){around}"
    given = [text(part) for part in one.arguments]
    if dialect == "postgres":
        return _postgres(one, given, around)
    if one.function.value in SPREADS and one.arguments[0].type.kind is Kind.DOUBLE:  # squares must not overflow
        given = [f"CASE WHEN ABS({part}) < 1e150 THEN {part} END" for part in given]
    found = f"{one.function.value.upper()}({', '.join(given)}){around}"
    whole_sum = one.function is WindowFunction.SUM and one.column.type.kind is Kind.INTEGER
    return f"TRY_CAST({found} AS BIGINT)" if whole_sum else found


def _postgres(one: Window, given: list[str], around: str) -> str:
    name, type_ = one.function.value, one.column.type
    if name in _AGGREGATES:
        return aggregates.aggregate(name, given[0], one.arguments[0].type, type_, lambda call: call + around)
    return aggregates.window(name, given, type_, lambda call: call + around)


def ordered(terms: Terms, text: Text) -> str:
    """Return the terms of an ORDER BY; where NULLs go is never left to the engine."""
    return ", ".join(
        f"{text(one)} {'DESC' if down else 'ASC'} NULLS {'FIRST' if first else 'LAST'}" for one, down, first in terms
    )


def _over(one: Window, text: Text, wide: str) -> list[str]:
    parts = [f"PARTITION BY {', '.join(text(part) for part in one.partition)}"] if one.partition else []
    if one.order:
        parts.append(f"ORDER BY {ordered(one.order, _wide(text, wide) if _distances(one.frame) else text)}")
    if one.frame is not None and not one.frame.whole:
        ends = f"{_end(one.frame.start, 'PRECEDING')} AND {_end(one.frame.end, 'FOLLOWING')}"
        parts.append(f"{one.frame.unit.value.upper()} BETWEEN {ends}")
    elif one.frame is not None and one.order:
        parts.append("ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING")
    return parts


def _distances(frame: Frame | None) -> bool:
    return frame is not None and frame.unit is FrameUnit.RANGE and bool(frame.start or frame.end)


def _wide(text: Text, wide: str) -> Text:
    """An engine adds the distance to the value, and raises where that overflows."""
    return lambda one: f"CAST({text(one)} AS {wide})"


def _end(distance: int | None, side: str) -> str:
    if distance is None:
        return f"UNBOUNDED {side}"
    if distance == 0:
        return "CURRENT ROW"
    return f"{abs(distance)} {'PRECEDING' if distance < 0 else 'FOLLOWING'}"
