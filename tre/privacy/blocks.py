"""A private plan as types: what a block measures (its shape), at which price, and the whole of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from types import MappingProxyType

from tre.base.cost import Cost
from tre.base.passage import Key
from tre.privacy.mechanisms import Mechanism
from tre.privacy.parts import Output, Part
from tre.privacy.quantiles import most_cells
from tre.privacy.request import Ask, Rules
from tre.sql.plan import PrivateAggregate, Query, Relation, Released


@dataclass(frozen=True, slots=True)
class Shape:
    """What a block measures, whatever the price: the question that draws answer (PRIVACY §4).

    `keys` are all groups in key order (None: unknown), `groups` is l0; `relation` computes the exact partials,
    with the released tables named in `inputs`; `names` is what people call each asked aggregate; `units`, `people` and
    `clipped` name the supporting parts: people by group, and those of whom so many are clipped. `first` is what tells
    l0 where that is automatic; until its release is known the shape is `open`, and `groups` the most that may be told.
    """

    source: PrivateAggregate
    name: str
    keys: tuple[Key, ...] | None
    groups: int
    parts: tuple[Part, ...]
    weights: Mapping[str, Fraction]
    outputs: tuple[Output, ...]
    names: Mapping[int, str]
    units: str | None
    people: str | None
    clipped: str | None
    minimum_group: int | None
    relation: Relation
    inputs: tuple[str, ...]
    question: str
    first: Shape | None = None
    open: bool = False

    def part(self, name: str) -> Part:
        """Return the part of that name."""
        return next(part for part in self.parts if part.name == name)

    def cells(self, part: Part) -> int:
        """Return in how many cells of `part` one unit's change may lie: one a level in each of its groups.

        In each of them it is at most the sensitivity, and so is the sum over a level of a group. What a whole part
        changes in all of its cells together is at most the sensitivity: as much as one cell.
        """
        return part.levels * (1 if part.whole else self.groups)

    @property
    def released(self) -> Released:
        """The table that stands in the block's place once it is released."""
        return Released(self.name, self.source.columns)


@dataclass(frozen=True, slots=True)
class Block:
    """A shape at a price: the noise of one draw. `threshold` is None where the keys are known or released before."""

    shape: Shape
    cost: Cost
    mechanisms: Mapping[str, Mechanism]
    threshold: int | None


@dataclass(frozen=True, slots=True)
class Bound:
    """What is clipped to what, and who says so."""

    of: str
    value: str
    source: str


@dataclass(frozen=True, slots=True)
class PrivatePlan:
    """How a query will be answered, and at which price; a function of request, policy and public facts alone.

    `rules` are those kept, for `ask`; `bounds` says per output what was clipped, `sourced` besides who says so;
    `errors` the half-width of the 95 % interval per output name (None: not known beforehand), and `notes` what is
    said of it. `most` is what a pilot and its second step may cost together, None of other plans. `steps` are the first
    steps of blocks, by question.
    """

    query: Query
    ask: Ask
    rules: Rules
    blocks: tuple[Block, ...]
    cost: Cost
    bounds: Mapping[str, Mapping[str, str]]
    errors: Mapping[str, float | None]
    most: Cost | None = None
    notes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    sourced: Mapping[str, tuple[Bound, ...]] = field(default_factory=lambda: MappingProxyType({}))
    steps: Mapping[str, Block] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def measured(self) -> tuple[Block, ...]:
        """The blocks that are measured: of those that ask one question the first; its release serves them all.

        The first step of a block comes before it.
        """
        found: dict[str, Block] = {}
        for block in self.blocks:
            if (first := block.shape.first) is not None:
                found.setdefault(first.question, self.steps[first.question])
            found.setdefault(block.shape.question, block)
        return tuple(found.values())

    def released_before(self, shape: Shape) -> tuple[str, ...]:
        """The questions on whose releases a shape rests: those whose rows it reads, and its own first step."""
        read = tuple(self.named(name).shape.question for name in shape.inputs)
        return read if shape.first is None else (*read, shape.first.question)

    def named(self, name: str) -> Block:
        """Return the block whose released table has that name."""
        return next(block for block in self.blocks if block.shape.name == name)

    @property
    def searched(self) -> int:
        """The most cells that its searches for quantiles draw noise for: time that the engine does not take."""
        shapes = [block.shape for block in self.measured]
        known = [(one, None if one.keys is None else len(one.keys)) for one in shapes]
        return sum(most_cells(part, groups) for one, groups in known for part in one.parts)
