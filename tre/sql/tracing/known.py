"""Group keys known from public tables (PRIVACY §3.5)."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, floor

from tre.catalogue import Kind
from tre.sql import functions, predicates
from tre.sql.plan import Column, Distinct, Expression, Filter, Join, Project, PublicKeys, Ref, Relation
from tre.sql.prune import pruned
from tre.sql.tracing.sides import Side
from tre.sql.tracing.traits import Known
from tre.sql.walk import outer, referred, subqueries


def domains(node: Join, public: Side, private: Side) -> dict[int, Known]:
    """A public table's column can only have the values that the public table has, as far as public facts filter it."""
    if outer(public.relation):
        return {}
    terms = [term for term in predicates.conjuncts(node.condition) if _about(term, public.ids)]
    terms += [
        among
        for own, theirs in predicates.across(node.condition, public.ids, private.ids)
        if (among := _among(own, theirs)) is not None
    ]
    relation = public.relation if not terms else Filter(public.relation, functions.conjunction(*terms))
    renamed = {old.id: new.id for new, old in node.nulled}
    return {renamed.get(column.id, column.id): (relation, column) for column in public.relation.columns}


def _about(term: Expression, ids: frozenset[int]) -> bool:
    return bool(referred(term)) and referred(term) <= ids and not subqueries(term)


def _among(own: Column, theirs: Column) -> Expression | None:
    domain = theirs.facts.domain
    if not isinstance(domain, tuple):
        return None
    return functions.call("in", Ref(own), *(functions.literal(value) for value in domain))


def values_of(known: Known) -> PublicKeys:
    """Return the distinct values that a column of a public relation has."""
    relation, column = known
    return PublicKeys(pruned(Distinct(Project(relation, ((column, Ref(column)),)))))


_LONGEST_LATTICE = 100_000


def lattice(column: Column) -> range | None:
    """Return every value that a bounded whole number can take by its declared bounds and grid, such as decades."""
    facts = column.facts
    if column.type.kind is not Kind.INTEGER or facts.interval is None or not facts.granularity:
        return None
    step = facts.granularity
    first, last = ceil(facts.interval.low / step), floor(facts.interval.high / step)
    if step.denominator != 1 or last - first >= _LONGEST_LATTICE:
        return None
    return range(first * int(step), last * int(step) + 1, int(step))


def most_values(column: Column, rows_of: Callable[[Relation], int]) -> int | None:
    """Return how many values a group key can have by public facts, NULL included; None: they are unknown."""
    domain = lattice(column) if column.facts.domain is None else column.facts.domain
    if domain is None:
        return None
    count = rows_of(domain.relation) if isinstance(domain, PublicKeys) else len(domain)
    return count + column.facts.nullable
