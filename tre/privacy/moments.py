"""AVG, VAR and STDDEV from one triple of a unit's rows: their number, Σ(x − c) and Σ(x − c)² (PRIVACY §3.2).

The triple is scaled as a whole by one weight min(1, C/n), so that what is averaged stays a person's own mean. Where
only a release says how large values are, what a person adds is clipped besides to what is usual (PRIVACY §3.2). Where
squares are wanted, values are rounded to the nearest point of a coarser grid first, on which no sum of squares of
all people can overflow. It has at least a thousand points, for declared sizes far more, so the rounding adds to a
variance less than a millionth of the square of the bounds; where there is no room for them, the spread is refused.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from tre.base.reasons import Refused
from tre.base.reasons import privacy as reasons
from tre.catalogue import Interval
from tre.privacy import bounds
from tre.privacy.mechanisms import SATURATION
from tre.privacy.needs import Needs
from tre.privacy.parts import Output, Part, PartKind
from tre.sql.plan import SPREADS, Asked, PrivateFunction

_LEAST_STEPS = 1000
"""The coarsest grid on which a spread is measured, in points between the bounds."""

_ROOM = 2**4
"""How far sums of squares stay under the saturation of sums, so that noise of small prices has room as well."""


@dataclass(frozen=True, slots=True)
class _Grid:
    """Values as the triple counts them: in steps of `step` grid units from `values.low`, less `centre` steps.

    `total` and `squares` are what one person's values, and their squares, are taken to add up to: in steps, about as
    much around the usual mean, where the centre then lies, as around zero.
    """

    values: bounds.Values
    step: int
    centre: int
    total: int | None = None
    squares: int | None = None

    @property
    def half(self) -> int:
        """The most that a value lies away from the centre, in steps."""
        return max(_steps(self.values, self.step) - self.centre, self.centre)

    def most_total(self, rows: int) -> int:
        """Return the most that the sum of a person's `rows` values counts for, around the centre."""
        most = rows * self.half
        return most if self.total is None else min(most, self.total)

    def most_squares(self, rows: int) -> int:
        """Return the same of their squares."""
        most = rows * self.half**2
        return most if self.squares is None else min(most, self.squares)

    @property
    def granularity(self) -> Fraction:
        """The size of a step."""
        return self.values.granularity * self.step

    @property
    def offset(self) -> Fraction:
        """The centre in steps from zero."""
        return Fraction(self.values.low, self.step) + self.centre

    @property
    def interval(self) -> Interval:
        """The bounds of a value."""
        return Interval(self.values.low * self.values.granularity, self.values.high * self.values.granularity)


def average(needs: Needs, asked: Asked) -> Output:
    """AVG = c + Σ(x − c) / n. Its count matters by the spread around c: a quarter of the half-width squared."""
    grid = _grid(needs, asked)
    total = _centred(needs, asked, grid, Fraction(1))
    count = needs.rows(asked, Fraction(1, 4) if grid.total is None or grid.offset else Fraction(1))
    terms = ((total.name, 1),)
    return Output(asked.column, asked.function, terms, count.name, grid.granularity, grid.offset, grid.interval)


def spread(needs: Needs, asked: Asked) -> Output:
    """VAR_POP = Σ(x − c)²/n − (Σ(x − c)/n)²; VAR_SAMP is n/(n − 1) of it, a STDDEV the root.

    With a mean that lies half-way between the centre and a bound, and units of what one person can change, the
    error of the squares counts once, that of the sum as much, that of the count a quarter of it; around the usual
    mean that of the sum hardly counts.
    """
    grid = _grid(needs, asked)
    near = grid.total is not None and grid.offset != 0
    total = _centred(needs, asked, grid, Fraction(1, 16) if near else Fraction(1))
    squares = _squares(needs, asked, grid, Fraction(1))
    count = needs.rows(asked, Fraction(1, 16))
    most = (grid.interval.high - grid.interval.low) ** 2 / 4 * (2 if _sampled(asked.function) else 1)
    return Output(
        asked.column,
        asked.function,
        ((total.name, 1),),
        count.name,
        grid.granularity,
        grid.offset,
        Interval(Fraction(0), most),
        squares.name,
    )


def gives_sum(needs: Needs, asked: Asked) -> bool:
    """Say whether an average of the same values is asked too, on the grid of a sum by itself."""
    averages = [one for one in needs.block.asked if one.function is PrivateFunction.AVG]
    return any(_same_values(asked, one) for one in averages) and _grid(needs, asked).step == 1


def sum_of_average(needs: Needs, asked: Asked) -> Output:
    """SUM = Σ(x − c) + c · n, from the pair that an AVG of the same values measures."""
    grid = _grid(needs, asked)
    part, centre = _centred(needs, asked, grid, Fraction(1)), int(grid.offset)
    if centre == 0:
        return Output(asked.column, asked.function, ((part.name, 1),), granularity=grid.granularity)
    count = needs.rows(asked, Fraction(centre**2, max(grid.half, 1) ** 2))
    terms = ((part.name, 1), (count.name, centre))
    return Output(asked.column, asked.function, terms, granularity=grid.granularity)


