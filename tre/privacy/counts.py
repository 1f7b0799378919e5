"""Where a version knows the rows of each unit: it kept them when it was made (`tre.catalogue.SIDE_SCHEMA`)."""

from __future__ import annotations

from tre.catalogue import Access
from tre.sql.enforce import capped
from tre.sql.plan import Project, Relation, Scan


def kept_counts(relation: Relation) -> Scan | None:
    """Return the scan whose rows of each unit the version keeps, where `relation` is one, whatever its columns."""
    while isinstance(relation, Project):
        relation = relation.input
    if not isinstance(relation, Scan) or relation.table.access is not Access.PRIVATE or capped(relation.table):
        return None
    return relation if relation.table.counts_kept else None
