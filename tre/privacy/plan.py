"""From a bound query to a private plan: what is measured, with which noise, at which price. Pure (PRIVACY §3)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from types import MappingProxyType

from tre.base.cost import ATTO, Cost
from tre.base.reasons import Refusal, Refused
from tre.base.reasons import privacy as reasons
from tre.catalogue import Interval
from tre.privacy import above, accounting, bounds, expected
from tre.privacy.allocation import mechanism_for, shares
from tre.privacy.blocks import Block, PrivatePlan, Shape
from tre.privacy.keys import PublicValues, known_keys
from tre.privacy.lowering import lowered
from tre.privacy.mechanisms import key_loss, loss, threshold_for
from tre.privacy.needs import Needs
from tre.privacy.parts import Part
from tre.privacy.question import question_of
from tre.privacy.request import Ask, Rules
from tre.privacy.sharing import outputs_of, support
from tre.sql import walk
from tre.sql.plan import PrivateAggregate, PrivateFunction, Query, Relation, Released

__all__ = ["Block", "PrivatePlan", "Shape", "at", "output_names", "plan", "privacy_map"]


def plan(query: Query, ask: Ask, rules: Rules, public_keys: PublicValues) -> PrivatePlan:
    """Plan `query`; raise Refused with every reason found.

    The price is shared equally by the questions that the blocks ask; the whole answer's price is what `epsilon` buys
    at the policy's conversion share, at least the policy's floor.
    """
    if not query.blocks:
        return PrivatePlan(query, (), Cost.zero(rules.measure), MappingProxyType({}), MappingProxyType({}))
    names = output_names(query)
    totals = _totals(query, ask, names)
    shapes = tuple(
        _shape(
            position, query.blocks, Needs(query.blocks[position], ask, rules.units, totals, names), rules, public_keys
        )
        for position in range(len(query.blocks))
    )
    prices = _prices(shapes, ask, rules)
    blocks = tuple(at(one, prices[one.question], rules.units) for one in shapes)
    whole = sum(prices.values(), Cost.zero(rules.measure))
    return PrivatePlan(query, blocks, whole, expected.bounds_in_use(blocks), expected.errors(query, blocks))


def _shape(
    position: int, blocks: tuple[PrivateAggregate, ...], needs: Needs, rules: Rules, public_keys: PublicValues
) -> Shape:
    """Return what a block measures. Blocks before it that it reads are released first and stand in it as such."""
    source = needs.block
    keys = known_keys(source, rules, public_keys)
    groups, keep = bounds.group_bound(source, needs.ask, rules, None if keys is None else len(keys))
    outputs = outputs_of(needs)
    units, clipped = support(needs, with_units=keys is None or rules.minimum_group is not None, cut=keep)
    relation, inputs = _over_released(lowered(source, needs.parts, groups, keep), blocks[:position])
    return Shape(
        source,
        _released_name(position),
        keys,
        groups,
        tuple(needs.parts),
        MappingProxyType(dict(needs.weights)),
        outputs,
        MappingProxyType({one.column.id: needs.name(one) for one in source.asked}),
        units.name if units else None,
        clipped.name if clipped else None,
        rules.minimum_group,
        relation,
        inputs,
        question_of(source, needs.parts, groups, keys),
    )


def _over_released(relation: Relation, before: tuple[PrivateAggregate, ...]) -> tuple[Relation, tuple[str, ...]]:
    inputs = []
    for position in reversed(range(len(before))):
        if any(node is before[position] for node in walk.relations(relation)):
            inputs.append(_released_name(position))
            relation = walk.replaced(relation, before[position], Released(inputs[-1], before[position].columns))
    return relation, tuple(inputs)


def _released_name(position: int) -> str:
    return f"released_{position}"


def output_names(query: Query) -> Mapping[int, str]:
    """Return what people call each asked aggregate: the output that is a bare copy of it, else its function."""
    asked = {one.column.id: one.column.name for block in query.blocks for one in block.asked}
    origins = above.origins(query.root, frozenset(asked))
    for name, column in reversed(list(zip(query.names, query.root.columns, strict=True))):
        origin = origins.get(column.id)
        if origin is not None:
            asked[origin] = name
    return MappingProxyType(asked)


def at(shape: Shape, cost: Cost, units: int, keys_known: bool = False) -> Block:
    """Return the block that spends `cost` on `shape`; `keys_known` when an earlier draw released its keys.

    :raises ArithmeticError: when OpenDP's maps, asked again with the scales in use, exceed the price.
    """
    portions = shares(cost.measure, shape.parts, shape.weights)
    mechanisms = {
        part.name: mechanism_for(cost.measure, cost.rho * portions[part.name], part.sensitivity, shape.cells(part))
        for part in shape.parts
    }
    for part in shape.parts:
        scale = mechanisms[part.name].scale
        bounds.check_total_overflow(_shown_name(shape, part), part.sensitivity, scale, units)
    threshold = None
    if shape.keys is None and not keys_known:
        threshold = threshold_for(mechanisms[_units(shape)], shape.groups, cost.delta_fraction)
    block = Block(shape, cost, MappingProxyType(mechanisms), threshold)
    _recheck(block)
    return block


def privacy_map(block: Block) -> tuple[Fraction, Fraction]:
    """Return (rho or epsilon, delta) that OpenDP's maps charge for the noise that `block` uses."""
    amount, delta = Fraction(0), Fraction(0)
    for part in block.shape.parts:
        mechanism = block.mechanisms[part.name]
        charged = loss(mechanism, part.sensitivity, block.shape.cells(part))
        if block.threshold is not None and part.name == block.shape.units:
            released, delta = key_loss(mechanism, block.threshold, block.shape.groups)
            charged = max(charged, released)
        amount += charged
    return amount, delta


