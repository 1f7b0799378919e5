"""The neighbour oracle (PRIVACY §5): what a plan claims, held against the real engine before any noise.

For a plan and a data set every person is removed in turn, and everything that the privacy proof rests on is measured:
what one person changes in the exact vectors, how many rows one person has at each step, whether a person's rows
depend on others, whether declared dependencies and facts hold, and whether physical order leaves a trace.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from math import isfinite
from random import Random
from typing import Any

import pyarrow as pa

from tests.oracle.stage import FULL, LESS, SHUFFLED, Stage, partials, tuples
from tests.oracle.worlds import World
from tests.privacy.exact import NoNoise, telling
from tre.base.cost import Measure
from tre.base.passage import Key, Release
from tre.catalogue import Kind
from tre.privacy.above import standing_in
from tre.privacy.estimates import estimates
from tre.privacy.mechanisms import loss
from tre.privacy.parts import Part, PartKind
from tre.privacy.plan import Block, PrivatePlan, settled
from tre.privacy.release import release
from tre.privacy.released import inputs_of, released_table
from tre.sql.dependencies import Dependencies
from tre.sql.functions.intervals import outward
from tre.sql.plan import (
    Aggregate,
    Aggregated,
    Aggregation,
    Column,
    Expression,
    PrivateAggregate,
    Ref,
    Relation,
    Released,
    Scan,
)
from tre.sql.tracing import Broken, Status, Tracing
from tre.sql.walk import outer, relations

SLACK = 2.0**-50
"""Rounding to doubles may leave a bound by a unit in the last place; no sum relies on it there."""

Cells = dict[Any, int]
Vectors = dict[Key, tuple[Cells, ...]]
"""Per group and part the cells that noise is added to: one of most parts, one a level and half of a quantile's grid."""


@dataclass(frozen=True)
class Violation:
    """One promise that does not hold: which, and how it shows."""

    promise: str
    detail: str

    def __str__(self) -> str:
        return f"{self.promise}: {self.detail}"


