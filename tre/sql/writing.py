"""The text of each node of a plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tre.catalogue import SIDE_SCHEMA
from tre.sql.enforce import capped, enforced, untouched
from tre.sql.expressions import render_expression
from tre.sql.histograms import with_histograms
from tre.sql.measures import measured
from tre.sql.plan import (
    Aggregate,
    Aggregated,
    Aggregation,
    Column,
    Distinct,
    Exists,
    Expression,
    Filter,
    Join,
    JoinKind,
    Keep,
    Listed,
    Project,
    Ref,
    Relation,
    Released,
    Scan,
    SetOperation,
    Sort,
    UnitCounts,
    Windowed,
)
from tre.sql.walk import expressions, outer, subqueries
from tre.sql.windows import ordered, window_text

Names = Mapping[int, str]


def indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())


@dataclass(slots=True)
class _Body:
    """FROM, WHERE and the names of the columns in reach, those of enclosing queries included."""

    source: str
    where: list[str]
    names: dict[int, str]

    @property
    def text(self) -> str:
        """FROM and WHERE as text."""
        return f"FROM {self.source}" + (f"\nWHERE {' AND '.join(self.where)}" if self.where else "")


@dataclass(slots=True)
class Writer:
    """The common table expressions so far, as (name, materialization, text)."""

    dialect: str
    shared: frozenset[int]
    ctes: list[tuple[str, str, str]] = field(default_factory=list)
    made: dict[int, str] = field(default_factory=dict)
    aliases: int = 0

    # --- whole SELECTs ------------------------------------------------------------------------------------

    def select(self, node: Relation, around: Names, called: tuple[str, ...]) -> str:
        """Return a SELECT of the columns of `node` under the names `called`."""
        if isinstance(node, Scan) and not self._bare(node):
            return enforced(node, called, self.dialect)
        if isinstance(node, Sort):
            return self._sort(node, around, called)
        if isinstance(node, Keep):
            return self._keep(node, around, called)
        if isinstance(node, Windowed):
            return self._windowed(node, around, called)
        if isinstance(node, SetOperation):
            return self._set(node, around, called)
        if isinstance(node, Distinct):
            return self._distinct(node, around, called)
        if isinstance(node, Aggregate):
            return self._aggregate(node, around, called)
        if isinstance(node, Project):
            body = self.body(node.input, around)
            return self._list([self.text(one, body.names) for _, one in node.outputs], called) + "\n" + body.text
        body = self.body(node, around, itself=True)
        return self._list([body.names[column.id] for column in node.columns], called) + "\n" + body.text

    def _list(self, texts: list[str], called: tuple[str, ...], distinct: bool = False) -> str:
        named = ", ".join(f"{text} AS {name}" for text, name in zip(texts, called, strict=True))
        return f"SELECT {'DISTINCT ' * distinct}{named}"

    def _distinct(self, node: Distinct, around: Names, called: tuple[str, ...]) -> str:
        if isinstance(node.input, Project) and id(node.input) not in self.shared:
            body = self.body(node.input.input, around)
            texts = [self.text(one, body.names) for _, one in node.input.outputs]
        else:
            body = self.body(node.input, around)
            texts = [body.names[column.id] for column in node.columns]
        return self._list(texts, called, distinct=True) + "\n" + body.text

    def _aggregate(self, node: Aggregate, around: Names, called: tuple[str, ...]) -> str:
        body = self.body(node.input, around)
        if self.dialect == "postgres" and any(one.function is Aggregation.HISTOGRAM for one in node.aggregates):
            return with_histograms(node, lambda one: self.text(one, body.names), body.text, self._written, called)
        keys = [self.text(one, body.names) for _, one in node.keys]
        texts = keys + [self._measured(one, body.names) for one in node.aggregates]
        if not texts:
            raise ValueError("an aggregate without columns has no text")
        grouped = f"\nGROUP BY {', '.join(str(place) for place in range(1, len(keys) + 1))}" if keys else ""
        return self._list(texts, called) + "\n" + body.text + grouped

    def _measured(self, one: Aggregated, names: Names) -> str:
        argument = "*" if one.argument is None else self.text(one.argument, names)
        return self._written(one, argument, None if one.where is None else self.text(one.where, names))

    def _written(self, one: Aggregated, argument: str, where: str | None) -> str:
        kept = "" if where is None else f" FILTER (WHERE {where})"
        return measured(one, argument, lambda text: text + kept, self.dialect)

    def _sort(self, node: Sort, around: Names, called: tuple[str, ...]) -> str:
        body = self.body(node.input, around)
        text = self._list([body.names[column.id] for column in node.columns], called) + "\n" + body.text
        text += f"\nORDER BY {ordered(node.terms, lambda one: self.text(one, body.names))}" if node.terms else ""
        text += f"\nLIMIT {node.limit}" if node.limit is not None else ""
        return text + (f"\nOFFSET {node.offset}" if node.offset else "")

    def _keep(self, node: Keep, around: Names, called: tuple[str, ...]) -> str:
        body = self.body(node.input, around)
        columns = node.input.columns
        inner = self._list([body.names[column.id] for column in columns], called[: len(columns)])
        by = ", ".join(self.text(one, body.names) for one in node.partition)
        order = ", ".join(f"{self.text(one, body.names)} ASC NULLS LAST" for one in node.order)
        over = " ".join(
            part for part in (f"PARTITION BY {by}" if by else "", f"ORDER BY {order}" if order else "") if part
        )
        if node.counted is not None:
            inner += f", COUNT(*) OVER (PARTITION BY {by}) AS {called[-1]}"
        ranked = f"{inner}, ROW_NUMBER() OVER ({over}) AS place\n{body.text}"
        return f"SELECT {', '.join(called)}\nFROM (\n{indented(ranked)}\n) AS kept\nWHERE place <= {node.rows}"

    def _windowed(self, node: Windowed, around: Names, called: tuple[str, ...]) -> str:
        body = self.body(node.input, around)
        texts = [body.names[column.id] for column in node.input.columns]
        texts += [window_text(one, lambda part: self.text(part, body.names), self.dialect) for one in node.windows]
        return self._list(texts, called) + "\n" + body.text

    def _set(self, node: SetOperation, around: Names, called: tuple[str, ...]) -> str:
        texts = []
        for place, side in ((1, node.left), (2, node.right)):
            body = self.body(side, around)
            names = [body.names[output[place].id] for output in node.outputs]
            texts.append(self._list(names, called) + "\n" + body.text)
        return f"\n{node.kind.value.upper()}{' ALL' * node.every}\n".join(texts)

    # --- FROM and WHERE -----------------------------------------------------------------------------------

    def body(self, node: Relation, around: Names, itself: bool = False) -> _Body:
        """Return where the rows of `node` come from; filters on the way become WHERE.

        A shared node has a common table expression of its own, except where that is being written (`itself`).
        """
        conditions: list[Expression] = []
        while isinstance(node, Filter) and (itself or id(node) not in self.shared):
            conditions.append(node.condition)
            node, itself = node.input, False
        source, names = self.source(node, around, itself)
        known = {**around, **names}
        return _Body(source, [self.text(one, known) for one in reversed(conditions)], known)

    def source(self, node: Relation, around: Names, itself: bool = False) -> tuple[str, dict[int, str]]:
        """Return an item of FROM and the names of its columns by id."""
        if isinstance(node, Join) and (itself or id(node) not in self.shared):
            return self._join(node, around)
        if isinstance(node, Project) and id(node) not in self.shared and renames(node):
            source, names = self.source(node.input, around)
            return source, {column.id: names[old.column.id] for column, old in node.outputs if isinstance(old, Ref)}
        alias = self._alias()
        if isinstance(node, Scan) and self._bare(node):
            names = {column.id: f"{alias}.{_quoted(_declared(column))}" for column in node.columns}
            return f"{_quoted(node.table.name)} AS {alias}", names
        if isinstance(node, Released):
            called = tuple(f"c{place}" for place in range(1, len(node.columns) + 1))
            names = {column.id: f"{alias}.{name}" for column, name in zip(node.columns, called, strict=True)}
            return f"{_quoted(node.name)} AS {alias}({', '.join(called)})", names
        if isinstance(node, UnitCounts):
            unit, count = node.columns
            return f"{self._side(node.table.name)} AS {alias}", {unit.id: f'{alias}."unit"', count.id: f'{alias}."n"'}
        called = tuple(f"c{place}" for place in range(1, len(node.columns) + 1))
        names = {column.id: f"{alias}.{name}" for column, name in zip(node.columns, called, strict=True)}
        if isinstance(node, Listed):
            rows = ", ".join(f"({', '.join(self.text(one, {}) for one in row) or '1'})" for row in node.rows)
            return f"(VALUES {rows}) AS {alias}({', '.join(called) or 'c1'})", names
        if outer(node):
            return f"(\n{indented(self.select(node, around, called))}\n) AS {alias}", names
        return f"{self._named(node, called)} AS {alias}", names

    def _join(self, node: Join, around: Names) -> tuple[str, dict[int, str]]:
        left, names = self.source(node.left, around)
        right, others = self.source(node.right, around)
        if isinstance(node.right, Join) and id(node.right) not in self.shared:
            right = f"({right})"
        condition = self.text(node.condition, {**around, **names, **others})
        names |= {new.id: others[old.id] for new, old in node.nulled} if node.nulled else others
        kind = "LEFT JOIN" if node.kind is JoinKind.LEFT else "JOIN"
        return f"{left}\n{kind} {right} ON {condition}", names

    def _named(self, node: Relation, called: tuple[str, ...]) -> str:
        """Return the name of the common table expression of a closed relation."""
        if id(node) not in self.made:
            text = self.select(node, {}, called)
            name = f"s{len(self.ctes) + 1}"
            how = "MATERIALIZED" if id(node) in self.shared and not _read_again(node) else "NOT MATERIALIZED"
            self.ctes.append((name, how, text))
            self.made[id(node)] = name
        return self.made[id(node)]

    def _side(self, table: str) -> str:
        """A version that is itself a schema keeps the side tables among the others, under a name that none has."""
        if self.dialect == "postgres":
            return _quoted(f"{SIDE_SCHEMA}.{table}")
        return f"{_quoted(SIDE_SCHEMA)}.{_quoted(table)}"

    def _alias(self) -> str:
        self.aliases += 1
        return f"t{self.aliases}"

    def _bare(self, node: Scan) -> bool:
        return not capped(node.table) and all(untouched(node.table.columns[_declared(one)]) for one in node.columns)

    # --- expressions --------------------------------------------------------------------------------------

    def text(self, expression: Expression, names: Names) -> str:
        """Return the text of an expression whose columns are called `names`."""
        return render_expression(
            expression, lambda column: names[column.id], lambda one: self._exists(one, names), self.dialect
        )

    def _exists(self, one: Exists, names: Names) -> str:
        body = self.body(_rows_only(one.relation), names)
        return f"{'NOT ' * one.negated}EXISTS (\n{indented(f'SELECT 1 {body.text}')}\n)"


def renames(node: Project) -> bool:
    """Say whether a projection does nothing but give columns of its input other names."""
    below = {column.id for column in node.input.columns}
    return all(isinstance(one, Ref) and one.column.id in below for _, one in node.outputs)


def _read_again(node: Relation) -> bool:
    """Say whether rows are sooner read once more than written down: those of one table, filtered and computed on."""
    if isinstance(node, Filter | Project):
        return _read_again(node.input) and not any(any(subqueries(one)) for one in expressions(node))
    return isinstance(node, Scan) and not capped(node.table)


def _rows_only(node: Relation) -> Relation:
    """Return the same rows with less around them: a projection changes no row's existence."""
    if isinstance(node, Project):
        return _rows_only(node.input)
    return node


def _declared(column: Column) -> str:
    return column.origin.column if column.origin is not None else column.name


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
