"""WHERE terms moved to where they act, keys implied by links added, and every join traced (PRIVACY §2)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from tre.sql import functions, predicates
from tre.sql.binding.session import Session
from tre.sql.plan import Column, Expression, Join, JoinKind, Ref, Relation
from tre.sql.tracing import Instance
from tre.sql.walk import produced, referred, subqueries


@dataclass(frozen=True, slots=True)
class Joined:
    """The joins of one FROM, not yet traced: `node` is the place of the join, None for a single source."""

    relation: Relation
    node: Any = None
    left: Joined | None = None
    right: Joined | None = None


def pushed(joined: Joined, terms: list[Expression]) -> tuple[Joined, list[Expression]]:
    """Move AND-terms of WHERE into the inner joins that they speak of; return the terms that stay.

    A term commutes with an inner join, and with the kept side of an outer one. So comma joins have the condition
    that was meant, and a constant in WHERE can make a look-up unique.
    """
    if joined.left is None or joined.right is None or not isinstance(joined.relation, Join):
        return joined, terms
    left, rest = pushed(joined.left, [term for term in terms if _of(term, joined.left.relation)])
    rest += [term for term in terms if not _of(term, joined.left.relation)]
    join, right = replace(joined.relation, left=left.relation), joined.right
    if join.kind is JoinKind.INNER:
        right, inner = pushed(right, [term for term in rest if _of(term, right.relation)])
        rest = inner + [term for term in rest if not _of(term, right.relation)]
        here = [term for term in rest if _of(term, join)]
        rest = [term for term in rest if not _of(term, join)]
        join = replace(join, right=right.relation, condition=functions.conjunction(join.condition, *here))
    return Joined(join, joined.node, left, right), rest


def _of(term: Expression, relation: Relation) -> bool:
    return bool(referred(term)) and referred(term) <= produced(relation) and not subqueries(term)


def secured(joined: Joined, session: Session) -> Relation:
    """Trace the joins from the first to the last, adding the person equality where a declared link implies it."""
    if joined.left is None or joined.right is None or not isinstance(joined.relation, Join):
        return joined.relation
    left, right = secured(joined.left, session), secured(joined.right, session)
    join = replace(joined.relation, left=left, right=right)
    implied = _implied(join, session)
    if implied is not None:
        one, other = implied
        session.note(
            f"added {session.spoken[one.id]} = {session.spoken[other.id]}, which the declared link between the "
            "tables implies"
        )
        equality = functions.call(predicates.EQUAL, Ref(one), Ref(other))
        join = replace(join, condition=functions.conjunction(join.condition, equality))
    session.traits(join, joined.node)
    return join


def _implied(join: Join, session: Session) -> tuple[Column, Column] | None:
    """Return the unit keys of both sides where ON follows a declared link and does not equate them itself."""
    left, right = session.tracing.of(join.left), session.tracing.of(join.right)
    if not left.unit_keys or not right.unit_keys:
        return None
    if predicates.across(join.condition, left.unit_keys, right.unit_keys):
        return None
    pairs = {frozenset((one.id, other.id)) for one, other in predicates.equalities(join.condition)}
    for one in left.instances:
        for other in right.instances:
            if _follows(one, other, pairs, session) or _follows(other, one, pairs, session):
                keys = (_key(one, join.left, session), _key(other, join.right, session))
                if keys[0] and keys[1] and keys[0].id in left.unit_keys and keys[1].id in right.unit_keys:
                    return keys[0], keys[1]
    return None


def _follows(source: Instance, target: Instance, pairs: Iterable[frozenset[int]], session: Session) -> bool:
    for link in session.catalogue.tables[source.table].links:
        if link.target == target.table and all(
            here in source.columns
            and there in target.columns
            and frozenset((source.columns[here], target.columns[there])) in pairs
            for here, there in zip(link.columns, link.target_columns, strict=True)
        ):
            return True
    return False


def _key(instance: Instance, relation: Relation, session: Session) -> Column | None:
    unit = session.catalogue.tables[instance.table].unit
    wanted = None if unit is None else instance.columns.get(unit)
    return next((column for column in relation.columns if column.id == wanted), None)
