"""What is measured: the clipped integer vectors of a block, and how its outputs are computed from them.

A *part* is one vector with one cell per group. Outputs that need the same vector share it (PRIVACY §3.4).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from tre.catalogue import Interval
from tre.sql.plan import Column, Expression, PrivateFunction


class PartKind(StrEnum):
    """What one (unit, group) adds to a part before clipping."""

    ROWS = "rows"  # its rows
    COUNT = "count"  # its rows with a non-NULL argument
    UNITS = "units"  # 1
    SUM = "sum"  # the sum of the argument on its grid
    DISTINCT = "distinct"  # its distinct values of the argument, at most `cap` of them
    CENTRED = "centred"  # the sum of argument − centre, scaled by the weight of its COUNT (PRIVACY §3.2)
    SQUARES = "squares"  # the sum of (argument − centre)², scaled by the same weight
    RANKED = "ranked"  # how its rows lie on a grid of values, at most `cap` of them (tre.privacy.quantiles)
    CLIPPED = "clipped"  # 1 where another part was clipped


ADDED = frozenset({PartKind.ROWS, PartKind.COUNT, PartKind.SUM, PartKind.CENTRED})
"""Parts that are sums over rows, which one weight a unit can bound."""


@dataclass(frozen=True, slots=True)
class Part:
    """One measured vector, in grid units of `granularity`.

    `low` and `high` clip what one unit adds to one group; `row_low` and `row_high` clamp one row's value; a `step`
    above 1 counts values in steps from `row_low`, to the nearest, less `centre` steps; `cap` is the row bound C of
    COUNT, ROWS, DISTINCT and of the weight of CENTRED and SQUARES; `proven` says that no declared data can be clipped,
    `narrowed` that a CENTRED or SQUARES total is clipped to less than `cap` rows can add, `clamped` that rows are
    within their bounds by declaration, so that only doubles need the clamp. A RANKED part counts rows on `levels`
    levels of halves of its grid, and is searched for the quantiles of `fractions`. What a unit adds to all groups of a
    `whole` part together, in absolute numbers, is no more than what it may add to one of them; its numbers are so many
    `shares` of one (tre.privacy.weights).
    """

    name: str
    kind: PartKind
    argument: Expression | None
    where: Expression | None
    low: int
    high: int
    granularity: Fraction = Fraction(1)
    row_low: int = 0
    row_high: int = 0
    cap: int = 1
    centre: int = 0
    step: int = 1
    proven: bool = False
    narrowed: bool = False
    clamped: bool = False
    levels: int = 1
    fractions: tuple[Fraction, ...] = ()
    whole: bool = False
    shares: int = 1

    @property
    def sensitivity(self) -> int:
        """The most that one unit changes one cell; at least 1, so that every part is noisy."""
        return max(1, abs(self.low), abs(self.high)) * self.shares

    @property
    def width(self) -> int:
        """The numbers that are released per group: 1, or those of a search (tre.privacy.quantiles)."""
        return 1 + 3 * len(self.fractions)


@dataclass(frozen=True, slots=True)
class Output:
    """How an asked aggregate is computed: granularity · (offset + Σ coefficient · part / denominator).

    `denominator` is None for sums and counts; an AVG divides by the noisy count of that part and is NULL where
    it is not positive. `interval` bounds an AVG by the declared bounds of its argument. A VAR or STDDEV takes the
    part `squares` besides, of (argument − offset)², and `interval` bounds its variance (`tre.privacy.moments`).
    A quantile is granularity · (offset + what was found of `fraction` in its only part), within `interval`.
    """

    column: Column
    function: PrivateFunction
    terms: tuple[tuple[str, int], ...]
    denominator: str | None = None
    granularity: Fraction = Fraction(1)
    offset: Fraction = Fraction(0)
    interval: Interval | None = None
    squares: str | None = None
    fraction: Fraction | None = None

    @property
    def parts(self) -> frozenset[str]:
        """The names of the parts that it is computed from."""
        others = {name for name in (self.denominator, self.squares) if name is not None}
        return frozenset({name for name, _ in self.terms} | others)
