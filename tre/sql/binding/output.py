"""What a SELECT yields: its list, DISTINCT, HAVING, ORDER BY and LIMIT, over rows or groups."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from sqlglot import exp

from tre.base.reasons import sql_private as reasons
from tre.sql.binding.aggregates import Grouping
from tre.sql.binding.expressions import Environment, bind_condition, bind_expression
from tre.sql.binding.firsts import first_rows
from tre.sql.binding.frames import direction
from tre.sql.binding.scope import Bound, folded, position
from tre.sql.binding.session import Session
from tre.sql.binding.windows import Windows
from tre.sql.plan import Column, Distinct, Expression, Filter, Project, Ref, Relation, Sort
from tre.sql.tracing import Status, Traits


@dataclass(frozen=True, slots=True)
class Item:
    """One column of a SELECT list: its name and what it means."""

    name: str
    expression: Expression
    node: exp.Expr | None = None


def output(node: exp.Select, relation: Relation, environment: Environment, session: Session) -> Bound:
    listed = _expanded(node, environment)
    grouping = Grouping.of(node, listed, relation, environment)
    over = environment if grouping is None else grouping.environment()
    windows = Windows.of(node, _traits_over(grouping, relation, session), session)
    over = replace(over, windows=windows)
    items = [session.collected(partial(session.placed, node, partial(_item, one, over))) for one in listed]
    having = node.args.get("having")
    condition = (
        None
        if having is None
        else session.collected(lambda: bind_condition(having.this, replace(over, where="HAVING", windows=None)))
    )
    bound = [one for one in items if one is not None]
    terms = session.collected(lambda: _order(node, bound, over)) or []
    qualified = session.collected(lambda: _qualified(node, bound, over))
    on = session.collected(lambda: _distinct_on(node, bound, over)) or []
    session.settle()
    if grouping is not None:
        where = node.args.get("group") or _first_aggregate(node)
        relation = grouping.relation(where)
        session.traits(relation, where)
    if environment.scalars is not None:
        relation = environment.scalars.attached(relation, None if grouping is None else grouping.keys.grouped)
    if condition is not None:
        relation = Filter(relation, condition)
        session.traits(relation, having)
    relation = windows.attached(relation)
    if qualified is not None:
        relation = Filter(relation, qualified)
    if on:
        order = [(_meant(one, bound), down, first) for one, down, first in terms]
        relation = first_rows(relation, on, order, node.args["distinct"], session)
        if session.tracing.of(relation).status is Status.UNIT_KEYED:
            terms = []  # it has said which rows are first; persons' rows have no order besides
    return _finished(node, relation, bound, terms, environment)


def _traits_over(grouping: Grouping | None, relation: Relation, session: Session) -> Traits:
    """Return the traits of the rows over which the windows of a SELECT stand, as far as windows ask for them."""
    if grouping is None:
        return session.tracing.of(relation)
    if grouping.private:
        return replace(grouping.traits, status=Status.RELEASED, unit_keys=frozenset())
    return replace(grouping.traits, unit_keys=grouping.keys.unit_keys & grouping.keys.in_every_set)


def _qualified(node: exp.Select, items: list[Item], over: Environment) -> Expression | None:
    """Return the condition of QUALIFY, which may speak of windows and of columns of the SELECT list by name."""
    if not node.args.get("qualify"):
        return None

    def named(one: exp.Expr) -> Expression | None:
        if isinstance(one, exp.Column) and not one.table and not over.scope.candidates(one.name, ""):
            found = [item.expression for item in items if folded(item.name) == folded(one.name)]
            if found:
                return found[0]
        return None if over.special is None else over.special(one)

    return bind_condition(node.args["qualify"].this, replace(over, where="QUALIFY", special=named))


def _distinct_on(node: exp.Select, items: list[Item], over: Environment) -> list[Expression]:
    on = node.args["distinct"].args.get("on") if node.args.get("distinct") else None
    terms = on.expressions if isinstance(on, exp.Tuple) else [on] if on is not None else []
    return [_meant(_ordered_by(one.unnest(), items, over), items) for one in terms]


def _meant(term: Expression | int, items: list[Item]) -> Expression:
    return items[term].expression if isinstance(term, int) else term


def _first_aggregate(node: exp.Select) -> exp.Expr:
    return next(iter(node.find_all(exp.AggFunc)), node)


def _expanded(node: exp.Select, environment: Environment) -> list[exp.Expr | tuple[str, Column]]:
    listed: list[exp.Expr | tuple[str, Column]] = []
    for one in node.expressions:
        if isinstance(one, exp.Star):
            listed += environment.scope.columns()
        elif isinstance(one, exp.Column) and isinstance(one.this, exp.Star):
            listed += _columns_of(one, environment)
        else:
            listed.append(one)
    if not listed:
        raise environment.session.refused(reasons.NO_COLUMNS, node)
    return listed


def _columns_of(node: exp.Column, environment: Environment) -> tuple[tuple[str, Column], ...]:
    sources = environment.scope.source(node.table)
    if not sources:
        raise environment.scope.unknown("*", node.table, environment.session, node)
    return sources[0].columns


def _item(one: exp.Expr | tuple[str, Column], environment: Environment) -> Item:
    if isinstance(one, tuple):
        name, column = one
        return Item(name, Ref(column) if environment.starred is None else environment.starred(column))
    inner = one.this if isinstance(one, exp.Alias) else one
    return Item(one.alias or _called(inner), bind_expression(inner, environment), inner)


def _called(node: exp.Expr) -> str:
    """Return the name of a column without alias: its own, or that of its outermost function."""
    inner: exp.Expr = node.unnest()
    if isinstance(inner, exp.Filter | exp.Window | exp.WithinGroup):
        return _called(inner.this)
    if isinstance(inner, exp.Column):
        return inner.name
    if isinstance(inner, exp.Func) and not isinstance(inner, exp.Connector):
        return str(inner.sql_name()).lower()
    return "column"


Terms = list[tuple[Expression | int, bool, bool]]


def _order(node: exp.Select, items: list[Item], environment: Environment) -> Terms:
    """Return ORDER BY as (place in the SELECT list or expression, descending, NULLs first)."""
    if not node.args.get("order"):
        return []
    return [_term(one, items, environment) for one in node.args["order"].expressions]


def _term(one: exp.Ordered, items: list[Item], environment: Environment) -> tuple[Expression | int, bool, bool]:
    return _ordered_by(one.this, items, environment), *direction(one)


def _ordered_by(node: exp.Expr, items: list[Item], environment: Environment) -> Expression | int:
    place = position(node, len(items), environment.session)
    if place is not None:
        return place
    if isinstance(node, exp.Column) and not node.table:
        named = [place for place, item in enumerate(items) if folded(item.name) == folded(node.name)]
        if named:
            return named[0]
    bound = bind_expression(node, replace(environment, where="ORDER BY"))
    same = [place for place, item in enumerate(items) if item.expression == bound]
    return same[0] if same else bound


def _finished(node: exp.Select, relation: Relation, items: list[Item], terms: Terms, environment: Environment) -> Bound:
    session = environment.session
    outputs = [
        (session.column(one.name, one.expression.type, one.expression.facts, _origin(one)), one.expression)
        for one in items
    ]
    visible = tuple((column.name, column) for column, _ in outputs)
    if node.args.get("distinct") and not node.args["distinct"].args.get("on"):
        relation = _distinct(node, relation, outputs, environment)
        hidden: list[tuple[Column, Expression]] = []
        if any(not isinstance(term, int) for term, _, _ in terms):
            raise session.refused(
                reasons.CLAUSE, node.args["order"], clause="SELECT DISTINCT … ORDER BY something not selected"
            )
    else:
        hidden = _sorted_by(terms, session) + _kept_key(relation, outputs, session)
        relation = Project(relation, tuple(outputs + hidden))
    session.traits(relation, node)
    return Bound(in_order(node, relation, [column for column, _ in outputs], hidden, terms, session), visible)


def _origin(item: Item) -> Any:
    return item.expression.column.origin if isinstance(item.expression, Ref) else None


def _sorted_by(terms: Terms, session: Session) -> list[tuple[Column, Expression]]:
    expressions = [term for term, _, _ in terms if not isinstance(term, int)]
    return [(session.column("order", one.type, one.facts), one) for one in expressions]


def _kept_key(
    relation: Relation, outputs: list[tuple[Column, Expression]], session: Session
) -> list[tuple[Column, Expression]]:
    """A derived table of persons' rows keeps a unit key out of sight, so that the query around it can count persons."""
    keys = session.tracing.of(relation).unit_keys
    if not keys or any(isinstance(one, Ref) and one.column.id in keys for _, one in outputs):
        return []
    key = next(column for column in relation.columns if column.id in keys)
    return [(session.renamed(key, key.name), Ref(key))]