def _recheck(block: Block) -> None:
    amount, delta = privacy_map(block)
    if amount > block.cost.rho or delta > block.cost.delta_fraction:
        raise ArithmeticError("a plan's own privacy map exceeds its price; this is a bug, report it")


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
    sums = {names[one.column.id]: one.column.id for one in asked}
    found.extend(Refusal(reasons.NO_SUCH_OUTPUT, {"output": name}) for name in sorted(set(ask.totals) - sums.keys()))
    if found:
        raise Refused(found)
    return {sums[name]: total for name, total in ask.totals.items()}


def _prices(shapes: tuple[Shape, ...], ask: Ask, rules: Rules) -> Mapping[str, Cost]:
    """Return each question's price: an equal share of the amount, and of delta where its keys are unknown."""
    epsilon = rules.default_epsilon if ask.epsilon is None else ask.epsilon
    amount = max(rules.floor, accounting.price(rules.measure, epsilon, rules.conversion_delta).amount)
    unknown = {shape.question: shape.keys is None for shape in shapes}
    delta = math.floor(rules.keys_delta * ATTO) // max(1, sum(unknown.values()))
    costs = {
        question: Cost(rules.measure, -(-amount // len(unknown)), delta if keyless else 0)
        for question, keyless in unknown.items()
    }
    _check_limit(sum(costs.values(), Cost.zero(rules.measure)), rules)
    return costs


def _check_limit(whole: Cost, rules: Rules) -> None:
    found = []
    if whole.amount > rules.per_answer.amount:
        most, _ = accounting.shown(Cost(rules.measure, rules.per_answer.amount), rules.conversion_delta)
        found.append(Refusal(reasons.EPSILON_TOO_LARGE, {"most": f"{most:.4g}"}))
    if whole.delta > rules.per_answer.delta:
        found.append(Refusal(reasons.DELTA_TOO_LARGE))
    if found:
        raise Refused(found)


def _units(shape: Shape) -> str:
    if shape.units is None:
        raise ValueError("unknown keys without a count of units; this is a bug, report it")
    return shape.units


def _shown_name(shape: Shape, part: Part) -> str:
    for output in shape.outputs:
        if part.name in output.parts:
            return shape.names[output.column.id]
    return "the count of people"
