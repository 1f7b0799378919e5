"""The neighbour oracle over random schemas, rows and statements (PRIVACY §5)."""

from __future__ import annotations

import inspect
import os
from collections import Counter
from dataclasses import replace
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.oracle import calls
from tests.oracle.asking import TODAY, asked, planned
from tests.oracle.calls import Kinds
from tests.oracle.grammar import Grammar
from tests.oracle.oracle import Oracle, Violation
from tests.oracle.worlds import World, world
from tre.base.reasons import Refused
from tre.privacy import plan as planning
from tre.privacy.plan import PrivatePlan
from tre.sql import bind
from tre.sql.functions import REGISTRY, exact, keyed

EXAMPLES = int(os.environ.get("TRE_ORACLE_EXAMPLES", "30"))
ORACLE = Oracle()


def admitted(random: Random, loose: bool, depth: int, made: World) -> tuple[str, PrivatePlan, Counter[str]] | None:
    """Return a random statement, its plan and the productions in it, or None where it is refused."""
    grammar = Grammar(random, loose=loose, depth=depth)
    text = grammar.statement()
    ask, rules = asked(random)
    found = planned(text, made.catalogue, ORACLE.stage.public_keys, ask, rules)
    return None if found is None else (text, found, grammar.used)


def smallest(found: PrivatePlan, made: World, random: Random) -> World:
    """Return the world with every row gone that a violation can do without."""
    for name, given_rows in made.rows.items():
        for row in given_rows:
            less = replace(made, rows={**made.rows, name: tuple(one for one in made.rows[name] if one is not row)})
            ORACLE.load(less, random)
            if ORACLE.violations(found):
                made = less
    return made


def told(text: str, found: PrivatePlan, made: World, violations: list[Violation]) -> str:
    """Return a failing case with as few rows as possible."""
    rows = {name: rows for name, rows in smallest(found, made, Random(0)).rows.items() if rows}
    shown = [f"{name}: {row}" for name, some in rows.items() for row in some]
    return "\n".join([text, *map(str, violations), *shown])


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.reuse, Phase.generate),
)
@given(st.integers(0, 2**32), st.booleans(), st.integers(0, 2))
def test_one_person_changes_no_more_than_is_claimed(seed: int, loose: bool, depth: int) -> None:
    random = Random(seed)
    made = world(random)
    ORACLE.load(made, random)
    for _ in range(2):
        found = admitted(random, loose, depth, made)
        if found is not None:
            violations = ORACLE.violations(found[1])
            assert not violations, told(found[0], found[1], made, violations)


def test_every_production_is_admitted_somewhere() -> None:
    """What the grammar writes is in use: no rule is looked at through statements that are refused anyway."""
    random, used, tried = Random(17), Counter[str](), Counter[str]()
    waited = {f"source:{one}" for one in SOURCES} | {f"condition:{one}" for one in CONDITIONS}
    waited |= {f"group by:{one}" for one in GROUPINGS} | {f"inner group by:{one}" for one in INNER_GROUPINGS}
    made = world(random).catalogue
    while tried["all"] < 150 or (waited and tried["all"] < 1500):
        grammar = Grammar(random)
        text = grammar.statement()
        tried["all"] += 1
        try:
            bind(text, made, TODAY)
        except Refused:
            continue
        tried["admitted"] += 1
        used += grammar.used
        waited -= used.keys()
    assert not waited
    assert tried["admitted"] > 0.8 * tried["all"]


SOURCES = (
    "table",
    "join units",
    "join link",
    "join full",
    "join public",
    "join attribute",
    "comma",
    "derived",
    "per person",
    "distinct inside",
    "windowed",
    "distinct on",
    "set",
    "with",
    "with twice",
    "join released",
)
CONDITIONS = (
    "comparison",
    "function",
    "computed",
    "and",
    "or",
    "not",
    "exists",
    "in units",
    "in tied",
    "in public",
    "exists public",
    "in released",
    "exists released",
)


GROUPINGS = ("keys", "rollup", "cube", "sets", "with rollup", "beside")
INNER_GROUPINGS = ("keys", "rollup", "cube", "sets")


def test_every_function_of_the_registry_is_in_the_grammar() -> None:
    """A new row of the table must be written here too; those that the planner alone calls are in every lowering."""
    planners = {one.name for one in (*keyed.FUNCTIONS, *exact.FUNCTIONS)}
    assert {one.function for one in calls.TEMPLATES} - {"case"} == set(REGISTRY) - planners


COLUMNS = {
    Kinds.INT: ("e.big", "e.code", "v.kind"),
    Kinds.NUM: ("v.paid",),
    Kinds.DOUBLE: ("e.value",),
    Kinds.TEXT: ("e.label",),
    Kinds.DATE: ("v.start",),
    Kinds.TIME: ("e.at",),
    Kinds.BOOL: ("e.flag",),
}


@pytest.mark.parametrize("start", range(0, len(calls.TEMPLATES), 10))
def test_every_function_keeps_what_is_claimed_on_wild_values(start: int) -> None:
    """Total, of its type, within its interval, domain and length: ten functions a statement."""
    random = Random(start)
    for _ in range(3):
        made = world(random)
        ORACLE.load(made, random)
        some = calls.TEMPLATES[start : start + 10]
        texts = [one.text.format(*(random.choice(COLUMNS[kind]) for kind in one.operands)) for one in some]
        listed = ", ".join(f"{text} AS x{place}" for place, text in enumerate(texts))
        kept = " OR ".join(f"x{place} IS NOT NULL" for place in range(len(texts)))
        rows = f"SELECT e.person_id, {listed} FROM event e JOIN visit v ON v.person_id = e.person_id"
        text = f"SELECT COUNT(*) FROM ({rows}) y WHERE {kept}"
        found = planned(text, made.catalogue, ORACLE.stage.public_keys)
        assert found is not None, text
        violations = ORACLE.violations(found)
        assert not violations, told(text, found, made, violations)


def test_binding_and_planning_cannot_see_data() -> None:
    """Verdict and price are functions of text, policy and public facts: nothing else is handed in (PRIVACY §1)."""
    assert list(inspect.signature(bind).parameters)[:4] == ["text", "catalogue", "today", "dialect"]
    given = list(inspect.signature(planning.plan).parameters)
    assert given == ["query", "ask", "rules", "public_keys", "drawn", "released"]
    random = Random(5)
    for _ in range(20):
        made = world(random)
        state = random.getstate()
        one = admitted(random, False, 1, made)
        random.setstate(state)
        other = admitted(random, False, 1, made)
        assert (one and one[1]) == (other and other[1])
