"""Windows as text. Whatever their values, they cannot fail: their numbers are constants that were checked."""

from __future__ import annotations

from collections.abc import Callable

from tre.catalogue import Kind
from tre.sql.plan import Expression, Frame, FrameUnit, Window, WindowFunction

Text = Callable[[Expression], str]
Terms = tuple[tuple[Expression, bool, bool], ...]

_NAMES = {WindowFunction.COUNT_ROWS: "COUNT"}


def window_text(one: Window, text: Text) -> str:
    """Return a window as text; `text` gives that of an expression."""
    given = "*" if one.function is WindowFunction.COUNT_ROWS else ", ".join(text(part) for part in one.arguments)
    called = f"{_NAMES.get(one.function, one.function.value.upper())}({given})"
    if one.where is not None:
        called += f" FILTER (WHERE {text(one.where)})"
    found = f"{called} OVER ({' '.join(_over(one, text))})"
    whole_sum = one.function is WindowFunction.SUM and one.column.type.kind is Kind.INTEGER
    return f"TRY_CAST({found} AS BIGINT)" if whole_sum else found


def ordered(terms: Terms, text: Text) -> str:
    """Return the terms of an ORDER BY; where NULLs go is never left to the engine."""
    return ", ".join(
        f"{text(one)} {'DESC' if down else 'ASC'} NULLS {'FIRST' if first else 'LAST'}" for one, down, first in terms
    )


def _over(one: Window, text: Text) -> list[str]:
    parts = [f"PARTITION BY {', '.join(text(part) for part in one.partition)}"] if one.partition else []
    if one.order:
        parts.append(f"ORDER BY {ordered(one.order, _wide(text) if _distances(one.frame) else text)}")
    if one.frame is not None and not one.frame.whole:
        ends = f"{_end(one.frame.start, 'PRECEDING')} AND {_end(one.frame.end, 'FOLLOWING')}"
        parts.append(f"{one.frame.unit.value.upper()} BETWEEN {ends}")
    elif one.frame is not None and one.order:
        parts.append("ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING")
    return parts


def _distances(frame: Frame | None) -> bool:
    return frame is not None and frame.unit is FrameUnit.RANGE and bool(frame.start or frame.end)


def _wide(text: Text) -> Text:
    """An engine adds the distance to the value, and raises where that overflows: 128 bits hold every sum."""
    return lambda one: f"CAST({text(one)} AS HUGEINT)"


def _end(distance: int | None, side: str) -> str:
    if distance is None:
        return f"UNBOUNDED {side}"
    if distance == 0:
        return "CURRENT ROW"
    return f"{abs(distance)} {'PRECEDING' if distance < 0 else 'FOLLOWING'}"
