"""Read few columns: drop from a plan every column that nothing above it uses."""

from __future__ import annotations

from dataclasses import replace

from tre.sql.plan import (
    Aggregate,
    Column,
    Distinct,
    Exists,
    Expression,
    Join,
    Keep,
    PrivateAggregate,
    Project,
    Relation,
    Scan,
    SetKind,
    SetOperation,
    Window,
    Windowed,
)
from tre.sql.walk import (
    expressions,
    inputs,
    of_window,
    over,
    produced,
    referred,
    subqueries,
    substituted,
    with_expressions,
)


def pruned(root: Relation) -> Relation:
    """Return a plan with the same columns and rows that reads no column without need."""
    pruner = _Pruner()
    pruner.need(root, {column.id for column in root.columns})
    return pruner.without(root)


class _Pruner:
    """What is needed of each node, over all its uses: a shared node stays shared."""

    def __init__(self) -> None:
        self._needed: dict[int, set[int]] = {}
        self._nodes: dict[int, Relation] = {}
        self._made: dict[int, Relation] = {}

    def need(self, node: Relation, columns: set[int]) -> None:
        """Add `columns` to what is needed of `node`, and what that needs of the nodes below."""
        first = id(node) not in self._needed
        needed = self._needed.setdefault(id(node), set())
        self._nodes[id(node)] = node
        if not first and columns <= needed:
            return
        needed |= columns
        inside = self._read(node, needed)
        for below in inputs(node):
            self.need(below, inside & produced(below))
        for expression in expressions(node):
            for subquery in subqueries(expression):
                self.need(subquery.relation, set())

    def _read(self, node: Relation, needed: set[int]) -> set[int]:
        """Return the ids that `node` reads below it."""
        if isinstance(node, Project):
            kept = self._outputs(node, needed)
            return set().union(*(referred(expression) for _, expression in kept))
        if isinstance(node, Windowed):
            return needed.union(*(referred(part) for one in _windows(node, needed) for part in of_window(one)))
        if isinstance(node, SetOperation):
            return {side.id for _, *both in _outputs_of(node, needed) for side in both}
        used: set[int] = set().union(*(referred(expression) for expression in expressions(node)))
        if isinstance(node, PrivateAggregate):
            return used | {node.unit.id}
        if isinstance(node, Aggregate):
            return used
        if isinstance(node, Distinct):
            return used | {column.id for column in node.columns}
        if isinstance(node, Keep):
            return used | needed
        if isinstance(node, Join):
            used |= {old.id for new, old in self._nulled(node, needed)}
        return used | needed

    def _outputs(self, node: Project, needed: set[int]) -> tuple[tuple[Column, Expression], ...]:
        kept = tuple(output for output in node.outputs if output[0].id in needed)
        return kept or node.outputs[:1]

    def _nulled(self, node: Join, needed: set[int]) -> tuple[tuple[Column, Column], ...]:
        """A LEFT join keeps one column of its right side at least, which tells that it renames them."""
        kept = tuple(pair for pair in node.nulled if pair[0].id in needed)
        return kept or node.nulled[:1]

    def without(self, node: Relation) -> Relation:
        """Return `node` with what is not needed gone."""
        if id(node) not in self._made:
            self._made[id(node)] = self._without(node)
        return self._made[id(node)]

    def _without(self, node: Relation) -> Relation:
        needed = self._needed[id(node)]
        if isinstance(node, Scan):
            return replace(node, columns=_some(node.columns, needed))
        if isinstance(node, Project) and not produced(node) <= needed:
            node = replace(node, outputs=self._outputs(node, needed))
        if isinstance(node, Windowed):
            node = replace(node, windows=_windows(node, needed))
            if not node.windows:
                return self.without(node.input)
        if isinstance(node, SetOperation):
            node = replace(node, outputs=_outputs_of(node, needed))
        if isinstance(node, Join) and node.nulled:
            node = replace(node, nulled=self._nulled(node, needed))
        node = over(node, self.without)
        if not any(map(subqueries, expressions(node))):
            return node
        return with_expressions(node, lambda one: substituted(one, self._inside))

    def _inside(self, expression: Expression) -> Expression | None:
        if isinstance(expression, Exists):
            return replace(expression, relation=self.without(expression.relation))
        return None


def _some(columns: tuple[Column, ...], needed: set[int]) -> tuple[Column, ...]:
    kept = tuple(column for column in columns if column.id in needed)
    return kept or columns[:1]


def _windows(node: Windowed, needed: set[int]) -> tuple[Window, ...]:
    return tuple(one for one in node.windows if one.column.id in needed)


def _outputs_of(node: SetOperation, needed: set[int]) -> tuple[tuple[Column, Column, Column], ...]:
    """Rows are compared as a whole, so that only UNION ALL may go without a column."""
    if node.kind is not SetKind.UNION or not node.every:
        return node.outputs
    kept = tuple(output for output in node.outputs if output[0].id in needed)
    return kept or node.outputs[:1]
