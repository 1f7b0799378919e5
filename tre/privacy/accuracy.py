"""How exact an answer is to be, as people say it: `±20@95`, `±20@95 all`, `±2%` (PRIVACY §4 "Accuracy first")."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

FORM = r"^(±|\+-|\+/-)?(?=[0.]*[1-9])[0-9]{1,15}(\.[0-9]{1,9})?%?(@[5-9][0-9](\.[0-9]{1,3})?)?( all)?$"
"""What `Accuracy.read` takes, as a pattern of JSON Schema: a width above 0, a level from 50 to 99.999 per cent."""

_FORM = re.compile(FORM, re.ASCII)
_USUAL = Fraction(95, 100)


@dataclass(frozen=True, slots=True)
class Accuracy:
    """The half-width that the interval of every number may have at `level`, a share such as 0.95.

    `width` is in the unit of each number, or, when `relative`, a share of it. `everywhere` asks that all numbers of
    the answer lie in their intervals at once at that level, not each by itself.
    """

    width: Fraction
    level: Fraction = _USUAL
    relative: bool = False
    everywhere: bool = False

    @classmethod
    def read(cls, text: str) -> Accuracy:
        """Return the accuracy that `text` says. Raises ValueError."""
        if not _FORM.fullmatch(text):
            raise ValueError("no accuracy such as ±20, ±20@95, ±20@95 all or ±2%")
        rest, everywhere = text.removesuffix(" all"), text.endswith(" all")
        size, _, level = rest.lstrip("±+-/").partition("@")
        relative = size.endswith("%")
        width = Fraction(size.rstrip("%")) / (100 if relative else 1)
        return cls(width, Fraction(level) / 100 if level else _USUAL, relative, everywhere)

    def __str__(self) -> str:
        size = f"{_decimal(self.width * 100)}%" if self.relative else _decimal(self.width)
        return f"±{size}@{_decimal(self.level * 100)}{' all' if self.everywhere else ''}"

    def alpha(self, numbers: int) -> float:
        """Return how often one of `numbers` may lie outside its interval: Bonferroni's share when all count at once."""
        return float((1 - self.level) / (numbers if self.everywhere else 1))


def _decimal(value: Fraction) -> str:
    """Return a value of at most eleven decimal places exactly."""
    whole, part = divmod(value.numerator * 10**11 // value.denominator, 10**11)
    return f"{whole}.{part:011d}".rstrip("0").rstrip(".")
