"""The oracle on the second engine, and the same exact vectors on both (PRIVACY §5 "The same suite on every engine")."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from functools import cache
from random import Random

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.oracle import calls
from tests.oracle.asking import asked, planned
from tests.oracle.grammar import Grammar
from tests.oracle.oracle import Oracle, Vectors, vectors
from tests.oracle.stage import FULL, PostgresStage, partials
from tests.oracle.test_oracle import COLUMNS, told
from tests.oracle.truth import answers, differences, wide
from tests.oracle.worlds import World, world
from tests.privacy.exact import NoNoise, released
from tre.privacy.plan import PrivatePlan
from tre.privacy.released import inputs_of

EXAMPLES = int(os.environ.get("TRE_ORACLE_EXAMPLES", "20"))
SEARCHED = settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), phases=(Phase.reuse, Phase.generate)
)


@cache
def duckdb() -> Oracle:
    return Oracle()


@cache
def postgres() -> Oracle:
    return Oracle(PostgresStage())


def uncut(made: World) -> World:
    """Return the world as one whose version has cut the rows: a scan that cuts leaves the choice to its engine."""
    tables = {name: replace(table, enforced_rows=table.rows_per_unit) for name, table in made.catalogue.tables.items()}
    return replace(made, catalogue=replace(made.catalogue, tables=tables))


def exact(plan: PrivatePlan, made: World, random: Random) -> Iterator[tuple[Vectors, Vectors]]:
    """Yield the exact vectors of each block on both engines, over the same values released before it."""
    for oracle in (duckdb(), postgres()):
        oracle.load(made, random)
    found = released(plan, lambda *given: partials(duckdb().stage.run(given[0], FULL, given[1])), NoNoise())
    releases = {one.shape.question: release for one, release in zip(plan.blocks, found, strict=True)}
    for block in plan.measured:
        given = inputs_of(block, plan, releases)
        here, there = (
            vectors(block, one.stage.run(block.shape.relation, FULL, given)) for one in (duckdb(), postgres())
        )
        yield here, there


@SEARCHED
@given(st.integers(0, 2**32), st.booleans(), st.integers(0, 2))
def test_one_person_changes_no_more_than_is_claimed_on_postgresql(seed: int, loose: bool, depth: int) -> None:
    random = Random(seed)
    made = world(random)
    postgres().load(made, random)
    ask, rules = asked(random)
    text = Grammar(random, loose=loose, depth=depth).statement()
    plan = planned(text, made.catalogue, postgres().stage.public_keys, ask, rules)
    if plan is not None:
        violations = postgres().violations(plan)
        assert not violations, told(text, plan, made, violations)


@SEARCHED
@given(st.integers(0, 2**32), st.booleans(), st.integers(0, 2))
def test_both_engines_give_the_same_exact_vectors(seed: int, loose: bool, depth: int) -> None:
    random = Random(seed)
    made = uncut(world(random))
    duckdb().load(made, random)
    ask, rules = asked(random)
    for _ in range(3):
        text = Grammar(random, loose=loose, depth=depth).statement()
        plan = planned(text, made.catalogue, duckdb().stage.public_keys, ask, rules)
        for here, there in exact(plan, made, random) if plan is not None else ():
            assert here == there, text


@pytest.mark.parametrize("start", range(0, len(calls.TEMPLATES), 10))
def test_every_function_keeps_what_is_claimed_on_wild_values_on_postgresql(start: int) -> None:
    random = Random(start)
    made = world(random)
    postgres().load(made, random)
    some = calls.TEMPLATES[start : start + 10]
    texts = [one.text.format(*(random.choice(COLUMNS[kind]) for kind in one.operands)) for one in some]
    listed = ", ".join(f"{text} AS x{place}" for place, text in enumerate(texts))
    kept = " OR ".join(f"x{place} IS NOT NULL" for place in range(len(texts)))
    rows = f"SELECT e.person_id, {listed} FROM event e JOIN visit v ON v.person_id = e.person_id"
    text = f"SELECT COUNT(*) FROM ({rows}) y WHERE {kept}"
    plan = planned(text, made.catalogue, postgres().stage.public_keys)
    assert plan is not None, text
    violations = postgres().violations(plan)
    assert not violations, told(text, plan, made, violations)
    whole = uncut(made)
    plan = planned(text, whole.catalogue, postgres().stage.public_keys)
    assert plan is not None, text
    for here, there in exact(plan, whole, random):
        assert here == there, text


@SEARCHED
@given(st.integers(0, 2**32))
def test_an_answer_without_noise_and_clipping_is_what_postgresql_itself_says(seed: int) -> None:
    """The meaning of a text is PostgreSQL's: here nothing is translated."""
    random = Random(seed)
    oracle = postgres()
    oracle.load(world(random, plain=True), random)
    for _ in range(3):
        text = Grammar(random, plain=True).statement()
        plan = wide(text, oracle)
        if plan is not None:
            with suppress(psycopg.errors.SyntaxError):  # a constant to group by, which is no more than a group here
                wrong = differences(answers(text, plan, oracle))
                assert not wrong, "\n".join([text, *wrong, str(oracle.world and oracle.world.rows)])
