"""A plan as a view."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from tre.decide.explain import Explanation, Step
from tre.sql.told import Line
from tre.web import plan_views, views
from tre.web.adapter.amounts import loss


def explanation(found: Explanation) -> plan_views.ExplanationView:
    """Return the plan as people can read it."""
    return plan_views.ExplanationView(
        steps=tuple(_step(one) for one in found.steps), rows=_rows(found.rows), sql=found.sql
    )


def _step(one: Step) -> plan_views.StepView:
    return plan_views.StepView(
        number=one.number,
        reads=one.reads,
        measures=one.measures,
        rows=_rows(one.rows),
        groups=tuple(plan_views.GroupView(**asdict(group)) for group in one.groups),
        known_groups=one.known_groups,
        threshold=one.threshold,
        bounds=tuple(views.SourcedBoundView(**asdict(bound)) for bound in one.bounds),
        alternatives=tuple(plan_views.AlternativeView(**asdict(one_way)) for one_way in one.alternatives),
        noise=tuple(
            plan_views.NoiseView(**{**asdict(noise), "unit": str(noise.unit), "share": float(noise.share)})
            for noise in one.noise
        ),
        error=tuple(views.ErrorView(output=name, half_width=width) for name, width in one.errors.items()),
        stored_draws=one.stored,
        new_draw=None if one.new is None else loss(one.new),
        paid=loss(one.paid),
        sql=one.sql,
    )


def _rows(lines: Sequence[Line]) -> tuple[plan_views.RelationView, ...]:
    return tuple(
        plan_views.RelationView(depth=one.depth, operation=one.operation, status=one.status.value, why=one.why)
        for one in lines
    )
