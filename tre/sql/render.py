"""From a plan to text for an engine: generated throughout, names and comments of the asker dropped.

Each closed subplan becomes a common table expression of its own name, a shared one only once; columns are c1, c2, …;
what a scan declares is enforced where the table is read (PRIVACY §1 "Declared, enforced, never inferred").
"""

from __future__ import annotations

from collections.abc import Mapping

from tre.base.statement import Statement
from tre.catalogue import Kind
from tre.sql.functions import rendering
from tre.sql.plan import (
    Parameter,
    Relation,
    Released,
    Scan,
    UnitCounts,
)
from tre.sql.walk import expressions, inputs, relations, subexpressions, subqueries
from tre.sql.writing import Writer, indented

Names = Mapping[int, str]


def render(relation: Relation, dialect: str = "duckdb") -> Statement:
    """Return the statement that yields the columns of `relation`, called c1, c2, … in their order.

    Raises ValueError for a PrivateAggregate: it has no exact meaning outside the mechanism.
    """
    writer = Writer(dialect, _shared(relation))
    columns = tuple(f"c{place}" for place in range(1, len(relation.columns) + 1))
    text = writer.select(relation, {}, columns)
    ctes = ",\n".join(f"{name} AS {how} (\n{indented(body)}\n)" for name, how, body in writer.ctes)
    return Statement(
        sql=(f"WITH {ctes}\n" if ctes else "") + (_typed(relation, text) if dialect == "postgres" else text),
        parameters=parameters_of(relation),
        dialect=dialect,
        tables=tables_of(relation),
        columns=columns,
    )


def _typed(relation: Relation, text: str) -> str:
    """PostgreSQL forgets on the way how many places a decimal has, and the type of a result must not depend on rows."""
    types = [column.type for column in relation.columns]
    if all(type_.kind is not Kind.DECIMAL for type_ in types):
        return text
    listed = ", ".join(
        f"CAST(c{place} AS {rendering.type_name(type_)}) AS c{place}" if type_.kind is Kind.DECIMAL else f"c{place}"
        for place, type_ in enumerate(types, 1)
    )
    return f"SELECT {listed}\nFROM (\n{indented(text)}\n) AS typed"


def tables_of(relation: Relation) -> tuple[str, ...]:
    """Return the names of the tables that a plan reads, inputs of released values included."""
    names = {node.table.name for node in relations(relation) if isinstance(node, Scan | UnitCounts)}
    names |= {node.name for node in relations(relation) if isinstance(node, Released)}
    return tuple(sorted(names))


def parameters_of(relation: Relation) -> tuple[str, ...]:
    """Return the names of the values that the plan expects when it runs."""
    found = {
        part.name
        for node in relations(relation)
        for expression in expressions(node)
        for part in subexpressions(expression)
        if isinstance(part, Parameter)
    }
    return tuple(sorted(found))


def _shared(relation: Relation) -> frozenset[int]:
    """Return the identities of nodes that stand in more than one place."""
    places: dict[int, int] = {}

    def visit(node: Relation) -> None:
        places[id(node)] = places.get(id(node), 0) + 1
        if places[id(node)] == 1:
            for below in (*inputs(node), *(one.relation for part in expressions(node) for one in subqueries(part))):
                visit(below)

    visit(relation)
    return frozenset(node for node, count in places.items() if count > 1)
