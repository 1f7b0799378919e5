"""GROUP BY and the aggregates of one SELECT: exact over public rows or by unit, private over persons' rows."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from sqlglot import exp

from tre.base.reasons import sql_private as reasons
from tre.catalogue import Kind
from tre.sql import functions
from tre.sql.binding import multiples, quantiles
from tre.sql.binding.expressions import Environment, bind_condition, bind_expression
from tre.sql.binding.grouping_sets import Set, below_each_other
from tre.sql.binding.inside import aggregates_in, windows_in
from tre.sql.binding.keys import Key, Keys, Listed
from tre.sql.binding.outcomes import exact, released, too_wide
from tre.sql.binding.scalars import Scalars
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
from tre.sql.walk import outer

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
    """The groups of one SELECT over `input`, and the aggregates found so far, each once.

    `inside` are the values of subqueries that stand in a key or an aggregate: the rows below have them.
    """

    input: Relation
    rows: Environment
    traits: Traits
    keys: Keys
    inside: Scalars
    exact: list[Aggregated] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)

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
        grouping = cls.over(relation, environment)
        if node.args.get("group"):
            grouping.keys.group(node.args["group"], listed)
        return grouping

    @classmethod
    def over(cls, relation: Relation, environment: Environment) -> Grouping:
        """Return a grouping without keys."""
        session = environment.session
        traits, inside = session.tracing.of(relation), Scalars(session)
        keys = Keys(relation, replace(environment, scalars=inside, windows=None), traits)
        return cls(relation, environment, traits, keys, inside)

    @classmethod
    def distinct(
        cls, relation: Relation, outputs: list[tuple[Column, Expression]], environment: Environment, node: Any
    ) -> Relation:
        """Return SELECT DISTINCT of persons' rows: a group for every row that differs."""
        grouping = cls.over(relation, environment)
        keys = [(column, grouping.keys.add(expression, node)) for column, expression in outputs]
        return Project(grouping.relation(node), tuple((column, grouping.keys.value(key)) for column, key in keys))

    @property
    def session(self) -> Session:
        """The session of the binding."""
        return self.rows.session

    @property
    def private(self) -> bool:
        """Whether this is the mechanism's place: persons' rows, grouped by anything but the unit key."""
        return self.traits.status is Status.UNIT_KEYED and not self.keys.by_unit

    # --- expressions over groups --------------------------------------------------------------------------

    def environment(self) -> Environment:
        """Return the environment in which the SELECT list, HAVING and ORDER BY are bound."""
        return replace(self.rows, special=self.special, starred=self.keys.starred)

    def special(self, node: exp.Expr) -> Expression | None:
        """An aggregate is its column, a key its column; anything else of the input rows is not grouped."""
        key = self.keys.as_typed(node)
        if key is not None:
            return key
        if isinstance(node, exp.Grouping | exp.GroupingId):
            return self.keys.grouping(node)
        if _aggregate_of(node) is not None:
            return Ref(self.measured(node))
        if aggregates_in(node) or windows_in(node):
            return None
        return self.keys.grouped(bind_expression(node, replace(self.rows, special=self.keys.as_typed)), node)

    # --- aggregates ---------------------------------------------------------------------------------------

    def measured(self, node: exp.Expr) -> Column:
        """Return the column of an aggregate, the same one for the same aggregate."""
        aggregate, where = _taken_apart(node)
        rows = replace(self.rows, where="an aggregate", scalars=self.inside, windows=None)
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
        type_, facts = exact(function.value, argument, self._rows, self.traits.typical_rows)
        column = self.session.column(function.value, type_, facts)
        self.exact.append(Aggregated(column, function, argument, where, fraction))
        return column

    def relation(self, node: Any) -> Relation:
        """Return the aggregate of what was found; of several grouping sets, each one's rows below the other's."""
        self.input = self.inside.attached(self.input)
        if self.private and not self.asked:
            self._asked(PrivateFunction.COUNT_UNITS, None, None)
        if not self.keys.several:
            return self._grouped(self.keys.all, self.exact, self.asked)
        if not (self.private or self.exact):  # the set of no keys has a row all the same
            self._computed(Aggregation.COUNT_ROWS, None, None)
        measured = [one.column for one in (self.asked if self.private else self.exact)]
        columns = [*(column for column, _ in self.keys.all), *self.keys.bits.values(), *measured]
        found = below_each_other([self._of_set(one) for one in self.keys.sets], columns, self.session)
        if outer(found):
            raise self.session.refused(reasons.SET_OPERATION, node, kind="GROUP BY with several grouping sets")
        return found

    def _of_set(self, one: Set) -> Relation:
        """Return the rows of one grouping set: its own keys and aggregates, NULL for the keys that it is without."""
        own = {column.id: self.keys.within(column, key) for column, key in self.keys.of(one)}
        exact = [replace(each, column=self._again(each.column)) for each in self.exact]
        asked = [replace(each, column=self._again(each.column)) for each in self.asked]
        keys = [(own[column.id], key) for column, key in self.keys.of(one)]
        listed: list[Expression] = [
            Ref(own[column.id]) if column.id in own else functions.literal(None, column.type)
            for column, _ in self.keys.all
        ]
        listed += [functions.literal(number) for number in self.keys.numbers(one)]
        listed += [Ref(each.column) for each in (asked if self.private else exact)]
        outputs = tuple((self.session.column("c", each.type, each.facts), each) for each in listed)
        return Project(self._grouped(keys, exact, asked), outputs)

    def _again(self, column: Column) -> Column:
        return self.session.column(column.name, column.type, column.facts)

    def _grouped(self, keys: list[Key], exact: list[Aggregated], asked: list[Asked]) -> Relation:
        if not self.private:
            read = [*(key for _, key in keys), *(part for one in exact for part in (one.argument, one.where) if part)]
            return Aggregate(multiples.without(self.input, read, exact, self.session), tuple(keys), tuple(exact))
        unit = next(column for column in self.input.columns if column.id in self.traits.unit_keys)
        given = contribution(self.input, unit, keys, self.session.tracing)
        return PrivateAggregate(
            self.input,
            unit,
            tuple(keys),
            tuple(asked),
            given.groups_per_unit,
            given.rows_per_unit,
            given.typical_rows,
            given.one_row,
            given.one_row_a_group,
        )


def parts_of(node: Any, rows: Environment) -> tuple[str, bool, Expression | None]:
    """Return an aggregate taken apart: its function, whether it counts distinct values, its argument."""
    function = _FUNCTIONS.get(type(node))
    if function is None or node.args.get("expressions"):
        raise rows.session.refused(reasons.AGGREGATE_UNSUPPORTED, node, function=node.sql_name())
    if node.this is None:
        raise rows.session.refused(reasons.AGGREGATE_UNSUPPORTED, node, function=f"{function.upper()}()")
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


def _aggregate_of(node: exp.Expr) -> exp.Expr | None:
    inner = node.this if isinstance(node, exp.Filter) else node
    function = inner.this if isinstance(inner, exp.WithinGroup) else inner
    return inner if isinstance(function, exp.AggFunc) else None


def _taken_apart(node: exp.Expr) -> tuple[exp.Expr, exp.Expr | None]:
    if isinstance(node, exp.Filter):
        return node.this, node.expression.this
    return node, None
