"""Subqueries as values: each a relation of one row at most, by proof, joined to the rows that its value stands in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from tre.base.reasons import sql_private as reasons
from tre.sql import functions, predicates
from tre.sql.binding.scope import Bound
from tre.sql.binding.session import Session
from tre.sql.plan import Aggregate, Column, Expression, Join, JoinKind, PrivateAggregate, Project, Ref, Relation
from tre.sql.walk import outer, referred

if TYPE_CHECKING:
    from tre.sql.binding.tied import Lookup

Grouped = Callable[[Expression, Any], Expression]


@dataclass(slots=True)
class Scalars:
    """The values of subqueries at one level of a SELECT, while its expressions are bound."""

    session: Session
    waiting: list[tuple[exp.Expr, Relation]] = field(default_factory=list)
    lookups: list[tuple[exp.Expr, Lookup, tuple[tuple[Column, Column], ...]]] = field(default_factory=list)

    def value(self, node: exp.Expr, bound: Bound | Lookup) -> Expression:
        """Return the value of the subquery `node`; it is there once `attached` has joined it."""
        if not isinstance(bound, Bound):
            return self._looked_up(node, bound)
        if len(bound.visible) != 1:
            raise self.session.refused(reasons.ONE_COLUMN, node, width=str(len(bound.visible)))
        if outer(bound.relation):
            raise self.session.refused(reasons.SCALAR_CORRELATED, node)
        if not self.session.traits(bound.relation, node).dependencies.unique_on(()):
            raise self.session.refused(reasons.SCALAR_ROWS, node)
        _, column = bound.visible[0]
        renamed = self.session.renamed(column, column.name)
        if not _always(bound.relation):
            renamed = replace(renamed, facts=replace(renamed.facts, nullable=True))
        self.waiting.append((node, Project(bound.relation, ((renamed, Ref(column)),))))
        return Ref(renamed)

    def _looked_up(self, node: exp.Expr, found: Lookup) -> Expression:
        """Look the one row up by what it is tied by; the columns around are known once `attached` has them."""
        nulled = tuple(
            (self.session.column(one.name, one.type, replace(one.facts, nullable=True), one.origin), one)
            for one in found.relation.columns
        )
        self.lookups.append((node, found, nulled))
        return found.missing({old.id: Ref(new) for new, old in nulled})

    def attached(self, relation: Relation, grouped: Grouped | None = None) -> Relation:
        """Return `relation` with the columns of every value; a subquery without a row gives NULL.

        `grouped` turns what a subquery is tied by into what it is of a group, where the values stand over groups.
        """
        for node, one in self.waiting:
            relation = self._joined(relation, one)
            self.session.traits(relation, node)
        for node, found, nulled in self.lookups:
            ids = {column.id for column in relation.columns}
            ties = [(column, around if grouped is None else grouped(around, node)) for column, around in found.ties]
            if any(not referred(around) <= ids for _, around in ties):
                raise self.session.refused(reasons.SCALAR_CORRELATED, node)
            terms = (functions.call(predicates.EQUAL, Ref(column), around) for column, around in ties)
            relation = Join(JoinKind.LEFT, relation, found.relation, functions.conjunction(*terms), nulled)
            self.session.traits(relation, node)
        self.waiting.clear()
        self.lookups.clear()
        return relation

    def _joined(self, relation: Relation, one: Relation) -> Relation:
        everything = functions.literal(True)
        if _always(one):
            return Join(JoinKind.INNER, relation, one, everything)
        (column,) = one.columns
        inside: Column = self.session.renamed(column, column.name)
        renamed = Project(one, ((inside, Ref(column)),))
        return Join(JoinKind.LEFT, relation, renamed, everything, ((column, inside),))


def _always(relation: Relation) -> bool:
    """Say whether there is one row whatever the data are: an aggregate without groups."""
    while isinstance(relation, Project):
        relation = relation.input
    return isinstance(relation, Aggregate | PrivateAggregate) and not relation.keys
