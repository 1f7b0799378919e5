"""Work is bounded before it runs: worst cases from declared caps and lengths alone (PRIVACY §3.9)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tre.base.facts import fact
from tre.base.reasons import Reason, Refusal
from tre.base.reasons import sql_private as reasons
from tre.catalogue import Kind
from tre.sql import predicates
from tre.sql.plan import Exists, Expression, Filter, Relation
from tre.sql.tracing import Status, Tracing, Traits
from tre.sql.tracing.traits import times
from tre.sql.walk import expressions, produced, referred, relations, subexpressions, subqueries

MOST_TEXT = 1_000_000
"""Characters that one value may grow to, unless a caller says otherwise."""


@dataclass(frozen=True, slots=True)
class Worst:
    """The worst case of a plan: rows of one person and rows in all of any node, characters of any text."""

    rows_of_one: int
    rows: int
    length: int


def refusals_for(
    root: Relation, most_rows_per_unit: int, most_rows: int, most_text: int = MOST_TEXT
) -> tuple[Refusal, ...]:
    """Return why a plan's worst case exceeds the limits: rows of one person, rows in all, characters of a text."""
    found, most = [], worst(root)
    if most.rows_of_one > most_rows_per_unit:
        found.append(_too_much(reasons.TOO_MUCH_WORK, most.rows_of_one, most_rows_per_unit, of="for one person"))
    if most.rows > most_rows:
        found.append(_too_much(reasons.TOO_MUCH_WORK, most.rows, most_rows, of="in all"))
    if most.length > most_text:
        values = {"length": f"{most.length:,}", "limit": f"{most_text:,}"}
        found.append(Refusal(reasons.TOO_MUCH_TEXT, values))
    return tuple(found)


@fact
def worst(root: Relation) -> Worst:
    """Return the worst case of a plan, by declarations alone."""
    tracing, nodes = Tracing(), relations(root)
    return Worst(
        max((_per_unit(node, tracing) for node in nodes), default=0),
        max((_rows(node, tracing) for node in nodes), default=0),
        max(_lengths(nodes), default=0),
    )


def _too_much(why: Reason, rows: int, limit: int, of: str) -> Refusal:
    return Refusal(why, {"rows": f"{rows:,}", "limit": f"{limit:,}", "of": of})


def _per_unit(node: Relation, tracing: Tracing) -> int:
    traits = tracing.of(node)
    if traits.status is not Status.UNIT_KEYED:
        return 0
    return _with_subqueries(node, traits.rows_per_unit, tracing)


def _rows(node: Relation, tracing: Tracing) -> int:
    return _with_subqueries(node, tracing.of(node).rows, tracing)


def _with_subqueries(node: Relation, rows: int, tracing: Tracing) -> int:
    """A subquery that is tied by equalities alone is one hashed look-up a row; any other may be one pass a row."""
    most = rows
    for expression in expressions(node):
        for subquery in subqueries(expression):
            if not hashed(subquery):
                most = max(most, times(rows, _passes(tracing.of(subquery.relation))))
    return most


def _passes(traits: Traits) -> int:
    return max(1, traits.rows_per_unit if traits.status is Status.UNIT_KEYED else traits.rows)


def hashed(subquery: Exists) -> bool:
    """Say whether everything by which a subquery refers to the query around it is an equality at its top level."""
    nodes = relations(subquery.relation)
    inside = frozenset[int]().union(*map(produced, nodes))
    for node in nodes:
        for expression in expressions(node):
            for term in predicates.conjuncts(expression) if isinstance(node, Filter) else (expression,):
                if not referred(term) <= inside and not _one_equality(term, inside):
                    return False
    return True


def _one_equality(term: Expression, inside: frozenset[int]) -> bool:
    sides = predicates.operands_of_equality(term)
    return sides is not None and any(
        referred(one) <= inside and not referred(other) & inside for one, other in (sides, sides[::-1])
    )


def _lengths(nodes: Iterable[Relation]) -> Iterator[int]:
    for node in nodes:
        for expression in expressions(node):
            for part in subexpressions(expression):
                if part.type.kind is Kind.TEXT and part.facts.max_length is not None:
                    yield part.facts.max_length
