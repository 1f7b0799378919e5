"""Which stored draws a request uses, and what each ledger pays (PRIVACY §4 "Draws, not texts"). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tre.base.cost import Cost


@dataclass(frozen=True, slots=True)
class Charge:
    """`prefix` stored draws are used, then `new` (None: no further draw); what project and data set are charged.

    The project pays for the whole prefix and the new draw, less what it has paid for the question before; the
    data set pays for each draw once, when it is made.
    """

    prefix: int
    new: Cost | None
    project: Cost
    dataset: Cost


def charge(existing: Sequence[Cost], requested: Cost, paid: Cost, floor: int = 0) -> Charge:
    """Return how `requested` is met from the question's `existing` draws, in their order.

    The shortest prefix that reaches the requested amount serves; else one more draw of the difference, at least
    `floor`. Delta belongs to the first draw, which releases the keys; later draws keep them and need none.
    """
    nothing = Cost.zero(requested.measure)
    total = nothing
    for position, draw in enumerate(existing, start=1):
        total = total + draw
        if total.amount >= requested.amount:
            return Charge(position, None, total.minus_at_least_zero(paid), nothing)
    missing = max(floor, requested.amount - total.amount)
    new = Cost(requested.measure, missing, 0 if existing else requested.delta)
    return Charge(len(existing), new, (total + new).minus_at_least_zero(paid), new)
