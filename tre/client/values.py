"""Cells of an answer as Python values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

Number = int | float | str | Decimal | Fraction


def decimal(number: Number) -> str:
    """Return the decimal text of a number; a float as the shortest decimal that reads back to it."""
    if isinstance(number, Fraction):
        number = Decimal(number.numerator) / Decimal(number.denominator)
    return format(Decimal(str(number)), "f")


class Suppressed:
    """A cell that is withheld. It is no number and never 0."""

    _only: Suppressed | None = None

    def __new__(cls) -> Suppressed:
        """Return the one marker there is, so that `is` tells it."""
        if cls._only is None:
            cls._only = super().__new__(cls)
        return cls._only

    def __repr__(self) -> str:
        return "suppressed"

    def __bool__(self) -> bool:
        raise TypeError("a suppressed cell is neither true nor false: ask `cell is SUPPRESSED`")


SUPPRESSED: Final = Suppressed()
Cell = bool | int | float | str | Decimal | date | datetime | Suppressed | None

_READERS: dict[str, Callable[[Any], Cell]] = {
    "decimal": Decimal,
    "date": date.fromisoformat,
    "timestamp": datetime.fromisoformat,
    "double": float,
}


def cell(value: Any, kind: str) -> Cell:
    """Return a cell of the JSON as a value of the column's type `kind`."""
    if isinstance(value, Mapping):
        return SUPPRESSED
    if value is None:
        return None
    read = _READERS.get(kind)
    plain: Cell = read(value) if read else value
    return plain


def shown(value: object) -> str:
    """Return a cell as a table shows it: NULL by its name, a computed number to six digits."""
    if value is None:
        return "NULL"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
