"""What every clinical event has in common: whose it is, at which visit, on what day, of what concept.

An event that names a visit has that visit's person and day, as an enforced N:1 link demands; many name none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tre.demo.columns import Gaps
from tre.demo.identifiers import Ints
from tre.demo.people import Floats, People
from tre.demo.places import PROVIDERS_PER_SITE
from tre.demo.visits import Visits


@dataclass(frozen=True, slots=True)
class Choice:
    """Concepts and the probability of each."""

    concepts: tuple[int, ...]
    shares: tuple[float, ...]

    def draw(self, rng: np.random.Generator, count: int) -> Ints:
        """Return `count` concepts."""
        shares = np.array(self.shares)
        return np.asarray(rng.choice(np.array(self.concepts), count, p=shares / shares.sum()))


@dataclass(frozen=True, slots=True)
class Events:
    """Rows to be, one element a row: `who` is a position among people, `visit` among visits, −1 for none."""

    who: Ints
    visit: Ints
    day: Ints
    concept: Ints

    def __len__(self) -> int:
        return len(self.who)

    def shared_columns(self, rng: np.random.Generator, people: People, visits: Visits) -> dict[str, Any]:
        """Return the columns that every event table has."""
        count = len(self)
        none = self.visit < 0
        first = (people.practice[self.who] - 1) * PROVIDERS_PER_SITE
        return {
            "person_id": people.ids[self.who],
            "visit_occurrence_id": Gaps(visits.first_id + self.visit, none),
            "provider_id": Gaps(
                first + rng.integers(1, PROVIDERS_PER_SITE + 1, count), none | (rng.random(count) < 0.2)
            ),
        }


def at_visits(rng: np.random.Generator, visits: Visits, share: float | Floats, choice: Choice) -> Events:
    """Return an event at a `share` of visits (one number, or one a visit)."""
    visit = np.flatnonzero(rng.random(len(visits)) < share)
    return Events(visits.who[visit], visit, visits.day[visit], choice.draw(rng, len(visit)))


def together(parts: list[Events]) -> Events:
    """Return the rows of all parts, in order."""
    return Events(*(_joined([getattr(part, name) for part in parts]) for name in Events.__slots__))


def _joined(arrays: list[Ints]) -> NDArray[np.int64]:
    return np.concatenate(arrays).astype(np.int64, copy=False)
