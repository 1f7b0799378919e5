"""GROUP BY and the aggregates of one SELECT: exact over public rows or by unit, private over persons' rows."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from typing import Any

from sqlglot import exp

from tre.base.reasons import sql_private as reasons
from tre.catalogue import Kind
from tre.sql import functions
from tre.sql.binding import quantiles
from tre.sql.binding.expressions import Environment, bind_condition, bind_expression
from tre.sql.binding.outcomes import exact, released, too_wide
from tre.sql.binding.scope import folded
from tre.sql.binding.session import Session
from tre.sql.plan import (
    QUANTILES,
    SPREADS,
    Aggregate,
    Aggregated,
    Aggregation,
    Asked,
    Column,
    Expression,
    PrivateAggregate,
    PrivateFunction,
    Project,
    Ref,
    Relation,
)
from tre.sql.tracing import Status, Traits, contribution
from tre.sql.walk import referred, substituted

Listed = exp.Expr | tuple[str, Column]
_ADDING = {"sum", "avg", *SPREADS}
NUMBERS = (Kind.INTEGER, Kind.DECIMAL, Kind.DOUBLE)
_FUNCTIONS: dict[type[exp.Expr], str] = {
    exp.Count: "count",
    exp.Sum: "sum",
    exp.Avg: "avg",
    exp.Variance: "var_samp",
    exp.VariancePop: "var_pop",
    exp.Stddev: "stddev_samp",
    exp.StddevSamp: "stddev_samp",
    exp.StddevPop: "stddev_pop",
    exp.Min: "min",
    exp.Max: "max",
}


@dataclass(slots=True)
class Grouping:
    """The groups of one SELECT over `input`, and the aggregates found so far, each once."""

    input: Relation
    rows: Environment
    traits: Traits
    keys: list[tuple[Column, Expression]] = field(default_factory=list)
    exact: list[Aggregated] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    written: list[tuple[exp.Expr, Column]] = field(default_factory=list)

    @classmethod
    def of(
        cls, node: exp.Select, listed: list[Listed], relation: Relation, environment: Environment
    ) -> Grouping | None:
        """Return the grouping of a SELECT, or None where it has none."""
        clauses = [node.args.get(name) for name in ("group", "having")]
        order = node.args.get("order")
        nodes = [one for one in (*listed, *(order.expressions if order else ())) if isinstance(one, exp.Expr)]
        if not any(clauses) and not any(aggregates_in(one) for one in nodes):
            return None
        grouping = cls(relation, environment, environment.session.tracing.of(relation))
        group = node.args.get("group")
        for one in group.expressions if group else ():
            environment.session.collected(partial(grouping.add_keys, one, listed))
        environment.session.settle()
        return grouping

    @classmethod
    def distinct(
        cls, relation: Relation, outputs: list[tuple[Column, Expression]], environment: Environment, node: Any
    ) -> Relation:
        """Return SELECT DISTINCT of persons' rows: a group for every row that differs."""
        grouping = cls(relation, environment, environment.session.tracing.of(relation))
        for _, expression in outputs:
            grouping.add(expression, node)
        columns = ((column, Ref(key)) for (column, _), (key, _) in zip(outputs, grouping.keys_of(outputs), strict=True))
        return Project(grouping.relation(), tuple(columns))

    @property
    def session(self) -> Session:
        """The session of the binding."""
        return self.rows.session

    @property
    def private(self) -> bool:
        """Whether this is the mechanism's place: persons' rows, grouped by anything but the unit key."""
        by_unit = any(isinstance(one, Ref) and one.column.id in self.traits.unit_keys for _, one in self.keys)
        return self.traits.status is Status.UNIT_KEYED and not by_unit

    # --- keys ---------------------------------------------------------------------------------------------

    def add_keys(self, node: exp.Expr, listed: list[Listed]) -> None:
        """Add one element of GROUP BY: a position, an alias, an expression, or several in brackets."""
        if isinstance(node, exp.Tuple):
            for one in node.expressions:
                self.add_keys(one, listed)
            return
        meant = self._meant(node, listed)
        if isinstance(meant, tuple):
            self.add(Ref(meant[1]), node)
            return
        if aggregates_in(meant):
            raise self.session.refused(reasons.AGGREGATE_HERE, node, where="GROUP BY")
        name = node.name if isinstance(node, exp.Column) else "key"
        rows = replace(self.rows, where="GROUP BY", scalars=None, windows=None)
        column = self.add(bind_expression(meant, rows), node, name)
        self.written.append((meant, column))

    def _meant(self, node: exp.Expr, listed: list[Listed]) -> Listed:
        """An input column comes before an output alias of the same name, as in PostgreSQL."""
        from tre.sql.binding.output import position

        place = position(node, len(listed), self.session)
        if place is not None:
            return _inner(listed[place])
        if isinstance(node, exp.Column) and not node.table and not self.rows.scope.candidates(node.name, ""):
            aliased = [one for one in listed if isinstance(one, exp.Alias) and folded(one.alias) == folded(node.name)]
            if aliased:
                return _inner(aliased[0])
        return node

    def add(self, expression: Expression, node: Any, name: str = "key") -> Column:
        """Add a key, once; a key known from public facts has its domain in its facts (PRIVACY §3.5)."""
        for column, key in self.keys:
            if key == expression:
                return column
        if expression.type.kind is Kind.DOUBLE and self.traits.status is Status.UNIT_KEYED:
            raise self.session.refused(reasons.GROUP_BY_DOUBLE, node)
        facts, origin = expression.facts, None
        if isinstance(expression, Ref):
            origin, name = expression.column.origin, expression.column.name
            known = self.traits.known.get(expression.column.id)
            if known is not None and facts.domain is None:
                facts = replace(facts, domain=known)
                expression = Ref(replace(expression.column, facts=facts))
        column = self.session.column(name, expression.type, facts, origin, name)
        self.keys.append((column, expression))
        return column

    def keys_of(self, outputs: list[tuple[Column, Expression]]) -> list[tuple[Column, Expression]]:
        """Return the key of each output."""
        return [next(key for key in self.keys if key[1] == expression) for _, expression in outputs]

    # --- expressions over groups --------------------------------------------------------------------------

    def environment(self) -> Environment:
        """Return the environment in which the SELECT list, HAVING and ORDER BY are bound."""
        return replace(self.rows, special=self.special, starred=self.starred)

    def special(self, node: exp.Expr) -> Expression | None:
        """An aggregate is its column, a key its column; anything else of the input rows is not grouped."""
        for key, column in self.written:
            if key == node:
                return Ref(column)
        if _aggregate_of(node) is not None:
            return Ref(self.measured(node))
        if aggregates_in(node) or windows_in(node):
            return None
        return self.grouped(bind_expression(node, replace(self.rows, special=None)), node)

    def starred(self, column: Column) -> Expression:
        """A column that * names must be grouped by."""
        return self.grouped(Ref(column), None)

    def grouped(self, expression: Expression, node: Any) -> Expression:
        """Return `expression` with keys in place of what they stand for; refuse what is left of the input rows."""

        def by_key(part: Expression) -> Expression | None:
            return next((Ref(column) for column, key in self.keys if key == part), None)

        found = substituted(expression, by_key)
        ids = {column.id for column in self.input.columns}
        left = sorted(referred(found) & ids)
        if left:
            raise self.session.refused(reasons.NOT_GROUPED, node, name=self.session.spoken[left[0]])
        return found

    # --- aggregates ---------------------------------------------------------------------------------------

    def measured(self, node: exp.Expr) -> Column:
        """Return the column of an aggregate, the same one for the same aggregate."""
        aggregate, where = _taken_apart(node)
        rows = replace(self.rows, where="an aggregate", scalars=None, windows=None)
        condition = None if where is None else bind_condition(where, rows)
        quantile = quantiles.written(aggregate, self.session)
        if quantile is not None:
            return self._quantile(quantile, rows, condition)
        function, distinct, argument = parts_of(aggregate, rows)
        if self.private:
            return self._ask(aggregate, function, distinct, argument, condition)
        return self._compute(aggregate, function, distinct, argument, condition)

    def _quantile(self, one: quantiles.Written, rows: Environment, where: Expression | None) -> Column:
        argument = bind_expression(one.argument, rows)
        given = None if one.fraction is None else bind_expression(one.fraction, rows)
        function, fraction = quantiles.checked(one, argument, given, self.session)
        if self.private:
            return self._ask_quantile(function, one.node, argument, where, fraction)
        return self._computed(Aggregation(function), argument, where, fraction)

    def _ask(
        self, node: Any, function: str, distinct: bool, argument: Expression | None, where: Expression | None
    ) -> Column:
        if function in quantiles.EXTREMES and argument is not None:
            return self._ask_quantile(function, node, argument, where)
        if distinct and argument is not None:
            return self._ask_distinct(argument, where)
        if function == "count":
            rows = argument is None or not argument.facts.nullable
            return self._asked(
                PrivateFunction.COUNT_ROWS if rows else PrivateFunction.COUNT, None if rows else argument, where
            )
        return self._asked(PrivateFunction(function), argument, where)

    def _ask_distinct(self, argument: Expression, where: Expression | None) -> Column:
        """COUNT(DISTINCT key) counts persons; the key of a nullable side, the persons that it names; else values."""
        id_ = argument.column.id if isinstance(argument, Ref) else None
        if id_ in self.traits.unit_keys:
            return self._asked(PrivateFunction.COUNT_UNITS, None, where)
        if id_ in self.traits.echoes:
            matched = functions.call("not", functions.call("is_null", argument))
            where = matched if where is None else functions.conjunction(matched, where)
            return self._asked(PrivateFunction.COUNT_UNITS, None, where)
        return self._asked(PrivateFunction.COUNT_DISTINCT, argument, where)

    def _ask_quantile(
        self, function: str, node: Any, argument: Expression, where: Expression | None, given: Fraction | None = None
    ) -> Column:
        fraction = quantiles.of_persons(function, node, argument, given, self.session)
        wanted = function if function in QUANTILES else "quantile_disc"
        return self._asked(PrivateFunction(wanted), argument, where, fraction)

    def _asked(
        self,
        function: PrivateFunction,
        argument: Expression | None,
        where: Expression | None,
        fraction: Fraction | None = None,
    ) -> Column:
        for one in self.asked:
            if (one.function, one.argument, one.where, one.fraction) == (function, argument, where, fraction):
                return one.column
        type_, facts = released(function.value, argument)
        column = self.session.column(function.value, type_, facts)
        self.asked.append(Asked(column, function, argument, where, fraction))
        return column

    def _compute(
        self, node: Any, function: str, distinct: bool, argument: Expression | None, where: Expression | None
    ) -> Column:
        name = "count_distinct" if distinct else "count_rows" if argument is None else function
        wanted = Aggregation(name)
        if name in SPREADS and self.traits.status is Status.UNIT_KEYED:
            raise self.session.refused(reasons.SPREAD_INSIDE, node, function=name.upper())
        if too_wide(name, argument, self._rows):
            raise self.session.refused(reasons.SUM_TOO_WIDE, node, type=str(argument.type if argument else ""))
        return self._computed(wanted, argument, where)

    @property
    def _rows(self) -> int:
        return self.traits.rows_per_unit if self.traits.status is Status.UNIT_KEYED else self.traits.rows

    def _computed(
        self,
        function: Aggregation,
        argument: Expression | None,
        where: Expression | None,
        fraction: Fraction | None = None,
    ) -> Column:
        for one in self.exact:
            if (one.function, one.argument, one.where, one.fraction) == (function, argument, where, fraction):
                return one.column
        type_, facts = exact(function.value, argument, self._rows)
        column = self.session.column(function.value, type_, facts)
        self.exact.append(Aggregated(column, function, argument, where, fraction))
        return column

    def relation(self) -> Relation:
        """Return the aggregate of what was found."""
        keys = tuple(self.keys)
        if not self.private:
            return Aggregate(self.input, keys, tuple(self.exact))
        if not self.asked:
            self._asked(PrivateFunction.COUNT_UNITS, None, None)
        unit = next(column for column in self.input.columns if column.id in self.traits.unit_keys)
        given = contribution(self.input, unit, keys, self.session.tracing)
        return PrivateAggregate(
            self.input,
            unit,
            keys,
            tuple(self.asked),
            given.groups_per_unit,
            given.rows_per_unit,
            given.typical_rows,
            given.one_row,
        )


