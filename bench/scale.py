"""How much is measured."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scale:
    """`full` for figures that are published; else only enough to see that everything works."""

    full: bool

    def of(self, full: int, small: int) -> int:
        """Return the one or the other number."""
        return full if self.full else small