class Oracle:
    """Holds plans against the worlds loaded into one engine."""

    def __init__(self, stage: Stage | None = None) -> None:
        self.stage = Stage() if stage is None else stage
        self.world: World | None = None

    def load(self, world: World, random: Random) -> None:
        """Load `world`, and the same rows in another order, clustered by person or not."""
        self.world = world
        self.stage.load(world, FULL)
        self.stage.load(world.clustered() if random.random() < 0.5 else world.shuffled(random), SHUFFLED)

    def violations(self, plan: PrivatePlan, steps: bool = True) -> list[Violation]:
        """Return every broken promise of `plan` on the loaded world; `steps` looks at every step as well."""
        assert self.world is not None
        try:
            return list(self._violations(plan, steps, self.world))
        except self.stage.errors as error:
            return [Violation("total", f"{type(error).__name__}: {str(error)[:300]}")]

    def _violations(self, plan: PrivatePlan, steps: bool, world: World) -> Iterator[Violation]:
        asked = {one.question for block in plan.blocks for one in (block.shape.first, block.shape) if one is not None}
        if sum(block.cost.amount for block in plan.measured) > plan.cost.amount or len(asked) != len(plan.measured):
            yield Violation("price", "the blocks cost more than the answer")
        before = Before(plan)
        for place in range(len(plan.measured)):
            before.plan = settled(plan, before.releases)
            block = before.plan.measured[place]
            inputs = inputs_of(block, before.plan, before.releases)
            whole = self.stage.run(block.shape.relation, FULL, inputs)
            if vectors(block, whole) != vectors(block, self.stage.run(block.shape.relation, SHUFFLED, inputs)):
                yield Violation("order", "another physical order gives another vector")
            yield from self._rows_of_one(block, before)
            for unit in world.people:
                self.stage.without(unit)
                less = self.stage.run(block.shape.relation, LESS, inputs)
                yield from neighbours(block, vectors(block, whole), vectors(block, less), unit)
                yield from leaving(block, whole, less)
            if steps:
                yield from self._steps(block, before, world)
            if block.shape.question in plan.steps:
                before.releases[block.shape.question] = telling(block)
            else:
                before.releases.setdefault(block.shape.question, release(block, partials(whole), NoNoise()))

    def _run(self, node: Relation, schema: str, before: Before) -> list[Any]:
        """Return the rows of a step, over what was released before it."""
        return tuples(self.stage.run(standing_in(node, before.tables), schema, before.inputs()))

    def _rows_of_one(self, block: Block, before: Before) -> Iterator[Violation]:
        source = block.shape.source
        counted = counting(source.input, source.unit)
        most = max((count for _, count in self._run(counted, FULL, before)), default=0)
        if most > source.rows_per_unit:
            yield Violation("rows", f"a person has {most} rows, claimed {source.rows_per_unit}")
        if source.one_row and most > 1:
            yield Violation("one row", f"a person has {most} rows")
        each = counting(source.input, source.unit, source.keys)
        alike = max((row[-1] for row in self._run(each, FULL, before)), default=0)
        if source.one_row_a_group and alike > 1:
            yield Violation("one row", f"a person has {alike} rows in a group")

    # --- every step of the plan -------------------------------------------------------------------------------

    def _steps(self, block: Block, before: Before, world: World) -> Iterator[Violation]:
        tracing, seen = Tracing(), set()
        for node in relations(block.shape.source.input):
            if id(node) in seen or outer(node) or isinstance(node, PrivateAggregate):
                continue
            seen.add(id(node))
            yield from self._step(node, tracing, before, world)

    def _step(self, node: Relation, tracing: Tracing, before: Before, world: World) -> Iterator[Violation]:
        try:
            traits = tracing.of(node)
        except Broken:  # pruning took what the rule needs
            return
        whole, name = self._run(node, FULL, before), type(node).__name__
        if plain(whole) != plain(self._run(node, SHUFFLED, before)):
            yield Violation("order", f"another physical order gives other rows of {name}")
        yield from facts(node.columns, whole)
        yield from dependencies(node.columns, whole, traits.dependencies)
        at = {column.id: place for place, column in enumerate(node.columns)}
        keys = [at[key] for key in traits.unit_keys if key in at]
        if len(whole) > traits.rows and not isinstance(node, Scan):
            yield Violation("work", f"{name} has {len(whole)} rows, claimed {traits.rows}")
        if traits.status is Status.UNIT_KEYED and keys:
            for unit in world.people[:3]:
                self.stage.without(unit)
                less = self._run(node, LESS, before)
                if plain([row for row in whole if row[keys[0]] != unit]) != plain(less):
                    yield Violation("own rows", f"rows of others in {name} changed with one person")
            yield from units_alone(name, whole, keys, traits.rows_per_unit)
        elif traits.status in (Status.PUBLIC, Status.RELEASED):
            self.stage.without(world.people[0] if world.people else 0)
            if plain(whole) != plain(self._run(node, LESS, before)):
                yield Violation("public", f"{name} depends on a person")


@dataclass
class Before:
    """What is released before a block of `plan` runs: held equal on both sides of every comparison (PRIVACY §5)."""

    plan: PrivatePlan
    releases: dict[str, Release] = field(default_factory=dict)

    @property
    def tables(self) -> dict[int, Released]:
        """The released table of each block, by the identity of its source."""
        return {id(one.shape.source): one.shape.released for one in self.plan.blocks}

    def inputs(self) -> dict[str, pa.Table]:
        """Return every table that there is by now."""
        there = [one for one in self.plan.blocks if one.shape.question in self.releases]
        return {one.shape.name: released_table(estimates(one, self.releases[one.shape.question])) for one in there}


def units_alone(name: str, whole: list[Any], keys: list[int], claimed: int) -> Iterator[Violation]:
    """A unit's rows are a function of that unit's rows and public tables alone (PRIVACY §2)."""
    if any(row[key] is None or row[key] != row[keys[0]] for row in whole for key in keys):
        yield Violation("unit key", f"{name} has a unit key that is NULL or another one's")
    counts = Counter(row[keys[0]] for row in whole)
    if counts and max(counts.values()) > claimed:
        yield Violation("work", f"{name} has {max(counts.values())} rows of one person, claimed {claimed}")