def _distinct(
    node: exp.Select, relation: Relation, outputs: list[tuple[Column, Expression]], environment: Environment
) -> Relation:
    """SELECT DISTINCT of persons' rows without the unit key is a private aggregate: a GROUP BY of all columns."""
    keys = environment.session.tracing.of(relation).unit_keys
    if not keys or any(isinstance(one, Ref) and one.column.id in keys for _, one in outputs):
        return Distinct(Project(relation, tuple(outputs)))
    return Grouping.distinct(relation, outputs, environment, node)


def in_order(
    node: exp.Query,
    relation: Relation,
    outputs: list[Column],
    hidden: list[tuple[Column, Expression]],
    terms: Terms,
    session: Session,
) -> Relation:
    """Return `relation` sorted and cut as ORDER BY, LIMIT and OFFSET of `node` say."""
    limit, offset = (_count(node, name, session) for name in ("limit", "offset"))
    if not terms and limit is None and not offset:
        return relation
    extra = [column for column, _ in hidden]
    by = [(Ref(outputs[one] if isinstance(one, int) else extra.pop(0)), down, first) for one, down, first in terms]
    named = {one.column.id for one, _, _ in by}
    by += [(Ref(column), False, False) for column in relation.columns if column.id not in named]  # a total order
    relation = Sort(relation, tuple(by), limit, offset or 0)
    session.traits(relation, node.args.get("limit") or node.args.get("offset") or node.args.get("order"))
    if not hidden:
        return relation
    return Project(relation, tuple((column, Ref(column)) for column in outputs))


def _count(node: exp.Query, name: str, session: Session) -> int | None:
    clause = node.args.get(name)
    if clause is None:
        return None
    number = clause.args.get("count") if isinstance(clause, exp.Fetch) else clause.expression
    if isinstance(number, exp.Literal) and not number.is_string and number.this.isdigit():
        return min(int(number.this), 2**62)
    raise session.refused(reasons.WHOLE_NUMBER, clause, clause=name.upper())
