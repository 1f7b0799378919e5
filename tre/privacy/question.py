"""The identity of a question: the canonical text of relation, grouping, aggregates and bounds (PRIVACY §4)."""

from __future__ import annotations

from collections.abc import Sequence

from tre.base.passage import Key
from tre.privacy.blocks import Shape
from tre.privacy.parts import Part
from tre.sql.canonical import canonical
from tre.sql.plan import PrivateAggregate


def question_of(
    source: PrivateAggregate,
    parts: Sequence[Part],
    groups: str,
    keys: tuple[Key, ...] | None,
    first: Sequence[Shape] = (),
) -> str:
    """Return the text; the version is added by who stores draws. Budgets and post-processing are no part of it.

    `first` are the blocks whose released rows it reads: what they measure, and how those rows are shown, is part of it.
    `groups` says how many groups of one person count.
    """
    measured = "; ".join(
        f"{part.kind.value} [{part.low}, {part.high}] of [{part.row_low}, {part.row_high}] × {part.granularity}"
        f" rows {part.cap} centre {part.centre} step {part.step} levels {part.levels}"
        f"{f' whole in {part.shares} shares' * part.whole}"
        for part in parts
    )
    known = "unknown" if keys is None else f"{len(keys)} known"
    text = f"{canonical(source)}\nkeys: {known}, {groups} a unit\nparts: {measured}"
    return text + "".join(f"\nover ({one.question}\nminimum group: {one.minimum_group})" for one in first)


def over_draws(question: str, first: Sequence[Sequence[int]]) -> str:
    """Return the identity of a question over released rows: `first` are the draws that those are made of, in order.

    Other draws are other rows, and so another question.
    """
    draws = ", ".join("+".join(map(str, positions)) for positions in first)
    return f"{question}\nof draws {draws}" if first else question
