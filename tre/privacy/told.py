"""A block as people can read it: the bounds in use and where they come from, the noise of each part (PRIVACY §3)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from tre.base.cost import Cost, Measure
from tre.catalogue import Access
from tre.privacy import bounds
from tre.privacy.allocation import shares
from tre.privacy.blocks import Bound, Shape
from tre.privacy.noising import in_effect
from tre.privacy.parts import ADDED, Output, Part, PartKind
from tre.privacy.request import Ask, Rules
from tre.privacy.spreading import in_each, noise, reaches
from tre.privacy.weights import could_be
from tre.sql import walk
from tre.sql.plan import PublicKeys, Ref
from tre.sql.tracing.known import lattice
from tre.sql.wording import name_of, worded

POLICY, REQUEST, PROVEN = "the policy", "the request", "proven from what is declared"
FOUND = "the data set's released histograms"
FIRST_STEP = "chosen from a first step"


@dataclass(frozen=True, slots=True)
class Measurement:
    """One noisy vector: what it counts, its noise, what one person can change of it, and its share of the price.

    `sensitivity` bounds one person's change of a cell, of which at most `cells` change, or of all cells `together`;
    `scale` is that of the noise. Both are in steps of the grid, each of which is worth `unit`.
    """

    of: str
    distribution: str
    scale: float
    unit: Fraction
    sensitivity: int
    cells: int
    together: bool
    share: Fraction


@dataclass(frozen=True, slots=True)
class Alternative:
    """The noise of a count at the policy's usual price, of people or of rows, bounded in either of two ways.

    A person is bounded over all groups `together`, or `in_each` of them; `taken` is the former.
    """

    of: str
    together: float
    in_each: float
    taken: bool


@dataclass(frozen=True, slots=True)
class Group:
    """A column that is grouped by, and where its values are known from (None: they are not)."""

    name: str
    known_from: str | None


def groups_of(shape: Shape) -> tuple[Group, ...]:
    """Return the columns that a block groups by."""
    found = []
    for column, expression in shape.source.keys:
        domain = column.facts.domain
        if isinstance(domain, PublicKeys):
            source: str | None = "a public table"
        elif domain is not None:
            source = "its declared values"
        else:
            source = None if lattice(column) is None else "its declared bounds"
        found.append(Group(worded(expression), source))
    return tuple(found)


def bounds_of(shape: Shape, ask: Ask, output: Output | None = None) -> tuple[Bound, ...]:
    """Return the bounds of a block, or of one of its outputs: groups and rows of one person, then values and totals."""
    parts = [part for part in shape.parts if output is None or part.name in output.parts]
    together = bool(shape.source.keys) and any(part.whole for part in parts)
    groups = f"as a first step tells, up to {shape.groups:,}" if shape.open else f"{shape.groups:,}"
    found = [] if together else [Bound("groups of one person", groups, _source_of_groups(shape, ask))]
    rows = "rows of one person in all groups together" if together else "rows of one person in a group"
    for cap in dict.fromkeys(part.cap for part in parts if _counts_rows(part)):
        found.append(Bound(rows, f"{cap:,}", _source_of_rows(shape, cap, ask)))
    for part in parts:
        found += [one for one in _values_of(shape, part) if one not in found]
    for part in parts:
        found += _total_of(shape, part, ask)
    return tuple(found)


def alternatives_of(shape: Shape, ask: Ask, rules: Rules) -> tuple[Alternative, ...]:
    """Return the noise of either way to bound a person where there are two: over all known groups, or in each."""
    source, keys = shape.source, shape.keys
    totals = [one.column.id for one in source.asked if shape.names[one.column.id] in ask.totals]
    if keys is None or not source.keys or not could_be(source, ask, keys, totals, rules):
        return ()
    by_group = in_each(source, len(keys), ask, rules) or any(
        part.kind in ADDED and not part.whole for part in shape.parts
    )
    found = reaches(source, len(keys), ask, rules)
    return tuple(
        Alternative(one.of, noise(one.together, rules), noise(one.in_each, rules), not by_group) for one in found
    )


def measurements_of(shape: Shape, draws: Sequence[Cost]) -> tuple[Measurement, ...]:
    """Return the noise of every part of an answer that is combined from draws of these prices."""
    effects = in_effect(shape, draws)
    portions = shares(draws[0].measure, shape.parts, shape.weights)
    return tuple(
        Measurement(
            of=_spoken(part),
            distribution=_DISTRIBUTIONS[draws[0].measure],
            scale=effects[part.name].scale,
            unit=part.granularity / part.shares,
            sensitivity=part.sensitivity,
            cells=shape.cells(part),
            together=part.whole and bool(shape.source.keys),
            share=portions[part.name],
        )
        for part in shape.parts
    )


_DISTRIBUTIONS = {Measure.ZCDP: "discrete Gaussian", Measure.PURE: "discrete Laplace"}


def _source_of_groups(shape: Shape, ask: Ask) -> str:
    source = shape.source
    if not source.keys:
        return "no groups"
    if source.groups_per_unit == 1:
        return f"{PROVEN}: the groups follow from the person"
    if shape.first is not None:
        return FIRST_STEP
    if shape.groups == ask.groups:
        return REQUEST
    return PROVEN if shape.groups in (bounds.proven_rows(source), len(shape.keys or ())) else POLICY


def _source_of_rows(shape: Shape, cap: int, ask: Ask) -> str:
    if cap >= _most(shape):
        return PROVEN
    if cap == ask.rows:
        return REQUEST
    tables = [scan.table for scan in walk.scans(shape.source.input) if scan.table.access is Access.PRIVATE]
    return f"{_who(table.rows_found for table in tables if table.typical_rows is not None)}: usual rows"


def _most(shape: Shape) -> int:
    """Return the most rows of a person that there can be where they are bounded."""
    together = any(part.whole for part in shape.parts)
    return bounds.proven_rows(shape.source) if together else bounds.proven_in_group(shape.source)


def _who(found: Iterable[bool]) -> str:
    """Return who says what is in use: the policy, what was released, or each a part of it."""
    every = set(found)
    return {frozenset({True}): FOUND, frozenset({True, False}): f"{POLICY} and {FOUND}"}.get(frozenset(every), POLICY)


def _total_of(shape: Shape, part: Part, ask: Ask) -> list[Bound]:
    """Return the bound of what one person's values add up to, where it is not what rows and values come to."""
    if part.kind is PartKind.SUM:
        total = _range(part.low, part.high, part)
        return [Bound(f"one person's sum of {_argument(part)}", total, _source_of_total(shape, part, ask))]
    if part.kind is PartKind.CENTRED and part.narrowed:
        of = f"one person's sum of {_argument(part)}, less the middle of its bounds"
        return [Bound(of, _range(part.low * part.step, part.high * part.step, part), FOUND)]
    return []


