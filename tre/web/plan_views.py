"""A plan as the REST surface shows it: what `check` says when it is asked to explain."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tre.web.views import DecisionView, ErrorView, Exact, SourcedBoundView, View

Status = Literal["public", "unit-keyed", "attribute", "released"]


class RelationView(View):
    """One relation of a plan: how deep it stands, what is done, what kind of rows comes of it, and why."""

    depth: int
    operation: str
    status: Status
    why: str


class GroupView(View):
    """A column that is grouped by, and where its values are known from; none where they are not known beforehand."""

    name: str
    known_from: str | None = None


class NoiseView(View):
    """One noisy vector. `scale`, and the `sensitivity` of each of `cells` cells, are in steps worth `unit`.

    `together` says that the sensitivity is that of all its cells together.
    """

    of: str
    distribution: Literal["discrete Gaussian", "discrete Laplace"]
    scale: float
    unit: str
    sensitivity: int
    cells: int
    together: bool = False
    share: float = Field(description="The share of this release's price")


class AlternativeView(View):
    """The noise of a count at the policy's usual price, of people or of rows, in either way to bound a person.

    That is over all groups `together`, which is `taken`, or `in_each` of them.
    """

    of: str
    together: float
    in_each: float
    taken: bool


class LossView(View):
    """A part of a price, exact: in rho, or in epsilon under pure DP. Parts add up in these."""

    unit: Literal["rho", "epsilon"]
    amount: Exact
    delta: Exact


class StepView(View):
    """One release: over which rows, with which bounds and noise, at which price; `sql` is the statement that would run.

    It reads the numbers of the releases `reads`. `threshold` is the noisy number of people above which a group that
    is not known beforehand is shown. `paid` is what the project pays: nothing for draws that it has paid before.
    """

    number: int
    reads: tuple[int, ...]
    measures: tuple[str, ...]
    rows: tuple[RelationView, ...]
    groups: tuple[GroupView, ...]
    known_groups: int | None = None
    threshold: int | None = None
    bounds: tuple[SourcedBoundView, ...]
    alternatives: tuple[AlternativeView, ...] = ()
    noise: tuple[NoiseView, ...]
    error: tuple[ErrorView, ...]
    stored_draws: int
    new_draw: LossView | None = None
    paid: LossView
    sql: str


class ExplanationView(View):
    """The releases of a plan in the order in which they would run; then what is computed from them, which is free."""

    steps: tuple[StepView, ...]
    rows: tuple[RelationView, ...]
    sql: str


class CheckView(DecisionView):
    """What a check answers: the decision and, where it was asked for, the plan; none of a text that has none."""

    explanation: ExplanationView | None = None
