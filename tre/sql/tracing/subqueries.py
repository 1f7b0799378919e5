"""The rules of [NOT] EXISTS and IN: what a subquery may see from inside a row (PRIVACY §2)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from tre.base.reasons import sql_private as reasons
from tre.sql.plan import Exists, Expression, Relation, Scan
from tre.sql.tracing.tracer import Tracing
from tre.sql.tracing.traits import Broken, Status, Traits
from tre.sql.walk import inputs, subqueries


def with_subqueries(traits: Traits, found: Iterable[Expression], tracing: Tracing) -> Traits:
    """Apply the rule of [NOT] EXISTS to every subquery in expressions over a relation with `traits`."""
    for expression in found:
        for subquery in subqueries(expression):
            try:
                traits = RULES_OF_SUBQUERIES[tracing.of(subquery.relation).status](traits, subquery, tracing)
            except Broken as broken:
                broken.subquery = broken.subquery or subquery.relation
                raise
    return traits


def over_public(traits: Traits, subquery: Exists, tracing: Tracing) -> Traits:
    """A subquery over public tables may be tied by anything."""
    inexact = tracing.of(subquery.relation).inexact
    if inexact and traits.status is Status.UNIT_KEYED:
        raise Broken(reasons.SUM_OF_DOUBLES, function="SUM")
    return replace(traits, inexact=traits.inexact or inexact)


def over_units(traits: Traits, subquery: Exists, tracing: Tracing) -> Traits:
    """A subquery over persons' rows sees the rows of the person around it alone."""
    inner = tracing.of(subquery.relation)
    around = traits.unit_keys | traits.tied
    if traits.status is not Status.UNIT_KEYED:
        raise Broken(reasons.SUBQUERY_OUTSIDE)
    if not inner.tied & around:
        raise Broken(reasons.SUBQUERY_UNTIED, min(inner.unit_keys, default=None), min(traits.unit_keys, default=None))
    return traits


def over_attributes(_traits: Traits, subquery: Exists, _tracing: Tracing) -> Traits:
    """Attribute tables are looked up by joins alone."""
    raise attribute_alone(subquery.relation)


def over_released(traits: Traits, subquery: Exists, tracing: Tracing) -> Traits:
    """What is released before is public to persons' rows; over public rows the answer is itself a release."""
    found = over_public(traits, subquery, tracing)
    return replace(found, status=Status.RELEASED) if found.status is Status.PUBLIC else found


RULES_OF_SUBQUERIES: dict[Status, Callable[[Traits, Exists, Tracing], Traits]] = {
    Status.PUBLIC: lambda *given: over_public(*given),
    Status.UNIT_KEYED: lambda *given: over_units(*given),
    Status.ATTRIBUTE: lambda *given: over_attributes(*given),
    Status.RELEASED: lambda *given: over_released(*given),
}


def attribute_alone(relation: Relation) -> Broken:
    """Return the refusal of an attribute table that no person's row leads to."""
    node = relation
    while not isinstance(node, Scan):
        node = inputs(node)[0]
    key = ", ".join(sorted(min(node.table.unique, key=sorted, default=frozenset({"its key"}))))
    return Broken(reasons.ATTRIBUTE_ALONE, name=node.table.name, key=key)
