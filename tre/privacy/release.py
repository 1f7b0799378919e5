"""The one place where exact partials become a release (PRIVACY §1 "Nothing else leaves", §3.5, §3.6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from tre.base.passage import Key, Partials, Release, decode_partials
from tre.privacy.blocks import Block, Shape
from tre.privacy.keys import in_key_order, normal
from tre.privacy.mechanisms import Noise, combined
from tre.privacy.parts import Part
from tre.privacy.quantiles import Histogram, searched

Exact = Mapping[Key, tuple[int | Histogram, ...]]
"""The exact numbers of each group, one per part; of a part of ranks how its rows lie on the grid."""


def release(block: Block, partials: Partials, noise: Noise, keys_fixed: tuple[Key, ...] | None = None) -> Release:
    """Return the noisy vector of `block`.

    Rows are those of the known keys, or of `keys_fixed` (an earlier draw's), all in key order and zero-filled:
    the row set is then independent of the partials. Otherwise they are the keys whose noisy number of people
    lies above the block's threshold.
    """
    exact = _decoded(block.shape, partials)
    keys = block.shape.keys if block.shape.keys is not None else keys_fixed
    if keys is None:
        return _above_threshold(block, exact, noise)
    vectors = {part.name: _noisy(block, part, exact, keys, noise) for part in block.shape.parts}
    return _release(block, keys, vectors)


def combine(releases: Sequence[Release]) -> Release:
    """Return the draws of one question combined by inverse variance, rounded to the measure's grid (PRIVACY §4).

    Always made from the stored draws, never from an earlier combination, so that the rounding's variance of
    1/12 of a grid step enters once. Quantiles, too, are averaged where they were found, as their errors are
    independent and stay ordered so; the ends of their intervals with them, which leaves those wider than need be.
    """
    first = releases[0]
    if len(releases) == 1:
        return first
    if any(one.keys != first.keys or one.vectors.keys() != first.vectors.keys() for one in releases):
        raise ValueError("draws of different questions do not combine; this is a bug, report it")
    weights = {name: [1 / one.variances[name] for one in releases] for name in first.vectors}
    vectors = {
        name: tuple(
            round(
                sum((w * one.vectors[name][row] for w, one in zip(weights[name], releases, strict=True)), Fraction(0))
                / sum(weights[name])
            )
            for row in range(len(first.vectors[name]))
        )
        for name in first.vectors
    }
    variances = {name: combined([one.variances[name] for one in releases]) for name in first.vectors}
    return Release(first.keys, vectors, variances, sum((one.rho for one in releases), Fraction(0)))


def _above_threshold(block: Block, exact: Exact, noise: Noise) -> Release:
    """Release unknown keys by distinct units, then the other parts on those keys alone."""
    shape = block.shape
    if block.threshold is None or shape.units is None:
        raise ValueError("unknown keys without a threshold; this is a bug, report it")
    candidates = in_key_order(exact)
    people = _column(shape, shape.part(shape.units), exact, candidates)
    counts = noise.above(people, block.mechanisms[shape.units], block.threshold)
    kept = [(key, found) for key, found in zip(candidates, counts, strict=True) if found is not None]
    keys = tuple(key for key, _ in kept)
    vectors = {
        part.name: tuple(found for _, found in kept)
        if part.name == shape.units
        else _noisy(block, part, exact, keys, noise)
        for part in shape.parts
    }
    return _release(block, keys, vectors)


def _noisy(block: Block, part: Part, exact: Exact, keys: Sequence[Key], noise: Noise) -> tuple[int, ...]:
    """Return the released numbers of a part: its noisy cells, or what a search in noisy cells found."""
    mechanism = block.mechanisms[part.name]
    if part.fractions:
        return searched(part, _histograms(block.shape, part, exact, keys), mechanism, noise)
    return tuple(noise.vector(_column(block.shape, part, exact, keys), mechanism))


def _release(block: Block, keys: tuple[Key, ...], vectors: dict[str, tuple[int, ...]]) -> Release:
    variances = {name: block.mechanisms[name].variance for name in vectors}
    return Release(keys, vectors, variances, block.cost.rho)


def _decoded(shape: Shape, partials: Partials) -> Exact:
    """Return the exact numbers by key; columns count by position: the keys, then the parts. An empty sum is 0."""
    table = decode_partials(partials)
    width = len(shape.source.keys)
    types = [expression.type for _, expression in shape.source.keys]
    columns = [column.to_pylist() for column in table.columns]
    return {
        tuple(normal(columns[at][row], types[at]) for at in range(width)): tuple(
            dict(column[row] or ()) if part.fractions else int(column[row] or 0)
            for part, column in zip(shape.parts, columns[width:], strict=True)
        )
        for row in range(table.num_rows)
    }


def _column(shape: Shape, part: Part, exact: Exact, keys: Sequence[Key]) -> list[int]:
    position, found = shape.parts.index(part), []
    for key in keys:
        value = exact[key][position] if key in exact else 0
        found.append(value if isinstance(value, int) else 0)
    return found


def _histograms(shape: Shape, part: Part, exact: Exact, keys: Sequence[Key]) -> list[Histogram]:
    position, found = shape.parts.index(part), []
    for key in keys:
        value = exact[key][position] if key in exact else {}
        found.append({} if isinstance(value, int) else value)
    return found
