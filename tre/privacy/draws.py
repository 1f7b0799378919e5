"""Which stored draws a request uses, and what each ledger pays (PRIVACY §4 "Draws, not texts"). Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from tre.base.cost import Cost, Measure


@dataclass(frozen=True, slots=True)
class Charge:
    """The stored draws that serve, by their places, and `new` (None: no further draw); what each ledger is charged.

    The project pays for each draw that it uses once; the data set pays for each draw once, when it is made.
    """

    serves: tuple[int, ...]
    new: Cost | None
    project: Cost
    dataset: Cost

    def made_of(self, existing: Sequence[Cost]) -> tuple[Cost, ...]:
        """Return the prices of the draws of which the answer is combined."""
        return (*(existing[place] for place in self.serves), *((self.new,) if self.new is not None else ()))


def charge(existing: Sequence[Cost], requested: Cost, paid: Collection[int] = (), floor: int = 0) -> Charge:
    """Return how `requested` is met from the question's `existing` draws, in their order.

    Under zCDP the shortest prefix that reaches the requested amount serves; else one more draw of the difference.
    Under pure DP each draw stands by itself, because two Laplace draws are worth less than one at the sum of their
    prices: the first that reaches the requested amount serves; else a draw of all of it. A new draw costs at least
    `floor`. Delta belongs to the first draw, which releases the keys; later draws keep them and need none.

    :param paid: the places of the draws that the project has paid for.
    """
    serves, missing = (_alone if requested.measure is Measure.PURE else _together)(existing, requested.amount)
    nothing, new = Cost.zero(requested.measure), None
    if missing is not None:
        new = Cost(requested.measure, max(floor, missing), 0 if existing else requested.delta)
    due = sum((existing[place] for place in serves if place not in paid), new or nothing)
    return Charge(serves, new, due, new or nothing)


def _together(existing: Sequence[Cost], amount: int) -> tuple[tuple[int, ...], int | None]:
    """Return (the shortest prefix that reaches `amount`, None), or (all draws, what they lack)."""
    total = 0
    for place, draw in enumerate(existing):
        total += draw.amount
        if total >= amount:
            return tuple(range(place + 1)), None
    return tuple(range(len(existing))), amount - total


def _alone(existing: Sequence[Cost], amount: int) -> tuple[tuple[int, ...], int | None]:
    """Return (the first draw that reaches `amount` by itself, None), or (no draw, all of it)."""
    for place, draw in enumerate(existing):
        if draw.amount >= amount:
            return (place,), None
    return (), amount
