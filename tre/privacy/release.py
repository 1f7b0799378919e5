"""The one place where exact partials become a release (PRIVACY §1 "Nothing else leaves", §3.5, §3.6)."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from tre.base.passage import Key, Partials, Release, decode_partials
from tre.privacy.blocks import Block, Shape
from tre.privacy.keys import in_key_order, normal
from tre.privacy.mechanisms import Noise


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
    vectors = {
        part.name: tuple(noise.vector(_column(exact, keys, position), block.mechanisms[part.name]))
        for position, part in enumerate(block.shape.parts)
    }
    return _release(block, keys, vectors)


def combine(releases: Sequence[Release]) -> Release:
    """Return the draws of one question combined by inverse variance, rounded to the measure's grid (PRIVACY §4).

    Always made from the stored draws, never from an earlier combination, so that the rounding's variance of
    1/12 of a grid step enters once.
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
            for row in range(len(first.keys))
        )
        for name in first.vectors
    }
    variances = {name: 1 / sum(weights[name], Fraction(0)) + Fraction(1, 12) for name in first.vectors}
    return Release(first.keys, vectors, variances, sum((one.rho for one in releases), Fraction(0)))


def _above_threshold(block: Block, exact: dict[Key, tuple[int, ...]], noise: Noise) -> Release:
    """Release unknown keys by distinct units, then the other parts on those keys alone."""
    shape = block.shape
    if block.threshold is None or shape.units is None:
        raise ValueError("unknown keys without a threshold; this is a bug, report it")
    names = [part.name for part in shape.parts]
    candidates = in_key_order(exact)
    counts = noise.above(
        _column(exact, candidates, names.index(shape.units)), block.mechanisms[shape.units], block.threshold
    )
    kept = [(key, found) for key, found in zip(candidates, counts, strict=True) if found is not None]
    keys = tuple(key for key, _ in kept)
    vectors = {
        name: tuple(found for _, found in kept)
        if name == shape.units
        else tuple(noise.vector(_column(exact, keys, position), block.mechanisms[name]))
        for position, name in enumerate(names)
    }
    return _release(block, keys, vectors)


def _release(block: Block, keys: tuple[Key, ...], vectors: dict[str, tuple[int, ...]]) -> Release:
    variances = {name: block.mechanisms[name].variance for name in vectors}
    return Release(keys, vectors, variances, block.cost.rho)


def _decoded(shape: Shape, partials: Partials) -> dict[Key, tuple[int, ...]]:
    """Return the exact sums by key; columns count by position: the keys, then the parts. An empty sum is 0."""
    table = decode_partials(partials)
    width = len(shape.source.keys)
    types = [expression.type for _, expression in shape.source.keys]
    columns = [column.to_pylist() for column in table.columns]
    return {
        tuple(normal(columns[at][row], types[at]) for at in range(width)): tuple(
            int(column[row] or 0) for column in columns[width:]
        )
        for row in range(table.num_rows)
    }


def _column(exact: dict[Key, tuple[int, ...]], keys: Sequence[Key], position: int) -> list[int]:
    return [exact[key][position] if key in exact else 0 for key in keys]
