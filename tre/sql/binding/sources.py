"""FROM: its items and the joins between them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from sqlglot import exp

from tre.base.reasons import sql_private as reasons
from tre.sql import functions, predicates
from tre.sql.binding.scope import Bound, Scope, Source, folded
from tre.sql.binding.securing import Joined
from tre.sql.binding.session import Session
from tre.sql.binding.tables import derived, table
from tre.sql.plan import Column, Expression, Join, JoinKind, Ref


@dataclass(frozen=True, slots=True)
class Binders:
    """The binders that FROM needs from above: of a whole query, of a condition."""

    query: Callable[[exp.Expr, Scope | None, Any], Bound]
    condition: Callable[[exp.Expr, Scope, str], Expression]


def bind_from(select: exp.Select, scope: Scope, session: Session, binders: Binders) -> Joined:
    """Bind FROM and JOIN; fill `scope`. Unknown names are all told at once."""
    joined = session.collected(lambda: _item(select.args["from_"].this, scope, session, binders))
    for join in select.args.get("joins") or []:
        joined = _joined_or_kept(joined, join, scope, session, binders)
    session.settle()
    assert joined is not None
    return joined


def _joined_or_kept(left: Joined | None, join: exp.Join, scope: Scope, session: Session, binders: Binders) -> Any:
    def bind() -> Joined | None:
        before = len(scope.sources)
        right = _item(join.this, scope, session, binders)
        return None if left is None else _join(left, right, join, before, scope, session, binders)

    return session.collected(bind)


def _item(node: exp.Expr, scope: Scope, session: Session, binders: Binders) -> Joined:
    if isinstance(node, exp.Table):
        joined = Joined(table(node, scope, session))
        for join in node.args.get("joins") or []:
            joined = _nested(joined, join, scope, session, binders)
        return joined
    if isinstance(node, exp.Subquery | exp.Paren):
        if isinstance(node.this, exp.Table):
            return _item(node.this, scope, session, binders)
        bound = binders.query(node.this, scope.parent, scope.ctes)
        return Joined(derived(bound, node, scope, session))
    raise session.refused(reasons.TABLE_EXPRESSION, node)


def _nested(left: Joined, join: exp.Join, scope: Scope, session: Session, binders: Binders) -> Joined:
    if join.args.get("using"):
        raise session.refused(reasons.CLAUSE, join, clause="USING inside brackets")
    before = len(scope.sources)
    right = _item(join.this, scope, session, binders)
    return _join(left, right, join, before, scope, session, binders)


def _join(
    left: Joined, right: Joined, node: exp.Join, before: int, scope: Scope, session: Session, binders: Binders
) -> Joined:
    kind = JoinKind.LEFT if (node.args.get("side") or "").upper() == "LEFT" else JoinKind.INNER
    terms = [_using(one, before, scope, session) for one in node.args.get("using") or []]
    if node.args.get("on") is not None:
        terms.append(binders.condition(node.args["on"], scope, "ON"))
    condition = functions.conjunction(*terms)
    nulled: tuple[tuple[Column, Column], ...] = ()
    if kind is JoinKind.LEFT:
        nulled = tuple((_nullable(column, session), column) for column in right.relation.columns)
        _rename_sources(scope, before, {old.id: new for new, old in nulled})
    relation = Join(kind, left.relation, right.relation, condition, nulled)
    return Joined(relation, node, left, right)


def _nullable(column: Column, session: Session) -> Column:
    facts = replace(column.facts, nullable=True)
    return session.column(column.name, column.type, facts, column.origin, session.spoken.get(column.id))


def _rename_sources(scope: Scope, before: int, new: dict[int, Column]) -> None:
    for place in range(before, len(scope.sources)):
        source = scope.sources[place]
        columns = tuple((name, new[column.id]) for name, column in source.columns)
        scope.sources[place] = Source(source.alias, columns)


def _using(node: exp.Expr, before: int, scope: Scope, session: Session) -> Expression:
    name = folded(node.name)
    left = Scope({}, None, scope.sources[:before], scope.merged).resolve(node.name, "", session, node)
    right = Scope({}, None, scope.sources[before:]).resolve(node.name, "", session, node)
    scope.merged[name] = left
    return session.placed(node, lambda: functions.call(predicates.EQUAL, Ref(left), Ref(right)))
