"""Aggregates and windows. Sums of doubles raise where they overflow, averages of exact numbers are exact numbers."""

from __future__ import annotations

from collections.abc import Callable

from tre.catalogue import Kind, Type
from tre.sql.functions.postgres.pieces import cast, whole_aggregate
from tre.sql.plan import SPREADS

_DOUBLE = Type(Kind.DOUBLE)
_FAR, _FARTHEST = 1e135, 1e290
"""Squares and sums of values beyond these could overflow, even of no more rows than a table can have."""
_OF_TRUTH = {"MIN": "BOOL_AND", "MAX": "BOOL_OR"}
_WITHIN = {"quantile_cont": "PERCENTILE_CONT", "quantile_disc": "PERCENTILE_DISC"}
_SMALL = {"ntile", "lag", "lead", "nth_value"}
"""Windows whose second argument, or the only one of NTILE, is an integer of 32 bits."""

Over = Callable[[str], str]
"""What follows an aggregate: its FILTER, and the OVER of a window."""


def aggregate(name: str, argument: str, of: Type, type_: Type, over: Over, fraction: float | None = None) -> str:
    """Return the aggregate `name` of an argument of type `of`, as a value of `type_`."""
    if name in _WITHIN:
        value = cast(argument, _DOUBLE) if name == "quantile_cont" else argument
        return _typed(over(f"{_WITHIN[name]}({fraction!r}) WITHIN GROUP (ORDER BY {value})"), type_)
    if of.kind is Kind.DOUBLE and (name in ("sum", "avg") or name in SPREADS):
        argument = _near(argument, _FAR if name in SPREADS else _FARTHEST)
    elif name == "avg":
        return f"{cast(over(f'SUM({argument})'), _DOUBLE)} / NULLIF({over(f'COUNT({argument})')}, 0)"
    called = _OF_TRUTH.get(name.upper(), name.upper()) if of.kind is Kind.BOOLEAN else name.upper()
    found = over(f"{called}({argument})")
    if name == "sum" and type_.kind is Kind.INTEGER:
        return whole_aggregate(found)
    return cast(found, _DOUBLE) if name in SPREADS else _typed(found, type_)


def _near(argument: str, far: float) -> str:
    """Values that far out, infinities and NaN do not count."""
    return f"CASE WHEN abs({argument}) < {far!r} THEN {argument} END"


def _typed(text: str, type_: Type) -> str:
    """An aggregate of a decimal has no places of its own."""
    return cast(text, type_) if type_.kind is Kind.DECIMAL else text


def window(name: str, arguments: list[str], type_: Type, over: Over) -> str:
    """Return a window that is no aggregate."""
    given = list(arguments)
    if name in _SMALL:
        place = 0 if name == "ntile" else 1
        given[place : place + 1] = [f"CAST({one} AS INTEGER)" for one in given[place : place + 1]]
    found = over(f"{name.upper()}({', '.join(given)})")
    return f"CAST({found} AS BIGINT)" if name == "ntile" else _typed(found, type_)
