"""What the planner computes inside the enclave is exact, and alike to a few lines of Python (PRIVACY §3.2, §3.3)."""

from __future__ import annotations

import hashlib
from collections import Counter
from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from tests.sql.expressions import nasty
from tests.sql.expressions.engines import NAMES, Engine, kept
from tre.catalogue import Interval, Kind, Type, Value
from tre.sql import functions
from tre.sql.functions import intervals
from tre.sql.functions.keyed import PRIME
from tre.sql.plan import Call, Column, Expression, Parameter, Ref

WHOLE = Type(Kind.INTEGER)
_INT64 = some.integers(-(2**63), 2**63 - 1)


_WIDE = {"duckdb": "HUGEINT", "postgres": "NUMERIC"}


@pytest.fixture(scope="module", params=NAMES)
def engine(request: pytest.FixtureRequest) -> Engine:
    return kept(request.param)


def _value(engine: Engine, one: Expression, **columns: str) -> object:
    """Return the value of an expression over one row of `columns`, given as text of the engine."""
    told = ", ".join(f"{text} AS {name}" for name, text in columns.items())
    ((found,),) = engine.execute(f"SELECT {nasty.text(one, engine.dialect)} FROM (SELECT {told or 1}) AS r")
    return found


def _column(name: str, type_: Type = WHOLE) -> Ref:
    return Ref(Column(1, name, type_))


def _toward_zero(top: int, bottom: int) -> int:
    return abs(top) // abs(bottom) * (1 if (top < 0) == (bottom < 0) else -1)


@settings(max_examples=60, deadline=None)
@given(some.integers(-(2**100), 2**100), some.integers(0, 2**62), some.integers(0, 2**62), some.sampled_from(NAMES))
def test_a_weight_scales_exactly_toward_zero_even_beyond_64_bits(total: int, cap: int, rows: int, dialect: str) -> None:
    weighted = functions.call("scale_weight", _column("total"), functions.literal(cap), _column("n"))
    expected = _toward_zero(total * cap, rows) if rows > cap else total
    wide = f"'{total}'::{_WIDE[dialect]}"
    assert _value(kept(dialect), weighted, total=wide, n=f"{rows}::BIGINT") == expected


@settings(max_examples=60, deadline=None)
@given(_INT64, _INT64, _INT64, some.sampled_from(NAMES))
def test_a_clamp_keeps_null_and_brings_all_else_between_its_ends(
    value: int, one: int, other: int, dialect: str
) -> None:
    low, high = sorted((one, other))
    clamped = functions.call("clamp", _column("x"), functions.literal(low), functions.literal(high))
    assert _value(kept(dialect), clamped, x=f"'{value}'::BIGINT") == max(low, min(value, high))
    assert _value(kept(dialect), clamped, x="NULL::BIGINT") is None


@pytest.mark.parametrize(
    ("type_", "text", "granularity", "expected"),
    [
        (WHOLE, "17", Fraction(5), 3),
        (WHOLE, "-17", Fraction(5), -3),
        (WHOLE, "17", Fraction(1, 4), 68),
        (WHOLE, str(2**63 - 1), Fraction(1, 8), (2**63 - 1) * 8),
        (Type(Kind.DECIMAL, 12, 2), "-3.19", Fraction(1, 10), -31),
        (Type(Kind.DECIMAL, 12, 2), "3.19", Fraction(1, 100), 319),
        (Type(Kind.DECIMAL, 30, 4), "12345678901234567890.1234", Fraction(1, 10000), 123456789012345678901234),
        (Type(Kind.DOUBLE), "0.29", Fraction(1, 100), 29),
        (Type(Kind.DOUBLE), "-0.296", Fraction(1, 100), -30),
        (Type(Kind.DOUBLE), "2.5", Fraction(1), 2),
        (Type(Kind.DOUBLE), "'nan'", Fraction(1), None),
        (Type(Kind.DOUBLE), "'inf'", Fraction(1), None),
        (Type(Kind.DOUBLE), "1e300", Fraction(1), None),
    ],
)
def test_a_value_lies_on_the_grid(
    type_: Type, text: str, granularity: Fraction, expected: object, engine: Engine
) -> None:
    on_grid = functions.call("to_grid", _column("x", type_), functions.literal(granularity))
    name = engine.type_name(type_)
    assert _value(engine, on_grid, x=f"CAST({text} AS {name})") == expected


@pytest.mark.parametrize("value", [0, -7, 2**63 - 1, "", "Zoë", True, date(2020, 2, 29), Decimal("1.50"), None])
def test_the_keyed_mix_is_a_polynomial_that_every_engine_can_compute(value: Value | None, engine: Engine) -> None:
    secret, unit = 6_364_136_223_846_793_005, 42
    mixed = functions.call("keyed_mix", Parameter("secret", WHOLE), functions.literal(unit), functions.literal(value))
    told = nasty.text(mixed, engine.dialect).replace("$secret", str(secret))
    ((found,),) = engine.execute(f"SELECT {told}")
    key = secret % PRIME
    state = unit % PRIME * key % PRIME
    assert found % PRIME == (state + _residue(value)) * key % PRIME


def _residue(value: Value | None) -> int:
    if value is None:
        return PRIME - 1
    if isinstance(value, date):
        return intervals.days(value)
    if isinstance(value, str | Decimal):
        return int(hashlib.md5(str(value).encode(), usedforsecurity=False).hexdigest()[:15], 16) % PRIME
    return value % PRIME


def test_the_keyed_mix_spreads_and_depends_on_the_secret(engine: Engine) -> None:
    """Privacy does not rest on it, but a choice of groups that always falls on the first would be a bias."""
    winners = Counter()
    for secret in range(10**15, 10**15 + 200 * 7_919_777, 7_919_777):
        mixed = functions.call("keyed_mix", functions.literal(secret), functions.literal(5), _column("g"))
        groups = "(VALUES (0::BIGINT), (1), (2), (3)) AS r(g)"
        chosen = f"SELECT g FROM {groups} ORDER BY {nasty.text(mixed, engine.dialect)} LIMIT 1"
        ((winner,),) = engine.execute(chosen)
        winners[winner] += 1
    assert min(winners[group] for group in range(4)) > 20


@settings(max_examples=200, deadline=None)
@given(some.fractions(-(10**20), 10**20))
def test_ends_of_intervals_move_outward_to_doubles(end: Fraction) -> None:
    moved = intervals.outward(Interval(end, end))
    assert Fraction(float(moved.low)) == moved.low <= end <= moved.high == Fraction(float(moved.high))


def test_what_cannot_be_null_is_known_not_to_be() -> None:
    assert not functions.call("is_null", _column("x")).facts.nullable
    assert not functions.call("is_distinct", _column("x"), functions.literal(1)).facts.nullable
    sure = functions.call("coalesce", _column("x"), functions.literal(0))
    assert isinstance(sure, Call)
    assert not sure.facts.nullable
