"""PRIVACY §3.8: no function fails on a value, and every claimed fact holds: the registry is the list of tests."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from tests.sql.expressions import nasty
from tests.sql.expressions.engines import NAMES, Engine, kept
from tre.base.reasons import Refused
from tre.catalogue import Kind, Type
from tre.sql import functions
from tre.sql.functions import exact, keyed
from tre.sql.plan import Expression

_TARGETS = [
    nasty.INTEGER,
    nasty.DOUBLE,
    nasty.TEXT,
    nasty.BOOLEAN,
    nasty.DATE,
    nasty.TIMESTAMP,
    nasty.MONEY,
    nasty.WIDE,
]
_TARGETS += [nasty.TINY, Type(Kind.DECIMAL, 38, 0), Type(Kind.DECIMAL, 5, 4)]
_ASKED = sorted(functions.REGISTRY.keys() - {row.name for row in (*exact.FUNCTIONS, *keyed.FUNCTIONS)})
_AIMED = {"date_part", "date_trunc", "date_diff", "date_add"}
_LITERAL_ENDS = {"clamp", "substring", "scale_weight", "like", "left", "right", "to_grid"}


@pytest.fixture(scope="module", params=NAMES)
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    with nasty.engine(request.param) as made:
        yield made


def calls(name: str, attempts: int, most: int, pool: list[Expression] = nasty.POOL) -> list[Expression]:
    """Return calls of `name` that its types admit, found by trying arguments of every kind."""
    if name == "cast":
        return [one for value in pool for type_ in _TARGETS if (one := _tried(functions.cast, value, type_))]
    chance = random.Random(name)
    found: dict[Expression, None] = {}
    for _ in range(attempts):
        arguments = [chance.choice(pool) for _ in range(chance.randint(1, 4))]
        if name in _AIMED:
            arguments[0] = chance.choice(nasty.UNITS)
        if name in _LITERAL_ENDS:
            arguments[1:] = [chance.choice(nasty.CONSTANTS) for _ in arguments[1:]]
        one = _tried(functions.call, name, *arguments)
        if one is not None:
            found[one] = None
        if len(found) >= most:
            break
    return list(found)


@cache
def admitted(name: str, most: int) -> list[Expression]:
    """Return calls of `name` over the pool; finding them takes longer than both engines take to answer them."""
    return calls(name, 20_000, most)


def _tried(function: object, *arguments: object) -> Expression | None:
    assert callable(function)
    try:
        made: Expression = function(*arguments)
        nasty.text(made)
    except Refused:
        return None
    return made


@pytest.mark.parametrize("name", sorted(functions.REGISTRY))
def test_a_function_never_fails_and_its_facts_hold_for_every_value(name: str, engine: Engine) -> None:
    found = admitted(name, 120)
    assert len(found) >= 3, "no arguments found that this function admits: add fitting ones to the pool"
    for start in range(0, len(found), 40):
        batch = found[start : start + 40]
        for one, values in zip(batch, nasty.run(engine, batch), strict=True):
            for value in set(values):
                nasty.check(one, value)


@pytest.mark.parametrize("name", sorted(functions.REGISTRY))
def test_a_function_does_not_fail_on_values_that_a_scan_would_have_cleaned(name: str, engine: Engine) -> None:
    found = admitted(name, 60)
    for start in range(0, len(found), 30):
        list(nasty.run(engine, found[start : start + 30], "raw"))


@pytest.mark.parametrize("name", sorted(functions.REGISTRY))
def test_a_function_has_the_same_values_on_both_engines(name: str) -> None:
    """A question's exact vector is the question's, whichever engine measures it (PRIVACY §5)."""
    found = admitted(name, 60)
    for start in range(0, len(found), 30):
        batch = found[start : start + 30]
        both = zip(*(nasty.run(shared(dialect), batch) for dialect in NAMES), strict=True)
        for one, (here, there) in zip(batch, both, strict=True):
            assert here == there, (
                f"{nasty.text(one)}\n{nasty.text(one, 'postgres')}\n{set(zip(here, there, strict=True))}"
            )


def test_what_a_scan_gives_is_normal(engine: Engine) -> None:
    refs = [nasty.REFS[name] for name in ("f1", "m1", "s1")]
    normal: list[Expression] = [functions.call("normal", one) for one in refs]
    texts = ", ".join(nasty.text(one, engine.dialect) for one in normal)
    for values in zip(*engine.execute(f"SELECT {texts} FROM raw"), strict=True):
        for value in values:
            if value is not None:
                assert nasty.number(value) == nasty.number(value)


@settings(max_examples=30, deadline=None)
@given(some.data(), some.sampled_from(NAMES))
def test_nested_expressions_never_fail_and_their_facts_hold(data: some.DataObject, dialect: str) -> None:
    """Facts of facts: arguments are themselves calls, whose intervals and grids were computed."""
    seed = data.draw(some.integers(0, 2**32))
    chance = random.Random(seed)
    pool = [*nasty.POOL]
    for name in chance.sample(_ASKED, 8):
        pool += calls(name, 60, 4, pool)
    inner = pool[len(nasty.POOL) :]
    found = [
        one
        for name in chance.sample(sorted(functions.REGISTRY), 10)
        for one in calls(name, 60, 3, inner + pool)
        if len(nasty.text(one)) < 4_000
    ]
    if found:
        for one, values in zip(found, nasty.run(shared(dialect), found), strict=True):
            for value in set(values):
                nasty.check(one, value)


_SHARED: dict[str, Engine] = {}


def shared(dialect: str) -> Engine:
    """Return an engine with the tables, for the session."""
    if dialect not in _SHARED:
        _SHARED[dialect] = kept(dialect)
        nasty.fill(_SHARED[dialect], 80)
    return _SHARED[dialect]
