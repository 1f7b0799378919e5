"""What stands above the blocks: post-processing of released rows, which costs nothing (PRIVACY §2).

Released tables carry hidden columns: a row id per block, so that a row of the answer is known again after HAVING,
ORDER BY and LIMIT, and for simulation a replicate number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Any

from tre.catalogue import Access, Kind, Type
from tre.sql import functions, walk
from tre.sql.plan import (
    Aggregate,
    Column,
    Expression,
    Facts,
    Filter,
    Join,
    PrivateAggregate,
    Project,
    Ref,
    Relation,
    Released,
    SetKind,
    SetOperation,
    Sort,
    Window,
    Windowed,
)

HIDDEN = Type(Kind.INTEGER)


Origins = Mapping[int, frozenset[int]]
"""The noisy columns of a plan by id: the released columns that each is a bare copy of, none for an expression."""


def origins(root: Relation, noisy: frozenset[int]) -> Origins:
    """Return the noisy columns of the plan with what they are copies of: of several columns where rows are united."""
    found: dict[int, frozenset[int]] = {id_: frozenset({id_}) for id_ in noisy}
    for relation in walk.relations(root):
        if isinstance(relation, Join):
            found |= {new.id: found[old.id] for new, old in relation.nulled if old.id in found}
        for column, expression in _made(relation):
            if isinstance(expression, Ref) and expression.column.id in found:
                found[column.id] = found[expression.column.id]
            elif walk.referred(expression) & found.keys():
                found[column.id] = frozenset()
        if isinstance(relation, Aggregate) and _holds_block(relation):
            found |= {one.column.id: frozenset() for one in relation.aggregates}
        if isinstance(relation, SetOperation):
            found |= _united(relation, found)
        if isinstance(relation, Windowed) and _holds_block(relation):
            found |= {one.column.id: frozenset() for one in relation.windows}
    return found


def _united(relation: SetOperation, found: Origins) -> Origins:
    """Rows of UNION ALL are rows of a side; what else becomes of rows that are compared is no copy."""
    copied = relation.kind is SetKind.UNION and relation.every
    united = {}
    for made, one, other in relation.outputs:
        sides = [found[side.id] for side in (one, other) if side.id in found]
        if sides:
            united[made.id] = frozenset().union(*sides) if copied and len(sides) == 2 and all(sides) else frozenset()
    return united


def _made(relation: Relation) -> tuple[tuple[Column, Expression], ...]:
    if isinstance(relation, Project):
        return relation.outputs
    return relation.keys if isinstance(relation, Aggregate) else ()


@dataclass
class Traced:
    """A plan over released `tables` whose rows carry the hidden columns `rows`, one per table, and `replicate`.

    `sources` says for each column that is a table's own which column that is, by the place in `rows` of its row's
    number; of united rows one of several, whichever number is there. Where rows were grouped again there are no
    `rows`: a row is then known by its exact cells.
    """

    relation: Relation
    tables: tuple[str, ...] = ()
    rows: tuple[Column, ...] = ()
    replicate: Column | None = None
    sources: Mapping[int, Mapping[int, int]] = field(default_factory=dict)


class Untraceable(Exception):  # noqa: N818 - an answer about a plan, not an error
    """The rows above the blocks are no longer rows of the blocks: made distinct, compared, tested inside a subquery."""


@dataclass
class Tracer:
    """Carries hidden columns up through a plan whose blocks `tables` stand released.

    With `simulated` the plan is made to compute cells only: what selects or orders rows by a noisy value is
    left out, so that each row of the answer is found once in every replicate; under an aggregate it stays, as
    its rows are summed.
    """

    tables: Mapping[int, Released]  # by id() of the PrivateAggregate
    noisy: frozenset[int]
    simulated: bool
    next_id: int
    made: list[Column] = field(default_factory=list)
    summed: int = 0

    def traced(self, relation: Relation) -> Traced:
        """Return `relation` with hidden columns; raise Untraceable."""
        if not _holds_block(relation):
            return Traced(relation)
        if isinstance(relation, PrivateAggregate):
            return self._released(relation)
        _free_of_blocks(*walk.expressions(relation))
        ways: Mapping[type[Relation], Callable[[Any], Traced]] = {
            Project: self._project,
            Filter: self._filter,
            Sort: self._sort,
            Join: self._join,
            Aggregate: self._aggregate,
            Windowed: self._windowed,
            SetOperation: self._union,
        }
        if (way := ways.get(type(relation))) is None:
            raise Untraceable
        return way(relation)

    def _released(self, block: PrivateAggregate) -> Traced:
        table = self.tables[id(block)]
        row = self._column("row")
        replicate = self._column("replicate") if self.simulated else None
        hidden = (row,) if replicate is None else (row, replicate)
        sources = {column.id: {0: column.id} for column in table.columns}
        return Traced(Released(table.name, table.columns + hidden), (table.name,), (row,), replicate, sources)

    def _project(self, relation: Project) -> Traced:
        below = self.traced(relation.input)
        hidden = below.rows if below.replicate is None else (*below.rows, below.replicate)
        outputs = relation.outputs + tuple((column, Ref(column)) for column in hidden)
        sources = {
            column.id: below.sources[one.column.id]
            for column, one in relation.outputs
            if isinstance(one, Ref) and one.column.id in below.sources
        }
        return replace(below, relation=Project(below.relation, outputs), sources=sources)

    def _filter(self, relation: Filter) -> Traced:
        below = self.traced(relation.input)
        if self.simulated and not self.summed and walk.referred(relation.condition) & self.noisy:
            return below
        return replace(below, relation=Filter(below.relation, relation.condition))

    def _sort(self, relation: Sort) -> Traced:
        below = self.traced(relation.input)
        if self.simulated and self.summed and relation.limit is not None:
            raise Untraceable
        if self.simulated:
            return below
        # Ties leave in key order, so that the order never depends on how an engine works.
        ties = tuple((Ref(row), False, False) for row in below.rows)
        terms = suppressed_last(relation.terms, self.noisy)
        return replace(below, relation=replace(relation, input=below.relation, terms=terms + ties))

    def _join(self, relation: Join) -> Traced:
        if relation.nulled and _holds_block(relation.right):
            raise Untraceable
        left, right = self.traced(relation.left), self.traced(relation.right)
        if self.simulated and walk.referred(relation.condition) & self.noisy:
            raise Untraceable
        condition = relation.condition
        if left.replicate and right.replicate:
            same = functions.call("=", Ref(left.replicate), Ref(right.replicate))
            condition = functions.call("and", condition, same)
        joined = replace(relation, left=left.relation, right=right.relation, condition=condition)
        sources = {**left.sources, **_moved(right.sources, len(left.rows))}
        replicate = left.replicate or right.replicate
        return Traced(joined, left.tables + right.tables, left.rows + right.rows, replicate, sources)

    def _windowed(self, relation: Windowed) -> Traced:
        """Windows see the other rows of a replicate: there they must be the rows and the order that are shown."""
        below = self.traced(relation.input)
        if self.simulated and self._chosen_by_noise(relation.input):
            raise Untraceable
        untold = [one.column for one in relation.windows if self.simulated and self._ordered_by_noise(one)]
        windows = tuple(self._window(one, below.replicate) for one in relation.windows if one.column not in untold)
        return replace(below, relation=_with_nulls(Windowed(below.relation, windows), untold))

    def _window(self, one: Window, replicate: Column | None) -> Window:
        partition = one.partition if replicate is None else (*one.partition, Ref(replicate))
        order = one.order if self.simulated else suppressed_last(one.order, self.noisy)
        return replace(one, partition=partition, order=order)

    def _chosen_by_noise(self, relation: Relation) -> bool:
        """Say whether which rows there are depends on a noisy value."""
        for node in over_blocks(relation):
            noisy = any(walk.referred(one) & self.noisy for one in walk.expressions(node))
            if isinstance(node, Filter) and noisy and _holds_block(node):
                return True
            if isinstance(node, Sort) and node.limit is not None and noisy:
                return True
        return False

    def _ordered_by_noise(self, one: Window) -> bool:
        """Say whether noise decides which rows a row is compared with: then a replicate's value tells of no error."""
        by = (*one.partition, *(term for term, _, _ in one.order))
        return any(walk.referred(part) & self.noisy for part in by)

    def _union(self, relation: SetOperation) -> Traced:
        """UNION ALL keeps every row: it is known by its number on one side, and has none on the other."""
        left, right = self.traced(relation.left), self.traced(relation.right)
        if relation.kind is not SetKind.UNION or not relation.every or not left.rows or not right.rows:
            raise Untraceable
        here = [(row, self._column("row")) for row in left.rows]
        there = [(self._column("row"), row) for row in right.rows]
        hidden = [(self._column("row"), *pair) for pair in (*here, *there)]
        replicate = self._column("replicate") if left.replicate and right.replicate else None
        if replicate and left.replicate and right.replicate:
            hidden.append((replicate, left.replicate, right.replicate))
        sides = (
            _with_nulls(left.relation, [one for one, _ in there]),
            _with_nulls(right.relation, [other for _, other in here]),
        )
        united = SetOperation(SetKind.UNION, True, *sides, relation.outputs + tuple(hidden))
        rows = tuple(column for column, _, _ in hidden[: len(here) + len(there)])
        others = _moved(right.sources, len(left.rows))
        sources = {
            made.id: {**left.sources[one.id], **others[other.id]}
            for made, one, other in relation.outputs
            if one.id in left.sources and other.id in others
        }
        return Traced(united, left.tables + right.tables, rows, replicate, sources)

    def _aggregate(self, relation: Aggregate) -> Traced:
        self.summed += 1
        below = self.traced(relation.input)
        self.summed -= 1
        if below.replicate is None:
            return Traced(replace(relation, input=below.relation))
        replicate = self._column("replicate")
        keys = (*relation.keys, (replicate, Ref(below.replicate)))
        return Traced(replace(relation, input=below.relation, keys=keys), replicate=replicate)

    def _column(self, name: str) -> Column:
        column = Column(self.next_id + len(self.made), name, HIDDEN, Facts(nullable=False))
        self.made.append(column)
        return column


