"""From a bound query to a private plan: what is measured, with which noise, at which price. Pure (PRIVACY §3)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType

from tre.base.cost import ATTO, Cost, Measure
from tre.base.passage import Key
from tre.base.reasons import Refusal, Refused
from tre.base.reasons import privacy as reasons
from tre.catalogue import Interval
from tre.privacy import above, accounting, bounds
from tre.privacy.allocation import mechanism_for, shares
from tre.privacy.keys import PublicValues, known_keys
from tre.privacy.lowering import lowered
from tre.privacy.mechanisms import Mechanism, accuracy, key_loss, loss, threshold_for
from tre.privacy.parts import Output, Part
from tre.privacy.question import question_of
from tre.privacy.request import Ask, Rules
from tre.privacy.sharing import Needs, outputs_of, support
from tre.sql import walk
from tre.sql.plan import PrivateAggregate, PrivateFunction, Query, Relation, Released


@dataclass(frozen=True, slots=True)
class Shape:
    """What a block measures, whatever the price: the question that draws answer (PRIVACY §4).

    `keys` are all groups in key order (None: unknown), `groups` is l0; `relation` computes the exact partials,
    with the released tables named in `inputs`; `names` is what people call each asked aggregate; `units` and
    `clipped` name the supporting parts.
    """

    source: PrivateAggregate
    name: str
    keys: tuple[Key, ...] | None
    groups: int
    parts: tuple[Part, ...]
    weights: Mapping[str, Fraction]
    outputs: tuple[Output, ...]
    names: Mapping[int, str]
    units: str | None
    clipped: str | None
    minimum_group: int | None
    relation: Relation
    inputs: tuple[str, ...]
    question: str

    def part(self, name: str) -> Part:
        """Return the part of that name."""
        return next(part for part in self.parts if part.name == name)

    @property
    def released(self) -> Released:
        """The table that stands in the block's place once it is released."""
        return Released(self.name, self.source.columns)


@dataclass(frozen=True, slots=True)
class Block:
    """A shape at a price: the noise of one draw. `threshold` is None where the keys are known or released before."""

    shape: Shape
    cost: Cost
    mechanisms: Mapping[str, Mechanism]
    threshold: int | None


@dataclass(frozen=True, slots=True)
class PrivatePlan:
    """How a query will be answered, and at which price; a function of request, policy and public facts alone.

    `bounds` says per output what was clipped; `errors` the half-width of the 95 % interval per output name
    (None: not known beforehand).
    """

    query: Query
    blocks: tuple[Block, ...]
    cost: Cost
    bounds: Mapping[str, Mapping[str, str]]
    errors: Mapping[str, float | None]


def plan(query: Query, ask: Ask, rules: Rules, public_keys: PublicValues) -> PrivatePlan:
    """Plan `query`; raise Refused with every reason found.

    The price is shared equally by the blocks; the whole answer's price is what `epsilon` buys at the policy's
    conversion share, at least the policy's floor.
    """
    if not query.blocks:
        return PrivatePlan(query, (), Cost.zero(rules.measure), MappingProxyType({}), MappingProxyType({}))
    names = output_names(query)
    totals = _totals(query, ask, names)
    shapes = tuple(
        _shape(position, query.blocks, Needs(query.blocks[position], ask, totals, names), rules, public_keys)
        for position in range(len(query.blocks))
    )
    blocks = tuple(at(one, cost, rules.units) for one, cost in zip(shapes, _prices(shapes, ask, rules), strict=True))
    whole = sum((block.cost for block in blocks), Cost.zero(rules.measure))
    return PrivatePlan(query, blocks, whole, _bounds_in_use(blocks), _errors(query, blocks))


