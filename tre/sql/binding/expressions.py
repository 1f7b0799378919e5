"""Expressions: names, [NOT] EXISTS and IN (subquery) here; every function of the allow-list in `tre.sql.functions`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from sqlglot import exp

from tre.base.reasons import Refused
from tre.base.reasons import sql_private as reasons
from tre.catalogue import Kind, Type
from tre.sql import functions, predicates
from tre.sql.binding.scope import Bound, Scope
from tre.sql.binding.session import Session
from tre.sql.plan import Column, Exists, Expression, Filter, Ref, Relation

BOOLEAN = Type(Kind.BOOLEAN)


@dataclass(frozen=True, slots=True)
class Environment:
    """Where an expression stands: `special` may give a node, `starred` a column of *, its meaning over groups."""

    scope: Scope
    session: Session
    where: str
    query: Callable[[exp.Expr, Scope], Bound]
    special: Callable[[exp.Expr], Expression | None] | None = None
    starred: Callable[[Column], Expression] | None = None


def bind_expression(node: exp.Expr, environment: Environment) -> Expression:
    """Return the meaning of `node`."""
    if environment.special is not None:
        found = environment.special(node)
        if found is not None:
            return found
    binder = _SPECIAL.get(type(node))
    if binder is not None:
        return binder(node, environment)
    if isinstance(node, exp.AggFunc):
        raise environment.session.refused(reasons.AGGREGATE_HERE, node, where=environment.where)
    return _function(node, environment)


def bind_condition(node: exp.Expr, environment: Environment) -> Expression:
    """Return the meaning of a condition of which only truth matters: NULL counts as false.

    So [NOT] IN over a subquery needs no third value here.
    """
    if isinstance(node, exp.Paren):
        return bind_condition(node.this, environment)
    if isinstance(node, exp.And):
        return functions.conjunction(
            bind_condition(node.this, environment), bind_condition(node.expression, environment)
        )
    if isinstance(node, exp.In) and node.args.get("query") is not None:
        return _in(node, environment).within
    negated = node.this.unnest() if isinstance(node, exp.Not) else None
    if isinstance(negated, exp.In) and negated.args.get("query"):
        return replace(_in(negated, environment).possibly, negated=True)
    if isinstance(negated, exp.Exists):
        return replace(_exists(negated, environment), negated=True)
    bound = bind_expression(node, environment)
    if bound.type.kind is not Kind.BOOLEAN:
        raise environment.session.refused(reasons.NOT_BOOLEAN, node, type=str(bound.type))
    return bound


def _paren(node: exp.Paren, environment: Environment) -> Expression:
    return bind_expression(node.this, environment)


def _column(node: exp.Column, environment: Environment) -> Expression:
    return Ref(environment.scope.resolve(node.name, node.table, environment.session, node))


def _function(node: exp.Expr, environment: Environment) -> Expression:
    """Bind the operands first and tell everything that is wrong in any of them."""
    refusals: list[Any] = []
    children = []
    for child in functions.operands(node):
        try:
            children.append(bind_expression(child, environment))
        except Refused as refused:
            refusals += refused.refusals
    if refusals:
        raise Refused(tuple(refusals))
    return functions.bind_node(node, tuple(children), environment.session.parsed, environment.session.today)


# --- subqueries -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Membership:
    """`x IN (subquery)` taken apart: is some value equal; is some value equal or unknown."""

    within: Exists
    possibly: Exists


def _exists(node: exp.Exists, environment: Environment) -> Exists:
    return Exists(environment.query(node.this, environment.scope).relation, False, BOOLEAN)


def _membership(node: exp.In, environment: Environment) -> Expression:
    """IN as a value has SQL's three values: true, NULL where some comparison is unknown, else false."""
    found = _in(node, environment)
    if found.within == found.possibly:
        return found.within
    unknown, yes, no = functions.literal(None, BOOLEAN), functions.literal(True), functions.literal(False)
    return functions.case(((found.within, yes), (found.possibly, unknown)), no)


def _in(node: exp.In, environment: Environment) -> _Membership:
    """Tie the subquery's column to the value; `possibly` is SQL's per-row NULL semantics of NOT IN (PRIVACY §2)."""
    value = bind_expression(node.this, environment)
    bound = environment.query(node.args["query"], environment.scope)
    if len(bound.visible) != 1:
        width = str(len(bound.visible))
        raise environment.session.refused(reasons.ONE_COLUMN, node.args["query"], width=width)
    member = Ref(bound.visible[0][1])
    equality = functions.call(predicates.EQUAL, member, value)
    within = _those(bound.relation, equality)
    if not value.facts.nullable and not member.facts.nullable:
        return _Membership(within, within)
    return _Membership(within, _those(bound.relation, _not_false(member, value, equality)))


def _not_false(member: Expression, value: Expression, equality: Expression) -> Expression:
    unknown = [functions.call("is_null", one) for one in (member, value) if one.facts.nullable]
    either = equality
    for one in unknown:
        either = functions.call("or", either, one)
    return either


def _those(relation: Relation, condition: Expression) -> Exists:
    return Exists(Filter(relation, condition), False, BOOLEAN)


_SPECIAL: dict[type[exp.Expr], Callable[[Any, Environment], Expression]] = {
    exp.Paren: _paren,
    exp.Column: _column,
    exp.Exists: _exists,
}