Terms = tuple[tuple[Expression, bool, bool], ...]


def suppressed_last(terms: Terms, noisy: Set[int]) -> Terms:
    """A withheld cell is NULL, and PostgreSQL's descending order would fill a LIMIT with those."""
    return tuple((by, down, first and not walk.referred(by) & noisy) for by, down, first in terms)


def ordered_alike(relation: Relation, noisy: Set[int]) -> Relation:
    """Return a plan that reads released rows before the answer, with their withheld cells last wherever it sorts."""

    def sorts(node: Relation) -> Relation:
        if any(one.table.access is not Access.PUBLIC for one in walk.scans(node)):
            return node
        if isinstance(node, Sort):
            return replace(node, terms=suppressed_last(node.terms, noisy))
        if isinstance(node, Windowed):
            windows = tuple(replace(one, order=suppressed_last(one.order, noisy)) for one in node.windows)
            return replace(node, windows=windows)
        return node

    return walk.transformed(relation, sorts)


def _moved(sources: Mapping[int, Mapping[int, int]], by: int) -> dict[int, Mapping[int, int]]:
    return {id_: {by + place: column for place, column in one.items()} for id_, one in sources.items()}


def _with_nulls(relation: Relation, columns: Sequence[Column]) -> Relation:
    """Return `relation` with more columns, in which nothing stands."""
    if not columns:
        return relation
    kept = tuple((column, Ref(column)) for column in relation.columns)
    return Project(relation, kept + tuple((column, functions.literal(None, column.type)) for column in columns))


