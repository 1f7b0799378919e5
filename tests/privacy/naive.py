"""A naive reader of plans over Python rows: slow, obvious, and independent of any engine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import pyarrow as pa

from tre.base.passage import Partials
from tre.sql.plan import (
    Aggregate,
    Aggregated,
    Aggregation,
    Call,
    Case,
    Expression,
    Filter,
    Join,
    JoinKind,
    Keep,
    Literal,
    Parameter,
    Project,
    Ref,
    Relation,
    Released,
    Scan,
    Sort,
)

Row = dict[int, Any]


@dataclass
class Naive:
    """Evaluates relations over `tables` (rows by column name)."""

    tables: Mapping[str, list[dict[str, Any]]]
    released: Mapping[str, pa.Table] = field(default_factory=dict)
    secret: int = 12345

    def rows(self, relation: Relation) -> list[Row]:
        return {
            Scan: self._scan,
            Released: self._released,
            Filter: self._filter,
            Project: self._project,
            Join: self._join,
            Aggregate: self._aggregate,
            Keep: self._keep,
            Sort: self._sort,
        }[type(relation)](relation)

    def partials(self, relation: Relation) -> Partials:
        """Return exact sums as an engine hands them over."""
        rows = self.rows(relation)
        arrays = [pa.array([_plain(row[column.id]) for row in rows]) for column in relation.columns]
        table = pa.table(arrays, names=[str(column.id) for column in relation.columns])
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        return Partials(sink.getvalue().to_pybytes())

    def table(self, relation: Relation, released: Mapping[str, pa.Table]) -> pa.Table:
        """Return the rows of post-processing, as `Evaluate` does."""
        rows = Naive(self.tables, released).rows(relation)
        arrays = [pa.array([_plain(row[column.id]) for row in rows]) for column in relation.columns]
        return pa.table(arrays, names=[str(column.id) for column in relation.columns])

    def _scan(self, relation: Scan) -> list[Row]:
        return [
            {column.id: row[column.name] for column in relation.columns} for row in self.tables[relation.table.name]
        ]

    def _released(self, relation: Released) -> list[Row]:
        table = self.released[relation.name]
        assert table.num_columns >= len(relation.columns)  # hidden ones may go unread
        columns = [table.column(at).to_pylist() for at in range(len(relation.columns))]
        return [
            {column.id: columns[at][row] for at, column in enumerate(relation.columns)} for row in range(table.num_rows)
        ]

    def _filter(self, relation: Filter) -> list[Row]:
        return [row for row in self.rows(relation.input) if self.value(relation.condition, row) is True]

    def _project(self, relation: Project) -> list[Row]:
        return [
            {column.id: self.value(expression, row) for column, expression in relation.outputs}
            for row in self.rows(relation.input)
        ]

    def _join(self, relation: Join) -> list[Row]:
        assert relation.kind is JoinKind.INNER
        pairs = (left | right for left in self.rows(relation.left) for right in self.rows(relation.right))
        return [row for row in pairs if self.value(relation.condition, row) is True]

    def _aggregate(self, relation: Aggregate) -> list[Row]:
        groups: dict[tuple[Any, ...], list[Row]] = {} if relation.keys else {(): []}
        for row in self.rows(relation.input):
            groups.setdefault(tuple(self.value(expression, row) for _, expression in relation.keys), []).append(row)
        return [
            {column.id: part for (column, _), part in zip(relation.keys, key, strict=True)}
            | {one.column.id: self._measure(one, rows) for one in relation.aggregates}
            for key, rows in groups.items()
        ]

    def _measure(self, one: Aggregated, rows: list[Row]) -> Any:
        kept = [row for row in rows if one.where is None or self.value(one.where, row) is True]
        if one.function is Aggregation.COUNT_ROWS:
            return len(kept)
        assert one.argument is not None
        values = [value for row in kept if (value := self.value(one.argument, row)) is not None]
        if one.function is Aggregation.COUNT:
            return len(values)
        assert one.function is Aggregation.SUM
        return sum(values) if values else None

    def _keep(self, relation: Keep) -> list[Row]:
        partitions: dict[tuple[Any, ...], list[Row]] = {}
        for row in self.rows(relation.input):
            partitions.setdefault(tuple(self.value(one, row) for one in relation.partition), []).append(row)

        def order(row: Row) -> list[tuple[bool, Any]]:
            return [(value is None, value or 0) for value in (self.value(one, row) for one in relation.order)]

        counted = relation.counted
        return [
            row if counted is None else row | {counted.id: len(rows)}
            for rows in partitions.values()
            for row in sorted(rows, key=order)[: relation.rows]
        ]

    def _sort(self, relation: Sort) -> list[Row]:
        rows = self.rows(relation.input)
        for expression, descending, _ in reversed(relation.terms):
            rows.sort(key=lambda row: _sortable(self.value(expression, row)), reverse=descending)
        end = None if relation.limit is None else relation.offset + relation.limit
        return rows[relation.offset : end]

    def value(self, expression: Expression, row: Row) -> Any:
        if isinstance(expression, Ref):
            return row[expression.column.id]
        if isinstance(expression, Literal):
            return expression.value
        if isinstance(expression, Parameter):
            return self.secret
        if isinstance(expression, Case):
            for condition, result in expression.branches:
                if self.value(condition, row) is True:
                    return self.value(result, row)
            return self.value(expression.otherwise, row)
        assert isinstance(expression, Call)
        return FUNCTIONS[expression.function](*(self.value(one, row) for one in expression.arguments))


def _plain(value: Any) -> Any:
    return float(value) if isinstance(value, Fraction) else value


def _sortable(value: Any) -> tuple[bool, Any]:
    return value is None, 0 if value is None else value


def _strict(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *values: None if any(value is None for value in values) else function(*values)


def _divide(left: Any, right: Any) -> Any:
    if right == 0:
        return None
    if isinstance(left, int) and isinstance(right, int):  # SQL divides whole numbers toward zero
        return abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)
    return left / right


def _mix(*values: Any) -> int:
    return hash((*(str(value) for value in values),)) % (2**61)


def _and(*values: bool | None) -> bool | None:
    if False in values:
        return False
    return None if None in values else True


def _to_grid(value: Any, granularity: Any) -> int:
    return round(Fraction(value) / Fraction(granularity))


def _scale(total: int, cap: int, rows: int) -> int:
    if rows <= cap:
        return total
    sign = 1 if total >= 0 else -1
    return sign * (abs(total) * cap // rows)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "=": _strict(lambda a, b: a == b),
    "<": _strict(lambda a, b: a < b),
    ">": _strict(lambda a, b: a > b),
    "+": _strict(lambda a, b: a + b),
    "-": _strict(lambda a, b: a - b),
    "*": _strict(lambda a, b: a * b),
    "/": _strict(_divide),
    "and": _and,
    "least": _strict(min),
    "greatest": _strict(max),
    "clamp": _strict(lambda value, low, high: max(low, min(high, value))),
    "coalesce": lambda *values: next((value for value in values if value is not None), None),
    "to_grid": _strict(_to_grid),
    "scale_weight": _strict(_scale),
    "keyed_mix": _mix,
}


def without(tables: Mapping[str, Iterable[dict[str, Any]]], unit: int, key: str = "person_id") -> dict[str, Any]:
    """Return the neighbour: every table without the rows of one unit."""
    return {name: [row for row in rows if row.get(key) != unit] for name, rows in tables.items()}
