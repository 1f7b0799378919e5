"""One query: WITH, FROM and WHERE, then what it yields, in SQL's order of meaning."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from sqlglot import exp

from tre.base.reasons import sql_private as reasons
from tre.sql import functions, predicates
from tre.sql.binding.expressions import Environment, bind_condition, bind_expression
from tre.sql.binding.output import output
from tre.sql.binding.scalars import Scalars
from tre.sql.binding.scope import Bound, Scope, folded
from tre.sql.binding.securing import pushed, secured
from tre.sql.binding.session import Session
from tre.sql.binding.sets import set_operation
from tre.sql.binding.sources import Binders, bind_from
from tre.sql.binding.tables import renamed
from tre.sql.binding.tied import Lookup, looked_up, parted
from tre.sql.plan import Expression, Filter


def bind_query(node: exp.Expr, parent: Scope | None, ctes: Mapping[str, Bound], session: Session) -> Bound:
    """Bind a SELECT or a set operation with its WITH, in brackets or not."""
    if isinstance(node, exp.Subquery | exp.Paren):
        return bind_query(node.this, parent, ctes, session)
    if isinstance(node, exp.SetOperation):
        known = _with(node, parent, ctes, session)
        return set_operation(node, lambda side: bind_query(side, parent, known, session), session)
    if not isinstance(node, exp.Select):
        raise session.refused(reasons.NOT_A_QUERY, node)
    if node.args.get("from_"):
        session.step(node)
    scope = Scope(_with(node, parent, ctes, session), parent)
    return _rows(node, scope, session)


def bind_value(node: exp.Expr, parent: Scope, ctes: Mapping[str, Bound], session: Session) -> Bound | Lookup:
    """Bind a subquery that stands as a value: one that is tied to the row around it becomes a look-up."""
    while isinstance(node, exp.Subquery | exp.Paren):
        node = node.this
    if not isinstance(node, exp.Select):
        return bind_query(node, parent, ctes, session)
    session.step(node)
    return _select(node, Scope(_with(node, parent, ctes, session), parent), session, valued=True)


def _with(node: exp.Query, parent: Scope | None, ctes: Mapping[str, Bound], session: Session) -> Mapping[str, Bound]:
    known, here = dict(ctes), set()
    for cte in node.args["with_"].expressions if node.args.get("with_") else ():
        name = folded(cte.alias)
        if name in here:
            raise session.refused(reasons.TWICE, cte, name=cte.alias)
        before = session.steps
        bound = bind_query(cte.this, parent, known, session)
        names = [one.name for one in cte.args["alias"].args.get("columns") or []]
        visible = tuple(renamed(list(bound.visible), names, cte, session))
        known[name] = Bound(bound.relation, visible, session.steps - before)
        here.add(name)
    return known


def _rows(node: exp.Select, scope: Scope, session: Session) -> Bound:
    found = _select(node, scope, session)
    assert isinstance(found, Bound)
    return found


def _select(node: exp.Select, scope: Scope, session: Session, valued: bool = False) -> Bound | Lookup:
    def query(inner: exp.Expr, around: Scope | None, ctes: Any = None) -> Bound:
        return bind_query(inner, around, scope.ctes if ctes is None else ctes, session)

    def value(inner: exp.Expr, around: Scope) -> Bound | Lookup:
        return bind_value(inner, around, scope.ctes, session)

    def rows(where: str, scalars: Scalars | None = None) -> Environment:
        return Environment(scope, session, where, query, value, scalars=scalars)

    binders = Binders(
        query,
        lambda on, inside, where: bind_condition(on, replace(rows(where), scope=inside)),
        lambda one, inside: bind_expression(one, replace(rows("VALUES"), scope=inside)),
    )
    joined = bind_from(node, scope, session, binders)
    _names(node, scope, session)
    terms: list[Expression] = []
    values = Scalars(session)
    if node.args.get("where"):
        condition = session.collected(lambda: bind_condition(node.args["where"].this, rows("WHERE", values)))
        terms = [] if condition is None else list(predicates.conjuncts(condition))
    joined, rest = pushed(joined, terms)
    relation = values.attached(secured(joined, session))
    ties, rest = parted(rest, relation) if valued else ([], rest)
    if rest:
        relation = Filter(relation, functions.conjunction(*rest))
    session.settle()
    session.traits(relation, node.args.get("where") or node.args.get("from_") or node)
    if ties:
        return looked_up(node, relation, ties, rows("SELECT"), session)
    return output(node, relation, rows("SELECT", Scalars(session)), session)


def _names(node: exp.Select, scope: Scope, session: Session) -> None:
    """Tell every unknown name of the SELECT list and WHERE at once."""
    for clause in (*node.expressions, node.args.get("where")):
        for column in _columns_in(clause) if clause is not None else ():
            if not isinstance(column.this, exp.Star):
                session.collected(partial(scope.resolve, column.name, column.table, session, column))
    session.settle()


def _columns_in(node: exp.Expr) -> Iterator[exp.Column]:
    if isinstance(node, exp.Column):
        yield node
    elif not isinstance(node, exp.Query):
        for child in node.iter_expressions():
            yield from _columns_in(child)