def measured_spread(function: PrivateFunction, total: Any, squares: Any, count: Any) -> Any:
    """Return a spread in steps from sums over `count` > 1 values; of numbers or arrays alike."""
    mean = total / count
    variance = squares / count - mean * mean
    variance = variance * count / (count - 1) if _sampled(function) else variance
    positive = variance * (variance > 0)
    return positive**0.5 if _rooted(function) else positive


def unit_of(output: Output) -> float:
    """Return what one step of a spread is in the units of its values."""
    return float(output.granularity) ** (1 if _rooted(output.function) else 2)


def most_of(output: Output) -> float:
    """Return the largest spread that the declared bounds allow."""
    most = float(output.interval.high) if output.interval is not None else math.inf
    return math.sqrt(most) if _rooted(output.function) else most


def least_count(function: PrivateFunction) -> int:
    """Return the noisy count at or under which a mean or spread is NULL (PRIVACY §3.6)."""
    return 1 if _sampled(function) else 0


def _rooted(function: PrivateFunction) -> bool:
    return function in (PrivateFunction.STDDEV_SAMP, PrivateFunction.STDDEV_POP)


def _sampled(function: PrivateFunction) -> bool:
    return function in (PrivateFunction.VAR_SAMP, PrivateFunction.STDDEV_SAMP)


def _same_values(left: Asked, right: Asked) -> bool:
    return left.argument == right.argument and left.where == right.where


def _grid(needs: Needs, asked: Asked) -> _Grid:
    """Return the grid of an aggregate's triple; an AVG beside a VAR of the same values shares the VAR's."""
    values, cap, rows = needs.values(asked, None), needs.cap(asked), bounds.proven_rows(needs.block)
    squared = any(one.function.value in SPREADS and _same_values(asked, one) for one in needs.block.asked)
    step = 1
    while squared and not _squares_fit(values, step, cap * max(rows, needs.units)):
        step *= 2
    if step > 1 and _steps(values, step) < _LEAST_STEPS:
        raise Refused.because(reasons.OVERFLOW, output=needs.name(asked))
    middle = (values.low + values.high) // 2 - values.low if step == 1 else _steps(values, step) // 2
    bounds.check_unit_overflow(needs.name(asked), values, rows, cap)
    return _as_usual(needs, asked, _Grid(values, step, middle), cap)


def _as_usual(needs: Needs, asked: Asked, grid: _Grid, cap: int) -> _Grid:
    """Return the grid centred at the usual mean, if what a person's values add up to is less than around the middle.

    A SUM beside it is as exact as may be around zero. Rounding to steps moves a row by up to one half.
    """
    values, granularity, usual = grid.values, grid.granularity, asked.argument and asked.argument.facts.usually
    total = needs.usual_total(asked, replace(values, granularity=granularity), cap)
    if asked.argument is None or not usual or total is None or not values.low <= 0 <= values.high:
        return grid
    mean = 0 if _summed_too(needs, asked) else max(values.low, min(values.high, round(usual.mean / values.granularity)))
    centre = (mean - values.low + grid.step // 2) // grid.step
    found = replace(grid, centre=centre, total=total + (grid.step > 1) * cap)
    if found.most_total(cap) >= grid.most_total(cap):
        return grid
    squares = bounds.usual_squares(asked.argument, granularity, cap)
    return found if squares is None else replace(found, squares=squares + (total + cap if grid.step > 1 else 0))


def _summed_too(needs: Needs, asked: Asked) -> bool:
    return any(one.function is PrivateFunction.SUM and _same_values(asked, one) for one in needs.block.asked)


def _squares_fit(values: bounds.Values, step: int, count: int) -> bool:
    half = _steps(values, step) // 2 + 1
    return count * half * half * _ROOM < SATURATION


def _steps(values: bounds.Values, step: int) -> int:
    """Return how many steps lie between the bounds, a value rounded to the nearest."""
    return (values.high - values.low + step // 2) // step


def _centred(needs: Needs, asked: Asked, grid: _Grid, weight: Fraction) -> Part:
    """Return Σ(x − c), scaled as a whole with its count: |it| ≤ C · half-width, or what is usual if that is less."""
    most = grid.most_total(needs.cap(asked))
    return needs.part(_part(needs, asked, grid, PartKind.CENTRED, -most, most), weight)


def _squares(needs: Needs, asked: Asked, grid: _Grid, weight: Fraction) -> Part:
    """Return Σ(x − c)², scaled by the same weight: at most C · half-width², or what is usual."""
    most = grid.most_squares(needs.cap(asked))
    return needs.part(_part(needs, asked, grid, PartKind.SQUARES, 0, most), weight)


def _part(needs: Needs, asked: Asked, grid: _Grid, kind: PartKind, low: int, high: int) -> Part:
    cap = needs.cap(asked)
    # Without a coarser grid values count from zero, and the centre with them.
    centre = grid.centre if grid.step > 1 else int(grid.offset)
    return Part(
        "",
        kind,
        asked.argument,
        asked.where,
        low,
        high,
        grid.values.granularity,
        grid.values.low,
        grid.values.high,
        cap,
        centre,
        grid.step,
        proven=cap >= needs.most,
        narrowed=high < cap * grid.half ** (2 if kind is PartKind.SQUARES else 1),
        clamped=grid.values.declared,
    )
