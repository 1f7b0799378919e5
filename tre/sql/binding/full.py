"""FULL JOIN as what it means: the LEFT JOIN, and the rows of the right side that match none of the left.

No rule of its own is needed: the two are a join, an anti-join and a union, and the key that they share, which is what
COALESCE of the joined columns gives, is a unit key where both are (PRIVACY §2 "A unit key").
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tre.base.reasons import sql_private as reasons
from tre.catalogue import Kind, Type
from tre.sql import functions, predicates
from tre.sql.binding.session import Session
from tre.sql.plan import (
    Column,
    Exists,
    Expression,
    Filter,
    Join,
    JoinKind,
    Project,
    Ref,
    Relation,
    SetKind,
    SetOperation,
)
from tre.sql.tracing import Status
from tre.sql.walk import everywhere, substituted

Renaming = dict[int, Column]
_ALONE = {Status.UNIT_KEYED, Status.ATTRIBUTE}


def full_join(
    left: Relation, right: Relation, condition: Expression, node: Any, session: Session
) -> tuple[Relation, Renaming]:
    """Return the rows of both sides, and the columns that stand for theirs; equated pairs are noted as coalesced."""
    statuses = {session.traits(one, node).status for one in (left, right)}
    if statuses & _ALONE and len(statuses) > 1:
        raise session.refused(reasons.OUTER_KEEPS_OTHER, node)
    session.step(node, 2)
    nulled = tuple((_new(one, session), one) for one in right.columns)
    matched = Join(JoinKind.LEFT, left, right, condition, nulled)
    session.traits(matched, node)
    others, own = _again(left, session), _again(right, session)
    alone = _unmatched(own, others, condition, session)
    columns: list[tuple[Column, Ref, Expression]]
    columns = [(_new(one, session), Ref(one), functions.literal(None, one.type)) for one in left.columns]
    columns += [(_new(one, session), Ref(new), Ref(own[1][one.id])) for new, one in nulled]
    new = {one.id: made[0] for one, made in zip((*left.columns, *right.columns), columns, strict=True)}
    for one, other in predicates.across(condition, _ids(left), _ids(right)):
        key = _new(one, session, one.facts.nullable or other.facts.nullable)
        columns.append((key, Ref(one), Ref(own[1][other.id])))
        session.coalesced[frozenset((new[one.id].id, new[other.id].id))] = key
    return _united(matched, alone, columns, session), new


def _new(one: Column, session: Session, nullable: bool = True) -> Column:
    return session.column(one.name, one.type, replace(one.facts, nullable=nullable), None, session.spoken.get(one.id))


def _ids(relation: Relation) -> frozenset[int]:
    return frozenset(column.id for column in relation.columns)


def _again(relation: Relation, session: Session) -> tuple[Relation, Renaming]:
    """Return the relation a second time, its columns under new ids."""
    outputs = tuple((session.renamed(one, one.name), Ref(one)) for one in relation.columns)
    return Project(relation, outputs), {old.column.id: new for new, old in outputs}


def _unmatched(
    own: tuple[Relation, Renaming], others: tuple[Relation, Renaming], condition: Expression, session: Session
) -> Relation:
    names = own[1] | others[1]

    def renamed(part: Expression) -> Expression | None:
        if isinstance(part, Ref) and part.column.id in names:
            return Ref(names[part.column.id])
        if isinstance(part, Exists):
            return replace(part, relation=everywhere(part.relation, renamed))
        return None

    matching = Filter(others[0], substituted(condition, renamed))
    return Filter(own[0], Exists(matching, True, Type(Kind.BOOLEAN)))


def _united(
    matched: Relation, alone: Relation, columns: list[tuple[Column, Ref, Expression]], session: Session
) -> Relation:
    lefts = tuple((session.renamed(column, column.name), one) for column, one, _ in columns)
    rights = tuple((session.renamed(column, column.name), other) for column, _, other in columns)
    outputs = tuple((column, a, b) for (column, _, _), (a, _), (b, _) in zip(columns, lefts, rights, strict=True))
    return SetOperation(SetKind.UNION, True, Project(matched, lefts), Project(alone, rights), outputs)
