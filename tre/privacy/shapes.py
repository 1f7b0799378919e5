"""From a block of a bound query to its shape: what is measured, in how many groups a person, whatever the price."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from tre.base.passage import Key, Release
from tre.base.reasons import Refused
from tre.base.reasons import privacy as reasons
from tre.privacy import above, bounds, first_step
from tre.privacy.blocks import Shape
from tre.privacy.keys import PublicValues, known_keys
from tre.privacy.lowering import lowered
from tre.privacy.needs import Needs
from tre.privacy.question import question_of
from tre.privacy.request import AUTOMATIC, Ask, Rules
from tre.privacy.sharing import outputs_of, support
from tre.privacy.weights import admitted, shares_for, weighted
from tre.sql import walk
from tre.sql.plan import Relation


@dataclass(frozen=True, slots=True)
class _Counted:
    """The groups in which one unit is counted (l0), whether units must be cut to them, and who says so.

    `told` is the first step that tells them where they are automatic; `said` what the question's identity says.
    """

    most: int
    cut: bool
    said: str
    told: Shape | None = None


def shape_of(needs: Needs, before: Sequence[Shape], rules: Rules, public_keys: PublicValues) -> Shape:
    """Return what a block measures. Blocks before it that it reads are released first and stand in it as such.

    Where a first step tells its groups it is `open` (see `settled`).
    """
    source = needs.block
    keys = known_keys(source, rules, public_keys)
    counted = _counted(needs, keys, before, rules, public_keys)
    needs = _weighted(needs, keys, rules) or needs
    if needs.weighted and keys is not None:
        counted = _Counted(len(keys), False, str(len(keys)))
    outputs = outputs_of(needs)
    with_units = keys is None or rules.minimum_group is not None
    units, people, clipped = support(needs, with_units=with_units, cut=counted.cut)
    if needs.weighted and keys is not None:
        exact = weighted(source, needs.parts, keys)
    else:
        exact = lowered(source, needs.parts, counted.most, counted.cut)
    relation, inputs = _over_released(exact, before)
    return Shape(
        source,
        f"released_{len(before)}",
        keys,
        counted.most,
        tuple(needs.parts),
        MappingProxyType(dict(needs.weights)),
        outputs,
        MappingProxyType({one.column.id: needs.name(one) for one in source.asked}),
        units.name if units else None,
        people.name if people else None,
        clipped.name if clipped else None,
        rules.minimum_group,
        relation,
        tuple(one.name for one in inputs),
        question_of(source, needs.parts, counted.said, keys, inputs),
        counted.told,
        counted.told is not None,
    )


def settled(shape: Shape, released: Mapping[str, Release], before: Sequence[Shape], rules: Rules) -> Shape:
    """Return `shape` with the groups of one person that its first step tells, where that is among `released`.

    It remains the same question: what tells the groups is part of that, and not what is told.
    """
    if not shape.open or shape.first is None or (found := released.get(shape.first.question)) is None:
        return shape
    known = None if shape.keys is None else len(shape.keys)
    told = first_step.chosen(found, rules, shape.groups, known)
    groups = told or min(shape.groups, bounds.groups_untold(shape.source, rules, known))
    relation, _ = _over_released(lowered(shape.source, shape.parts, groups, True), before)
    return replace(shape, groups=groups, relation=relation, open=False)


def _counted(
    needs: Needs, keys: tuple[Key, ...] | None, before: Sequence[Shape], rules: Rules, public_keys: PublicValues
) -> _Counted:
    source, asked, known = needs.block, needs.ask.groups, None if keys is None else len(keys)
    proven = bounds.proven_groups(source, known)
    if asked != AUTOMATIC or proven == 1:
        most, cut = bounds.group_bound(source, None if asked == AUTOMATIC else asked, rules, known)
        return _Counted(most, cut, str(most))
    if not rules.automatic:
        raise Refused.because(reasons.AUTOMATIC_GROUPS)
    step = Needs(first_step.people_by_groups(source), Ask(), rules.units)
    alone = replace(rules, minimum_group=None, known_keys=len(first_step.BINS))
    first = shape_of(step, before, alone, public_keys)
    untold = bounds.groups_untold(source, rules, known)
    said = f"as many as ({first.question}) tells by {first_step.rule(rules)}, else {untold},"
    return _Counted(min(proven, first_step.MOST), True, said, first)


def _weighted(needs: Needs, keys: tuple[Key, ...] | None, rules: Rules) -> Needs | None:
    """Return the needs of a block each of whose units has one weight; None where that is not how it is measured."""
    if not admitted(needs.block, needs.ask, keys, needs.totals, rules):
        return None
    tried = replace(needs, parts=[], weights={}, weighted=True)
    outputs_of(tried)
    if any(part.narrowed for part in tried.parts):  # a weight by rows bounds no total besides
        return None
    shares = shares_for(tried.parts, bounds.proven_rows(needs.block), rules.units)
    return None if shares is None else replace(needs, parts=[], weights={}, weighted=True, shares=shares)


def _over_released(relation: Relation, before: Sequence[Shape]) -> tuple[Relation, tuple[Shape, ...]]:
    """Return `relation` over the released tables that it reads; what only those were made of it reads no more."""
    inputs: list[Shape] = []
    noisy = above.origins(relation, frozenset(one.column.id for shape in before for one in shape.source.asked))
    for shape in reversed(before):
        if any(node == shape.source for node in walk.relations(relation)):
            relation = walk.replaced(relation, shape.source, shape.released)
            inputs.append(shape)
    return above.ordered_alike(relation, noisy.keys()) if inputs else relation, tuple(reversed(inputs))
