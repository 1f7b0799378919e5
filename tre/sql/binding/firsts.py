"""DISTINCT ON: the first row of each partition, as a row number that is 1."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from tre.base.reasons import sql_private as reasons
from tre.catalogue import Interval
from tre.sql import functions, predicates
from tre.sql.binding.outcomes import COUNTED, INTEGER
from tre.sql.binding.session import Session
from tre.sql.binding.windows import in_total_order
from tre.sql.plan import Expression, Facts, Filter, Ref, Relation, Window, Windowed, WindowFunction
from tre.sql.tracing import Status, windows

Order = list[tuple[Expression, bool, bool]]


def first_rows(
    relation: Relation, on: list[Expression], order: Order, node: Any, session: Session, led: bool = True
) -> Relation:
    """Return the first row, by `order`, of the rows of `relation` that agree in `on`.

    ORDER BY begins with the expressions of DISTINCT ON, as in PostgreSQL (`led`).
    """
    if led and any(one not in on for one, _, _ in order[: len(on)]):
        raise session.refused(reasons.DISTINCT_ON, node)
    traits = session.traits(relation, node)
    if traits.status is Status.UNIT_KEYED and not windows.partitioned_by_unit(on, traits.unit_keys):
        raise session.refused(reasons.DISTINCT_ON_ACROSS, node, left=session.spoken[min(traits.unit_keys)])
    facts = Facts(False, Interval(Fraction(1), Fraction(max(1, traits.rows))), COUNTED.granularity)
    number = session.column("row_number", INTEGER, facts)
    ranked = Window(number, WindowFunction.ROW_NUMBER, (), tuple(on), tuple(order[len(on) if led else 0 :]))
    numbered = Windowed(relation, (in_total_order(ranked, relation.columns, traits),))
    session.traits(numbered, node)
    return Filter(numbered, functions.call(predicates.EQUAL, Ref(number), functions.literal(1)))
