"""From a private aggregate to the exact, clipped sums that an engine computes (PRIVACY §3.2, §3.3).

unit-keyed rows → one row per (unit, group) → at most l0 groups per unit, by keyed hash → clipped → one row per
group. Where a unit has one row the first two steps are nothing. The columns are the keys, then the parts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count

from tre.catalogue import Kind
from tre.privacy.choosing import Fresh, chosen, unit_and_keys
from tre.privacy.counts import kept_counts, units_once
from tre.privacy.parts import Part, PartKind
from tre.privacy.values import beside, counting, values_counted
from tre.sql import functions, walk
from tre.sql.plan import (
    Aggregate,
    Aggregated,
    Aggregation,
    Column,
    Expression,
    Literal,
    PrivateAggregate,
    Ref,
    Relation,
    UnitCounts,
)
from tre.sql.walk import referred

_OF_VALUES = frozenset({PartKind.DISTINCT, PartKind.RANKED})
"""Parts that are no sums of what units add: they count values, of which a unit has several."""


def lowered(block: PrivateAggregate, parts: Sequence[Part], groups: int, keep: bool) -> Relation:
    """Return the relation of exact partials; `keep` says whether units must be cut to `groups` groups."""
    fresh = Fresh(count(highest_id(block) + 1))
    if block.one_row:
        clips = [clip for part in parts for clip in _row_clips(part)]
        return Aggregate(block.input, block.keys, tuple(_over_rows(part, fresh, clips) for part in parts))
    sums = [part for part in parts if part.kind not in _OF_VALUES]
    values = [part for part in parts if part.kind in _OF_VALUES]
    cut = groups if keep else None
    counted = [values_counted(block, part, _value_of(part), cut, fresh) for part in values]
    if counted and not sums and not block.keys:  # one row each: nothing is needed to hold them together
        first, *others = counted
    else:
        first, others = _summed(block, sums, values, cut, fresh), counted
    return beside(first, others, [part.name for part in parts], fresh)


def _summed(
    block: PrivateAggregate, parts: Sequence[Part], values: Sequence[Part], cut: int | None, fresh: Fresh
) -> Aggregate:
    """Return the sums of what one unit adds to each group; `values` are measured elsewhere, and clipped there."""
    totals = _UnitTotals(fresh)
    added = {part.name: totals.clipped(part) for part in parts if part.kind is not PartKind.CLIPPED}
    for part in values:
        totals.clips += totals.values_clipped(part)
    by = unit_and_keys(block, fresh)
    unit, *keys = (column for column, _ in by)
    per_unit = _kept(block, unit, totals) or _counted(block, by, totals)
    if cut is not None:
        counted = fresh.column("groups", nullable=False)
        per_unit = chosen(per_unit, unit, keys, cut, counted)
        totals.clips.append(functions.call(">", Ref(counted), integer(cut)))
    added |= {part.name: any_of(totals.clips) for part in parts if part.kind is PartKind.CLIPPED}
    outer = tuple((column, Ref(inner)) for (column, _), inner in zip(block.keys, keys, strict=True))
    return Aggregate(per_unit, outer, tuple(_sum(fresh, part.name, added[part.name]) for part in parts))


def _kept(block: PrivateAggregate, unit: Column, totals: _UnitTotals) -> Relation | None:
    """Return the rows of each unit where nothing but their number is asked and the version keeps it."""
    scan = kept_counts(block.input)
    if block.keys or scan is None or any(one.argument or one.where for one in totals.aggregates):
        return None
    rows = totals.aggregates[0].column if totals.aggregates else totals.fresh.column("rows")
    return UnitCounts(scan.table, (unit, rows))


def _counted(block: PrivateAggregate, by: Sequence[tuple[Column, Expression]], totals: _UnitTotals) -> Relation:
    """Return the totals of each (unit, group); where none is asked, who is in which group is all that counts."""
    rows = block.input
    if not totals.aggregates:
        rows = units_once(rows, frozenset[int]().union(*(referred(one) for _, one in by)), totals.fresh)
    return Aggregate(rows, tuple(by), tuple(totals.aggregates))


@dataclass
class _UnitTotals:
    """The aggregates per (unit, group) that the parts need, each once, and when each part is clipped."""

    fresh: Fresh
    aggregates: list[Aggregated] = field(default_factory=list)
    clips: list[Expression] = field(default_factory=list)

    def clipped(self, part: Part) -> Expression:
        """Return what one (unit, group) adds to `part`, within its bounds."""
        if part.kind is PartKind.UNITS:
            return integer(1) if part.where is None else self._least(self._rows(part), 1)
        if part.kind is PartKind.ROWS or part.kind is PartKind.COUNT:
            return self._capped(part, self._rows(part))
        if part.kind is PartKind.SUM:
            total = self._total(part)
            self.clips += [] if part.proven else _beyond(part, total)
            return _clamp(total, part.low, part.high)
        return self._scaled(part)

    def values_clipped(self, part: Part) -> list[Expression]:
        """Return when a unit has more values in a group than count."""
        if part.proven:
            return []
        if part.kind is PartKind.RANKED:
            return [functions.call(">", self._rows(part), integer(part.cap))]
        found = self._aggregate(Aggregation.COUNT_DISTINCT, part.argument, part.where)
        return [functions.call(">", Ref(found), integer(part.cap))]

    def _scaled(self, part: Part) -> Expression:
        """PRIVACY §3.2: (n, Σ(x−c), Σ(x−c)²) as a whole by min(1, C/n), toward zero, checked against the bound."""
        total, rows = self._total(part), self._rows(part)
        if not part.proven:
            self.clips.append(functions.call(">", rows, integer(part.cap)))
            total = functions.call("scale_weight", total, integer(part.cap), rows)
        self.clips += _beyond(part, total) if part.narrowed else []
        return _clamp(total, part.low, part.high)

    def _capped(self, part: Part, rows: Expression) -> Expression:
        # A proven cap is enforced all the same: should a proof be wrong, the noise still covers what one person adds.
        if not part.proven:
            self.clips.append(functions.call(">", rows, integer(part.cap)))
        return self._least(rows, part.cap)

    def _least(self, rows: Expression, most: int) -> Expression:
        return functions.call("least", rows, integer(most))

    def _rows(self, part: Part) -> Expression:
        counted = (
            Aggregation.COUNT_ROWS if part.argument is None or not part.argument.facts.nullable else Aggregation.COUNT
        )
        argument = None if counted is Aggregation.COUNT_ROWS else part.argument
        return Ref(self._aggregate(counted, argument, part.where))

    def _total(self, part: Part) -> Expression:
        column = self._aggregate(Aggregation.SUM, row_value(part), part.where)
        return functions.call("coalesce", Ref(column), integer(0))

    def _aggregate(self, function: Aggregation, argument: Expression | None, where: Expression | None) -> Column:
        for one in self.aggregates:
            if (one.function, one.argument, one.where) == (function, argument, where):
                return one.column
        column = self.fresh.column(f"t{len(self.aggregates)}", function is Aggregation.SUM)
        self.aggregates.append(Aggregated(column, function, argument, where))
        return column


def _over_rows(part: Part, fresh: Fresh, clips: Sequence[Expression]) -> Aggregated:
    """Return the final sum of a part straight over rows, where a unit has at most one."""
    column = fresh.column(part.name)
    if part.kind is PartKind.ROWS or part.kind is PartKind.UNITS:
        return Aggregated(column, Aggregation.COUNT_ROWS, None, part.where)
    if part.kind is PartKind.COUNT:
        return Aggregated(column, Aggregation.COUNT, part.argument, part.where)
    if part.kind in _OF_VALUES:
        return Aggregated(column, counting(part), _value_of(part), part.where)
    if part.kind is PartKind.CLIPPED:
        return Aggregated(column, Aggregation.SUM, any_of(clips))
    return Aggregated(column, Aggregation.SUM, _clamp_row(row_value(part), part.low, part.high), part.where)


def _row_clips(part: Part) -> list[Expression]:
    """Return when a unit's one row is clipped: only a total that was narrowed can be."""
    if not part.narrowed and (part.proven or part.kind is not PartKind.SUM):
        return []
    clips = _beyond(part, row_value(part))
    return [clip if part.where is None else functions.call("and", part.where, clip) for clip in clips]


