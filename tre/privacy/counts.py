"""Where a version knows the rows of each unit: it kept them when it was made (`tre.catalogue.SIDE_SCHEMA`)."""

from __future__ import annotations

from dataclasses import replace

from tre.catalogue import Access
from tre.privacy.choosing import Fresh
from tre.sql.enforce import capped
from tre.sql.plan import Column, Filter, Join, JoinKind, Project, Relation, Scan, UnitCounts
from tre.sql.walk import referred


def kept_counts(relation: Relation) -> Scan | None:
    """Return the scan whose rows of each unit the version keeps, where `relation` is one, whatever its columns."""
    while isinstance(relation, Project):
        relation = relation.input
    if not isinstance(relation, Scan) or relation.table.access is not Access.PRIVATE or capped(relation.table):
        return None
    return relation if relation.table.counts_kept else None


def units_once(relation: Relation, used: frozenset[int], fresh: Fresh) -> Relation:
    """Return the same distinct values of the columns `used`, from fewer rows where the version knows the units.

    A scan of which nothing but the unit is used yields each unit as often as it has rows; its kept counts, once. A
    filter, a projection and an inner join give the same distinct rows whichever of the two they read.
    """
    if isinstance(relation, Filter):
        return replace(relation, input=units_once(relation.input, used | referred(relation.condition), fresh))
    if isinstance(relation, Project):
        outputs = tuple(output for output in relation.outputs if output[0].id in used)
        below = frozenset[int]().union(*(referred(expression) for _, expression in outputs))
        return Project(units_once(relation.input, below, fresh), outputs)
    if isinstance(relation, Join) and relation.kind is JoinKind.INNER:
        used = used | referred(relation.condition)
        left, right = (units_once(side, used, fresh) for side in (relation.left, relation.right))
        return replace(relation, left=left, right=right)
    scan = kept_counts(relation)
    unit = _unit_alone(scan, used) if scan else None
    return UnitCounts(scan.table, (unit, fresh.column("rows", nullable=False))) if scan and unit else relation


def _unit_alone(scan: Scan, used: frozenset[int]) -> Column | None:
    """Return the unit's column of a scan of which no other is used."""
    asked = [column for column in scan.columns if column.id in used]
    return asked[0] if [column.origin and column.origin.column for column in asked] == [scan.table.unit] else None
