"""The plan as people can read it: functions of request, policy, public and released facts alone (PRIVACY §1).

It says what a decision rests on, in the order in which it would run. The statements are those that would run; the
secret of the keyed mix is a parameter of theirs, and never part of a text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tre.base.cost import Cost
from tre.decide.decision import Decision, Measured
from tre.privacy import told as private
from tre.privacy.answer import post_processing
from tre.privacy.blocks import Bound, PrivatePlan, Shape
from tre.privacy.expected import promised
from tre.privacy.noising import in_effect
from tre.privacy.request import Ask
from tre.sql import told as relational
from tre.sql.render import render
from tre.sql.told import Line


@dataclass(frozen=True, slots=True)
class Step:
    """One release: what it measures of which rows, after the releases whose numbers it `reads`, and at which price.

    `known_groups` is their number (None: unknown, shown where a noisy number of people lies above `threshold`, which
    is None where a stored draw has released them). `stored` draws serve, `new` is what a further one costs, and
    `paid` what the project pays. `errors` are the half-widths of 95 % intervals (None: known after the release).
    """

    number: int
    reads: tuple[int, ...]
    measures: tuple[str, ...]
    rows: tuple[Line, ...]
    groups: tuple[private.Group, ...]
    known_groups: int | None
    threshold: int | None
    bounds: tuple[Bound, ...]
    alternatives: tuple[private.Alternative, ...]
    noise: tuple[private.Measurement, ...]
    errors: Mapping[str, float | None]
    stored: int
    new: Cost | None
    paid: Cost
    sql: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """The releases in their order; then what is computed from them alone, and is free."""

    steps: tuple[Step, ...]
    rows: tuple[Line, ...]
    sql: str


_FIRST_STEP = ("people, by the number of groups that they stand in",)


def explain(decision: Decision, ask: Ask, dialect: str) -> Explanation | None:
    """Return the plan of a decision for people; None where the text could not be planned."""
    plan = decision.plan
    if plan is None:
        return None
    numbers = {one.shape.question: place for place, one in enumerate(decision.measured, 1)}
    results = {id(one.shape.source): f"result {numbers[one.shape.question]} ({one.shape.name})" for one in plan.blocks}
    over, _ = post_processing(plan)
    return Explanation(
        steps=tuple(_step(one, plan, numbers, results, ask, dialect) for one in decision.measured),
        rows=relational.told(plan.query.root, results),
        sql=render(over, dialect).sql,
    )


def _step(
    measured: Measured,
    plan: PrivatePlan,
    numbers: Mapping[str, int],
    results: Mapping[int, str],
    ask: Ask,
    dialect: str,
) -> Step:
    shape = measured.shape
    draws = measured.charge.made_of(measured.stored)
    reads = {numbers[question] for question in plan.released_before(shape)}
    return Step(
        number=numbers[shape.question],
        reads=tuple(sorted(reads)),
        measures=_FIRST_STEP if shape.question in plan.steps else relational.measured(shape.source),
        rows=relational.told(shape.source.input, results),
        groups=private.groups_of(shape),
        known_groups=None if shape.keys is None else len(shape.keys),
        threshold=None if measured.new is None else measured.new.threshold,
        bounds=private.bounds_of(shape, ask),
        alternatives=private.alternatives_of(shape, ask, plan.rules),
        noise=private.measurements_of(shape, draws),
        errors=_errors(shape, draws),
        stored=len(measured.charge.serves),
        new=measured.charge.new,
        paid=measured.charge.project,
        sql=render(shape.relation, dialect).sql,
    )


def _errors(shape: Shape, draws: Sequence[Cost]) -> Mapping[str, float | None]:
    effects = in_effect(shape, draws)
    widths = {shape.names[one.column.id]: promised(shape, one, effects) for one in shape.outputs}
    return {name: None if width is None else float(width) for name, width in widths.items()}
