"""What is known of an answer before anything runs: clip bounds in use and expected errors (PRIVACY §4)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction
from types import MappingProxyType

from tre.base.cost import Cost, Measure
from tre.privacy import above, sized
from tre.privacy.blocks import Bound, Shape
from tre.privacy.mechanisms import Mechanism, accuracy
from tre.privacy.noising import in_effect
from tre.privacy.parts import Output
from tre.privacy.request import Ask
from tre.privacy.spelling import typed
from tre.privacy.told import bounds_of
from tre.sql.plan import PrivateFunction, Query

Told = tuple[Shape, Output]


def named(shapes: Sequence[Shape]) -> Mapping[str, Told]:
    """Return every output by what people call it; of several by that name with their keys."""
    often = Counter(name for shape in shapes for name in set(shape.names.values()))
    found: dict[str, Told] = {}
    for shape in shapes:
        for output in shape.outputs:
            name = shape.names[output.column.id]
            found[name if often[name] == 1 else f"{name} {_grouped(shape)}"] = shape, output
    return found


def bounds_in_use(shapes: Sequence[Shape]) -> Mapping[str, Mapping[str, str]]:
    """Return what was clipped to what, by output."""
    every = named(shapes).items()
    return MappingProxyType({name: MappingProxyType(_bounds_of(*told)) for name, told in every})


def sourced(shapes: Sequence[Shape], ask: Ask) -> Mapping[str, tuple[Bound, ...]]:
    """Return the same as people read it, with who says so."""
    every = named(shapes).items()
    return MappingProxyType({name: bounds_of(shape, ask, output) for name, (shape, output) in every})


def _grouped(shape: Shape) -> str:
    keys = ", ".join(column.name for column, _ in shape.source.keys)
    return f"by {keys}" if keys else "in all"


def _bounds_of(shape: Shape, output: Output) -> dict[str, str]:
    part = shape.part(output.terms[0][0])
    found = {"together": "yes"} if part.whole and shape.source.keys else _groups_of(shape)
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
    if part.narrowed:
        step = part.granularity * part.step
        found |= {"total_low": str(part.low * step), "total_high": str(part.high * step)}
    return found


def _groups_of(shape: Shape) -> dict[str, str]:
    told = {} if shape.first is None else {"automatic": "yes"}
    return told if shape.open else {"groups": str(shape.groups)} | told


def half_width(output: Output, mechanisms: Mapping[str, Mechanism], alpha: float = 0.05) -> Fraction | None:
    """Return the half-width of a count's or a sum's interval, 95 % unless said; None for others, whose error varies."""
    if output.denominator is not None or output.fraction is not None:
        return None
    if len(output.terms) == 1:
        name, coefficient = output.terms[0]
        return output.granularity * abs(coefficient) * math.floor(accuracy(mechanisms[name], alpha))
    variance = sum((coefficient**2 * mechanisms[name].variance for name, coefficient in output.terms), Fraction(0))
    measure = mechanisms[output.terms[0][0]].measure
    return output.granularity * Fraction(accuracy(Mechanism.of_variance(measure, variance), alpha))


def promised(shape: Shape, output: Output, mechanisms: Mapping[str, Mechanism], alpha: float = 0.05) -> Fraction | None:
    """Return the half-width that is known before anything runs: of a count or a sum, or of an AVG of a known size."""
    if shape.open:
        return None
    bare = half_width(output, mechanisms, alpha)
    return sized.width(shape, output, mechanisms, alpha) if bare is None and sized.known(shape, output) else bare


def shown(query: Query, shapes: Sequence[Shape]) -> Mapping[str, tuple[Told, ...]]:
    """Return, by the name of each noisy column of the answer, the outputs that it is a bare copy of, none of others.

    It is one, or in the rows of a union one of several.
    """
    outputs = {output.column.id: (shape, output) for shape in shapes for output in shape.outputs}
    origins = above.origins(query.root, frozenset(outputs))
    columns = zip(query.names, query.root.columns, strict=True)
    return {
        name: tuple(outputs[id_] for id_ in sorted(origins[column.id]))
        for name, column in columns
        if column.id in origins
    }


def errors(query: Query, priced: Sequence[tuple[Shape, Sequence[Cost]]]) -> Mapping[str, float | None]:
    """Return what is known before anything runs: of bare counts and sums, and averages of known sizes; None of others.

    Of the rows of several results it is the widest.

    :param priced: each block with the prices of the draws that its answer is combined from.
    """
    effects = {shape.name: in_effect(shape, draws) for shape, draws in priced}
    found = {}
    for name, told in shown(query, [shape for shape, _ in priced]).items():
        widths = [promised(shape, output, effects[shape.name]) for shape, output in told]
        known = [float(width) for width in widths if width is not None]
        found[name] = max(known) if known and len(known) == len(widths) else None
    return MappingProxyType(found)


def notes(query: Query, priced: Sequence[tuple[Shape, Sequence[Cost]]]) -> Mapping[str, str]:
    """Return what is said of an expected error, by output name: of an average whose rows a noisy size tells of."""
    effects = {shape.name: in_effect(shape, draws) for shape, draws in priced}
    found = {}
    for name, told in shown(query, [shape for shape, _ in priced]).items():
        said = dict.fromkeys(_note(shape, output, effects[shape.name]) for shape, output in told)
        found[name] = "; ".join(one for one in said if one)
    return MappingProxyType({name: text for name, text in found.items() if text})


def _note(shape: Shape, output: Output, mechanisms: Mapping[str, Mechanism]) -> str:
    """Return where an expected error comes from, or what it is for each group of one person that may count."""
    if not shape.open:
        return sized.note(shape, output, mechanisms)
    if (most := half_width(output, mechanisms)) is None:
        return "it follows from the groups of one person that the first step tells"
    measure = mechanisms[output.terms[0][0]].measure
    one, by = (
        (most / shape.groups, "")
        if measure is Measure.PURE
        else (float(most) / math.sqrt(shape.groups), "the root of ")
    )
    return f"about ±{float(one):.3g} times {by}the groups of one person, which the first step tells"
