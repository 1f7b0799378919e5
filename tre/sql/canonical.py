"""The identity of a question: one text for all spellings of a plan that mean the same (PRIVACY §4).

Names, aliases, white space, derived tables that only rename, the order of AND, OR and = and the place of a
condition between ON and WHERE leave no trace; column ids are numbered by where they stand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tre.sql import predicates
from tre.sql.plan import (
    Aggregate,
    Aggregated,
    Asked,
    Call,
    Case,
    Column,
    Distinct,
    Exists,
    Expression,
    Filter,
    Join,
    JoinKind,
    Keep,
    Listed,
    Literal,
    Parameter,
    PrivateAggregate,
    Project,
    Ref,
    Relation,
    Released,
    Scan,
    SetOperation,
    Sort,
    Window,
    Windowed,
)

ASSOCIATIVE = frozenset({predicates.AND, "or"})
COMMUTATIVE = ASSOCIATIVE | {predicates.EQUAL}


def canonical(relation: Relation) -> str:
    """Return the canonical text of a plan: of the rows and of its columns in order."""
    writer = _Writer()
    rows = writer.rows(relation)
    return f"{rows} -> ({', '.join(writer.names[column.id] for column in relation.columns)})"


@dataclass(slots=True)
class _Writer:
    """Names of columns by id; a shared relation is written once and named.

    A subquery numbers for itself, a mark deeper, so that the order of the terms in which it stands leaves no trace.
    """

    names: dict[int, str] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    shared: dict[int, tuple[str, dict[int, str]]] = field(default_factory=dict)
    mark: str = ""

    def number(self, kind: str) -> str:
        self.counts[kind] = self.counts.get(kind, 0) + 1
        return f"{self.mark}{kind}{self.counts[kind]}"

    def rows(self, node: Relation) -> str:
        """Return the text of the rows of `node`, naming its columns on the way."""
        if isinstance(node, Project):
            return self._project(node)
        if id(node) in self.shared:
            return self._again(node)
        text = _ROWS[type(node)](self, node)
        if isinstance(node, Scan):
            return text
        name = self.number("r")
        self.shared[id(node)] = (name, {column.id: self.names[column.id] for column in node.columns})
        return f"{name}:{text}"

    def _again(self, node: Relation) -> str:
        """Rows that stand a second time are the same rows, but their columns are other columns."""
        name, columns = self.shared[id(node)]
        again = self.number(f"{name}@")
        for column, called in columns.items():
            self.names[column] = f"{again}.{called}"
        return again

    def _project(self, node: Project) -> str:
        text = self.rows(node.input)
        made = []
        for column, expression in node.outputs:
            if isinstance(expression, Ref):
                self.names[column.id] = self.names[expression.column.id]
            else:
                self.names[column.id] = self.number("x")
                made.append(f"{self.names[column.id]}={self.expression(expression)}")
        return f"project({text}; {', '.join(made)})" if made else text

    def _scan(self, node: Scan) -> str:
        name = self.number(f"{node.table.name}#")
        for column in node.columns:
            declared = column.origin.column if column.origin else column.name
            self.names[column.id] = f"{name}.{declared}"
        return name

    def _constants(self, node: Listed) -> str:
        name = self.number("c")
        for place, column in enumerate(node.columns, 1):
            self.names[column.id] = f"{name}.{place}"
        rows = ", ".join(f"({', '.join(self.expression(one) for one in row)})" for row in node.rows)
        return f"constants({rows})"

    def _filter(self, node: Filter) -> str:
        """Filters one over the other, and over an inner join, are one set of terms."""
        terms, renamings, below = _unwrapped(node)
        inner = isinstance(below, Join) and below.kind is JoinKind.INNER and id(below) not in self.shared
        if inner and isinstance(below, Join):
            terms += predicates.conjuncts(below.condition)
            text = f"join({self.rows(below.left)}, {self.rows(below.right)}"
        else:
            text = f"filter({self.rows(below)}"
        for renaming in renamings:
            self._project_names(renaming)
        return f"{text}; {self._terms(terms)})"

    def _project_names(self, node: Project) -> None:
        for column, expression in node.outputs:
            if isinstance(expression, Ref):
                self.names[column.id] = self.names[expression.column.id]

    def _join(self, node: Join) -> str:
        left, right = self.rows(node.left), self.rows(node.right)
        terms = self._terms(list(predicates.conjuncts(node.condition)))
        if node.kind is JoinKind.INNER:
            return f"join({left}, {right}; {terms})"
        name = self.number("n")
        for new, old in node.nulled:
            self.names[new.id] = f"{name}({self.names[old.id]})"
        return f"left({left}, {right}; {name} {terms})"

    def _terms(self, terms: list[Expression]) -> str:
        return " & ".join(sorted({self.expression(term) for term in terms}))

    def _aggregate(self, node: Aggregate | PrivateAggregate) -> str:
        text = self.rows(node.input)
        name = self.number("g")
        keys = [self._named(f"{name}.k{place}", *key) for place, key in enumerate(node.keys, 1)]
        asked: tuple[Aggregated | Asked, ...] = node.asked if isinstance(node, PrivateAggregate) else node.aggregates
        measured = [self._measured(f"{name}.a{place}", one) for place, one in enumerate(asked, 1)]
        kind = "aggregate"
        if isinstance(node, PrivateAggregate):
            kind = f"private[{self.names[node.unit.id]}]"
        return f"{kind}({text}; {', '.join(keys)}; {', '.join(measured)})"

    def _named(self, name: str, column: Column, expression: Expression) -> str:
        self.names[column.id] = name
        return f"{name}={self.expression(expression)}"

    def _measured(self, name: str, one: Aggregated | Asked) -> str:
        self.names[one.column.id] = name
        argument = "*" if one.argument is None else self.expression(one.argument)
        where = "" if one.where is None else f" where {self._terms(list(predicates.conjuncts(one.where)))}"
        at = "" if one.fraction is None else f"; {one.fraction}"
        return f"{name}={one.function.value}({argument}{at}){where}"

    def _keep(self, node: Keep) -> str:
        text = self.rows(node.input)
        partition, order = (", ".join(map(self.expression, part)) for part in (node.partition, node.order))
        return f"keep({text}; {partition}; {order}; {node.rows}{'; counted' * (node.counted is not None)})"

    def _windowed(self, node: Windowed) -> str:
        text = self.rows(node.input)
        name = self.number("w")
        made = [self._window(f"{name}.{place}", one) for place, one in enumerate(node.windows, 1)]
        return f"windowed({text}; {', '.join(made)})"

    def _window(self, name: str, one: Window) -> str:
        self.names[one.column.id] = name
        given = ", ".join(self.expression(part) for part in one.arguments)
        partition = ", ".join(sorted(self.expression(part) for part in one.partition))
        where = "" if one.where is None else f" where {self._terms(list(predicates.conjuncts(one.where)))}"
        frame = "" if one.frame is None else f"; {one.frame.unit.value} {one.frame.start} {one.frame.end}"
        return f"{name}={one.function.value}({given}){where} over ({partition}; {self._order(one.order)}{frame})"

    def _set(self, node: SetOperation) -> str:
        left, right = self.rows(node.left), self.rows(node.right)
        name, pairs = self.number("u"), []
        for place, (column, one, other) in enumerate(node.outputs, 1):
            self.names[column.id] = f"{name}.{place}"
            pairs.append(f"{self.names[one.id]}|{self.names[other.id]}")
        return f"{node.kind.value}{' all' * node.every}({left}, {right}; {', '.join(pairs)})"

    def _sort(self, node: Sort) -> str:
        text = self.rows(node.input)
        return f"sort({text}; {self._order(node.terms)}; {node.limit}; {node.offset})"

    def _order(self, terms: tuple[tuple[Expression, bool, bool], ...]) -> str:
        return ", ".join(f"{self.expression(one)}{' desc' * down}{' first' * first}" for one, down, first in terms)

    def _distinct(self, node: Distinct) -> str:
        text = self.rows(node.input)
        return f"distinct({text}; {', '.join(self.names[column.id] for column in node.columns)})"

    def _released(self, node: Released) -> str:
        for place, column in enumerate(node.columns, 1):
            self.names[column.id] = f"{node.name}.{place}"
        return f"released({node.name})"

    def expression(self, one: Expression) -> str:
        """Return the text of an expression; operands of commutative functions in order of their texts."""
        if isinstance(one, Ref):
            return self.names.get(one.column.id, f"?{one.column.id}")
        if isinstance(one, Literal):
            return f"{one.type}:{one.value!r}"
        if isinstance(one, Parameter):
            return f"${one.name}"
        if isinstance(one, Exists):
            inside = _Writer(dict(self.names), mark=self.mark + "'")
            return f"{'not ' * one.negated}exists({inside.rows(one.relation)})"
        if isinstance(one, Case):
            branches = (f"{self.expression(when)}: {self.expression(then)}" for when, then in one.branches)
            return f"case({'; '.join(branches)}; {self.expression(one.otherwise)})"
        return self._call(one)

    def _call(self, one: Call) -> str:
        parts = tuple(_flat(one, one.function)) if one.function in ASSOCIATIVE else one.arguments
        texts = [self.expression(part) for part in parts]
        if one.function in COMMUTATIVE:
            texts.sort()
        return f"{one.function}[{one.type}]({', '.join(texts)})"


def _flat(one: Expression, function: str) -> Iterator[Expression]:
    if isinstance(one, Call) and one.function == function:
        for part in one.arguments:
            yield from _flat(part, function)
    else:
        yield one


def _unwrapped(node: Relation) -> tuple[list[Expression], list[Project], Relation]:
    """Return the terms of filters and the renamings, innermost first, and the relation under them."""
    if isinstance(node, Filter):
        terms, renamings, below = _unwrapped(node.input)
        return [*terms, *predicates.conjuncts(node.condition)], renamings, below
    if isinstance(node, Project) and all(isinstance(one, Ref) for _, one in node.outputs):
        terms, renamings, below = _unwrapped(node.input)
        return terms, [*renamings, node], below
    return [], [], node


_ROWS: dict[type[Relation], Callable[[_Writer, Any], str]] = {
    Scan: _Writer._scan,
    Listed: _Writer._constants,
    Filter: _Writer._filter,
    Join: _Writer._join,
    Aggregate: _Writer._aggregate,
    PrivateAggregate: _Writer._aggregate,
    Keep: _Writer._keep,
    Windowed: _Writer._windowed,
    SetOperation: _Writer._set,
    Sort: _Writer._sort,
    Distinct: _Writer._distinct,
    Released: _Writer._released,
}
