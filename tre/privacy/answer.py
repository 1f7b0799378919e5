"""From releases to the answer: post-processing on the engine, intervals, what was suppressed and clipped (§3.6, §4)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tre.base.cost import Cost
from tre.base.passage import Release
from tre.catalogue import Kind, Type, Value
from tre.privacy import above
from tre.privacy.blocks import Bound, PrivatePlan
from tre.privacy.estimates import Ends, Estimates, can_be_clipped, clipped_share, ends, estimates, replicates
from tre.privacy.expected import named
from tre.privacy.keys import normal
from tre.privacy.released import released_table, simulated_table
from tre.privacy.spelling import typed
from tre.sql import walk
from tre.sql.plan import Relation, Released

if TYPE_CHECKING:
    import pyarrow as pa

Evaluate = Callable[[Relation, "Mapping[str, pa.Table]"], "pa.Table"]
"""Runs a relation over public tables and the given released tables; its result's columns are the relation's."""

Cell = Value | float | None
Sources = tuple[tuple[int | None, ...], ...]

NO_ENDS: Ends = (None, None)
SUPPRESSED = {"marker": "suppressed"}
_SIMULATED_ROWS = 100_000
_NUMBERS = (Kind.INTEGER, Kind.DECIMAL, Kind.DOUBLE)


@dataclass(frozen=True, slots=True)
class AnswerColumn:
    """A column of an answer; `noisy` cells carry an interval."""

    name: str
    type: Type
    noisy: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """What a researcher gets.

    `rows` are as wide as `columns`; `intervals` has per column None (exact, or no number) or one (low, high) a
    row, for the 95 % interval of the noise; `suppressed` marks rows under the minimum group, whose noisy cells
    are None; `clipped` is (share of people at a clip bound, 95 % half-width), None where nobody can be, and `clips` the
    same by output, of what was measured together with it; `bounds` are the clip bounds in use per output, and `sourced`
    the same with who says so.
    """

    columns: tuple[AnswerColumn, ...]
    rows: tuple[tuple[Cell, ...], ...]
    intervals: tuple[tuple[Ends, ...] | None, ...]
    suppressed: tuple[bool, ...]
    clipped: tuple[float, float] | None
    bounds: Mapping[str, Mapping[str, str]]
    cost: Cost
    clips: Mapping[str, tuple[float, float]]
    sourced: Mapping[str, tuple[Bound, ...]]

    def as_json(self) -> dict[str, object]:
        """Return the answer for JSON: each noisy column n is followed by n_low and n_high, `bound_of` n.

        Decimals, dates and times are strings; NULL is null; a withheld cell is a marker, never a number.
        """
        columns: list[dict[str, object]] = []
        for column in self.columns:
            columns.append({"name": column.name, "type": str(column.type), "noisy": column.noisy})
            if column.noisy:
                for end in ("low", "high"):
                    name = f"{column.name}_{end}"
                    columns.append({"name": name, "type": str(column.type), "noisy": False, "bound_of": column.name})
        return {
            "columns": columns,
            "rows": [self._flat(row) for row in range(len(self.rows))],
            "clipped": None if self.clipped is None else _clipped(*self.clipped),
            "clips": {name: _clipped(*one) for name, one in self.clips.items()},
            "bounds": {name: dict(bounds) for name, bounds in self.bounds.items()},
            "sourced": {name: [asdict(bound) for bound in every] for name, every in self.sourced.items()},
            "cost": self.cost.as_json(),
        }

    def _flat(self, row: int) -> list[object]:
        cells: list[object] = []
        for column, value, intervals in zip(self.columns, self.rows[row], self.intervals, strict=True):
            if column.noisy and self.suppressed[row]:
                cells.extend([dict(SUPPRESSED)] * 3)
                continue
            cells.append(_plain(value))
            if column.noisy:
                low, high = (None, None) if intervals is None else intervals[row]
                cells.extend((_plain(low), _plain(high)))
        return cells


@dataclass(frozen=True, slots=True)
class _Outer:
    """The evaluated query above the blocks: its cells, and per row the numbers of the released rows it came from.

    A row of a UNION has no number in the tables of the other side.
    """

    rows: tuple[tuple[Cell, ...], ...]
    traced: above.Traced | None
    sources: Sources


def answer(plan: PrivatePlan, releases: Sequence[Release], evaluate: Evaluate) -> Answer:
    """Return the answer from one release per block (several draws of it combined before).

    `evaluate` computes what stands above the blocks from released values alone; a public query has no blocks,
    costs nothing and is exact.
    """
    shown = tuple(estimates(block, release) for block, release in zip(plan.blocks, releases, strict=True))
    noisy_ids = frozenset(column_id for one in shown for column_id in one.values)
    origins = above.origins(plan.query.root, noisy_ids)
    outer = _evaluated(plan, shown, evaluate)
    columns = tuple(
        AnswerColumn(name, column.type, column.id in origins)
        for name, column in zip(plan.query.names, plan.query.root.columns, strict=True)
    )
    return Answer(
        columns,
        outer.rows,
        _intervals(plan, shown, origins, outer, evaluate),
        _suppressed(shown, outer),
        clipped_share(shown),
        plan.bounds,
        plan.cost,
        _clips(shown),
        plan.sourced,
    )


def _clips(shown: Sequence[Estimates]) -> Mapping[str, tuple[float, float]]:
    """Return, by output, the share of people at a bound of what was measured together with it."""
    released = {one.block.shape.name: one for one in shown}
    every = named([one.block.shape for one in shown]).items()
    shares = {
        name: clipped_share([released[shape.name]]) for name, (shape, output) in every if can_be_clipped(shape, output)
    }
    return {name: share for name, share in shares.items() if share is not None}


def _clipped(share: float, half_width: float) -> dict[str, float]:
    return {"share": share, "half_width": half_width}


def post_processing(plan: PrivatePlan) -> tuple[Relation, above.Traced | None]:
    """Return what is evaluated over the released tables, and how its rows are known again (None: they are not)."""
    root = plan.query.root
    try:
        traced = _tracer(plan, simulated=False).traced(root)
    except above.Untraceable:
        return above.in_order(above.standing_in(root, _tables(plan)), ()), None
    return above.in_order(traced.relation, traced.rows), traced


def _evaluated(plan: PrivatePlan, shown: tuple[Estimates, ...], evaluate: Evaluate) -> _Outer:
    relation, traced = post_processing(plan)
    tables = {one.block.shape.name: released_table(one) for one in shown}
    same = above.as_released(traced.relation) if traced and traced.rows else None
    # A released table stands in key order already, so that one which leaves as it is needs no engine.
    found = evaluate(relation, tables) if same is None else tables[same[0].name].select(list(same[1]))
    root = plan.query.root
    if traced is None:
        return _Outer(_cells(found, root, root), None, tuple(() for _ in range(found.num_rows)))
    return _Outer(_cells(found, traced.relation, root), traced, _sources(found, traced))


def _sources(found: pa.Table, traced: above.Traced) -> Sources:
    at = _places(traced.relation)
    if not traced.rows:
        return tuple(() for _ in range(found.num_rows))
    return tuple(zip(*(found.column(at[row.id]).to_pylist() for row in traced.rows), strict=True))


def _places(relation: Relation) -> dict[int, int]:
    return {column.id: place for place, column in enumerate(relation.columns)}


def _cells(table: pa.Table, relation: Relation, root: Relation) -> tuple[tuple[Cell, ...], ...]:
    at = _places(relation)
    columns = [
        [_cell(value, column.type) for value in table.column(at[column.id]).to_pylist()] for column in root.columns
    ]
    return tuple(zip(*columns, strict=True)) if columns else ()


def _cell(value: object, type_: Type) -> Cell:
    if type_.kind is not Kind.DOUBLE or value is None:
        return normal(value, type_)
    number = float(str(value))
    return number if math.isfinite(number) else None


def _tracer(plan: PrivatePlan, simulated: bool) -> above.Tracer:
    noisy = frozenset(output.column.id for block in plan.blocks for output in block.shape.outputs)
    origins = above.origins(plan.query.root, noisy)
    highest = max((column.id for node in walk.relations(plan.query.root) for column in node.columns), default=0)
    return above.Tracer(_tables(plan), frozenset(origins), simulated, highest + 1)


def _tables(plan: PrivatePlan) -> dict[int, Released]:
    return {id(block.shape.source): block.shape.released for block in plan.blocks}


def _suppressed(shown: tuple[Estimates, ...], outer: _Outer) -> tuple[bool, ...]:
    marks = {one.block.shape.name: one.suppressed for one in shown}
    tables = outer.traced.tables if outer.traced else ()
    return tuple(
        any(at is not None and marks[name][at] for name, at in zip(tables, source, strict=True))
        for source in outer.sources
    )


def _intervals(
    plan: PrivatePlan,
    shown: tuple[Estimates, ...],
    origins: above.Origins,
    outer: _Outer,
    evaluate: Evaluate,
) -> tuple[tuple[Ends, ...] | None, ...]:
    """Return each noisy number's interval: a bare output's own, else by simulation of its expression."""
    columns = plan.query.root.columns
    own = outer.traced.sources if outer.traced else {}
    derived = [
        position
        for position, column in enumerate(columns)
        if column.id in origins and not (origins[column.id] and column.id in own) and column.type.kind in _NUMBERS
    ]
    simulated = _simulated_ends(plan, shown, origins, outer, derived, evaluate) if derived else {}
    found: list[tuple[Ends, ...] | None] = []
    for position, column in enumerate(columns):
        if origins.get(column.id) and column.id in own:
            found.append(_own(shown, outer.sources, own[column.id]))
        else:
            found.append(simulated.get(position))
    return tuple(found)


def _own(shown: tuple[Estimates, ...], sources: Sources, places: Mapping[int, int]) -> tuple[Ends, ...]:
    released = {
        place: next(one.intervals[id_] for one in shown if id_ in one.intervals) for place, id_ in places.items()
    }
    return tuple(
        next((released[place][at] for place, at in enumerate(source) if place in released and at is not None), NO_ENDS)
        for source in sources
    )


def _simulated_ends(
    plan: PrivatePlan,
    shown: tuple[Estimates, ...],
    origins: above.Origins,
    outer: _Outer,
    derived: Sequence[int],
    evaluate: Evaluate,
) -> dict[int, tuple[Ends, ...]]:
    """Evaluate the query's expressions on replicates of the released tables and take the central 95 %."""
    if outer.traced is None or not outer.rows:
        return {}
    try:
        traced = _tracer(plan, simulated=True).traced(plan.query.root)
    except above.Untraceable:
        return {}
    widest = max(len(one.keys) for one in shown)
    count = max(200, min(2000, _SIMULATED_ROWS // max(1, widest)))
    tables = {one.block.shape.name: simulated_table(one, replicates(one, count), count) for one in shown}
    found = evaluate(traced.relation, tables)
    exact = [position for position, column in enumerate(plan.query.root.columns) if column.id not in origins]
    groups = _by_row(found, traced, plan.query.root, exact, derived)
    types = [column.type for column in plan.query.root.columns]
    return {
        position: tuple(
            _around(row[position], groups.get(_identity(source, row, exact), {}).get(position, []), types[position])
            for source, row in zip(outer.sources, outer.rows, strict=True)
        )
        for position in derived
    }


def _by_row(
    found: pa.Table, traced: above.Traced, root: Relation, exact: Sequence[int], derived: Sequence[int]
) -> dict[tuple[object, ...], dict[int, list[float]]]:
    """Return simulated values by row identity: the released rows it came from, and its exact cells."""
    rows = _cells(found, traced.relation, root)
    groups: dict[tuple[object, ...], dict[int, list[float]]] = {}
    for row, source in zip(rows, _sources(found, traced), strict=True):
        collected = groups.setdefault(_identity(source, row, exact), {position: [] for position in derived})
        for position in derived:
            collected[position].append(_float(row[position]))
    return groups


def _identity(source: tuple[int | None, ...], row: tuple[Cell, ...], exact: Sequence[int]) -> tuple[object, ...]:
    return source, tuple(row[position] for position in exact)


def _float(cell: Cell) -> float:
    return math.nan if cell is None else float(str(cell))


def _around(value: Cell, simulated: list[float], type_: Type) -> Ends:
    found = ends(simulated) if simulated and value is not None else None
    if found is None:
        return None, None
    centre = _float(value)
    return typed(min(found[0], centre), type_), typed(max(found[1], centre), type_)


def _plain(value: Any) -> object:
    if isinstance(value, Decimal | datetime | date):
        return str(value) if isinstance(value, Decimal) else value.isoformat()
    return value
