"""How many rows and people the private tables of a version have: noisy, released once a version and charged.

PRIVACY §1: sizes that are shown or used are declared upper bounds or noisy releases. These are questions that the house
asks of itself, as it does for the histograms of bounds (`tre.privacy.histograms`): bound, planned and made noisy as
anybody's, so that no mechanism is theirs alone. No size is a part of a question: none changes what is measured.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import date
from types import MappingProxyType

from tre.base.cost import Cost
from tre.base.passage import Release
from tre.catalogue import Access, Catalogue, Size, Table
from tre.privacy import plan as planning
from tre.privacy.blocks import Block
from tre.privacy.mechanisms import accuracy
from tre.privacy.request import Ask, Rules
from tre.sql.binding import bind
from tre.sql.plan import PrivateFunction

_ANY_DAY = date(2000, 1, 1)
"""The questions ask for no date."""

Sizes = Mapping[str, Size]
"""By the table's name."""


def wanted(catalogue: Catalogue) -> tuple[str, ...]:
    """Return the private tables whose rows of one person are bounded, by declaration or by what was found."""
    return tuple(name for name, table in sorted(catalogue.tables.items()) if _bounded(table))


def blocks(tables: Sequence[str], catalogue: Catalogue, rules: Rules, cost: Cost) -> tuple[Block, ...]:
    """Return how each table is counted when the release of all costs `cost`, which is rounded down to it."""
    alone = replace(rules, minimum_group=None, groups=None)
    share = Cost(cost.measure, cost.amount // len(tables))
    return tuple(_block(name, catalogue, alone, share) for name in tables)


def size(block: Block, found: Release) -> Size:
    """Return what `found`, the release of `block`, says of its table."""
    numbers = {}
    for output in block.shape.outputs:
        name, _ = output.terms[0]
        part = block.shape.part(name)
        numbers[output.function] = found.vectors[name][0], accuracy(block.mechanisms[name]), part.cap
    rows, rows_within, counted = numbers[PrivateFunction.COUNT_ROWS]
    people, people_within, _ = numbers[PrivateFunction.COUNT_UNITS]
    return Size(rows, rows_within, people, people_within, counted)


def with_sizes(catalogue: Catalogue, found: Sizes) -> Catalogue:
    """Return `catalogue` with what was released of its version."""
    if not found:
        return catalogue
    tables = {name: replace(table, size=found.get(name)) for name, table in catalogue.tables.items()}
    return replace(catalogue, tables=MappingProxyType(tables))


def as_json(one: Size) -> str:
    """Return the noisy numbers as text."""
    return json.dumps(asdict(one))


def from_json(text: str) -> Size:
    """Return the size that `as_json` wrote."""
    return Size(**json.loads(text))


def question(table: str, unit: str) -> str:
    """Return the SQL of a table's size."""
    return f'SELECT COUNT(*) AS rows, COUNT(DISTINCT "{unit}") AS people FROM "{table}"'  # noqa: S608 - declared names, quoted


def _bounded(table: Table) -> bool:
    one = table.rows_per_unit == 1 or frozenset({table.unit}) in table.unique
    return table.access is Access.PRIVATE and (one or table.typical_rows is not None)


def _block(name: str, catalogue: Catalogue, rules: Rules, share: Cost) -> Block:
    query = bind(question(name, catalogue.tables[name].unit or ""), catalogue, _ANY_DAY)
    (block,) = planning.plan(query, Ask(), rules, lambda _keys: ()).blocks
    return planning.at(block.shape, share, rules.units)
