"""Expressions: names, [NOT] EXISTS and IN (subquery) here; every function of the allow-list in `tre.sql.functions`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from tre.base.reasons import Refused
from tre.base.reasons import sql_private as reasons
from tre.catalogue import Kind, Type
from tre.sql import functions, predicates
from tre.sql.binding.scalars import Scalars
from tre.sql.binding.scope import Bound, Scope
from tre.sql.binding.session import Session
from tre.sql.binding.windows import Windows

if TYPE_CHECKING:
    from tre.sql.binding.tied import Lookup
from tre.sql.plan import Column, Exists, Expression, Filter, Project, Ref, Relation

BOOLEAN = Type(Kind.BOOLEAN)


@dataclass(frozen=True, slots=True)
class Environment:
    """Where an expression stands: `special` may give a node, `starred` a column of *, its meaning over groups.

    `query` binds a subquery, `value` one that stands as a value. `scalars` takes the subqueries that stand as values,
    `windows` the windows; None where none may.
    """

    scope: Scope
    session: Session
    where: str
    query: Callable[[exp.Expr, Scope], Bound]
    value: Callable[[exp.Expr, Scope], Bound | Lookup]
    special: Callable[[exp.Expr], Expression | None] | None = None
    starred: Callable[[Column], Expression] | None = None
    scalars: Scalars | None = None
    windows: Windows | None = None


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
        return functions.conjunction(*(bind_condition(one, environment) for one in node.flatten()))
    if isinstance(node, exp.Or):
        return functions.call("or", *(bind_condition(one, environment) for one in node.flatten()))
    if isinstance(node, exp.In) and node.args.get("query") is not None:
        return _in(node, environment).equal
    negated = node.this.unnest() if isinstance(node, exp.Not) else None
    if isinstance(negated, exp.In) and negated.args.get("query"):
        return _in(negated, environment).all_differ()
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
    truths = {id(one.this) for one in node.args["ifs"]} if isinstance(node, exp.Case) and not node.this else set()
    for child in functions.operands(node):
        try:
            children.append((bind_condition if id(child) in truths else bind_expression)(child, environment))
        except Refused as refused:
            refusals += refused.refusals
    if refusals:
        raise Refused(tuple(refusals))
    if isinstance(node, exp.Coalesce):
        children = _coalesced(children, environment.session)
        if len(children) == 1:
            return children[0]
    return functions.bind_node(node, tuple(children), environment.session.parsed, environment.session.today)


def _coalesced(children: list[Expression], session: Session) -> list[Expression]:
    """COALESCE of the columns that a FULL JOIN equates is the key that both sides share (PRIVACY §2 "A unit key")."""
    while len(children) > 1 and all(isinstance(one, Ref) for one in children[:2]):
        key = session.coalesced.get(frozenset(one.column.id for one in children[:2] if isinstance(one, Ref)))
        if key is None:
            break
        children = [Ref(key), *children[2:]]
    return children


# --- subqueries -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Membership:
    """`x IN (subquery)` taken apart, every part a look-up that an engine can hash.

    `equal`: some row's value equals x; `missing`: some row's value is NULL (None: none can be); `rows`: there is a
    row; `value` is x.
    """

    equal: Exists
    missing: Exists | None
    rows: Exists
    value: Expression

    def all_differ(self) -> Expression:
        """Say that x differs from every row's value for certain, which is when NOT IN is true."""
        terms: list[Expression] = [replace(self.equal, negated=True)]
        if self.missing is not None:
            terms.append(replace(self.missing, negated=True))
        if self.value.facts.nullable:
            known = functions.call("not", functions.call("is_null", self.value))
            terms.append(functions.call("or", known, replace(self.rows, negated=True)))
        return functions.conjunction(*terms)


def _scalar(node: exp.Subquery, environment: Environment) -> Expression:
    if environment.scalars is None:
        raise environment.session.refused(reasons.SCALAR_SUBQUERY, node, where=environment.where)
    return environment.scalars.value(node, environment.value(node.this, environment.scope))


def _window(node: exp.Window, environment: Environment) -> Expression:
    if environment.windows is None:
        raise environment.session.refused(reasons.WINDOW_HERE, node, where=environment.where)
    return environment.windows.value(node, environment)


def _exists(node: exp.Exists, environment: Environment) -> Exists:
    relation = rows_only(environment.query(node.this, environment.scope).relation)
    return Exists(environment.session.typed(relation, node), False, BOOLEAN)


def rows_only(relation: Relation) -> Relation:
    """Return the same rows with no more around them than their existence needs."""
    return rows_only(relation.input) if isinstance(relation, Project) else relation


def _member(node: exp.In, environment: Environment) -> Expression:
    """IN as a value has SQL's three values: true, false where every value differs, else NULL."""
    if node.args.get("query") is None:
        return _function(node, environment)
    found = _in(node, environment)
    yes, no = functions.literal(True), functions.literal(False)
    if found.missing is None and not found.value.facts.nullable:
        return found.equal
    unknown = functions.literal(None, BOOLEAN)
    return functions.case(((found.equal, yes), (found.all_differ(), no)), unknown)


def _in(node: exp.In, environment: Environment) -> _Membership:
    """Tie the subquery's column to the value; NULLs count as SQL says, within the tied rows (PRIVACY §2)."""
    value = bind_expression(node.this, environment)
    bound = environment.query(node.args["query"], environment.scope)
    if len(bound.visible) != 1:
        width = str(len(bound.visible))
        raise environment.session.refused(reasons.ONE_COLUMN, node.args["query"], width=width)
    member = Ref(bound.visible[0][1])
    equality = environment.session.placed(node, lambda: functions.call(predicates.EQUAL, member, value))
    missing = Filter(bound.relation, functions.call("is_null", member))

    def exists(relation: Relation) -> Exists:
        return Exists(environment.session.typed(relation, node), False, BOOLEAN)

    return _Membership(
        equal=exists(Filter(bound.relation, equality)),
        missing=exists(missing) if member.facts.nullable else None,
        rows=exists(rows_only(bound.relation)),
        value=value,
    )


_SPECIAL: dict[type[exp.Expr], Callable[[Any, Environment], Expression]] = {
    exp.Paren: _paren,
    exp.Column: _column,
    exp.Exists: _exists,
    exp.In: _member,
    exp.Subquery: _scalar,
    exp.Window: _window,
}
