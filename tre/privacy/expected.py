"""What is known of an answer before anything runs: clip bounds in use and expected errors (PRIVACY §4)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

from tre.base.cost import Measure
from tre.privacy import above
from tre.privacy.blocks import Block, Shape
from tre.privacy.mechanisms import Mechanism, accuracy
from tre.privacy.parts import Output
from tre.privacy.spelling import typed
from tre.sql.plan import PrivateFunction, Query


def bounds_in_use(blocks: tuple[Block, ...]) -> Mapping[str, Mapping[str, str]]:
    """Return what was clipped to what, by what people call each output."""
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
    if output.fraction is not None and output.interval is not None:
        low, high = (typed(end, output.column.type) for end in (output.interval.low, output.interval.high))
        return found | {"value_low": str(low), "value_high": str(high)}
    if part.argument is not None and part.high != part.cap:
        values = part.row_low * part.granularity, part.row_high * part.granularity
        found |= {"value_low": str(values[0]), "value_high": str(values[1])}
    return found


def half_width(output: Output, mechanisms: Mapping[str, Mechanism]) -> float | None:
    """Return the half-width of the 95 % interval of a count or a sum; None for others, whose error varies."""
    if output.denominator is not None or output.fraction is not None:
        return None
    if len(output.terms) == 1:
        name, coefficient = output.terms[0]
        return float(output.granularity) * abs(coefficient) * math.floor(accuracy(mechanisms[name]))
    variance = sum(coefficient**2 * mechanisms[name].variance for name, coefficient in output.terms)
    measure = mechanisms[output.terms[0][0]].measure
    scale = math.sqrt(variance if measure is Measure.ZCDP else variance / 2)
    return float(output.granularity) * accuracy(Mechanism(measure, scale))


def errors(query: Query, blocks: tuple[Block, ...]) -> Mapping[str, float | None]:
    """Return what is known before anything runs: of outputs that are a bare count or sum; None of other noisy ones."""
    widths = {
        output.column.id: half_width(output, block.mechanisms) for block in blocks for output in block.shape.outputs
    }
    origins = above.origins(query.root, frozenset(widths))
    outputs = zip(query.names, query.root.columns, strict=True)
    return MappingProxyType(
        {name: widths.get(origins[column.id] or -1) for name, column in outputs if column.id in origins}
    )
