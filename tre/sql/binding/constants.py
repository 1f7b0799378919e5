"""Rows that a text states itself: SELECT without FROM, UNION ALL of such, VALUES."""

from __future__ import annotations

from collections.abc import Sequence

from tre.sql import functions
from tre.sql.binding.scope import Bound
from tre.sql.binding.session import Session
from tre.sql.plan import Listed, Literal, Project, Relation

Rows = tuple[tuple[Literal, ...], ...]


def stated(bound: Bound) -> Rows | None:
    """Return the rows of `bound` where it consists of constants alone."""
    relation: Relation = bound.relation
    if isinstance(relation, Listed):
        places = {column.id: place for place, column in enumerate(relation.columns)}
        if not all(column.id in places for _, column in bound.visible):
            return None
        return tuple(tuple(row[places[column.id]] for _, column in bound.visible) for row in relation.rows)
    if not isinstance(relation, Project) or relation.input != Listed((), ((),)):
        return None
    row = tuple(one for _, one in relation.outputs if isinstance(one, Literal))
    return (row,) if len(row) == len(relation.outputs) == len(bound.visible) else None


def table(names: Sequence[str], rows: Rows, session: Session) -> Bound:
    """Return constant rows as a relation, each column in the common type of its values; raise Refused where none is."""
    columns, values = [], []
    for name, *given in zip(names, *rows, strict=True):
        *others, last = given
        if others:
            either = functions.case([(functions.true(), one) for one in others], last)
            found, facts = (*(one for _, one in either.branches), either.otherwise), either.facts
        else:
            found, facts = (last,), last.facts
        columns.append(session.column(name, found[0].type, facts))
        values.append([one for one in found if isinstance(one, Literal)])
    made = Listed(tuple(columns), tuple(zip(*values, strict=True)))
    return Bound(made, tuple(zip(names, made.columns, strict=True)))