def parts_of(node: Any, rows: Environment) -> tuple[str, bool, Expression | None]:
    """Return an aggregate taken apart: its function, whether it counts distinct values, its argument."""
    function = _FUNCTIONS.get(type(node))
    if function is None or node.args.get("expressions"):
        raise rows.session.refused(reasons.AGGREGATE_UNSUPPORTED, node, function=node.sql_name())
    argument, distinct = node.this, isinstance(node.this, exp.Distinct)
    if isinstance(argument, exp.Star):
        return function, False, None
    if distinct:
        if len(argument.expressions) != 1 or function not in ("count", "min", "max"):
            shown = f"{function.upper()}(DISTINCT …)"
            raise rows.session.refused(reasons.AGGREGATE_UNSUPPORTED, node, function=shown)
        argument = argument.expressions[0]
    bound = bind_expression(argument, rows)
    if function in _ADDING and bound.type.kind not in NUMBERS:
        raise rows.session.refused(reasons.NOT_A_NUMBER, argument, function=function.upper(), type=str(bound.type))
    return function, distinct and function == "count", bound


def aggregates_in(node: exp.Expr) -> bool:
    """Say whether an aggregate stands in `node`, not looking into subqueries; a window's function is none."""
    if isinstance(node, exp.Window):
        called = node.this.this if isinstance(node.this, exp.Filter | exp.WithinGroup) else node.this
        others = (child for child in node.iter_expressions() if child is not node.this)
        filtered = [node.this.expression] if isinstance(node.this, exp.Filter) else []
        return any(aggregates_in(child) for child in (*called.iter_expressions(), *filtered, *others))
    if isinstance(node, exp.AggFunc):
        return True
    if isinstance(node, exp.Query):
        return False
    return any(aggregates_in(child) for child in node.iter_expressions())


def windows_in(node: exp.Expr) -> bool:
    """Say whether a window stands in `node`, not looking into subqueries."""
    if isinstance(node, exp.Window | exp.Query):
        return isinstance(node, exp.Window)
    return any(windows_in(child) for child in node.iter_expressions())


def _aggregate_of(node: exp.Expr) -> exp.Expr | None:
    inner = node.this if isinstance(node, exp.Filter) else node
    function = inner.this if isinstance(inner, exp.WithinGroup) else inner
    return inner if isinstance(function, exp.AggFunc) else None


def _taken_apart(node: exp.Expr) -> tuple[exp.Expr, exp.Expr | None]:
    if isinstance(node, exp.Filter):
        return node.this, node.expression.this
    return node, None


def _inner(one: Listed) -> Listed:
    return one.this if isinstance(one, exp.Alias) else one
