"""FROM: its items and the joins between them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from sqlglot import exp

from tre.base.reasons import sql_private as reasons
from tre.sql import functions, predicates
from tre.sql.binding import constants
from tre.sql.binding.full import full_join
from tre.sql.binding.scope import Bound, Scope, Source, folded
from tre.sql.binding.securing import Joined, secured
from tre.sql.binding.session import Session
from tre.sql.binding.tables import derived, table
from tre.sql.plan import Column, Expression, Join, JoinKind, Listed, Literal, Ref


@dataclass(frozen=True, slots=True)
class Binders:
    """The binders that FROM needs from above: of a whole query, of a condition, of a value."""

    query: Callable[[exp.Expr, Scope | None, Any], Bound]
    condition: Callable[[exp.Expr, Scope, str], Expression]
    value: Callable[[exp.Expr, Scope], Expression]


def bind_from(select: exp.Select, scope: Scope, session: Session, binders: Binders) -> Joined:
    """Bind FROM and JOIN; fill `scope`. Unknown names are all told at once."""
    if not select.args.get("from_"):
        return Joined(Listed((), ((),)))
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
    if isinstance(node, exp.Values):
        return Joined(derived(_values(node, scope, session, binders), node, scope, session))
    raise session.refused(reasons.TABLE_EXPRESSION, node)


def _values(node: exp.Values, scope: Scope, session: Session, binders: Binders) -> Bound:
    rows: list[tuple[Literal, ...]] = []
    for one in node.expressions:
        typed = one.expressions if isinstance(one, exp.Tuple) else [one]
        row = [bound for part in typed if isinstance(bound := binders.value(part, scope), Literal)]
        if len(row) != len(typed) or (rows and len(row) != len(rows[0])):
            raise session.refused(reasons.TABLE_EXPRESSION, one)
        rows.append(tuple(row))
    names = [f"column{place}" for place in range(1, len(rows[0]) + 1)]
    return session.placed(node, lambda: constants.table(names, tuple(rows), session))


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
    if side == "FULL":
        return _full(left, right, condition, node, scope, session)
    if side == "RIGHT":  # a LEFT JOIN read from the other end
        left, right = right, left
    nulled = tuple((_nullable(column, session), column) for column in right.relation.columns)
    _rename(scope, {old.id: new for new, old in nulled})
    return Joined(Join(JoinKind.LEFT, left.relation, right.relation, condition, nulled), node, left, right)


def _full(left: Joined, right: Joined, condition: Expression, node: exp.Join, scope: Scope, session: Session) -> Joined:
    sides = [secured(one, session) for one in (left, right)]
    before = dict(session.coalesced)
    relation, new = full_join(sides[0], sides[1], condition, node, session)
    for pair, key in before.items():  # of a FULL JOIN before this one
        if key.id in new and all(one in new for one in pair):
            session.coalesced[frozenset(new[one].id for one in pair)] = new[key.id]
    merged = {name: session.coalesced.get(_pair(column, new, session)) for name, column in scope.merged.items()}
    _rename(scope, new)
    scope.merged |= {name: key for name, key in merged.items() if key is not None}
    return Joined(relation, node)


def _pair(column: Column, new: dict[int, Column], session: Session) -> frozenset[int]:
    """Return the two columns of which the one that USING made one is now a half."""
    half = new.get(column.id, column).id
    return next((pair for pair in session.coalesced if half in pair), frozenset())


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
