"""What an answer costs: exact integers that refuse to mix measures (PRIVACY §1 "Measure")."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from math import ceil
from typing import Self

NANO = 10**9
ATTO = 10**18


class Measure(StrEnum):
    """The privacy measure of a ledger, fixed for its life."""

    ZCDP = "zcdp"
    PURE = "pure"


@dataclass(frozen=True, slots=True)
class Cost:
    """A privacy loss: `amount` in nano-rho (zCDP) or nano-epsilon (pure), `delta` in units of 10⁻¹⁸."""

    measure: Measure
    amount: int
    delta: int = 0

    def __post_init__(self) -> None:
        if self.amount < 0 or self.delta < 0:
            raise ValueError("a cost is never negative")
        if self.measure is Measure.PURE and self.delta:
            raise ValueError("pure differential privacy has no delta")

    @classmethod
    def zero(cls, measure: Measure) -> Self:
        """Return the cost of what is public."""
        return cls(measure, 0, 0)

    @classmethod
    def rounded_up(cls, measure: Measure, amount: Fraction, delta: Fraction = Fraction(0)) -> Self:
        """Return the cost of `amount` (rho or epsilon) and `delta`, rounded up against the analyst."""
        return cls(measure, ceil(amount * NANO), ceil(delta * ATTO))

    def __add__(self, other: Cost) -> Cost:
        self._same(other)
        return Cost(self.measure, self.amount + other.amount, self.delta + other.delta)

    def minus_at_least_zero(self, other: Cost) -> Cost:
        """Return what remains of this cost after `other` is paid, part by part, never below zero."""
        self._same(other)
        return Cost(self.measure, max(0, self.amount - other.amount), max(0, self.delta - other.delta))

    def fits(self, limit: Cost) -> bool:
        """Return whether both parts stay within `limit`."""
        self._same(limit)
        return self.amount <= limit.amount and self.delta <= limit.delta

    def least(self, other: Cost) -> Cost:
        """Return the lesser of each part (of a project's limit and a policy's)."""
        self._same(other)
        return Cost(self.measure, min(self.amount, other.amount), min(self.delta, other.delta))

    @property
    def rho(self) -> Fraction:
        """The amount as an exact rho (zCDP) or epsilon (pure)."""
        return Fraction(self.amount, NANO)

    @property
    def delta_fraction(self) -> Fraction:
        """Delta as an exact fraction."""
        return Fraction(self.delta, ATTO)

    def in_words(self) -> str:
        """Return the cost for people, exact: `0.005 rho and delta 0.0000001`."""
        unit = "rho" if self.measure is Measure.ZCDP else "epsilon"
        main = f"{_decimal(self.amount, 9)} {unit}"
        return f"{main} and delta {_decimal(self.delta, 18)}" if self.delta else main

    def as_json(self) -> dict[str, str]:
        """Return the cost as decimal strings: delta exceeds what JSON numbers carry exactly."""
        return {"measure": self.measure.value, "amount": str(self.amount), "delta": str(self.delta)}

    @classmethod
    def from_json(cls, value: dict[str, str]) -> Self:
        """Return the cost that `as_json` wrote."""
        return cls(Measure(value["measure"]), int(value["amount"]), int(value["delta"]))

    def _same(self, other: Cost) -> None:
        if self.measure is not other.measure:
            raise TypeError("costs of two measures do not mix; this is a bug, report it")


def _decimal(value: int, places: int) -> str:
    digits = f"{value:0{places + 1}d}"
    return f"{digits[:-places]}.{digits[-places:]}".rstrip("0").rstrip(".")
