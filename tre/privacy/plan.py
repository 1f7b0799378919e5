"""From a bound query to a private plan: what is measured, with which noise, at which price. Pure (PRIVACY §3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from tre.base.cost import Cost
from tre.base.passage import Key
from tre.base.reasons import Refusal, Refused
from tre.base.reasons import privacy as reasons
from tre.catalogue import Interval
from tre.privacy import above, bounds, expected
from tre.privacy.blocks import Block, PrivatePlan, Shape
from tre.privacy.keys import PublicValues, known_keys
from tre.privacy.lowering import lowered
from tre.privacy.needs import Needs
from tre.privacy.noising import at, privacy_map
from tre.privacy.pricing import DrawnOf, draws_of, nothing_drawn, prices
from tre.privacy.question import question_of
from tre.privacy.request import Ask, Rules
from tre.privacy.sharing import outputs_of, support
from tre.privacy.weights import admitted, shares_for, weighted
from tre.sql import walk
from tre.sql.plan import PrivateFunction, Query, Relation

__all__ = ["Block", "PrivatePlan", "Shape", "at", "output_names", "plan", "privacy_map"]


def plan(
    query: Query, ask: Ask, rules: Rules, public_keys: PublicValues, drawn: DrawnOf = nothing_drawn
) -> PrivatePlan:
    """Plan `query` at the price that `ask` names or needs; raise Refused with every reason found.

    :param drawn: the prices of the draws that a question has already: they count towards what is asked, and the
        error that is expected is that of all draws combined.
    """
    if not query.blocks:
        return PrivatePlan(query, rules, (), Cost.zero(rules.measure), MappingProxyType({}), MappingProxyType({}))
    names = output_names(query)
    totals = _totals(query, ask, names)
    shapes: list[Shape] = []
    for source in query.blocks:
        shapes.append(_shape(Needs(source, ask, rules.units, totals, names), shapes, rules, public_keys))
    priced = prices(query, shapes, ask, rules, drawn)
    blocks = tuple(at(one, priced.costs[one.question], rules.units) for one in shapes)
    served = [(one, draws_of(one.question, priced.costs[one.question], rules, drawn)) for one in shapes]
    return PrivatePlan(
        query,
        rules,
        blocks,
        priced.whole,
        expected.bounds_in_use(shapes),
        expected.errors(query, served),
        priced.most,
        expected.notes(query, served),
        expected.sourced(shapes, ask),
    )


def _shape(needs: Needs, before: Sequence[Shape], rules: Rules, public_keys: PublicValues) -> Shape:
    """Return what a block measures. Blocks before it that it reads are released first and stand in it as such."""
    source = needs.block
    keys = known_keys(source, rules, public_keys)
    groups, keep = bounds.group_bound(source, needs.ask, rules, None if keys is None else len(keys))
    needs = _weighted(needs, keys, rules) or needs
    if needs.weighted and keys is not None:
        groups, keep = len(keys), False
    outputs = outputs_of(needs)
    units, people, clipped = support(needs, with_units=keys is None or rules.minimum_group is not None, cut=keep)
    if needs.weighted and keys is not None:
        exact = weighted(source, needs.parts, keys)
    else:
        exact = lowered(source, needs.parts, groups, keep)
    relation, inputs = _over_released(exact, before)
    return Shape(
        source,
        f"released_{len(before)}",
        keys,
        groups,
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
        question_of(source, needs.parts, groups, keys, inputs),
    )


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


def output_names(query: Query) -> Mapping[int, str]:
    """Return what people call each asked aggregate: the output that is a bare copy of it, else its function."""
    asked = {one.column.id: one.column.name for block in query.blocks for one in block.asked}
    origins = above.origins(query.root, frozenset(asked))
    for name, column in reversed(list(zip(query.names, query.root.columns, strict=True))):
        asked |= dict.fromkeys(origins.get(column.id, ()), name)
    return MappingProxyType(asked)


def _totals(query: Query, ask: Ask, names: Mapping[int, str]) -> Mapping[int, Interval]:
    """Return the request's bounds of totals by column id; refuse every fault of the request's own bounds at once."""
    found = [
        Refusal(reasons.BOUND_NOT_POSITIVE, {"bound": name})
        for name, value in (("groups", ask.groups), ("rows", ask.rows))
        if value is not None and value < 1
    ]
    if ask.epsilon is not None and ask.epsilon <= 0:
        found.append(Refusal(reasons.EPSILON_NOT_POSITIVE))
    asked = [one for block in query.blocks for one in block.asked if one.function is PrivateFunction.SUM]
    sums = {one.column.id: names[one.column.id] for one in asked}
    missing = sorted(set(ask.totals) - set(sums.values()))
    found.extend(Refusal(reasons.NO_SUCH_OUTPUT, {"output": name}) for name in missing)
    if found:
        raise Refused(found)
    return {id_: ask.totals[name] for id_, name in sums.items() if name in ask.totals}
