"""From a bound query to a private plan: what is measured, with which noise, at which price. Pure (PRIVACY §3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from tre.base.cost import Cost
from tre.base.passage import Release
from tre.base.reasons import Refusal, Refused
from tre.base.reasons import privacy as reasons
from tre.catalogue import Interval
from tre.privacy import above, expected, first_step, shapes
from tre.privacy.blocks import Block, PrivatePlan, Shape
from tre.privacy.draws import charge
from tre.privacy.keys import PublicValues
from tre.privacy.needs import Needs
from tre.privacy.noising import at, privacy_map
from tre.privacy.pricing import DrawnOf, draws_of, nothing_drawn, prices
from tre.privacy.release import combine
from tre.privacy.request import Ask, Rules
from tre.sql.plan import PrivateFunction, Query

ReleasedOf = Callable[[str], Sequence[Release | None]]
"""Looks up what the draws of a question released, as `DrawnOf` their prices; None of one that is being made."""

__all__ = ["Block", "PrivatePlan", "Shape", "at", "output_names", "plan", "privacy_map", "settled"]


def nothing_released(_question: str) -> Sequence[Release | None]:
    """Say that nothing was released yet."""
    return ()


def plan(
    query: Query,
    ask: Ask,
    rules: Rules,
    public_keys: PublicValues,
    drawn: DrawnOf = nothing_drawn,
    released: ReleasedOf = nothing_released,
) -> PrivatePlan:
    """Plan `query` at the price that `ask` names or needs; raise Refused with every reason found.

    :param drawn: the prices of the draws that a question has already: they count towards what is asked, and the
        error that is expected is that of all draws combined.
    :param released: what those draws released: a first step that is released tells beforehand.
    """
    if not query.blocks:
        return PrivatePlan(query, ask, rules, (), Cost.zero(rules.measure), MappingProxyType({}), MappingProxyType({}))
    names = output_names(query)
    totals = _totals(query, ask, names)
    found: list[Shape] = []
    for source in query.blocks:
        shape = shapes.shape_of(Needs(source, ask, rules.units, totals, names), found, rules, public_keys)
        known = _told_already(shape.first, rules, drawn, released)
        found.append(shapes.settled(shape, known, found, rules))
    priced = prices(query, found, ask, rules, drawn)
    blocks = tuple(at(one, priced.costs[one.question], rules.units) for one in found)
    served = [(one, draws_of(one.question, priced.costs[one.question], rules, drawn)) for one in found]
    first = {one.first.question: one.first for one in found if one.first is not None}
    return PrivatePlan(
        query,
        ask,
        rules,
        blocks,
        priced.whole,
        expected.bounds_in_use(found),
        expected.errors(query, served),
        priced.most,
        expected.notes(query, served),
        expected.sourced(found, ask),
        MappingProxyType({question: at(one, priced.costs[question], rules.units) for question, one in first.items()}),
    )


def _told_already(first: Shape | None, rules: Rules, drawn: DrawnOf, released: ReleasedOf) -> Mapping[str, Release]:
    """Return the release of a first step whose draws are all there already."""
    if first is None or first.inputs:  # what it reads is of other draws each time: another question
        return {}
    charged = charge(drawn(first.question), first_step.price(rules))
    draws = [released(first.question)[place] for place in charged.serves]
    there = [one for one in draws if one is not None]
    if charged.new is not None or len(there) < len(draws):
        return {}
    return {first.question: combine(there)}


def settled(plan: PrivatePlan, released: Mapping[str, Release]) -> PrivatePlan:
    """Return `plan` with the groups of one person fixed where the first step that tells them is among `released`.

    :param released: releases by question, each of all draws that serve.
    """
    blocks: list[Block] = []
    for block in plan.blocks:
        shape = shapes.settled(block.shape, released, [one.shape for one in blocks], plan.rules)
        blocks.append(block if shape is block.shape else at(shape, block.cost, plan.rules.units))
    if all(one is other for one, other in zip(blocks, plan.blocks, strict=True)):
        return plan
    found = [one.shape for one in blocks]
    told = expected.bounds_in_use(found), expected.sourced(found, plan.ask)
    return replace(plan, blocks=tuple(blocks), bounds=told[0], sourced=told[1])


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
        if isinstance(value, int) and value < 1
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
