"""From a private aggregate to the exact, clipped sums that an engine computes (PRIVACY §3.2, §3.3).

unit-keyed rows → one row per (unit, group) → at most l0 groups per unit, by keyed hash → clipped → one row per
group. Where a unit has one row the first two steps are nothing. The columns are the keys, then the parts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count

from tre.catalogue import Kind, Type
from tre.privacy.parts import Part, PartKind
from tre.sql import functions, walk
from tre.sql.plan import (
    Aggregate,
    Aggregated,
    Aggregation,
    Column,
    Expression,
    Facts,
    Keep,
    Literal,
    Parameter,
    PrivateAggregate,
    Ref,
    Relation,
)

SECRET = "secret"  # noqa: S105 - a name
"""The name of the bound parameter that keys the choice of groups. Privacy does not rest on it."""

_INTEGER = Type(Kind.INTEGER)


@dataclass
class _Fresh:
    """Columns with ids that the plan does not use yet."""

    ids: count[int]

    def column(self, name: str, nullable: bool = True) -> Column:
        return Column(next(self.ids), name, _INTEGER, Facts(nullable=nullable))


def lowered(block: PrivateAggregate, parts: Sequence[Part], groups: int, keep: bool) -> Relation:
    """Return the relation of exact partials; `keep` says whether units must be cut to `groups` groups."""
    fresh = _Fresh(count(_highest_id(block) + 1))
    if block.one_row:
        clips = [clip for part in parts for clip in _row_clips(part)]
        return Aggregate(block.input, block.keys, tuple(_over_rows(part, fresh, clips) for part in parts))
    totals = _UnitTotals(fresh)
    contributions = [totals.clipped(part) for part in parts if part.kind is not PartKind.CLIPPED]
    unit = Column(next(fresh.ids), "unit", block.unit.type, block.unit.facts)
    keys = tuple(
        (Column(next(fresh.ids), column.name, column.type, column.facts), expression)
        for column, expression in block.keys
    )
    per_unit: Relation = Aggregate(block.input, ((unit, Ref(block.unit)), *keys), tuple(totals.aggregates))
    key_refs = tuple(Ref(column) for column, _ in keys)
    if keep:
        mix = functions.call("keyed_mix", Parameter(SECRET, _INTEGER), Ref(unit), *key_refs)
        counted = fresh.column("groups", nullable=False)
        per_unit = Keep(per_unit, (Ref(unit),), (mix, *key_refs), groups, counted)
        totals.clips.append(functions.call(">", Ref(counted), _integer(groups)))
    asked = dict(zip((part.name for part in parts if part.kind is not PartKind.CLIPPED), contributions, strict=True))
    asked |= {part.name: _any(totals.clips) for part in parts if part.kind is PartKind.CLIPPED}
    sums = tuple(_sum(fresh, part.name, asked[part.name]) for part in parts)
    outer = tuple((column, Ref(inner)) for (column, _), (inner, _) in zip(block.keys, keys, strict=True))
    return Aggregate(per_unit, outer, sums)


@dataclass
class _UnitTotals:
    """The aggregates per (unit, group) that the parts need, each once, and when each part is clipped."""

    fresh: _Fresh
    aggregates: list[Aggregated] = field(default_factory=list)
    clips: list[Expression] = field(default_factory=list)

    def clipped(self, part: Part) -> Expression:
        """Return what one (unit, group) adds to `part`, within its bounds."""
        if part.kind is PartKind.UNITS:
            return _integer(1) if part.where is None else self._least(self._rows(part), 1)
        if part.kind is PartKind.ROWS or part.kind is PartKind.COUNT:
            return self._capped(part, self._rows(part))
        if part.kind is PartKind.SUM:
            total = self._total(part)
            self.clips += [] if part.proven else _beyond(part, total)
            return _clamp(total, part.low, part.high)
        return self._scaled(part)

    def _scaled(self, part: Part) -> Expression:
        """PRIVACY §3.2: (n, Σ(x−c), Σ(x−c)²) as a whole by min(1, C/n), toward zero, checked against the bound."""
        total, rows = self._total(part), self._rows(part)
        if not part.proven:
            self.clips.append(functions.call(">", rows, _integer(part.cap)))
            total = functions.call("scale_weight", total, _integer(part.cap), rows)
        return _clamp(total, part.low, part.high)

    def _capped(self, part: Part, rows: Expression) -> Expression:
        # A proven cap is enforced all the same: should a proof be wrong, the noise still covers what one person adds.
        if not part.proven:
            self.clips.append(functions.call(">", rows, _integer(part.cap)))
        return self._least(rows, part.cap)

    def _least(self, rows: Expression, most: int) -> Expression:
        return functions.call("least", rows, _integer(most))

    def _rows(self, part: Part) -> Expression:
        counted = (
            Aggregation.COUNT_ROWS if part.argument is None or not part.argument.facts.nullable else Aggregation.COUNT
        )
        argument = None if counted is Aggregation.COUNT_ROWS else part.argument
        return Ref(self._aggregate(counted, argument, part.where))

    def _total(self, part: Part) -> Expression:
        column = self._aggregate(Aggregation.SUM, _row_value(part), part.where)
        return functions.call("coalesce", Ref(column), _integer(0))

    def _aggregate(self, function: Aggregation, argument: Expression | None, where: Expression | None) -> Column:
        for one in self.aggregates:
            if (one.function, one.argument, one.where) == (function, argument, where):
                return one.column
        column = self.fresh.column(f"t{len(self.aggregates)}", function is Aggregation.SUM)
        self.aggregates.append(Aggregated(column, function, argument, where))
        return column


def _over_rows(part: Part, fresh: _Fresh, clips: Sequence[Expression]) -> Aggregated:
    """Return the final sum of a part straight over rows, where a unit has at most one."""
    column = fresh.column(part.name)
    if part.kind is PartKind.ROWS or part.kind is PartKind.UNITS:
        return Aggregated(column, Aggregation.COUNT_ROWS, None, part.where)
    if part.kind is PartKind.COUNT:
        return Aggregated(column, Aggregation.COUNT, part.argument, part.where)
    if part.kind is PartKind.CLIPPED:
        return Aggregated(column, Aggregation.SUM, _any(clips))
    return Aggregated(column, Aggregation.SUM, _clamp_row(_row_value(part), part.low, part.high), part.where)


def _row_clips(part: Part) -> list[Expression]:
    """Return when a unit's one row is clipped: only a total that the request narrowed can be."""
    if part.proven or part.kind is not PartKind.SUM:
        return []
    clips = _beyond(part, _row_value(part))
    return [clip if part.where is None else functions.call("and", part.where, clip) for clip in clips]