def vectors(block: Block, table: pa.Table) -> Vectors:
    """Return the exact vectors by group, cells as the engine gave them; an empty sum is 0."""
    width, rows, parts = len(block.shape.source.keys), tuples(table), block.shape.parts
    found = {row[:width]: tuple(map(cells, parts, row[width:])) for row in rows}
    assert len(found) == len(rows), "a group stands twice"
    return found


def cells(part: Part, given: Any) -> Cells:
    """Return every cell of a part in one group; rows on a grid are counted on every level of its halves."""
    if part.kind is not PartKind.RANKED:
        return {0: given or 0}
    found: Counter[Any] = Counter()
    for candidate, rows in given or ():
        for level in range(1, part.levels + 1):
            found[level, candidate >> (part.levels - level)] += rows
    return dict(found)


def outside(part: Part, found: Cells) -> list[Any]:
    """Return the cells that a search of the grid would not look at."""
    return [] if part.kind is not PartKind.RANKED else [one for one in found if not 0 <= one[1] < 2 ** one[0]]


def leaving(block: Block, whole: pa.Table, less: pa.Table) -> Iterator[Violation]:
    """The rows that leave are those of the known keys, whoever is missing, with the same columns and types."""
    if whole.schema != less.schema:
        yield Violation("schema", f"{whole.schema} became {less.schema}")
    if block.shape.keys is None:
        return
    found = [release(block, partials(one), NoNoise()).keys for one in (whole, less)]
    if not found[0] == found[1] == block.shape.keys:
        yield Violation("known keys", "the rows of an answer depend on who is in the data")


def neighbours(block: Block, whole: Vectors, less: Vectors, unit: int) -> Iterator[Violation]:
    """Compare the exact vectors with and without one person, with what the price claims of them."""
    shape, nothing = block.shape, ({},) * len(block.shape.parts)
    keys = {*whole, *less} if shape.keys is None else set(shape.keys)
    if shape.keys is None and set(less) - set(whole):
        yield Violation("unknown keys", f"groups {set(less) - set(whole)} appear when {unit} goes")
    if shape.keys is not None and set(whole) - keys:
        yield Violation("known keys", f"{set(whole) - keys} are no known keys")
    changes = {key: tuple(map(change_of, whole.get(key, nothing), less.get(key, nothing))) for key in keys}
    touched = {key for key in keys if any(map(any, changes[key])) or (key in whole) != (key in less)}
    if len(touched) > shape.groups:
        yield Violation("groups", f"one person is in {len(touched)} groups, claimed {shape.groups}")
    spent = Fraction(0)
    for at, part in enumerate(shape.parts):
        change = [one for key in keys for one in changes[key][at]]
        most, places = part.sensitivity, part.levels * (1 if part.whole else shape.groups)
        if any(outside(part, one[at]) for one in whole.values()):
            yield Violation("grid", f"rows lie outside the {part.levels} levels of a quantile's grid")
        if max(change, default=0) > most:
            yield Violation("Linf", f"{part.kind} changes by {max(change)}, claimed {most}")
        if sum(change) > most * places or sum(one * one for one in change) > most * most * places:
            yield Violation("L1 L2", f"{part.kind} changes by {change}, claimed {most} in {places} cells")
        mechanism = block.mechanisms[part.name]
        if mechanism.measure is Measure.ZCDP:
            spent += Fraction(sum(one * one for one in change)) / (2 * mechanism.variance)
        else:
            spent += Fraction(sum(change)) / Fraction(mechanism.scale)
    if spent > block.cost.rho:
        yield Violation("loss", f"one person costs {float(spent)} of {float(block.cost.rho)}")
    cells = {one.name: one.levels * (1 if one.whole else shape.groups) for one in shape.parts}
    charged = (loss(block.mechanisms[one.name], one.sensitivity, cells[one.name]) for one in shape.parts)
    if sum(charged) > block.cost.rho:
        yield Violation("price", "the maps charge more than the price")


