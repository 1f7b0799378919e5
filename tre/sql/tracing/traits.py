"""What may be said about a relation, from declarations alone (PRIVACY §2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from tre.base.reasons import Reason
from tre.sql.dependencies import Dependencies
from tre.sql.plan import Column, Relation

MOST = 2**63 - 1
"""Worst cases saturate here: every limit lies below."""


Known = tuple[Relation, Column]
"""A column of a public relation."""


class Status(StrEnum):
    """The four kinds of relation of PRIVACY §2; anything else is refused."""

    PUBLIC = "public"
    UNIT_KEYED = "unit-keyed"
    ATTRIBUTE = "attribute"
    RELEASED = "released"


@dataclass(frozen=True, slots=True)
class Instance:
    """One scan of a declared table seen from above: the ids that its columns have now, by name."""

    table: str
    columns: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Traits:
    """The traits of a relation; columns are ids.

    `unit_keys` are the bare, never-NULL copies of the unit key; `echoes` equal the unit key or are NULL (the key
    of a nullable side). `tied` are columns of enclosing queries that equal the unit key in every row. From the
    columns `identifying` a unit key could be read: they never leave. `known` says which column of which public relation
    has every value that a column of a public table can have here. `rows_per_unit` (unit-keyed only) and `rows` are
    worst cases; `typical_rows` the declared contribution bound carried through joins, None where undeclared. `fans`:
    the most public rows with one value of a column. `inexact` public rows hold sums of doubles, which may differ from
    run to run.
    """

    status: Status
    dependencies: Dependencies = field(default_factory=Dependencies)
    unit_keys: frozenset[int] = frozenset()
    echoes: frozenset[int] = frozenset()
    tied: frozenset[int] = frozenset()
    identifying: frozenset[int] = frozenset()
    known: Mapping[int, Known] = field(default_factory=lambda: MappingProxyType({}))
    instances: tuple[Instance, ...] = ()
    rows_per_unit: int = 0
    typical_rows: int | None = None
    rows: int = 0
    fans: Mapping[int, int] = field(default_factory=lambda: MappingProxyType({}))
    inexact: bool = False


class Broken(Exception):  # noqa: N818 - becomes a refusal once the binder has added place and names
    """A rule does not hold. `left` and `right` are the columns that the remedy names, where it names any.

    `subquery` is the relation of the subquery whose fault it is, where that is not the whole.
    """

    def __init__(self, reason: Reason, left: int | None = None, right: int | None = None, **values: str) -> None:
        self.reason, self.left, self.right, self.values = reason, left, right, values
        self.subquery: Relation | None = None
        super().__init__(reason.code)


def times(one: int, other: int) -> int:
    """Multiply, saturating."""
    return min(MOST, one * other)


def plus(one: int, other: int) -> int:
    """Add, saturating."""
    return min(MOST, one + other)
