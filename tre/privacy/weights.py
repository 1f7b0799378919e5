"""One weight a unit for all that it adds to the groups of a block, where these are known (PRIVACY §3.2).

A unit's rows count in every group, each by floor(shares · min(1, C/‖v‖₁)) shares of a whole, v what the unit adds to
all groups together: over the groups it changes C · shares at most, and so much in L2. Who has few rows adds them
whole. So rows are summed as plain SQL would sum them, and only the rows of people with more than so many rows are
looked at again, to take back what is beyond their weight; a version tells who these are where it keeps counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count

from tre.base.passage import Key
from tre.privacy.choosing import INTEGER, Fresh
from tre.privacy.counts import kept_counts
from tre.privacy.lowering import any_of, highest_id, integer, row_value
from tre.privacy.mechanisms import SATURATION
from tre.privacy.parts import ADDED, Part, PartKind
from tre.privacy.places import PLACES, place_of, places_of
from tre.privacy.request import Ask, Rules
from tre.privacy.spreading import in_each
from tre.sql import functions
from tre.sql.plan import (
    Aggregate,
    Aggregated,
    Aggregation,
    Asked,
    Column,
    Expression,
    Filter,
    Join,
    JoinKind,
    Listed,
    Literal,
    PrivateAggregate,
    PrivateFunction,
    Project,
    Ref,
    Relation,
    SetKind,
    SetOperation,
    UnitCounts,
)

MOST_SHARES = 2**20
"""A whole is so many shares at most: what is lost by rounding a weight down is less than a millionth of it."""
_LEAST_WEIGHT = 2**8
"""The fewest shares that the smallest weight may be, so that rounding it down loses less than 0.4 %."""
_ROOM = 2**52
"""What one unit adds stays below, so that noise at small prices has room as well."""

_FUNCTIONS = frozenset(
    {
        PrivateFunction.COUNT_ROWS,
        PrivateFunction.COUNT,
        PrivateFunction.COUNT_UNITS,
        PrivateFunction.SUM,
        PrivateFunction.AVG,
    }
)


# --- when -------------------------------------------------------------------------------------------------


def admitted(
    block: PrivateAggregate, ask: Ask, keys: tuple[Key, ...] | None, totals: Iterable[int], rules: Rules
) -> bool:
    """Say whether a block is measured so: several known groups a unit, or one table whose rows the version counts.

    Not where another plan is less noisy (tre.privacy.spreading), nor where it cannot be (`could_be`).
    """
    if not could_be(block, ask, keys, totals, rules):
        return False
    return not block.keys or keys is None or not in_each(block, len(keys), ask, rules)


def could_be(
    block: PrivateAggregate, ask: Ask, keys: tuple[Key, ...] | None, totals: Iterable[int], rules: Rules
) -> bool:
    """Say whether a block may be measured so.

    Not where the request bounds what a unit adds to one group, nor where people are counted, as for a minimum group,
    by keys that no number of 64 bits can tell apart.
    """
    functions_asked = {one.function for one in block.asked}
    bounded = any(one.column.id in totals for one in block.asked)
    if keys is None or block.one_row or bounded or not functions_asked <= _FUNCTIONS:
        return False
    counts_units = PrivateFunction.COUNT_UNITS in functions_asked
    people = rules.minimum_group is not None
    if not block.keys:
        return kept_counts(block.input) is not None and not counts_units and any(map(_measured, block.asked))
    if block.groups_per_unit == 1 or len(keys) == 1 or ask.rows is not None or ask.groups is not None:
        return False
    return place_of(block, keys) is not None if people or counts_units else True


def _measured(asked: Asked) -> bool:
    """Say whether rows must be read: their number alone is kept."""
    return asked.function is not PrivateFunction.COUNT_ROWS or asked.where is not None


def shares_for(parts: Sequence[Part], rows: int, units: int) -> int | None:
    """Return how many shares a whole is: the most that no sum of all people can overflow; None: there is no room.

    `rows` is the proven most of a unit. All rows are summed before anything is taken back, so all of them must fit.
    """
    added = [part for part in parts if part.kind in ADDED]
    most = max((max(abs(part.low), abs(part.high), rows * _size(part)) for part in added), default=1)
    shares = MOST_SHARES
    while shares > 1 and (units * most * shares >= SATURATION or most * shares >= _ROOM):
        shares //= 2
    fine = all(shares * _most(part) >= _LEAST_WEIGHT * rows * _magnitude(part) for part in added)
    return shares if fine else None


def _most(part: Part) -> int:
    """Return C in units of the norm: rows, or what a SUM adds."""
    return max(1, abs(part.low), abs(part.high)) if part.kind is PartKind.SUM else part.cap


def _size(part: Part) -> int:
    """Return the most that one row adds."""
    if part.kind in (PartKind.ROWS, PartKind.COUNT):
        return 1
    return max(1, abs(part.row_low - part.centre), abs(part.row_high - part.centre))


def _magnitude(part: Part) -> int:
    """Return the most that one row adds to the norm."""
    return max(1, abs(part.row_low), abs(part.row_high)) if part.kind is PartKind.SUM else 1


# --- how --------------------------------------------------------------------------------------------------


def weighted(block: PrivateAggregate, parts: Sequence[Part], keys: tuple[Key, ...]) -> Relation:
    """Return the relation of exact partials, columns as `lowered` gives them."""
    fresh = Fresh(count(highest_id(block) + 1))
    plan = Weighing(block, parts, keys, fresh)
    found = plan.branches()
    united = found[0]
    for one in found[1:]:
        outputs = tuple((fresh.like(a, nullable=True), a, b) for a, b in zip(united.columns, one.columns, strict=True))
        united = SetOperation(SetKind.UNION, True, united, one, outputs)
    width = len(block.keys)
    outer = tuple((column, Ref(made)) for (column, _), made in zip(block.keys, united.columns, strict=False))
    sums = tuple(
        Aggregated(fresh.column(part.name), Aggregation.SUM, Ref(made))
        for part, made in zip(parts, united.columns[width:], strict=True)
    )
    return Aggregate(united, outer, sums)


@dataclass
class Weighing:
    """One block on its way; each branch has a column for each key and for each part."""

    block: PrivateAggregate
    parts: Sequence[Part]
    keys: tuple[Key, ...]
    fresh: Fresh

    def branches(self) -> list[Relation]:
        """Return what is added up by group."""
        added = [part for part in self.parts if part.kind in ADDED]
        spread = [part for part in self.parts if part.kind is PartKind.UNITS and not part.whole]
        people = next((part for part in self.parts if part.kind is PartKind.UNITS and part.whole), None)
        counts, unit, rows, bits = self._counts(spread)
        found = []
        if added:
            found += self._rows(added, Filter(counts, functions.call(">", Ref(rows), integer(_limit(added)))), unit)
        if people is not None:
            found.append(self._in_first_group(counts, people, None))
        if spread:
            found.append(self._people(counts, bits))
        return found

    def _counts(self, spread: Sequence[Part]) -> tuple[Relation, Column, Column, Mapping[str, Column]]:
        """Return each unit with the number of its rows and the groups it is in: kept by the version, or counted."""
        fresh, block = self.fresh, self.block
        unit, rows = fresh.like(block.unit), fresh.column("rows", nullable=False)
        scan = kept_counts(block.input)
        if scan is not None and not spread:
            return UnitCounts(scan.table, (unit, rows)), unit, rows, {}
        bits = {part.name: fresh.column("groups") for part in spread}
        place = place_of(block, self.keys)
        marks = tuple(
            Aggregated(bits[part.name], Aggregation.BIT_OR, functions.call("bit", place), part.where)
            for part in spread
            if place is not None
        )
        counted = (Aggregated(rows, Aggregation.COUNT_ROWS), *marks)
        return Aggregate(block.input, ((unit, Ref(block.unit)),), counted), unit, rows, bits

    def _rows(self, added: Sequence[Part], many: Relation, unit: Column) -> list[Relation]:
        """Return what all rows add, what those of units with many rows add beyond their weight, and who is clipped."""
        crowd = Join(JoinKind.INNER, self.block.input, many, functions.call("=", Ref(self.block.unit), Ref(unit)))
        weights, owner, of, clipped = self._weights(added, crowd)
        told = next((part for part in self.parts if part.kind is PartKind.CLIPPED), None)
        again = Join(JoinKind.INNER, crowd, weights, functions.call("=", Ref(self.block.unit), Ref(owner)))
        found = [
            self._summed(self.block.input, {part.name: (part, None) for part in added}),
            self._summed(again, {part.name: (part, of[part.name]) for part in added}),
        ]
        return found if told is None else [*found, self._in_first_group(weights, told, Ref(clipped))]

    def _weights(self, added: Sequence[Part], crowd: Relation) -> tuple[Relation, Column, Mapping[str, Column], Column]:
        """Return each unit of `crowd` with its weight for each part, in shares, and 1 where any is less than whole."""
        fresh = self.fresh
        unit, norms = fresh.like(self.block.unit), {part.name: self._norm(part) for part in added}
        per_unit = Aggregate(crowd, ((unit, Ref(self.block.unit)),), tuple(norms.values()))
        owner, found = fresh.like(unit), {}
        outputs: list[tuple[Column, Expression]] = [(owner, Ref(unit))]
        clips: list[Expression] = []
        for part in added:
            norm, most = Ref(norms[part.name].column), integer(_most(part))
            weight = functions.call("share_of", norm, most, integer(part.shares))
            found[part.name] = Column(next(fresh.ids), "weight", INTEGER, replace(weight.facts, nullable=False))
            outputs.append((found[part.name], weight))
            clips.append(functions.call(">", norm, most))
        clipped = fresh.column("clipped", nullable=False)
        return Project(per_unit, (*outputs, (clipped, any_of(clips)))), owner, found, clipped

    def _norm(self, part: Part) -> Aggregated:
        """Return ‖v‖₁ of a part: Σ|x| of a SUM, else the rows that count (PRIVACY §3.2: a triple goes by its n)."""
        column = self.fresh.column("norm", nullable=False)
        if part.kind is PartKind.SUM:
            return Aggregated(column, Aggregation.SUM, functions.call("abs", row_value(part)), part.where)
        if part.argument is None:
            return Aggregated(column, Aggregation.COUNT_ROWS, None, part.where)
        return Aggregated(column, Aggregation.COUNT, part.argument, part.where)

    def _summed(self, rows: Relation, added: Mapping[str, tuple[Part, Column | None]]) -> Relation:
        """Return by group what rows add, in shares: whole ones, or by how much their unit's weight is less."""
        sums = {name: self._sum(part, weight) for name, (part, weight) in added.items()}
        keys = tuple((self.fresh.like(column), expression) for column, expression in self.block.keys)
        grouped = Aggregate(rows, keys, tuple(sums.values()))
        shares = {
            name: Ref(sums[name].column)
            if weight is not None
            else functions.call("*", Ref(sums[name].column), integer(part.shares))
            for name, (part, weight) in added.items()
        }
        return self._branch(grouped, [Ref(column) for column, _ in keys], shares)

    def _sum(self, part: Part, weight: Column | None) -> Aggregated:
        column = self.fresh.column(part.name)
        counts = part.kind in (PartKind.ROWS, PartKind.COUNT)
        if counts and weight is None:
            counting = Aggregation.COUNT if part.argument is not None else Aggregation.COUNT_ROWS
            return Aggregated(column, counting, part.argument, part.where)
        where = part.where
        if counts and part.argument is not None:
            known = functions.call("not", functions.call("is_null", part.argument))
            where = known if where is None else functions.conjunction(where, known)
        less = None if weight is None else functions.call("-", Ref(weight), integer(part.shares))
        if counts:
            return Aggregated(column, Aggregation.SUM, less, where)
        value = row_value(part)
        return Aggregated(column, Aggregation.SUM, value if less is None else functions.call("*", value, less), where)

    def _in_first_group(self, units: Relation, part: Part, value: Expression | None) -> Relation:
        """Return a number of units, which is one for the whole block: in the group that comes first."""
        counting = Aggregation.COUNT_ROWS if value is None else Aggregation.SUM
        total = Aggregated(self.fresh.column(part.name), counting, value)
        return self._branch(
            Aggregate(units, (), (total,)), self._literals(self.keys[0]), {part.name: Ref(total.column)}
        )

    def _people(self, counts: Relation, bits: Mapping[str, Column]) -> Relation:
        """Return by group the units that are in it."""
        place = Column(next(self.fresh.ids), "place", INTEGER, PLACES)
        groups = tuple(self.fresh.like(column) for column, _ in self.block.keys)
        places = places_of(self.keys)
        rows = tuple((*self._literals(key), integer(places[key])) for key in self.keys)
        listed = Listed((*groups, place), rows)
        pairs = Join(JoinKind.INNER, counts, listed, functions.true())
        inside = {
            name: Aggregated(
                self.fresh.column(name),
                Aggregation.COUNT_ROWS,
                None,
                functions.call("has_bit", Ref(column), Ref(place)),
            )
            for name, column in bits.items()
        }
        keys = tuple((self.fresh.like(column), Ref(column)) for column in groups)
        grouped = Aggregate(pairs, keys, tuple(inside.values()))
        return self._branch(
            grouped, [Ref(column) for column, _ in keys], {name: Ref(one.column) for name, one in inside.items()}
        )

    def _literals(self, key: Key) -> list[Literal]:
        return [functions.literal(value, column.type) for value, (column, _) in zip(key, self.block.keys, strict=True)]

    def _branch(self, rows: Relation, keys: Sequence[Expression], parts: Mapping[str, Expression]) -> Relation:
        made = [(self.fresh.like(column), one) for (column, _), one in zip(self.block.keys, keys, strict=True)]
        made += [(self.fresh.column(part.name), parts.get(part.name, integer(0))) for part in self.parts]
        return Project(rows, tuple(made))


def _limit(added: Sequence[Part]) -> int:
    """Return with how many rows nobody can be beyond a bound."""
    return min(_most(part) // _magnitude(part) for part in added)
