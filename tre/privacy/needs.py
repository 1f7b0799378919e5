"""The parts of one block while they are collected: an equal vector is the same part (PRIVACY §3.4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction

from tre.base.reasons import Refused
from tre.base.reasons import privacy as reasons
from tre.catalogue import Interval
from tre.privacy import bounds
from tre.privacy.parts import ADDED, Part, PartKind
from tre.privacy.request import Ask
from tre.sql.plan import Asked, Expression, PrivateAggregate


@dataclass
class Needs:
    """The parts of one block while they are collected; `weights` says how much each matters to the outputs.

    `weighted` says that each unit has one weight, `shares` in how many parts of a whole (tre.privacy.weights). `units`
    is the declared size of the data; `totals` and `names` give, by column id of an asked aggregate, the
    request's bound of one person's total and what people call the output.
    """

    block: PrivateAggregate
    ask: Ask
    units: int
    totals: Mapping[int, Interval] = field(default_factory=dict)
    names: Mapping[int, str] = field(default_factory=dict)
    parts: list[Part] = field(default_factory=list)
    weights: dict[str, Fraction] = field(default_factory=dict)
    weighted: bool = False
    shares: int = 1

    def name(self, asked: Asked) -> str:
        """Return what people call an asked aggregate."""
        return self.names.get(asked.column.id, asked.column.name)

    @property
    def most(self) -> int:
        """The most rows that a unit can have where its rows are bounded: in one group, or weighted in all of them."""
        return bounds.proven_rows(self.block) if self.weighted else bounds.proven_in_group(self.block)

    def cap(self, asked: Asked) -> int:
        """Return C, the rows of one unit that count in one group, or weighted in all of them, or refuse."""
        if self.most == 1:
            return 1
        cap = bounds.row_cap(self.block, self.ask)
        if cap is None:
            raise Refused.because(reasons.NO_BOUND, output=self.name(asked))
        return cap

    def part(self, wanted: Part, weight: Fraction) -> Part:
        """Return the part equal to `wanted` but for its name, adding it when it is new."""
        if self.weighted and wanted.kind in ADDED:
            wanted = replace(wanted, whole=True, shares=self.shares)
        for part in self.parts:
            if replace(part, name="") == wanted:
                break
        else:
            part = replace(wanted, name=f"p{len(self.parts)}")
            self.parts.append(part)
        self.weights[part.name] = self.weights.get(part.name, Fraction(0)) + weight
        return part

    def people(self, where: Expression | None, weight: Fraction) -> Part:
        """Return the count of distinct units by group; with one row a unit it is the count of rows."""
        kind = PartKind.ROWS if self.block.one_row else PartKind.UNITS
        whole = self.weighted and not self.block.keys
        return self.part(Part("", kind, None, where, 0, 1, proven=True, whole=whole), weight)

    def everybody(self, weight: Fraction) -> Part:
        """Return the count of distinct units in all groups together, each once."""
        return self.part(Part("", PartKind.UNITS, None, None, 0, 1, proven=True, whole=True), weight)

    def rows(self, asked: Asked, weight: Fraction) -> Part:
        """Return COUNT of rows, or of rows with a non-NULL argument."""
        cap = self.cap(asked)
        proven = cap >= self.most
        argument = asked.argument if asked.argument is not None and asked.argument.facts.nullable else None
        kind = PartKind.ROWS if argument is None else PartKind.COUNT
        return self.part(Part("", kind, argument, asked.where, 0, cap, cap=cap, proven=proven), weight)

    def distinct(self, asked: Asked) -> Part:
        """Return the count of distinct values, of which at most `cap` a unit and group are kept."""
        if asked.argument is None:
            raise ValueError("distinct values of nothing; this is a bug, report it")
        most = bounds.proven_values(self.block, asked.argument)
        cap = bounds.value_cap(self.block, self.ask, asked.argument)
        if cap is None:
            raise Refused.because(reasons.NO_BOUND, output=self.name(asked))
        wanted = Part("", PartKind.DISTINCT, asked.argument, asked.where, 0, cap, cap=cap, proven=cap >= most)
        return self.part(wanted, Fraction(1))

    def total(self, asked: Asked) -> tuple[Part, bounds.Values]:
        """Return a SUM by itself, clipped by itself."""
        total = self.totals.get(asked.column.id)
        values = self.values(asked, total)
        rows = self.most
        bounds.check_unit_overflow(self.name(asked), values, rows)
        if total is None:
            low, high = self.usual_bounds(asked, values)
        else:
            low, high = bounds.narrowed(self.name(asked), values, total, rows)
        most = bounds.total_bounds(values, rows)
        wanted = Part(
            "",
            PartKind.SUM,
            asked.argument,
            asked.where,
            low,
            high,
            values.granularity,
            values.low,
            values.high,
            proven=values.declared and low <= most[0] and high >= most[1],
            clamped=values.declared,
        )
        return self.part(wanted, Fraction(1)), values

    def usual_bounds(self, asked: Asked, values: bounds.Values) -> tuple[int, int]:
        """Return the clip interval of a total that the request leaves open: by its rows, or by what is usual."""
        cap = self.cap(asked)
        low, high = bounds.total_bounds(values, cap)
        usual = self.usual_total(asked, values, cap)
        return (low, high) if usual is None else (max(low, -usual), min(high, usual))

    def usual_total(self, asked: Asked, values: bounds.Values, rows: int) -> int | None:
        """Return what a person's values are taken to add up to, in grid units."""
        if asked.argument is None:
            raise ValueError("only SUM and AVG have values; this is a bug, report it")
        return bounds.usual_total(asked.argument, values.granularity, rows)

    def values(self, asked: Asked, total: Interval | None) -> bounds.Values:
        """Return the grid bounds of one row's argument, or refuse."""
        values = bounds.values_of(asked, total)
        if values is None:
            raise Refused.because(reasons.NO_BOUND, output=self.name(asked))
        return values
