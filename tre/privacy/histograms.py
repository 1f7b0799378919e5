"""The log2 histograms from which clip bounds are chosen where the policy declares none (PRIVACY §3.2).

Each is a question that the house asks of itself: how many people have how many rows in a table, or values of a column
that add up to how much, by powers of two, of which the bins' numbers are the group keys, all known. It is bound,
planned and made noisy as anybody's (bounds of a query's own: Wilson et al. 2020, §5.2). One person stands in one bin of
each, so that h histograms change by at most √h in L2 (h in L1), and sharing the price of the release equally among them
costs what one joint vector of that sensitivity would: h · (1/2σ²) with σ² = h/2ρ (h · 1/b with b = h/ε).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from tre.base.cost import Cost
from tre.base.passage import Release
from tre.catalogue import Access, Catalogue, Column, Kind, Table
from tre.privacy import plan as planning
from tre.privacy.blocks import Block, Shape
from tre.privacy.request import Ask, Rules
from tre.sql.binding import bind

REFERENCE = date(2000, 1, 1)
"""The day from which dates are counted; it is public, and any other would do."""
_TIMES = (Kind.DATE, Kind.TIMESTAMP)


class Statistic(StrEnum):
    """What of a person's rows is put into bins."""

    ROWS = "rows"
    TOTAL = "total"  # Σ|x|
    SQUARES = "squares"  # Σx²
    REACH = "reach"  # the most days between the reference and a date


_EXPONENTS = {
    Statistic.ROWS: (0, 40),
    Statistic.TOTAL: (-6, 50),
    Statistic.SQUARES: (-6, 70),
    Statistic.REACH: (0, 22),
}
"""Per statistic the bins: of number k are the people above 2^(k−1) and up to 2^k; both ends are open.

2⁻⁶ is the least power of two that the six decimal places of a sum hold exactly."""


@dataclass(frozen=True, slots=True, order=True)
class Subject:
    """What one histogram is of: the rows of a table, or a column of it."""

    table: str
    column: str
    statistic: Statistic

    @property
    def exponents(self) -> range:
        """The numbers of the bins."""
        first, last = _EXPONENTS[self.statistic]
        return range(first, last + 1)


@dataclass(frozen=True, slots=True)
class Histogram:
    """Released: the noisy number of people in each bin, and the standard deviation of its noise."""

    subject: Subject
    people: tuple[int, ...]
    deviation: float

    def as_json(self) -> str:
        """Return the noisy numbers as text."""
        return json.dumps({"people": self.people, "deviation": self.deviation})

    @classmethod
    def from_json(cls, subject: Subject, text: str) -> Histogram:
        """Return the histogram that `as_json` wrote."""
        found = json.loads(text)
        return cls(subject, tuple(found["people"]), found["deviation"])


def wanted(catalogue: Catalogue) -> tuple[Subject, ...]:
    """Return what nothing declared bounds: of each private table its rows, of each column to be found its values."""
    tables = [table for _, table in sorted(catalogue.tables.items()) if table.access is Access.PRIVATE]
    return tuple(subject for table in tables for subject in (*_of_rows(table), *_of_values(table)))


def _of_rows(table: Table) -> Sequence[Subject]:
    one = table.rows_per_unit == 1 or frozenset({table.unit}) in table.unique
    return () if one or table.typical_rows is not None else (Subject(table.name, "", Statistic.ROWS),)


def _of_values(table: Table) -> Sequence[Subject]:
    found = [column for _, column in sorted(table.columns.items()) if column.found and column.bounds is None]
    return [Subject(table.name, column.name, one) for column in found for one in _statistics(column)]


def _statistics(column: Column) -> Sequence[Statistic]:
    return (Statistic.REACH,) if column.type.kind in _TIMES else (Statistic.TOTAL, Statistic.SQUARES)


def blocks(subjects: Sequence[Subject], catalogue: Catalogue, rules: Rules, cost: Cost) -> tuple[Block, ...]:
    """Return how each histogram is measured when the release of all costs `cost`, which is rounded down to it."""
    alone = replace(rules, minimum_group=None, known_keys=max(len(one.exponents) for one in subjects))
    share = Cost(cost.measure, cost.amount // len(subjects))
    return tuple(planning.at(_shape(one, catalogue, alone), share, rules.units) for one in subjects)


def histogram(subject: Subject, block: Block, found: Release) -> Histogram:
    """Return what `found`, the release of `block`, says of `subject`."""
    (part,) = block.shape.parts
    by_bin = {key[0]: number for key, number in zip(found.keys, found.vectors[part.name], strict=True)}
    people = tuple(by_bin[number] for number in subject.exponents)
    return Histogram(subject, people, float(block.mechanisms[part.name].variance) ** 0.5)


def _shape(subject: Subject, catalogue: Catalogue, rules: Rules) -> Shape:
    query = bind(question(subject, catalogue), catalogue, REFERENCE)
    (block,) = planning.plan(query, Ask(), rules, lambda _keys: ()).blocks
    return block.shape


def question(subject: Subject, catalogue: Catalogue) -> str:
    """Return the SQL of a histogram."""
    table = catalogue.tables[subject.table]
    unit, kind = f'"{table.unit}"', None
    if subject.column:
        kind = table.columns[subject.column].type.kind
    inner = f'SELECT {unit}, {_measure(subject, kind)} AS measured FROM "{table.name}" GROUP BY {unit}'  # noqa: S608 - declared names, quoted
    *before, last = subject.exponents
    cases = " ".join(f"WHEN measured <= {_number(number)} THEN {number}" for number in before)
    return (
        f"SELECT bin, COUNT(*) AS people FROM (SELECT {unit}, CASE {cases} ELSE {last} END AS bin "  # noqa: S608
        f"FROM ({inner}) AS one) AS everyone GROUP BY bin"
    )


def _measure(subject: Subject, kind: Kind | None) -> str:
    """Return what is put into bins. Sums within a person are of decimals, exact in any order."""
    if subject.statistic is Statistic.ROWS:
        return "COUNT(*)"
    column = f'"{subject.column}"'
    if subject.statistic is Statistic.REACH:
        day = f"CAST({column} AS DATE)" if kind is Kind.TIMESTAMP else column
        return f"COALESCE(MAX(ABS({day} - DATE '{REFERENCE}')), 0)"
    size = f"LEAST(ABS(CAST({column} AS DOUBLE PRECISION)), 1e10)"
    if subject.statistic is Statistic.TOTAL:
        return f"COALESCE(SUM(CAST({size} AS DECIMAL(20, 6))), 0)"
    return f"COALESCE(SUM(CAST({size} * {size} AS DECIMAL(28, 6))), 0)"


def _number(exponent: int) -> str:
    return str(2**exponent) if exponent >= 0 else f"{2.0**exponent:.6f}"
