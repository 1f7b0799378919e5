"""Few known groups as the bits of one whole number a unit: which of them it is in, in one pass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import prod

from tre.base.passage import Key
from tre.catalogue import Interval
from tre.sql import functions
from tre.sql.functions.exact import BITS
from tre.sql.plan import Expression, Facts, PrivateAggregate

PLACES = Facts(nullable=False, interval=Interval(Fraction(0), Fraction(BITS - 1)), granularity=Fraction(1))
"""What is known of a place."""


@dataclass(frozen=True, slots=True)
class _Span:
    """The places of one key: its values from `low` on, then NULL's where there is one."""

    low: int
    values: int
    nullable: bool

    @property
    def size(self) -> int:
        return self.values + self.nullable

    def place(self, value: object) -> int:
        return self.values if value is None else int(str(value)) - self.low


def place_of(block: PrivateAggregate, keys: tuple[Key, ...]) -> Expression | None:
    """Return the place of a row's group; None where no 63 bits tell the groups apart. Keys must be whole numbers."""
    spans = _spans(keys)
    if spans is None:
        return None
    found: Expression = functions.literal(0)
    for span, (_, expression) in zip(spans, block.keys, strict=True):
        # Clamped although declared: a place outside the bits would be an error of the engine.
        ends = functions.literal(span.low), functions.literal(span.low + span.values - 1)
        at = functions.call("-", functions.call("clamp", expression, *ends), ends[0])
        at = functions.call("coalesce", at, functions.literal(span.size - 1))
        found = functions.call("+", functions.call("*", found, functions.literal(span.size)), at)
    return found


def places_of(keys: tuple[Key, ...]) -> Mapping[Key, int]:
    """Return the place of each group, as `place_of` computes it."""
    spans = _spans(keys) or []
    found = {}
    for key in keys:
        place = 0
        for span, value in zip(spans, key, strict=True):
            place = place * span.size + span.place(value)
        found[key] = place
    return found


def _spans(keys: tuple[Key, ...]) -> list[_Span] | None:
    found = []
    for values in zip(*keys, strict=True):
        known = [value for value in values if type(value) is int]
        others = {value for value in values if type(value) is not int}
        if not known or not others <= {None}:
            return None
        found.append(_Span(min(known), max(known) - min(known) + 1, bool(others)))
    return found if prod(span.size for span in found) <= BITS else None
