"""What the parts of a policy mean together: every contradiction is found before anything rests on it."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise

from tre.base.reasons import policy as reasons
from tre.policy.findings import Fault
from tre.policy.lint_columns import check_column, check_kinds
from tre.policy.lint_tables import check_table, check_unit
from tre.policy.model import Budget, Limit, Policy

_ADVISED_GROUP = 5


def check(policy: Policy) -> Iterator[Fault]:
    """Yield every fault of meaning in a document whose form is right; warnings too."""
    yield from _check_budget(policy.budget)
    yield from _check_answers(policy)
    yield from check_unit(policy)
    yield from check_kinds(policy)
    for name, table in policy.tables.items():
        yield from check_table(policy, name)
        if table.access != "hidden":
            for column in table.columns:
                yield from check_column(policy, name, column)


def _check_budget(budget: Budget) -> Iterator[Fault]:
    levels = _levels(budget)
    for (smaller, small), (larger, large) in pairwise(levels.items()):
        yield from _in_order(smaller, small.epsilon, larger, large.epsilon, "The epsilon")
        if small.delta and large.delta:
            yield from _in_order(smaller, small.delta, larger, large.delta, "The delta")
    if budget.bounds:
        yield from _in_order("bounds", budget.bounds.epsilon, "per project", budget.per_project.epsilon, "The epsilon")
    default = budget.per_answer.by_default
    if default:
        yield from _in_order("by default", default, "per answer", budget.per_answer.epsilon, "The epsilon")
    yield from _pure(budget) if budget.measure == "pure" else _delta(budget)


def _levels(budget: Budget) -> dict[str, Limit]:
    answer = budget.per_answer
    limit = Limit.model_construct(epsilon=answer.epsilon, delta=answer.delta)
    return {"per answer": limit, "per project": budget.per_project, "data set": budget.dataset}


def _in_order(smaller: str, small: Fraction, larger: str, large: Fraction, part: str) -> Iterator[Fault]:
    if small > large:
        path = ("budget", "per answer", smaller) if smaller == "by default" else ("budget", smaller)
        values = {"part": part, "small": shown(small), "smaller": smaller, "larger": larger, "large": shown(large)}
        yield Fault(path, reasons.BUDGET_ORDER, values)


def _pure(budget: Budget) -> Iterator[Fault]:
    if budget.delta:
        yield Fault(("budget", "delta"), reasons.PURE_DELTA)
    for level, limit in _levels(budget).items():
        if limit.delta:
            yield Fault(("budget", level, "delta"), reasons.PURE_DELTA)


def _delta(budget: Budget) -> Iterator[Fault]:
    """The shares of delta are fixed in advance and every limit covers them (PRIVACY §1 "Measure")."""
    if budget.delta is None:
        yield Fault(("budget",), reasons.NO_DELTA, {"key": "delta"})
    for level, limit in _levels(budget).items():
        if limit.delta is None:
            yield Fault(("budget", level), reasons.NO_DELTA, {"key": "delta"})
        elif budget.delta:
            parts = budget.delta.conversion + (budget.delta.keys if level == "per answer" else 0)
            if limit.delta < parts:
                values = {"level": level, "delta": shown(limit.delta), "parts": shown(Fraction(parts))}
                yield Fault(("budget", level, "delta"), reasons.BUDGET_DELTA, values)


def _check_answers(policy: Policy) -> Iterator[Fault]:
    size = policy.answers.minimum_group
    path = ("answers", "minimum group")
    if size is not None and size < _ADVISED_GROUP:
        too_small = size == 1
        why = reasons.GROUP if too_small else reasons.SMALL_GROUP
        yield Fault(path, why, {"size": str(size)}, warning=not too_small, of_key=False)
    delta, people = policy.budget.dataset.delta, policy.people_magnitude
    if delta and people and delta * people > 1:
        values = {"delta": shown(delta), "people": str(people)}
        yield Fault(("budget", "data set", "delta"), reasons.LARGE_DELTA, values, warning=True)


def shown(value: Fraction) -> str:
    """Write an exact number as people do."""
    return str(value.numerator) if value.denominator == 1 else f"{float(value):g}"
