"""Whatever is typed, binding answers with a plan or with reasons; and a plan means what the text means."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import duckdb
import pytest
import sqlglot
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sql.catalogue import CATALOGUE, fill
from tests.sql.exact import exact
from tests.sql.expressions.engines import NAMES, Engine, opened
from tre.base.reasons import Refused
from tre.sql import bind, refusals_for, render
from tre.sql.plan import Column, Expression, PrivateAggregate, Project, Ref

TODAY = date(2024, 1, 1)
COLUMNS = {
    "person": ("person_id", "gender_concept_id", "year_of_birth", "location_id"),
    "visit_occurrence": ("person_id", "visit_occurrence_id", "visit_concept_id"),
    "condition_occurrence": ("person_id", "condition_concept_id", "visit_occurrence_id"),
    "death": ("person_id", "cause_concept_id"),
    "location": ("location_id", "deprivation"),
    "concept": ("concept_id",),
    "cost": ("cost_id",),
}
PRIVATE = ("person", "visit_occurrence", "condition_occurrence", "death")
Sources = list[tuple[str, str]]


@st.composite
def column(draw: st.DrawFn, sources: Sources) -> str:
    table, alias = draw(st.sampled_from(sources))
    return f"{alias}.{draw(st.sampled_from(COLUMNS[table]))}"


@st.composite
def condition(draw: st.DrawFn, sources: Sources, depth: int = 2) -> str:
    kind = draw(
        st.sampled_from(["compare", "null", "literal", "and", "or", "not", "exists", "in"] if depth else ["literal"])
    )
    if kind == "compare":
        return f"{draw(column(sources))} {draw(st.sampled_from(['=', '<', '>=']))} {draw(column(sources))}"
    if kind == "null":
        return f"{draw(column(sources))} IS NULL"
    if kind == "literal":
        return f"{draw(column(sources))} = {draw(st.sampled_from([1, 10, 8507, 201826]))}"
    if kind == "not":
        return f"NOT ({draw(condition(sources, depth - 1))})"
    if kind in ("and", "or"):
        return f"({draw(condition(sources, depth - 1))} {kind.upper()} {draw(condition(sources, depth - 1))})"
    return draw(subquery(sources, depth, kind))


@st.composite
def subquery(draw: st.DrawFn, sources: Sources, depth: int, kind: str) -> str:
    table = draw(st.sampled_from(sorted(COLUMNS)))
    alias = f"z{depth}"
    inner = [(table, alias)]
    tied = draw(st.booleans()) and "person_id" in COLUMNS[table]
    terms = [f"{alias}.person_id = {sources[0][1]}.person_id"] if tied else []
    terms.append(draw(condition([*inner, *sources], depth - 1)))
    where = " AND ".join(terms)
    if kind == "exists":
        return f"{draw(st.sampled_from(['', 'NOT ']))}EXISTS (SELECT 1 FROM {table} {alias} WHERE {where})"
    negation = draw(st.sampled_from(["", "NOT "]))
    return f"{draw(column(sources))} {negation}IN (SELECT {draw(column(inner))} FROM {table} {alias} WHERE {where})"


@st.composite
def source(draw: st.DrawFn, place: int) -> tuple[str, str, str]:
    table = draw(st.sampled_from([*PRIVATE, *sorted(COLUMNS)]))
    alias = f"t{place}"
    if draw(st.integers(0, 4)):
        return table, alias, f"{table} {alias}"
    where = draw(condition([(table, "i")], 1))
    return table, alias, f"(SELECT * FROM {table} i WHERE {where}) {alias}"


@st.composite
def query(draw: st.DrawFn) -> str:
    table, alias, text = draw(source(0))
    sources: Sources = [(table, alias)]
    for place in range(1, draw(st.integers(1, 3))):
        table, alias, item = draw(source(place))
        before = list(sources)
        sources.append((table, alias))
        terms = [draw(condition(sources, 1))] if draw(st.booleans()) else []
        if "person_id" in COLUMNS[table] and "person_id" in COLUMNS[before[-1][0]] and draw(st.integers(0, 3)):
            terms.append(f"{alias}.person_id = {before[-1][1]}.person_id")
        if "location_id" in COLUMNS[table] and "location_id" in COLUMNS[before[-1][0]]:
            terms.append(f"{alias}.location_id = {before[-1][1]}.location_id")
        text += f" {draw(st.sampled_from(['JOIN', 'LEFT JOIN']))} {item} ON {' AND '.join(terms) or 'TRUE'}"
    where = f" WHERE {draw(condition(sources))}" if draw(st.booleans()) else ""
    keys = draw(st.lists(column(sources), max_size=2, unique=True))
    filtered = f" FILTER (WHERE {draw(condition(sources, 1))})" if draw(st.booleans()) else ""
    asked = [f"COUNT(*){filtered}", f"COUNT({draw(column(sources))})"]
    grouped = f" GROUP BY {', '.join(keys)}" if keys else ""
    inner = f"SELECT {', '.join([*keys, *asked])} FROM {text}{where}{grouped}"
    names = ", ".join(f"c{place}" for place in range(len(keys) + 2))
    shapes = [
        inner,
        f"WITH w({names}) AS ({inner}) SELECT COUNT(*), SUM(c0) FROM w",
        f"WITH w({names}) AS ({inner}) SELECT a.c0, b.c1 FROM w a JOIN w b ON a.c0 = b.c0",
        f"{inner} HAVING COUNT(*) > 1",
    ]
    return draw(st.sampled_from(shapes))


@pytest.fixture(scope="module")
def engine() -> Iterator[Any]:
    with duckdb.connect() as connection:
        fill(connection)
        yield connection


@pytest.fixture(scope="module", params=NAMES)
def either(request: pytest.FixtureRequest) -> Iterator[Engine]:
    with opened(request.param) as made:
        fill(made)
        yield made


@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(text=query())
def test_a_plan_means_the_text_and_anything_else_is_reasons(engine: Any, either: Engine, text: str) -> None:
    try:
        bound = bind(text, CATALOGUE, TODAY)
    except Refused:
        return
    refusals_for(bound.root, 10**6, 10**13)
    for block in bound.blocks:
        either.execute(f"EXPLAIN {render(block.input, either.dialect).sql}")
    statement = render(exact(bound))
    assert set(engine.get_table_names(statement.sql)) <= set(statement.tables)
    told = render(exact(bound), either.dialect).sql
    plain = sqlglot.transpile(text, read="postgres", write=either.dialect)[0]
    assert _sorted(either.execute(told)) == _sorted(either.execute(plain))


@pytest.fixture(scope="module")
def without() -> Iterator[dict[int, Any]]:
    """The same tables without one person, by the person who is missing."""
    engines = {}
    for person in range(1, 6):
        engines[person] = duckdb.connect()
        fill(engines[person])
        for table in CATALOGUE.tables.values():
            if table.unit is not None:
                engines[person].execute(f"DELETE FROM {table.name} WHERE {table.unit} = {person}")
    yield engines
    for one in engines.values():
        one.close()


@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(text=query(), person=st.integers(1, 5))
def test_a_person_who_leaves_takes_their_own_rows_and_no_others(
    engine: Any, without: dict[int, Any], text: str, person: int
) -> None:
    try:
        bound = bind(text, CATALOGUE, TODAY)
    except Refused:
        return
    for block in bound.blocks:
        keyed = Project(block.input, ((block.unit, Ref(block.unit)), *block.keys, *_others(block)))
        sql = render(keyed).sql
        rows = engine.execute(sql).fetchall()
        own = [row for row in rows if row[0] == person]
        assert _sorted([row for row in rows if row[0] != person]) == _sorted(without[person].execute(sql).fetchall())
        assert len(own) <= block.rows_per_unit
        assert len(own) <= 1 or not block.one_row
        groups = {row[1 : 1 + len(block.keys)] for row in own}
        assert len(own) == len(groups) or not block.one_row_a_group
        assert block.groups_per_unit is None or len(groups) <= block.groups_per_unit


def _others(block: PrivateAggregate) -> tuple[tuple[Column, Expression], ...]:
    return tuple((column, Ref(column)) for column in block.input.columns if column.id != block.unit.id)


def _sorted(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return sorted(rows, key=lambda row: [(value is None, str(value)) for value in row])