def _beyond(part: Part, total: Expression) -> list[Expression]:
    """Return when a total lies outside its clip interval, on the sides where its rows can take it."""
    below: list[Expression] = [functions.call("<", total, integer(part.low))] if part.row_low < 0 else []
    above = [functions.call(">", total, integer(part.high))] if part.row_high > 0 else []
    return [*below, *above]


def any_of(clips: Sequence[Expression]) -> Expression:
    """Return 1 where any of `clips` is true, else 0."""
    once = [clip for at, clip in enumerate(clips) if clip not in clips[:at]]
    return functions.case([(clip, integer(1)) for clip in once], integer(0)) if once else integer(0)


def _value_of(part: Part) -> Expression:
    """Return what a part of values counts: the argument's values, or where they lie on the grid."""
    if part.argument is None:
        raise ValueError("values of nothing; this is a bug, report it")
    return row_value(part) if part.kind is PartKind.RANKED else part.argument


def row_value(part: Part) -> Expression:
    """Return one row's value on the grid, within its bounds, less the centre, squared or not; NULL stays NULL."""
    if part.argument is None:
        raise ValueError("only sums have values; this is a bug, report it")
    value: Expression = functions.call("to_grid", part.argument, functions.literal(part.granularity))
    if not part.clamped or part.argument.type.kind is Kind.DOUBLE:
        value = _clamp_row(value, part.row_low, part.row_high)
    if part.step > 1:  # never negative, so that division rounds to the nearest
        value = functions.call("-", value, integer(part.row_low - part.step // 2))
        value = functions.call("/", value, integer(part.step))
    value = functions.call("-", value, integer(part.centre)) if part.centre else value
    return functions.call("*", value, value) if part.kind is PartKind.SQUARES else value


def _sum(fresh: Fresh, name: str, contribution: Expression) -> Aggregated:
    if isinstance(contribution, Literal) and contribution.value == 1:
        return Aggregated(fresh.column(name), Aggregation.COUNT_ROWS)
    return Aggregated(fresh.column(name), Aggregation.SUM, contribution)


def _clamp_row(value: Expression, low: int, high: int) -> Expression:
    return functions.call("clamp", value, integer(low), integer(high))


def _clamp(total: Expression, low: int, high: int) -> Expression:
    """Clip a total, which is never NULL."""
    return functions.call("greatest", functions.call("least", total, integer(high)), integer(low))


def integer(value: int) -> Literal:
    return functions.literal(value)


def highest_id(block: PrivateAggregate) -> int:
    return max(column.id for relation in walk.relations(block) for column in relation.columns)