def _beyond(part: Part, total: Expression) -> list[Expression]:
    """Return when a total lies outside its clip interval, on the sides where its rows can take it."""
    below: list[Expression] = [functions.call("<", total, _integer(part.low))] if part.row_low < 0 else []
    above = [functions.call(">", total, _integer(part.high))] if part.row_high > 0 else []
    return [*below, *above]


def _any(clips: Sequence[Expression]) -> Expression:
    """Return 1 where any of `clips` is true, else 0."""
    once = [clip for at, clip in enumerate(clips) if clip not in clips[:at]]
    return functions.case([(clip, _integer(1)) for clip in once], _integer(0)) if once else _integer(0)


def _row_value(part: Part) -> Expression:
    """Return one row's value on the grid, within its bounds, less the centre, squared or not; NULL stays NULL."""
    if part.argument is None:
        raise ValueError("only sums have values; this is a bug, report it")
    value: Expression = functions.call("to_grid", part.argument, functions.literal(part.granularity))
    if not part.clamped or part.argument.type.kind is Kind.DOUBLE:
        value = _clamp_row(value, part.row_low, part.row_high)
    if part.step > 1:  # never negative, so that division rounds to the nearest
        value = functions.call("-", value, _integer(part.row_low - part.step // 2))
        value = functions.call("/", value, _integer(part.step))
    value = functions.call("-", value, _integer(part.centre)) if part.centre else value
    return functions.call("*", value, value) if part.kind is PartKind.SQUARES else value


def _sum(fresh: _Fresh, name: str, contribution: Expression) -> Aggregated:
    if isinstance(contribution, Literal) and contribution.value == 1:
        return Aggregated(fresh.column(name), Aggregation.COUNT_ROWS)
    return Aggregated(fresh.column(name), Aggregation.SUM, contribution)


def _clamp_row(value: Expression, low: int, high: int) -> Expression:
    return functions.call("clamp", value, _integer(low), _integer(high))


def _clamp(total: Expression, low: int, high: int) -> Expression:
    """Clip a total, which is never NULL."""
    return functions.call("greatest", functions.call("least", total, _integer(high)), _integer(low))


def _integer(value: int) -> Expression:
    return functions.literal(value)


def _highest_id(block: PrivateAggregate) -> int:
    return max(column.id for relation in walk.relations(block) for column in relation.columns)
