"""The traits of plans, each node by its rule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tre.sql.plan import Relation
from tre.sql.tracing.traits import Status, Traits


class Tracing:
    """The traits of the nodes of plans, each computed once."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Relation, Traits]] = {}

    def of(self, relation: Relation) -> Traits:
        """Return the traits of `relation`; Broken where a rule refuses it."""
        found = self._known.get(id(relation))
        if found is None:
            found = (relation, settled(RULES[type(relation)](relation, self)))
            self._known[id(relation)] = found  # the node is kept, so its id stays its own
        return found[1]


Rule = Callable[[Any, Tracing], Traits]
RULES: dict[type[Relation], Rule] = {}
"""The rule of each node, looked up when it is used, so that a test can break one."""


def settled(traits: Traits) -> Traits:
    """A unit that identifies its row has one row at most, whatever the caps below allowed."""
    if traits.status is Status.UNIT_KEYED and one_row_per_unit(traits):
        return replace(traits, rows_per_unit=min(1, traits.rows_per_unit), typical_rows=1)
    return traits


def one_row_per_unit(traits: Traits) -> bool:
    """Say whether declared uniqueness leaves a unit one row at most (PRIVACY §2 "Dependencies")."""
    return traits.dependencies.unique_on_any(traits.unit_keys)
