"""From a release to values: what each cell of a released block is, and the 95 % interval of its noise (PRIVACY §4)."""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from tre.base.cost import Measure
from tre.base.passage import Key, Release
from tre.privacy import moments, quantiles
from tre.privacy.blocks import Block, Shape
from tre.privacy.expected import half_width
from tre.privacy.mechanisms import Mechanism
from tre.privacy.parts import Output
from tre.privacy.spelling import Number, number_of, typed

if TYPE_CHECKING:
    import numpy as np

Ends = tuple[Number | None, Number | None]

_ERRORS = 1.96
"""Standard errors in the half-width of an interval of 95 %."""
_SEED = 20230711
"""Simulation reads released values alone, so its seed is no secret; a fixed one makes a replay say the same."""


@dataclass(frozen=True, slots=True)
class Estimates:
    """The shown rows of one released block: values and intervals per output column id, in key order.

    `suppressed` marks rows of known keys whose noisy number of people is under the minimum group: their cells
    are None. Unknown keys under it are dropped.
    """

    block: Block
    release: Release
    keys: tuple[Key, ...]
    positions: tuple[int, ...]
    suppressed: tuple[bool, ...]
    values: Mapping[int, tuple[Number | None, ...]]
    intervals: Mapping[int, tuple[Ends, ...]]


def estimates(block: Block, release: Release) -> Estimates:
    """Return what is shown of `release`, several draws of it combined before."""
    positions, suppressed = _shown(block, release)
    values = {
        output.column.id: tuple(
            None if hidden else _value(block, output, release, at)
            for at, hidden in zip(positions, suppressed, strict=True)
        )
        for output in block.shape.outputs
    }
    intervals = {
        output.column.id: _intervals(block, output, release, positions, values[output.column.id])
        for output in block.shape.outputs
    }
    keys = tuple(release.keys[at] for at in positions)
    return Estimates(block, release, keys, positions, suppressed, values, intervals)


def replicates(one: Estimates, count: int) -> Mapping[int, np.ndarray[Any, Any]]:
    """Return `count` simulated values per shown row and output: arrays [row, replicate] of floats, NaN for NULL.

    Noise of the release's variances is added to the released values again, part by part, so that outputs that
    share a part move together. A quantile moves within its own interval, by itself.
    """
    import numpy as np

    # Different questions have independent noise; one question asked twice is one release, and moves as one.
    generator = np.random.default_rng([_SEED, zlib.crc32(one.block.shape.question.encode())])
    measure = one.block.cost.measure
    vectors = {}
    searches = {part.name for part in one.block.shape.parts if part.fractions}
    for name in sorted(one.release.vectors.keys() - searches):
        centre = np.array([float(one.release.vectors[name][at]) for at in one.positions])[:, None]
        deviation = math.sqrt(one.release.variances[name])
        shape = (len(one.positions), count)
        if measure is Measure.ZCDP:
            noise = generator.normal(0.0, deviation, shape)
        else:
            noise = generator.laplace(0.0, deviation / math.sqrt(2), shape)
        vectors[name] = centre + np.rint(noise)
    hidden = np.array(one.suppressed, dtype=bool)
    found = {}
    for output in one.block.shape.outputs:
        if output.fraction is None:
            values = _simulated(output, vectors)
        else:
            values = _searched_again(one, output, generator.normal(0.0, 1.0, (len(one.positions), count)))
        values[hidden, :] = np.nan
        found[output.column.id] = values
    return found


def ends(simulated: Sequence[float]) -> tuple[float, float] | None:
    """Return the central 95 % of simulated values; None when more than 2.5 % of them are NULL."""
    known = sorted(value for value in simulated if not math.isnan(value))
    if len(known) < 0.975 * len(simulated) or not known:
        return None
    aside = math.floor(0.025 * len(known))
    return known[aside], known[len(known) - 1 - aside]


def clipped_share(blocks: Sequence[Estimates]) -> tuple[float, float] | None:
    """Return the noisy share of people (in a group) at a clip bound and its 95 % half-width; None: nobody can be."""
    clipped = people = variance = Fraction(0)
    for one in {one.block.shape.question: one for one in blocks}.values():
        shape = one.block.shape
        if shape.clipped is None or shape.people is None:
            continue
        clipped += sum(one.release.vectors[shape.clipped])
        people += sum(one.release.vectors[shape.people])
        variance += len(one.release.keys) * one.release.variances[shape.clipped]
    if variance == 0 or people <= 0:
        return None
    share = float(min(max(clipped / people, Fraction(0)), Fraction(1)))
    return share, min(1.0, 1.96 * math.sqrt(variance) / float(people))


def can_be_clipped(shape: Shape, output: Output) -> bool:
    """Whether anybody can be at a bound of an output: of its rows or totals, or of the groups that a person is in."""
    if shape.clipped is None:
        return False
    parts = [shape.part(name) for name in output.parts]
    cut = shape.source.keys and shape.source.groups_per_unit != 1 and not any(part.whole for part in shape.parts)
    return bool(cut) or any(part.narrowed or not part.proven for part in parts)


def _shown(block: Block, release: Release) -> tuple[tuple[int, ...], tuple[bool, ...]]:
    """Return (positions of the rows that are shown, which of them are suppressed): PRIVACY §3.5, last sentence."""
    least, units = block.shape.minimum_group, block.shape.units
    every = tuple(range(len(release.keys)))
    if least is None or units is None:
        return every, tuple(False for _ in every)
    small = [people < least for people in release.vectors[units]]
    if block.shape.keys is None:
        kept = tuple(at for at in every if not small[at])
        return kept, tuple(False for _ in kept)
    return every, tuple(small)


