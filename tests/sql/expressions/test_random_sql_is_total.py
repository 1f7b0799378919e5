"""The same promise from the text on: any expression that binds runs without failing, and its facts hold."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as some

from tests.sql.expressions import nasty
from tests.sql.expressions.engines import NAMES
from tests.sql.expressions.spoken import meaning
from tests.sql.expressions.test_every_function_is_total import shared
from tre.base.reasons import Refused
from tre.sql.plan import Expression

_FORMS = """
({} + {}) | ({} - {}) | ({} * {}) | ({} / {}) | ({} % {}) | (- {}) | ({} = {}) | ({} < {}) | ({} <> {})
({} >= {}) | ({} AND {}) | ({} OR {}) | (NOT {}) | ({} IS NULL) | ({} IS NOT NULL)
({} IS DISTINCT FROM {}) | ({} IS NOT TRUE) | ({} BETWEEN {} AND {}) | ({} NOT BETWEEN {} AND {})
({} IN ({}, {}, NULL)) | ({} NOT IN ({})) | ({} LIKE 'a%') | ({} NOT LIKE '_%')
({} ILIKE '%B%' ESCAPE '!') | CASE WHEN {} THEN {} ELSE {} END
CASE {} WHEN {} THEN {} WHEN {} THEN {} END | COALESCE({}, {}) | NULLIF({}, {}) | GREATEST({}, {}, {})
LEAST({}, {}) | ABS({}) | SIGN({}) | ROUND({}) | ROUND({}, 2) | FLOOR({}) | CEIL({}) | TRUNC({})
TRUNC({}, 1) | SQRT({}) | LN({}) | LOG({}) | EXP({}) | POWER({}, {}) | POWER({}, 2) | MOD({}, {})
CAST({} AS BIGINT) | CAST({} AS NUMERIC(10, 3)) | CAST({} AS DOUBLE PRECISION) | CAST({} AS TEXT)
CAST({} AS VARCHAR(3)) | CAST({} AS DATE) | CAST({} AS TIMESTAMP) | CAST({} AS BOOLEAN)
EXTRACT(YEAR FROM {}) | EXTRACT(WEEK FROM {}) | DATE_TRUNC('month', {}) | DATE_TRUNC('week', {})
({} + INTERVAL '3 months') | ({} - INTERVAL '40' DAY) | ({} + INTERVAL '-5 hours')
({} + {} * INTERVAL '1 day') | ({} - INTERVAL '2 months' * {}) | EXTRACT(EPOCH FROM {} - {}) | EXTRACT(DAY FROM {} - {})
MAKE_DATE({}, {}, {}) | LOWER({}) | UPPER({}) | LENGTH({}) | SUBSTRING({}, 2, 3) | LEFT({}, 2)
RIGHT({}, 2) | TRIM({}) | ({} || {}) | CONCAT({}, {})
"""
FORMS = [one.strip() for line in _FORMS.strip().split("\n") for one in line.split(" | ")]
_LEAVES = [
    *nasty.REFS,
    "0",
    "1",
    "-1",
    "2.5",
    "0.001",
    "9223372036854775807",
    "NULL",
    "TRUE",
    "'a'",
    "'12'",
    "'2020-02-29'",
]
_LEAVES += ["DATE '2020-02-29'", "TIMESTAMP '1999-12-31 23:59:59'", "CURRENT_DATE"]


def bindable(chance: random.Random, depth: int) -> str:
    """Return the text of an expression that binds: forms are tried until one does."""
    if depth == 0:
        return chance.choice(_LEAVES)
    for _ in range(25):
        form = chance.choice(FORMS)
        text = form.format(*(bindable(chance, chance.randint(0, depth - 1)) for _ in range(form.count("{}"))))
        if _meaning(text) is not None:
            return text
    return chance.choice(_LEAVES)


def _meaning(text: str) -> Expression | None:
    try:
        return meaning(text, **nasty.REFS)
    except Refused:
        return None


@settings(max_examples=60, deadline=None)
@given(some.integers(0, 2**32), some.sampled_from(NAMES))
def test_any_expression_that_binds_never_fails_and_keeps_its_facts(seed: int, dialect: str) -> None:
    chance = random.Random(seed)
    found = [one for _ in range(4) if (one := _meaning(bindable(chance, 3))) is not None]
    for one, values in zip(found, nasty.run(shared(dialect), found) if found else (), strict=True):
        for value in set(values):
            nasty.check(one, value)
