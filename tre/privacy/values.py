"""What is counted of values: COUNT(DISTINCT x), and how the rows of a quantile lie on its grid (PRIVACY §3.2, §3.7).

At most m values, or m rows, of a unit and group are kept, by keyed mix; what is kept is then counted. One unit more
or less changes the number of distinct values of a group by at most m, and of the rows on its grid at most m, in at
most l0 groups. Neither is a sum of what units add, so each has a relation of its own, looked up by the groups of the
sums.
"""

from __future__ import annotations

from collections.abc import Sequence

from tre.privacy.choosing import Fresh, chosen, order_of, unit_and_keys
from tre.privacy.parts import Part, PartKind
from tre.sql import functions
from tre.sql.plan import (
    Aggregate,
    Aggregated,
    Aggregation,
    Column,
    Expression,
    Filter,
    Join,
    JoinKind,
    Keep,
    PrivateAggregate,
    Project,
    Ref,
    Relation,
)


def counting(part: Part) -> Aggregation:
    """Return how values are counted: once each, or how often each stands."""
    return Aggregation.HISTOGRAM if part.kind is PartKind.RANKED else Aggregation.COUNT_DISTINCT


def values_counted(block: PrivateAggregate, part: Part, value: Expression, cut: int | None, fresh: Fresh) -> Aggregate:
    """Return, by group, the count of `value`; `cut` is l0 where units must be cut to it.

    Of rows with equal values of one person it makes no difference which are kept.
    """
    count = fresh.column(part.name)
    if part.proven and cut is None:
        return Aggregate(block.input, block.keys, (Aggregated(count, counting(part), value, part.where),))
    by, column = unit_and_keys(block, fresh), _column_of(value, fresh)
    rows, columns = _having_value(block, part, value), (*by, (column, value))
    kept: Relation = Project(rows, columns) if part.kind is PartKind.RANKED else Aggregate(rows, columns, ())
    unit, *keys = (column for column, _ in by)
    if not part.proven:
        kept = Keep(kept, tuple(Ref(column) for column in (unit, *keys)), order_of(unit, [*keys, column]), part.cap)
    if cut is not None:
        kept = _in_chosen_groups(block, kept, (unit, *keys), cut, fresh)
    outer = tuple((column, Ref(inner)) for (column, _), inner in zip(block.keys, keys, strict=True))
    return Aggregate(kept, outer, (Aggregated(count, counting(part), Ref(column)),))


def beside(sums: Aggregate, counted: Sequence[Aggregate], order: Sequence[str], fresh: Fresh) -> Relation:
    """Return the groups of `sums` with their counts of values, columns in the `order` of the parts.

    Every group of a count is one of the sums, which are over the same rows, chosen alike.
    """
    if not counted:
        return sums
    keys = [column for column, _ in sums.keys]
    found: Relation = sums
    for one in counted:
        found = _looked_up(found, keys, one, fresh)
    parts = {column.name: column for column in found.columns[len(keys) :]}
    outputs = [*keys, *(parts[name] for name in order)]
    return Project(found, tuple((column, Ref(column)) for column in outputs))


def _looked_up(found: Relation, keys: Sequence[Column], counted: Aggregate, fresh: Fresh) -> Join:
    renamed = Project(counted, tuple((fresh.like(column), Ref(column)) for column in counted.columns))
    condition = _alike(keys, renamed.columns[: len(keys)])
    nulled = tuple((fresh.like(column, nullable=True), column) for column in renamed.columns)
    return Join(JoinKind.LEFT, found, renamed, condition, nulled)


def _in_chosen_groups(block: PrivateAggregate, kept: Relation, by: Sequence[Column], cut: int, fresh: Fresh) -> Join:
    """Return the values in the groups of each unit that count: those that its sums are taken in."""
    groups = unit_and_keys(block, fresh)
    unit, *keys = (column for column, _ in groups)
    counting = chosen(Aggregate(block.input, groups, ()), unit, keys, cut)
    return Join(JoinKind.INNER, kept, counting, _alike(by, (unit, *keys)))


def _alike(left: Sequence[Column], right: Sequence[Column]) -> Expression:
    pairs = zip(left, right, strict=True)
    return functions.conjunction(*(functions.call("is_not_distinct", Ref(one), Ref(other)) for one, other in pairs))


def _having_value(block: PrivateAggregate, part: Part, value: Expression) -> Filter:
    known = functions.call("not", functions.call("is_null", value))
    return Filter(block.input, known if part.where is None else functions.conjunction(part.where, known))


def _column_of(value: Expression, fresh: Fresh) -> Column:
    return fresh.like(Column(0, "value", value.type, value.facts))
