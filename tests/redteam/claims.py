"""What a plan claims of one person's contribution, held against rows on the real engine."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from itertools import count

import duckdb

from tests.sql.catalogue import CATALOGUE, columns_of, fill
from tre.catalogue import Catalogue, Kind, Type
from tre.sql.binding import bind
from tre.sql.plan import Aggregate, Aggregated, Aggregation, Column, PrivateAggregate, Ref, Relation
from tre.sql.render import render
from tre.sql.walk import relations

TODAY = date(2022, 1, 1)
WHOLE = Type(Kind.INTEGER)


@dataclass(frozen=True)
class Contribution:
    """The most rows, and the most groups, that one person has in a block; and what the plan said of both."""

    rows: int
    claimed_rows: int
    groups: int
    claimed_groups: int | None

    @property
    def holds(self) -> bool:
        return self.rows <= self.claimed_rows and (self.claimed_groups is None or self.groups <= self.claimed_groups)


def engine(catalogue: Catalogue = CATALOGUE, **more: str) -> duckdb.DuckDBPyConnection:
    """Return the small home of the tests of SQL, with more rows by table."""
    connection = duckdb.connect()
    fill(connection, catalogue)
    for table, rows in more.items():
        names = ", ".join(column.name for column in columns_of(catalogue.tables[table]))
        connection.execute(f"INSERT INTO {table} ({names}) VALUES {rows}")
    return connection


def block_of(sql: str, catalogue: Catalogue = CATALOGUE) -> PrivateAggregate:
    """Return the one private aggregate of a text."""
    (block,) = bind(sql, catalogue, TODAY).blocks
    return block


def contribution(sql: str, connection: duckdb.DuckDBPyConnection, catalogue: Catalogue = CATALOGUE) -> Contribution:
    """Return what each person really adds to the block of `sql`."""
    block = block_of(sql, catalogue)
    ids = count(1 + max(column.id for node in relations(block) for column in node.columns))
    rows = Column(next(ids), "rows", WHOLE)
    unit = Column(next(ids), "unit", WHOLE)
    per_group: Relation = Aggregate(
        block.input,
        ((unit, Ref(block.unit)), *block.keys),
        (Aggregated(rows, Aggregation.COUNT_ROWS),),
    )
    found = connection.sql(render(per_group).sql).fetchall()
    groups: dict[int, int] = {}
    sums: dict[int, int] = {}
    for row in found:
        groups[row[0]] = groups.get(row[0], 0) + 1
        sums[row[0]] = sums.get(row[0], 0) + row[-1]
    claimed_rows = 1 if block.one_row else block.rows_per_unit
    return Contribution(
        max(sums.values(), default=0), claimed_rows, max(groups.values(), default=0), block.groups_per_unit
    )