def over_blocks(relation: Relation) -> Iterator[Relation]:
    """Yield the nodes of a plan down to its blocks, these included, and nothing that they were made of."""
    yield relation
    if not isinstance(relation, PrivateAggregate):
        subqueries = (one.relation for part in walk.expressions(relation) for one in walk.subqueries(part))
        for below in (*walk.inputs(relation), *subqueries):
            yield from over_blocks(below)


def _holds_block(relation: Relation) -> bool:
    return any(isinstance(node, PrivateAggregate) for node in over_blocks(relation))


def _free_of_blocks(*expressions: Expression) -> None:
    if any(_holds_block(one.relation) for expression in expressions for one in walk.subqueries(expression)):
        raise Untraceable


def in_order(relation: Relation, rows: tuple[Column, ...]) -> Relation:
    """Return `relation` in key order, by `rows` and then by its other columns, unless the query orders it."""
    if _ordered(relation):
        return relation
    terms = tuple(
        (Ref(column), False, False) for column in (*rows, *(one for one in relation.columns if one not in rows))
    )
    return Sort(relation, terms) if terms else relation


def _ordered(relation: Relation) -> bool:
    while isinstance(relation, Project):
        relation = relation.input
    return isinstance(relation, Sort)


def as_released(relation: Relation) -> tuple[Released, tuple[int, ...]] | None:
    """Return the released table whose rows `relation` shows one for one, and the places there of its columns.

    None where anything but bare columns is chosen: such rows are the engine's to compute.
    """
    if isinstance(relation, Released):
        return relation, tuple(range(len(relation.columns)))
    below = as_released(relation.input) if isinstance(relation, Project) else None
    if below is None or not isinstance(relation, Project):
        return None
    places = {column.id: place for column, place in zip(relation.input.columns, below[1], strict=True)}
    chosen = [places.get(shown.column.id) if isinstance(shown, Ref) else None for _, shown in relation.outputs]
    found = tuple(place for place in chosen if place is not None)
    return (below[0], found) if len(found) == len(chosen) else None


def standing_in(root: Relation, tables: Mapping[int, Released]) -> Relation:
    """Return the plan with every block that is read above replaced by its released table, and all that equal it."""
    blocks = [node for node in over_blocks(root) if isinstance(node, PrivateAggregate) and id(node) in tables]
    found = reduce(lambda plan, block: walk.replaced(plan, block, tables[id(block)]), blocks, root)
    if _holds_block(found):
        raise ValueError("a block that is read above was not released; this is a bug, report it")
    return found
