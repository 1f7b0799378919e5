"""The two sides of a join: what its condition says of each."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from tre.sql import predicates
from tre.sql.plan import Join, Relation
from tre.sql.tracing.tracer import Tracing
from tre.sql.tracing.traits import Traits
from tre.sql.walk import produced


@dataclass(frozen=True)
class Side:
    """One side of a join: its relation and traits, its columns equated with the other's, those fixed to a literal."""

    relation: Relation
    traits: Traits
    equated: frozenset[int]
    fixed: frozenset[int]

    @property
    def ids(self) -> frozenset[int]:
        """The ids of the side's columns."""
        return produced(self.relation)

    @cached_property
    def looked_up(self) -> bool:
        """Whether at most one row of this side matches a row of the other, by declared uniqueness."""
        return self.traits.dependencies.unique_on(self.equated | self.fixed)

    def fan(self, count: int) -> int:
        """Return how many rows of this side may match one row of the other, of `count` that there are."""
        if self.looked_up:
            return min(1, count)
        return min([count, *(self.traits.fans[one] for one in self.equated | self.fixed if one in self.traits.fans)])


def sides(node: Join, tracing: Tracing) -> tuple[Side, Side]:
    """Return both sides with what the condition says of each."""
    ids = (produced(node.left), produced(node.right))
    pairs = predicates.across(node.condition, *ids)
    constants = frozenset(
        column.id for term in predicates.conjuncts(node.condition) if (column := predicates.fixed(term))
    )
    left, right = (frozenset(pair[place].id for pair in pairs) for place in (0, 1))
    return (
        Side(node.left, tracing.of(node.left), left, constants & ids[0]),
        Side(node.right, tracing.of(node.right), right, constants & ids[1]),
    )
