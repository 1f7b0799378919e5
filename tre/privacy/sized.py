"""What the noisy sizes of a version tell of an answer beforehand: over how many rows an average is (PRIVACY §4).

An average is c + S/N. By the delta method its noise has the variance (σ_S² + r²σ_N²)/N², r the average's distance from
c. N is taken at the lower end of its noisy size's interval, and r as large as it can be, so that the interval that is
promised is no narrower than the one that the answer will have. What a filter keeps, or a group holds, nobody has
measured: of these it is said what holds if they were all rows, or an equal share of them, and nothing is priced by it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from tre.catalogue import Access, Size, Table
from tre.privacy.blocks import Shape
from tre.privacy.mechanisms import Mechanism, accuracy
from tre.privacy.parts import Output, Part, PartKind
from tre.sql.plan import Filter, PrivateFunction, Project, Relation, Scan, Windowed

_CLEAR = 4.0
"""How many standard deviations of an answer's own count the rows must be, so that a ratio's noise is near a normal."""
_PRICED = "name an accuracy to have a pilot price it"


@dataclass(frozen=True, slots=True)
class Counted:
    """The rows that an aggregate counts, as far as they are known: those of `table`, all of them where `whole`."""

    table: Table
    size: Size
    whole: bool


def width(
    shape: Shape, output: Output, mechanisms: Mapping[str, Mechanism], alpha: float = 0.05, groups: int = 1
) -> Fraction | None:
    """Return the half-width of an AVG's interval, were all rows of its table counted, in `groups` of equal size.

    None of other outputs, where no size is known, and where it is not clear of its own noise, or of the answer's.
    """
    counted = counts(shape, output)
    if counted is None or output.denominator is None or output.interval is None:
        return None
    count, (total, _) = shape.part(output.denominator), output.terms[0]
    rows = _least(counted.size, count) / groups
    noise = math.sqrt(mechanisms[count.name].variance)
    sure = rows - 2 * noise
    if rows <= _CLEAR * noise or _smaller_than_its_noise(counted.size):
        return None
    off = _most_off(output, shape.part(total), counted.size.most_people, rows)
    variance = mechanisms[total].variance + Fraction(off) ** 2 * mechanisms[count.name].variance
    half = accuracy(Mechanism.of_variance(mechanisms[total].measure, variance), alpha)
    return output.granularity * Fraction(half) / Fraction(sure)


def least(shape: Shape, output: Output) -> Fraction | None:
    """Return what a count of all rows, or of all people, of a table is at least, by its noisy size; None of others."""
    counted = counts(shape, output)
    if counted is None or not counted.whole or shape.source.keys or _smaller_than_its_noise(counted.size):
        return None
    if output.function is PrivateFunction.COUNT_UNITS:
        return Fraction(counted.size.least_people)
    if output.function not in (PrivateFunction.COUNT_ROWS, PrivateFunction.COUNT):
        return None
    part = shape.part(output.terms[0][0])
    return Fraction(_least(counted.size, part)) / part.shares


def known(shape: Shape, output: Output) -> bool:
    """Whether what an AVG is over is known by a noisy size, so that its error may be promised."""
    counted = counts(shape, output)
    return counted is not None and counted.whole and not shape.source.keys and not _smaller_than_its_noise(counted.size)


def note(shape: Shape, output: Output, mechanisms: Mapping[str, Mechanism]) -> str:
    """Return what people are told of an AVG's expected error: where it comes from, or why there is none."""
    counted = counts(shape, output)
    if output.function is not PrivateFunction.AVG or counted is None:
        return ""
    rows = f"about {counted.size.rows:,} rows of {counted.table.name} (its noisy size)"
    keys = shape.keys
    half = None if keys is None else width(shape, output, mechanisms, groups=max(1, len(keys)))
    if _smaller_than_its_noise(counted.size):
        return (
            f"the noisy size of {counted.table.name} is not clear of its own noise, so that it tells nothing; {_PRICED}"
        )
    if keys is None:
        return f"the {rows} are in groups of which none is known beforehand; {_PRICED}"
    if half is None:
        return f"the {rows} are too few for the noise of this price"
    if known(shape, output):
        return f"no wider than this, with {rows}"
    if not shape.source.keys:
        return f"about ±{float(half):.3g} if all of the {rows} counted; fewer make it wider; {_PRICED}"
    return (
        f"about ±{float(half):.3g} if the {rows} lay evenly in the {len(keys)} groups, which is an assumption: "
        f"fewer make it wider; {_PRICED}"
    )


def counts(shape: Shape, output: Output) -> Counted | None:
    """Return what is known of the rows that a count, or the count of an AVG, is of."""
    if output.fraction is not None or output.squares is not None:
        return None
    part = shape.part(output.denominator or output.terms[0][0])
    found = _of_table(shape.source.input)
    if found is None or (output.denominator is None and (len(output.terms) > 1 or part.kind is PartKind.SUM)):
        return None
    table, whole = found
    argument = part.argument is None or not part.argument.facts.nullable
    return None if table.size is None else Counted(table, table.size, whole and part.where is None and argument)


def _of_table(relation: Relation) -> tuple[Table, bool] | None:
    """Return the private table whose rows a relation's are, and whether it has all of them."""
    whole = True
    while isinstance(relation, Project | Filter | Windowed):
        whole = whole and not isinstance(relation, Filter)
        relation = relation.input
    return (relation.table, whole) if isinstance(relation, Scan) and relation.table.access is Access.PRIVATE else None


def _least(size: Size, part: Part) -> float:
    """Return how many rows a part counts at least, in its shares: a weight is rounded down by less than 0.4 %."""
    rows = size.least_rows(part.cap)
    return rows if part.shares == 1 else rows * part.shares * 255 / 256


def _most_off(output: Output, total: Part, people: float, rows: float) -> float:
    """Return how far an average lies from its centre at most, in steps: by the bounds of a value, or of a person."""
    assert output.interval is not None, "an AVG has bounds"
    ends = (end / output.granularity - output.offset for end in (output.interval.low, output.interval.high))
    return min(max(abs(float(end)) for end in ends), total.sensitivity * people / rows)


def _smaller_than_its_noise(size: Size) -> bool:
    return size.rows <= 2 * size.rows_within or size.people <= 2 * size.people_within