def _source_of_total(shape: Shape, part: Part, ask: Ask) -> str:
    rows = 1 if _most(shape) == 1 else bounds.row_cap(shape.source, ask)
    ends = None if rows is None else (rows * min(part.row_low, 0), rows * max(part.row_high, 0))
    if ends == (part.low, part.high):
        return "rows times values"
    named = {shape.names[one.column.id] for one in shape.outputs if part.name in one.parts}
    return FOUND if _is_found(shape, part) and not named & ask.totals.keys() else REQUEST


def _counts_rows(part: Part) -> bool:
    return part.kind in (PartKind.ROWS, PartKind.COUNT, PartKind.DISTINCT, PartKind.RANKED, PartKind.CENTRED)


def _is_found(shape: Shape, part: Part) -> bool:
    """Whether bounds of a part's argument follow from what was released of the data."""
    if part.argument is None:
        return False
    released = {
        (scan.table.name, column.name)
        for scan in walk.scans(shape.source.input)
        for column in scan.table.columns.values()
        if column.found and column.bounds is not None
    }
    origins = (one.column.origin for one in walk.subexpressions(part.argument) if isinstance(one, Ref))
    return part.argument.facts.usually is not None or any(
        one is not None and (one.table, one.column) in released for one in origins
    )


def _values_of(shape: Shape, part: Part) -> list[Bound]:
    if part.argument is None or part.row_low == part.row_high:
        return []
    found = _is_found(shape, part)
    if part.argument.facts.interval is None:
        source = REQUEST
    elif isinstance(part.argument, Ref) and part.argument.column.origin is not None:
        source = f"{FOUND if found else POLICY}: values of {name_of(part.argument.column)}"
    else:
        source = f"computed from {'bounds that were found' if found else 'declared bounds'}"
    return [Bound(f"values of {_argument(part)}", _range(part.row_low, part.row_high, part), source)]


def _argument(part: Part) -> str:
    return "*" if part.argument is None else worded(part.argument)


def _range(low: int, high: int, part: Part) -> str:
    return f"{_decimal(low * part.granularity)} to {_decimal(high * part.granularity)}"


def _decimal(value: Fraction) -> str:
    return f"{value.numerator:,}" if value.denominator == 1 else f"{float(value):,.6g}"


_SPOKEN = {
    PartKind.ROWS: "rows",
    PartKind.COUNT: "rows with a value of {}",
    PartKind.UNITS: "people",
    PartKind.SUM: "sum of {}",
    PartKind.DISTINCT: "distinct values of {}",
    PartKind.CENTRED: "sum of {}, less the middle of its bounds",
    PartKind.SQUARES: "sum of squares of {}, less the middle of its bounds",
    PartKind.RANKED: "rows on halves of the range of {}, searched for a quantile",
    PartKind.CLIPPED: "people at a clip bound",
}


def _spoken(part: Part) -> str:
    where = "" if part.where is None else f" where {worded(part.where)}"
    return _SPOKEN[part.kind].format(_argument(part)) + where