def _shape(
    position: int, blocks: tuple[PrivateAggregate, ...], needs: Needs, rules: Rules, public_keys: PublicValues
) -> Shape:
    """Return what a block measures. Blocks before it that it reads are released first and stand in it as such."""
    source = needs.block
    keys = known_keys(source, rules, public_keys)
    groups, keep = bounds.group_bound(source, needs.ask, rules, None if keys is None else len(keys))
    outputs = outputs_of(needs)
    units, clipped = support(needs, with_units=keys is None or rules.minimum_group is not None)
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
        part.name: mechanism_for(cost.measure, cost.rho * portions[part.name], part.sensitivity, shape.groups)
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
        charged = loss(mechanism, part.sensitivity, block.shape.groups)
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


def _prices(shapes: tuple[Shape, ...], ask: Ask, rules: Rules) -> tuple[Cost, ...]:
    """Return each block's price: an equal share of the amount, and of delta where its keys are unknown."""
    epsilon = rules.default_epsilon if ask.epsilon is None else ask.epsilon
    amount = max(rules.floor, accounting.price(rules.measure, epsilon, rules.conversion_delta).amount)
    unknown = sum(1 for shape in shapes if shape.keys is None)
    delta = math.floor(rules.keys_delta * ATTO) // unknown if unknown else 0
    costs = tuple(
        Cost(rules.measure, -(-amount // len(shapes)), delta if shape.keys is None else 0) for shape in shapes
    )
    _check_limit(sum(costs, Cost.zero(rules.measure)), rules)
    return costs


def _check_limit(whole: Cost, rules: Rules) -> None:
    found = []
    if whole.amount > rules.per_answer.amount:
        most, _ = accounting.shown(Cost(rules.measure, rules.per_answer.amount), rules.conversion_delta)
        found.append(Refusal(reasons.EPSILON_TOO_LARGE, {"most": f"{math.floor(most * 10**6) / 10**6:g}"}))
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
        if any(name == part.name for name, _ in output.terms):
            return shape.names[output.column.id]
    return "the count of people"


def _bounds_in_use(blocks: tuple[Block, ...]) -> Mapping[str, Mapping[str, str]]:
    found: dict[str, Mapping[str, str]] = {}
    for block in blocks:
        for output in block.shape.outputs:
            found[block.shape.names[output.column.id]] = MappingProxyType(_bounds_of(block.shape, output))
    return MappingProxyType(found)


def _bounds_of(shape: Shape, output: Output) -> dict[str, str]:
    part = shape.part(output.terms[0][0])
    found = {"groups": str(shape.groups)}
    if output.function is PrivateFunction.SUM and output.denominator is None and len(output.terms) == 1:
        return found | {"low": str(part.low * part.granularity), "high": str(part.high * part.granularity)}
    if output.function is not PrivateFunction.COUNT_UNITS:
        found["rows"] = str(part.cap)
    if part.argument is not None and part.high != part.cap:
        values = part.row_low * part.granularity, part.row_high * part.granularity
        found |= {"value_low": str(values[0]), "value_high": str(values[1])}
    return found


def half_width(output: Output, mechanisms: Mapping[str, Mechanism]) -> float | None:
    """Return the half-width of the 95 % interval of a count or a sum; None for an AVG, whose error varies."""
    if output.denominator is not None:
        return None
    if len(output.terms) == 1:
        name, coefficient = output.terms[0]
        return float(output.granularity) * abs(coefficient) * math.floor(accuracy(mechanisms[name]))
    variance = sum(coefficient**2 * mechanisms[name].variance for name, coefficient in output.terms)
    measure = mechanisms[output.terms[0][0]].measure
    scale = math.sqrt(variance if measure is Measure.ZCDP else variance / 2)
    return float(output.granularity) * accuracy(Mechanism(measure, scale))


def _errors(query: Query, blocks: tuple[Block, ...]) -> Mapping[str, float | None]:
    """Return what is known before anything runs: of outputs that are a bare count or sum; None of other noisy ones."""
    widths = {
        output.column.id: half_width(output, block.mechanisms) for block in blocks for output in block.shape.outputs
    }
    origins = above.origins(query.root, frozenset(widths))
    outputs = zip(query.names, query.root.columns, strict=True)
    return MappingProxyType(
        {name: widths.get(origins[column.id] or -1) for name, column in outputs if column.id in origins}
    )
