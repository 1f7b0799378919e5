"""A released answer as a table for people: an interval beside its number, what is hidden in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tre.web.portal.words import number
from tre.web.views import ColumnView, ResultView, SuppressedView

_NUMBERS = ("integer", "decimal", "double")
HIDDEN = "hidden"


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: its words, and how it is set: "key", "number", "interval", "text", "null" or "hidden"."""

    words: str
    kind: str


@dataclass(frozen=True, slots=True)
class Heading:
    """The head of a column."""

    words: str
    numeric: bool


@dataclass(frozen=True, slots=True)
class Table:
    """A table with its head; `hidden` says that cells are, so that the page explains them."""

    head: tuple[Heading, ...]
    rows: tuple[tuple[Cell, ...], ...]
    hidden: bool


def table(result: ResultView) -> Table:
    """Return the answer with the two ends of each interval in one column."""
    ends = {(column.of, column.bound): place for place, column in enumerate(result.columns) if column.bound}
    shown = [(place, column) for place, column in enumerate(result.columns) if not column.bound]
    rows = tuple(
        tuple(cell for place, column in shown for cell in _cells(row, place, column, ends)) for row in result.rows
    )
    cells = [cell for row in rows for cell in row]
    return Table(
        head=tuple(heading for _, column in shown for heading in _headings(column, ends, result.level)),
        rows=rows,
        hidden=any(cell.kind == HIDDEN for cell in cells),
    )


def _headings(column: ColumnView, ends: Mapping[Any, int], level: float) -> list[Heading]:
    own = Heading(column.name, column.noisy and column.type in _NUMBERS)
    return [own, Heading(f"{level:.0%} interval", True)] if (column.name, "low") in ends else [own]


def _cells(row: tuple[Any, ...], place: int, column: ColumnView, ends: Mapping[Any, int]) -> list[Cell]:
    own = _cell(row[place], column)
    if (column.name, "low") not in ends:
        return [own]
    low, high = (row[ends[column.name, end]] for end in ("low", "high"))
    if isinstance(low, SuppressedView) or low is None or high is None:
        return [own, Cell("–", "interval")]
    return [own, Cell(f"{number(low)} to {number(high)}", "interval")]


def _cell(value: Any, column: ColumnView) -> Cell:
    """Return one cell; what rows are grouped by stands as it is, a year without a comma."""
    if isinstance(value, SuppressedView):
        return Cell(HIDDEN, HIDDEN)
    if value is None:
        return Cell("none (NULL)", "null")
    if not column.noisy:
        return Cell(str(value).lower() if isinstance(value, bool) else str(value), "key")
    return Cell(number(value), "number") if column.type in _NUMBERS else Cell(str(value), "text")
