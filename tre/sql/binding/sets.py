"""UNION, INTERSECT and EXCEPT: two queries, column by column in a common type."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from tre.base.reasons import Refused
from tre.base.reasons import sql_private as reasons
from tre.sql import functions
from tre.sql.binding import constants
from tre.sql.binding.frames import direction
from tre.sql.binding.output import in_order
from tre.sql.binding.scope import Bound, folded, position
from tre.sql.binding.session import Session
from tre.sql.plan import Column, Expression, Facts, Literal, Project, Ref, Relation, SetKind, SetOperation
from tre.sql.walk import outer

_KINDS: dict[type[exp.Expr], SetKind] = {
    exp.Union: SetKind.UNION,
    exp.Intersect: SetKind.INTERSECT,
    exp.Except: SetKind.EXCEPT,
}


@dataclass(frozen=True, slots=True)
class _Pair:
    """One column of the result and what stands for it on each side."""

    column: Column
    left: Expression
    right: Expression


def set_operation(node: exp.SetOperation, side: Callable[[exp.Expr], Bound], session: Session) -> Bound:
    """Return the rows of a set operation; `side` binds each of its queries."""
    kind, every = _KINDS[type(node)], not node.args.get("distinct")
    bound = [session.collected(lambda: side(node.this)), session.collected(lambda: side(node.expression))]
    session.settle()
    left, right = (one for one in bound if one is not None)
    if len(left.visible) != len(right.visible):
        widths = {"left": str(len(left.visible)), "right": str(len(right.visible))}
        raise session.refused(reasons.SET_WIDTH, node, kind=kind.value.upper(), **widths)
    if kind is SetKind.UNION and every and not any(node.args.get(one) for one in ("order", "limit", "offset")):
        rows = (constants.stated(left), constants.stated(right))
        if rows[0] is not None and rows[1] is not None:
            return constants.table([name for name, _ in left.visible], rows[0] + rows[1], session)
    session.step(node)
    pairs = [_pair(place, left, right, kind, node, session) for place in range(len(left.visible))]
    visible = tuple((name, one.column) for (name, _), one in zip(left.visible, pairs, strict=True))
    if kind is SetKind.UNION and every:
        pairs += _hidden_key(left.relation, right.relation, pairs, session)
    relation = _of(kind, every, left.relation, right.relation, pairs, session)
    if outer(relation):
        raise session.refused(reasons.SET_OPERATION, node, kind=kind.value.upper())
    session.traits(relation, node)
    return Bound(_sorted(node, relation, visible, kind, session), visible)


def _pair(place: int, left: Bound, right: Bound, kind: SetKind, node: Any, session: Session) -> _Pair:
    (name, one), (_, other) = left.visible[place], right.visible[place]
    try:
        either = functions.case(((functions.true(), _written(left, one)),), _written(right, other))
    except Refused:
        words = {"place": str(place + 1), "left": str(one.type), "right": str(other.type)}
        raise session.refused(reasons.SET_TYPES, node, kind=kind.value.upper(), **words) from None
    ((_, first),), second = either.branches, either.otherwise
    facts = facts_of(kind, either, first)
    origin = one.origin if kind is not SetKind.UNION or one.origin == other.origin else None
    spoken = session.spoken.get(one.id)
    return _Pair(session.column(name, either.type, facts, origin, spoken), first, second)


def facts_of(kind: SetKind, either: Expression, first: Expression) -> Facts:
    """Rows of a union come from both sides, others from the first alone."""
    return either.facts if kind is SetKind.UNION else first.facts


def _written(bound: Bound, column: Column) -> Expression:
    """A constant takes the type of the other side, as NULL does in SELECT a, NULL … UNION …."""
    if isinstance(bound.relation, Project):
        constants = (one for made, one in bound.relation.outputs if made == column and isinstance(one, Literal))
        return next(constants, Ref(column))
    return Ref(column)


def _hidden_key(left: Relation, right: Relation, pairs: list[_Pair], session: Session) -> list[_Pair]:
    """UNION ALL compares no rows, so that the unit key may stay out of sight."""
    keys = [session.tracing.of(side).unit_keys for side in (left, right)]
    seen = any(_bare(one.left) in keys[0] and _bare(one.right) in keys[1] for one in pairs)
    if seen or not all(keys):
        return []
    one, other = (next(c for c in side.columns if c.id in own) for side, own in zip((left, right), keys, strict=True))
    return [_Pair(session.renamed(one, one.name), Ref(one), Ref(other))]


def _bare(one: Expression) -> int | None:
    return one.column.id if isinstance(one, Ref) else None


def _of(
    kind: SetKind, every: bool, left: Relation, right: Relation, pairs: list[_Pair], session: Session
) -> SetOperation:
    def side(one: Expression, name: str) -> Column:
        return session.column(name, one.type, one.facts, None, _spoken(one, session))

    lefts = [(side(one.left, one.column.name), one.left) for one in pairs]
    rights = [(side(one.right, one.column.name), one.right) for one in pairs]
    outputs = tuple((one.column, a, b) for one, (a, _), (b, _) in zip(pairs, lefts, rights, strict=True))
    return SetOperation(kind, every, Project(left, tuple(lefts)), Project(right, tuple(rights)), outputs)


def _spoken(one: Expression, session: Session) -> str | None:
    return session.spoken.get(one.column.id) if isinstance(one, Ref) else None


def _sorted(
    node: exp.SetOperation, relation: Relation, visible: tuple[tuple[str, Column], ...], kind: SetKind, session: Session
) -> Relation:
    order = node.args.get("order")
    terms = [(_place(one, visible, kind, session), *direction(one)) for one in (order.expressions if order else ())]
    return in_order(node, relation, [column for _, column in visible], [], [*terms], session)


def _place(one: exp.Ordered, visible: tuple[tuple[str, Column], ...], kind: SetKind, session: Session) -> int:
    place = position(one.this, len(visible), session)
    if place is not None:
        return place
    if isinstance(one.this, exp.Column) and not one.this.table:
        named = [at for at, (name, _) in enumerate(visible) if folded(name) == folded(one.this.name)]
        if named:
            return named[0]
    raise session.refused(reasons.SET_ORDER, one, kind=kind.value.upper())
