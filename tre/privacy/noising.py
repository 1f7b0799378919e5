"""A shape at a price: the noise of one draw, whose privacy map is asked again before it is used (PRIVACY §3.4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from types import MappingProxyType

from tre.base.cost import Cost
from tre.privacy import bounds
from tre.privacy.allocation import mechanism_for, shares
from tre.privacy.blocks import Block, Shape
from tre.privacy.mechanisms import Mechanism, combined, key_loss, loss, threshold_for
from tre.privacy.parts import Part


def at(shape: Shape, cost: Cost, units: int, keys_known: bool = False) -> Block:
    """Return the block that spends `cost` on `shape`; `keys_known` when an earlier draw released its keys.

    :raises ArithmeticError: when OpenDP's maps, asked again with the scales in use, exceed the price.
    """
    mechanisms = mechanisms_at(shape, cost)
    for part in shape.parts:
        scale = mechanisms[part.name].scale
        bounds.check_total_overflow(_shown_name(shape, part), part.sensitivity, scale, units)
    threshold = None
    if shape.keys is None and not keys_known:
        threshold = threshold_for(mechanisms[_units(shape)], shape.groups, cost.delta_fraction)
    block = Block(shape, cost, mechanisms, threshold)
    _recheck(block)
    return block


def mechanisms_at(shape: Shape, cost: Cost) -> Mapping[str, Mechanism]:
    """Return the noise of each part in a draw that costs `cost`."""
    portions = shares(cost.measure, shape.parts, shape.weights)
    return MappingProxyType(
        {
            part.name: mechanism_for(cost.measure, cost.rho * portions[part.name], part.sensitivity, shape.cells(part))
            for part in shape.parts
        }
    )


def in_effect(shape: Shape, draws: Sequence[Cost]) -> Mapping[str, Mechanism]:
    """Return the noise of each part in an answer that is combined from draws of these prices."""
    every = [mechanisms_at(shape, cost) for cost in draws]
    return {
        name: Mechanism.of_variance(first.measure, combined([one[name].variance for one in every]))
        if len(every) > 1
        else first
        for name, first in every[0].items()
    }


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


def _units(shape: Shape) -> str:
    if shape.units is None:
        raise ValueError("unknown keys without a count of units; this is a bug, report it")
    return shape.units


def _shown_name(shape: Shape, part: Part) -> str:
    for output in shape.outputs:
        if part.name in output.parts:
            return shape.names[output.column.id]
    return "the count of people"
