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
    side = (node.args.get("side") or "").upper()
    terms = [_using(one, before, scope, session, kept=side) for one in node.args.get("using") or []]
    if node.args.get("on") is not None:
        terms.append(binders.condition(node.args["on"], scope, "ON"))
    condition = functions.conjunction(*terms)
    if not side:
        return Joined(Join(JoinKind.INNER, left.relation, right.relation, condition), node, left, right)
    if side == "RIGHT":  # a LEFT JOIN read from the other end
        left, right = right, left
    nulled = tuple((_nullable(column, session), column) for column in right.relation.columns)
    _rename(scope, {old.id: new for new, old in nulled})
    return Joined(Join(JoinKind.LEFT, left.relation, right.relation, condition, nulled), node, left, right)


def _nullable(column: Column, session: Session) -> Column:
    facts = replace(column.facts, nullable=True)
    return session.column(column.name, column.type, facts, column.origin, session.spoken.get(column.id))


def _rename(scope: Scope, new: dict[int, Column]) -> None:
    """Let names mean the columns that the nullable side has after an outer join."""
    for place, source in enumerate(scope.sources):
        columns = tuple((name, new.get(column.id, column)) for name, column in source.columns)
        scope.sources[place] = Source(source.alias, columns)
    for name, column in scope.merged.items():
        scope.merged[name] = new.get(column.id, column)


def _using(node: exp.Expr, before: int, scope: Scope, session: Session, kept: str) -> Expression:
    """Return the equality of a column that both sides have; after it the name means that of the side that is kept."""
    name = folded(node.name)
    left = Scope({}, None, scope.sources[:before], scope.merged).resolve(node.name, "", session, node)
    right = Scope({}, None, scope.sources[before:]).resolve(node.name, "", session, node)
    scope.merged[name] = right if kept == "RIGHT" else left
    return session.placed(node, lambda: functions.call(predicates.EQUAL, Ref(left), Ref(right)))
