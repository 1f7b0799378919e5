"""Specification by example: data, SQL and policy, then decision, price, exact vector and error (PRIVACY §2).

TRE_UPDATE_GOLDEN=1 writes the file anew; the difference is then read like code. The manual is made from the file.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace

import pyarrow as pa
import pytest

from tests.docs import manual  # noqa: F401 - sets the path of the manual's own modules
from tests.privacy.blocks import rules as lenient
from tests.privacy.test_end_to_end import House
from tests.sql.catalogue import fill
from tests.sql.expressions.engines import NAMES, Engine, opened
from tests.sql.golden.test_golden import refusal
from tre.base.reasons import Refused
from tre.privacy.plan import Block, PrivatePlan
from tre.privacy.request import Ask
from tre.sql.plan import Relation
from tre.sql.render import render

import admitted  # isort: skip

EVERY = list(admitted.rules(admitted.EXAMPLES.read_text(encoding="utf-8")))
MIX = 99991
RULES = lenient(units=10_000, groups=3)


def decided(sql: str, house: House) -> str:
    """Return what is decided on `sql`, for people."""
    try:
        plan = house.planned(sql, Ask(), RULES)
    except Refused as refused:
        return "\n".join(refusal(one) for one in refused.refusals)
    return "\n".join(_answered(plan, house))


def _answered(plan: PrivatePlan, house: House) -> Iterator[str]:
    if not plan.blocks:
        yield "exact and free"
        yield from (str(tuple(row.values())) for row in house.table(plan.query.root).to_pylist())
        return
    delta = f"delta {float(plan.cost.delta_fraction):g}" if plan.cost.delta else "no delta"
    yield f"answered for rho {float(plan.cost.rho):.9f}, {delta}"
    yield from (f"note: {note}" for note in plan.query.notes)
    for block in plan.measured:
        yield from _measured(block, house)
    known = [f"{name} ±{width:g}" for name, width in plan.errors.items() if width is not None]
    yield f"error told beforehand: {', '.join(known) or 'none'}"


def _measured(block: Block, house: House) -> Iterator[str]:
    shape = block.shape
    groups = f"{len(shape.keys)} known groups" if shape.keys is not None else "unknown groups"
    if shape.keys is None:
        groups += f", shown where more than {block.threshold} people are counted"
    yield f"{', '.join(shape.names.values())}: {groups if shape.source.keys else 'one number each'}"
    most = ", ".join(f"{part.kind.value} {part.sensitivity}" for part in shape.parts)
    yield f"one person: in at most {shape.groups} of the groups, adding at most {most} to each"
    if shape.inputs:
        yield "exact vector: depends on what is released first"
        return
    width = len(shape.source.keys)
    rows = (tuple(map(_cell, row.values())) for row in house.table(shape.relation).to_pylist())
    told = sorted((f"{', '.join(map(str, row[:width])) or 'all'}: {row[width:]}" for row in rows), key=str)
    yield "exact vector:"
    yield from (f"  {one}" for one in told)


class ServerHouse(House):
    """The same in a PostgreSQL server."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        fill(engine)

    def table(self, relation: Relation, inputs: Mapping[str, pa.Table] | None = None) -> pa.Table:
        statement = render(relation, "postgres")
        given = dict.fromkeys(statement.parameters, MIX)
        return self._engine.table(statement.sql, given, inputs or {})


@pytest.fixture(scope="module", params=NAMES)
def house(request: pytest.FixtureRequest) -> Iterator[House]:
    if request.param == "duckdb":
        yield House()
        return
    with opened("postgres") as engine:
        yield ServerHouse(engine)


def test_every_example_is_decided_as_the_manual_says(house: House) -> None:
    now = [
        replace(rule, examples=tuple(replace(one, decided=decided(one.sql, house)) for one in rule.examples))
        for rule in EVERY
    ]
    if os.environ.get("TRE_UPDATE_GOLDEN") == "1" and not isinstance(house, ServerHouse):
        admitted.EXAMPLES.write_text(admitted.written(now), encoding="utf-8")
    assert admitted.written(now) == admitted.EXAMPLES.read_text(encoding="utf-8")


def _cell(value: object) -> object:
    """A histogram is a map on one engine and pairs on the other."""
    return [tuple(one) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize("rule", EVERY, ids=lambda rule: rule.operation[:40])
def test_every_rule_shows_what_is_answered_and_what_is_refused(rule: admitted.Rule) -> None:
    assert any(one.refused for one in rule.examples)
    assert rule.result == "refused" or any(not one.refused for one in rule.examples)
    for one in rule.examples:
        assert not one.refused or "→ " in one.decided
