"""Measuring the histograms and the sizes of a version: here alone onboarding releases anything (PRIVACY §3.2)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tre.base.passage import Release
from tre.base.reasons import Refused
from tre.base.reasons import onboarding as reasons
from tre.engines import Engine, EngineFailed
from tre.privacy.blocks import Block
from tre.privacy.mechanisms import Noise
from tre.privacy.release import release
from tre.sql.render import render

_SECONDS = 3600.0
"""Nobody waits whose question this is, and nobody sees how long it takes."""


def measure_bounds(engine: Engine, version: Path, blocks: Sequence[Block], noise: Noise) -> tuple[Release, ...]:
    """Return the releases of `blocks`, measured on a version; their price is spent.

    Raises Refused (version.bounds-unfinished), never with the engine's words.
    """
    try:
        with engine.slot(version, _SECONDS) as slot:
            partials = [slot.partials(render(block.shape.relation, engine.dialect), {}, _SECONDS) for block in blocks]
    except EngineFailed:
        raise Refused.because(reasons.BOUNDS_UNFINISHED) from None
    return tuple(release(block, exact, noise) for block, exact in zip(blocks, partials, strict=True))
