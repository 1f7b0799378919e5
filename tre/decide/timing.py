"""When an answer may leave: two times fixed before the run by the request and public sizes alone (PRIVACY §3.10)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from tre.catalogue import Catalogue

# Measured on clustered tables: one pass with a per-group sort costs at most 0.15 s per 10⁶ rows on two threads. The
# base is ten times what planning, releasing and post-processing take on a quiet machine, because an answer that is
# not ready by its time is an incident.
_BASE = Fraction(1, 4)
_PER_ROW = Fraction(15, 10**8)
# A cell of a quantile's search takes 11 µs on a quiet machine.
_PER_CELL = Fraction(4, 10**5)
# A pair of one person's rows that a join forms and a condition on dates looks at: 4·10⁷ a second on two threads.
_PER_PAIR = Fraction(4, 10**8)
_MARGIN = 2
# PRIVACY §3.9: limits are at least ten times the estimate from declared sizes.
_LIMIT_FACTOR = 10
_LEAST_LIMIT = Fraction(30)


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds after the start: `release` when a ready answer leaves, `limit` when every other request ends."""

    release: Fraction
    limit: Fraction


def timing(
    tables: Iterable[str], catalogue: Catalogue, release_every: Fraction, searched: int = 0, of_one: int = 0
) -> Timing:
    """Return both times of a plan over `tables`, from declared magnitudes and public sizes.

    `tables` are those of every pass: one that two passes read stands twice.
    `searched` is the most cells that the plan's searches for quantiles read; `of_one` the most rows that one person
    can have anywhere in the plan: what a single person could add to the engine's time stands in both times.
    `release_every` is the policy's grid in seconds; 0 means that an answer leaves when it is ready, which leaves
    the time of the engine open to whoever measures it.
    """
    rows = sum(_declared_rows(name, catalogue) for name in tables)
    estimate = _BASE + rows * _PER_ROW + searched * _PER_CELL + of_one * _PER_PAIR
    release = Fraction(0)
    if release_every:
        release = ceil(estimate * _MARGIN / release_every) * release_every
    return Timing(release, max(_LEAST_LIMIT, estimate * _LIMIT_FACTOR, release))


def _declared_rows(name: str, catalogue: Catalogue) -> int:
    table = catalogue.tables[name]
    return table.magnitude if table.public_rows is None else table.public_rows
