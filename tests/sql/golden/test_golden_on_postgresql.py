"""The plans of the golden files as PostgreSQL reads them: written down, taken by a server, with DuckDB's own rows."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pytest

from tests.oracle.stage import stored
from tests.sql.catalogue import CATALOGUE, fill
from tests.sql.expressions.engines import Engine, opened
from tests.sql.golden.test_golden import FAMILIES, HERE, MOST_ROWS, MOST_ROWS_OF_ONE, TODAY, cases, rows_of, same
from tre.base.reasons import Refused
from tre.sql import bind, refusals_for, render
from tre.sql.plan import Query, Relation, Released
from tre.sql.walk import relations


def planned(text: str) -> Query | None:
    """Return what the binder makes of `text`, unless it is refused."""
    try:
        query = bind(text, CATALOGUE, TODAY)
    except Refused:
        return None
    return None if refusals_for(query.root, MOST_ROWS_OF_ONE, MOST_ROWS) else query


def admitted(family: str) -> dict[str, Query]:
    found = {case: planned(case) for case in cases(family)}
    return {case: query for case, query in found.items() if query is not None and query.blocks}


@pytest.mark.parametrize("family", FAMILIES)
def test_plans_are_written_for_postgresql_as_in_the_golden_file(family: str) -> None:
    now = {
        case: "\n".join(render(rows, "postgres").sql for rows in rows_of(query))
        for case, query in admitted(family).items()
    }
    if now:
        same(HERE / "postgres" / family, now)


@pytest.fixture(scope="module")
def engines() -> Iterator[tuple[Engine, Engine]]:
    with opened("duckdb") as one, opened("postgres") as other:
        fill(one)
        fill(other)
        yield one, other


@pytest.mark.parametrize("family", FAMILIES)
def test_both_engines_take_every_plan_and_give_the_same_rows(engines: tuple[Engine, Engine], family: str) -> None:
    for plan in (one for query in admitted(family).values() for one in rows_of(query)):
        found, other = (rows(engine, plan) for engine in engines)
        assert found == other


def rows(engine: Engine, plan: Relation) -> list[str]:
    """Return the rows of a plan, in no order, over released tables of one row of NULL."""
    inputs = {one.name: nothing(one) for one in relations(plan) if isinstance(one, Released)}
    statement = render(plan, engine.dialect)
    found = engine.table(statement.sql, dict.fromkeys(statement.parameters, 7), inputs)
    return sorted(repr(tuple(row.values())) for row in found.to_pylist())


def nothing(one: Released) -> pa.Table:
    names = [f"c{at}" for at in range(1, len(one.columns) + 1)]
    return pa.table([pa.nulls(1, stored(column.type)) for column in one.columns], names)