def _value(block: Block, output: Output, release: Release, at: int) -> Number | None:
    if output.fraction is not None:
        return _quantile(block, output, release, at)[0]
    total = sum((coefficient * release.vectors[name][at] for name, coefficient in output.terms), 0)
    value = Fraction(total)
    if output.denominator is not None:
        count = release.vectors[output.denominator][at]
        if count <= moments.least_count(output.function):  # PRIVACY §3.6: NULL by the noisy count
            return None
        if output.squares is not None:
            return _spread(output, value, release.vectors[output.squares][at], count)
        value = value / count
    value = (output.offset + value) * output.granularity
    if output.interval is not None:
        value = min(max(value, output.interval.low), output.interval.high)
    return typed(value, output.column.type)


def _quantile(
    block: Block, output: Output, release: Release, at: int
) -> tuple[Number | None, Number | None, Number | None]:
    """Return a quantile and the ends of its interval, each with what was rounded to it; NULL by the noisy count."""
    if output.fraction is None or output.interval is None:
        raise ValueError("no quantile; this is a bug, report it")
    name, _ = output.terms[0]
    found = quantiles.place(block.shape.part(name), output.fraction, release.vectors[name], at)
    if found.whole <= 0:
        return None, None, None
    inside, half = output.interval, Fraction(block.shape.part(name).step // 2, block.shape.part(name).step)
    moved = (found.found + Fraction(0), found.low - half, found.high + half)
    values = (min(max((output.offset + one) * output.granularity, inside.low), inside.high) for one in moved)
    value, low, high = (typed(one, output.column.type) for one in values)
    return value, low, high


def _searched_again(one: Estimates, output: Output, moved: Any) -> Any:
    """Return simulated quantiles: as far to either side as the interval reaches, by so many standard errors."""
    import numpy as np

    values = np.full(moved.shape, np.nan)
    for row, at in enumerate(one.positions):
        found = [number_of(end) for end in _quantile(one.block, output, one.release, at)]
        if not any(math.isnan(end) for end in found):
            value, low, high = found
            values[row] = value + np.where(moved[row] < 0, value - low, high - value) * moved[row] / _ERRORS
    return values


def _spread(output: Output, total: Fraction, squares: int, count: int) -> Number:
    found = float(moments.measured_spread(output.function, total, Fraction(squares), count))
    return typed(min(found * moments.unit_of(output), moments.most_of(output)), output.column.type)


def _simulated(output: Output, vectors: Mapping[str, Any]) -> Any:
    import numpy as np

    total = sum(coefficient * vectors[name] for name, coefficient in output.terms)
    if output.denominator is not None:
        counted = vectors[output.denominator] > moments.least_count(output.function)
        count = np.where(counted, vectors[output.denominator], 2.0)
        if output.squares is not None:
            found = moments.measured_spread(output.function, total, vectors[output.squares], count)
            found = np.minimum(found * moments.unit_of(output), moments.most_of(output))
            return np.where(counted, found, np.nan)
        total = np.where(counted, total / count, np.nan)
    value = (float(output.offset) + total) * float(output.granularity)
    if output.interval is not None:
        value = np.clip(value, float(output.interval.low), float(output.interval.high))
    return value


def _intervals(
    block: Block,
    output: Output,
    release: Release,
    positions: tuple[int, ...],
    values: tuple[Number | None, ...],
) -> tuple[Ends, ...]:
    if output.fraction is not None:
        places = (_quantile(block, output, release, at)[1:] for at in positions)
        return tuple((None, None) if value is None else ends for value, ends in zip(values, places, strict=True))
    if output.denominator is None:
        around = half_width(output, _in_effect(block, release)) or Fraction(0)
        return tuple(
            (None, None) if value is None else (_moved(value, -around, output), _moved(value, around, output))
            for value in values
        )
    hidden = tuple(value is None for value in values)
    bare = Estimates(block, release, (), positions, hidden, {}, {})
    simulated = replicates(bare, 2000)[output.column.id]
    return tuple(_ratio_ends(output, value, list(row)) for value, row in zip(values, simulated, strict=True))


def _in_effect(block: Block, release: Release) -> Mapping[str, Mechanism]:
    """Return each part's noise as its release carries it: wider scales than planned never, several draws narrower."""
    measure = block.cost.measure
    return {
        name: planned
        if planned.variance == release.variances[name]
        else Mechanism.of_variance(measure, release.variances[name])
        for name, planned in block.mechanisms.items()
    }


def _moved(value: Number, by: Fraction, output: Output) -> Number:
    return typed(Fraction(str(value)) + by, output.column.type)


def _ratio_ends(output: Output, value: Number | None, simulated: list[float]) -> Ends:
    """Return the interval of an AVG or a spread; where the count may be nil only the bounds are certain."""
    if value is None or output.interval is None:
        return None, None
    certain = float(output.interval.low), float(output.interval.high)
    if output.squares is not None:
        certain = 0.0, moments.most_of(output)
    found = ends(simulated) or certain
    low, high = min(found[0], number_of(value)), max(found[1], number_of(value))
    return typed(low, output.column.type), typed(high, output.column.type)