def change_of(one: Cells, other: Cells) -> list[int]:
    """Return by how much each cell differs."""
    return [abs(one.get(cell, 0) - other.get(cell, 0)) for cell in {*one, *other}]


def counting(relation: Relation, unit: Column, keys: Sequence[tuple[Column, Expression]] = ()) -> Aggregate:
    """Return the number of rows of each unit of `relation`, or of each unit in each group."""
    top = max(column.id for node in relations(relation) for column in (*node.columns, *(one for one, _ in keys)))
    count = Aggregated(Column(top + 1, "n", unit.type), Aggregation.COUNT_ROWS)
    return Aggregate(relation, ((replace(unit, id=top + 2), Ref(unit)), *keys), (count,))


# --- what is claimed of values ----------------------------------------------------------------------------


def facts(columns: tuple[Column, ...], rows: list[Any]) -> Iterator[Violation]:
    """Hold the facts of columns against their values."""
    for place, column in enumerate(columns):
        for value in {_comparable(row[place]) for row in rows}:
            wrong = _wrong(column, value)
            if wrong:
                yield Violation("facts", f"{column.name} ({column.type}): {value!r} is {wrong}")


def _wrong(column: Column, value: Any) -> str | None:
    known = column.facts
    if value is None or value == "NaN":
        return "NULL" if value is None and not known.nullable else "NaN" if value == "NaN" and known.interval else None
    number = number_of(value)
    if known.interval is not None and number is not None:
        room = outward(known.interval, SLACK) if column.type.kind is Kind.DOUBLE else known.interval
        if isinstance(number, float) or not room.low <= number <= room.high:
            return f"outside {known.interval}"
    if isinstance(known.domain, tuple) and value not in known.domain:
        return f"outside {known.domain}"
    if known.max_length is not None and isinstance(value, str) and len(value) > known.max_length:
        return f"longer than {known.max_length}"
    return None


def number_of(value: Any) -> Fraction | float | None:
    """Return a value on the number line of intervals; a float where it is on none."""
    if isinstance(value, datetime):
        moment = value - datetime(1970, 1, 1)
        return Fraction((moment.days * 86_400 + moment.seconds) * 10**6 + moment.microseconds)
    if isinstance(value, date):
        return Fraction((value - date(1970, 1, 1)).days)
    if isinstance(value, float):
        return Fraction(value) if isfinite(value) else value
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return Fraction(value)
    return None


def dependencies(columns: tuple[Column, ...], rows: list[Any], claimed: Dependencies) -> Iterator[Violation]:
    """Hold what is claimed of columns against rows, NULL agreeing with NULL; dropped columns may stand in between."""
    at = {column.id: place for place, column in enumerate(columns)}
    told = {frozenset[int]()} | {frozenset({one}) for one in at}
    told |= {determinant for determinant, _ in claimed.arrows if determinant <= at.keys()}
    for determinant in told:
        given = sorted(at[one] for one in determinant)
        seen = sorted(at[one] for one in claimed.closure(determinant) - determinant if one in at)
        names = [columns[place].name for place in given]
        if _differ(rows, given, seen):
            yield Violation("dependency", f"{names} does not determine {[columns[place].name for place in seen]}")
        if claimed.unique_on(determinant) and len(rows) > len({_cells(row, given) for row in rows}):
            yield Violation("dependency", f"{names} is no row identity")


def _differ(rows: list[Any], given: list[int], seen: list[int]) -> bool:
    values: defaultdict[Any, set[Any]] = defaultdict(set)
    for row in rows:
        values[_cells(row, given)].add(_cells(row, seen))
    return any(len(found) > 1 for found in values.values())


def _cells(row: Any, places: list[int]) -> tuple[Any, ...]:
    return tuple(_comparable(row[place]) for place in places)


def plain(rows: list[Any]) -> Counter[Any]:
    """Return rows as a multiset."""
    return Counter(tuple(_comparable(value) for value in row) for row in rows)


def _comparable(value: Any) -> Any:
    if isinstance(value, float):
        return "NaN" if value != value else value
    return value
