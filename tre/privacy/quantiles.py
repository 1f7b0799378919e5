"""The search for quantiles in noisy counts over halves of a grid (PRIVACY §3.7; Dwork et al. 2010, Chan et al. 2011).

A grid of 2ᴸ candidates is halved, its halves are halved, and so on: L levels, on each of which a row lies in one
cell. The mechanism is independent noise on every cell of every level, scaled to what one unit changes in all of them
together. The search reads few of these cells, so the noise of a cell is drawn when the cell is first read, and once:
what comes out has the distribution that it would have, had all of them been drawn before.

At each level the search for the quantile q = a/b knows the noisy rows `below` the middle of where it is and those
`above` it, each a sum of cells that do not overlap, and goes left where below ≥ q · (below + above), that is where
the score (b − a) · below − a · above is not negative. The larger q, the fewer ways lead left, so quantiles of one
part stay ordered. The ends of the interval are two more searches, to whose score the error of the score is given and
taken: that error is known at every step, and all L steps hold together with 95 %.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import accumulate

from tre.privacy.mechanisms import Mechanism, Noise, accuracy
from tre.privacy.parts import Part

MOST_CELLS = 2**17
"""The most cells whose noise is drawn for one part, about: beyond, searches end some levels earlier."""
_ALPHA = 0.05
_SIDES = (0, -1, 1)
"""A quantile, then the lower and the upper end of its interval."""

Histogram = Mapping[int, int]
"""Rows by candidate."""


@dataclass(frozen=True, slots=True)
class _Rows:
    """The exact rows of one group: candidates in order, and how many rows lie before each."""

    cells: tuple[int, ...]
    before: tuple[int, ...]

    @classmethod
    def of(cls, histogram: Histogram, levels: int) -> _Rows:
        """Return the rows; one outside the grid, should a proof be wrong, counts at its end."""
        within: dict[int, int] = {}
        for cell, count in sorted(histogram.items()):
            at = min(max(cell, 0), 2**levels - 1)
            within[at] = within.get(at, 0) + count
        return cls(tuple(within), (0, *accumulate(within.values())))

    def count(self, index: int, size: int) -> int:
        """Return the rows in the cell number `index` of a level whose cells hold `size` candidates."""
        first, last = (bisect_left(self.cells, one * size) for one in (index, index + 1))
        return self.before[last] - self.before[first]


@dataclass(slots=True)
class _Search:
    """One way from the whole grid down: where it is, and the noisy cells beside it."""

    group: int
    fraction: Fraction
    side: int
    index: int = 0
    below: int = 0
    above: int = 0
    cells_below: int = 0
    cells_above: int = 0
    whole: int = 0

    def step(self, left: int, right: int, error: float) -> None:
        """Go to the half in which the quantile lies, by the halves' noisy rows; `error` is that of one cell."""
        below, above = self.below + left, self.above + right
        if not self.cells_below and not self.cells_above:
            self.whole = left + right
        a, b = self.fraction.numerator, self.fraction.denominator
        spread = math.hypot((b - a) * math.sqrt(self.cells_below + 1), a * math.sqrt(self.cells_above + 1))
        self.index *= 2
        if b * below - a * max(below + above, 0) >= self.side * error * spread:
            self.above, self.cells_above = above, self.cells_above + 1
        else:
            self.below, self.cells_below = below, self.cells_below + 1
            self.index += 1


@dataclass(slots=True)
class _Cells:
    """The noisy cells of one level, each drawn once."""

    rows: Sequence[_Rows]
    size: int
    mechanism: Mechanism
    noise: Noise
    drawn: dict[tuple[int, int], int] = field(default_factory=dict)

    def draw(self, searches: Sequence[_Search]) -> None:
        """Draw both halves of where each search is."""
        wanted = sorted({(one.group, 2 * one.index + half) for one in searches for half in (0, 1)})
        exact = [self.rows[group].count(index, self.size) for group, index in wanted]
        self.drawn = dict(zip(wanted, self.noise.vector(exact, self.mechanism), strict=True))


def searched(part: Part, histograms: Sequence[Histogram], mechanism: Mechanism, noise: Noise) -> tuple[int, ...]:
    """Return for each group its noisy rows, then for each fraction of `part` the candidate and its interval's ends."""
    rows = [_Rows.of(one, part.levels) for one in histograms]
    searches = [
        _Search(group, fraction, side) for group in range(len(rows)) for fraction in part.fractions for side in _SIDES
    ]
    depth = _depth(part, len(rows))
    error = accuracy(mechanism, _ALPHA / part.levels)
    for level in range(1, depth + 1):
        cells = _Cells(rows, 2 ** (part.levels - level), mechanism, noise)
        cells.draw(searches)
        for one in searches:
            left, right = (cells.drawn[one.group, 2 * one.index + half] for half in (0, 1))
            one.step(left, right, error)
    return _found(part, searches, 2 ** (part.levels - depth))


def most_cells(part: Part, groups: int | None) -> int:
    """Return how many cells the searches of `part` draw at most, in so many groups (None: not known)."""
    if not part.fractions or groups is None:
        return MOST_CELLS if part.fractions else 0
    return _each_level(part, groups) * _depth(part, groups)


def _depth(part: Part, groups: int) -> int:
    return min(part.levels, max(1, MOST_CELLS // max(1, _each_level(part, groups))))


def _each_level(part: Part, groups: int) -> int:
    return 2 * len(_SIDES) * len(part.fractions) * groups


def _found(part: Part, searches: Sequence[_Search], size: int) -> tuple[int, ...]:
    """Return the numbers of all groups; a search that ended early found `size` candidates."""
    inside = {0: size // 2, -1: 0, 1: size - 1}
    each = len(part.fractions) * len(_SIDES)
    found: list[int] = []
    for at in range(0, len(searches), each):
        found.append(searches[at].whole)
        found += [one.index * size + inside[one.side] for one in searches[at : at + each]]
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Place:
    """What a search found in one group: the noisy rows, and the quantile and its interval's ends on the grid."""

    whole: int
    found: int
    low: int
    high: int


def place(part: Part, fraction: Fraction, vector: Sequence[int], at: int) -> Place:
    """Return what was found of `fraction` in the group number `at` of a released vector."""
    group = vector[at * part.width : (at + 1) * part.width]
    first = 1 + 3 * part.fractions.index(fraction)
    return Place(group[0], *group[first : first + 3])
