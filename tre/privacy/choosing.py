"""Which of a unit's groups and values count where there are too many: those of lowest keyed mix (PRIVACY §3.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count

from tre.catalogue import Kind, Type
from tre.sql import functions
from tre.sql.plan import Column, Expression, Facts, Keep, Parameter, PrivateAggregate, Ref, Relation

SECRET = "secret"  # noqa: S105 - a name
"""The name of the bound parameter that keys the choice. Privacy does not rest on it."""

INTEGER = Type(Kind.INTEGER)


@dataclass
class Fresh:
    """Columns with ids that the plan does not use yet."""

    ids: count[int]

    def column(self, name: str, nullable: bool = True) -> Column:
        """Return a new column of whole numbers."""
        return Column(next(self.ids), name, INTEGER, Facts(nullable=nullable))

    def like(self, column: Column, nullable: bool = False) -> Column:
        """Return a new column for the values of another; `nullable` where it may be NULL besides."""
        facts = replace(column.facts, nullable=column.facts.nullable or nullable)
        return Column(next(self.ids), column.name, column.type, facts)


def unit_and_keys(block: PrivateAggregate, fresh: Fresh) -> tuple[tuple[Column, Expression], ...]:
    """Return new columns for the unit and for each group key of a block, with what they stand for."""
    keys = tuple((fresh.like(column), expression) for column, expression in block.keys)
    return ((fresh.like(block.unit), Ref(block.unit)), *keys)


def chosen(relation: Relation, unit: Column, keys: Sequence[Column], most: int, counted: Column | None = None) -> Keep:
    """Return the rows of the `most` groups of each unit that count: the same ones wherever the keys are the same."""
    return Keep(relation, (Ref(unit),), order_of(unit, keys), most, counted)


def order_of(unit: Column, columns: Sequence[Column]) -> tuple[Expression, ...]:
    """Return the order of the choice, total over `columns`: their mix with the unit, then they themselves."""
    refs = tuple(Ref(column) for column in columns)
    return (functions.call("keyed_mix", Parameter(SECRET, INTEGER), Ref(unit), *refs), *refs)
