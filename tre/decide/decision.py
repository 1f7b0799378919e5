"""A decision: what five gates said, every reason at once, the price, and what was promised of the error."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tre.base.cost import Cost
from tre.base.passage import Release
from tre.base.reasons import Refusal
from tre.decide.timing import Timing
from tre.policy.context import Verdict
from tre.privacy.draws import Charge
from tre.privacy.plan import Block, PrivatePlan, Shape
from tre.privacy.request import Ask


@dataclass(frozen=True, slots=True)
class Question:
    """What a researcher typed and offered: text, the dialect it is written in, and bounds that it narrows."""

    sql: str
    dialect: str = "postgres"
    ask: Ask = field(default_factory=Ask)


@dataclass(frozen=True, slots=True)
class Drawn:
    """The stored or pending draws of a question, in order, as costs; the places of those that this project has paid.

    `positions` are those in the list of all, failed ones counted, and `following` is that of a further one; `releases`
    is what they released (None: it is being measured).
    """

    draws: tuple[Cost, ...]
    paid: frozenset[int]
    positions: tuple[int, ...]
    following: int
    releases: tuple[Release | None, ...] = ()

    def made_of(self, charge: Charge) -> tuple[int, ...]:
        """Return the positions of the draws that an answer at `charge` is made of, a new one last."""
        stored = tuple(self.positions[place] for place in charge.serves)
        return stored if charge.new is None else (*stored, self.following)


DrawnOf = Callable[[str], Drawn]
"""Looks up what is drawn of a question: released facts alone (PRIVACY §1)."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One block of the answer: the price asked for, which stored draws serve, what is charged, the new draw if any.

    `question` is what is drawn of: the shape's, over the draws of what is released first, and `stored` what its draws
    cost. `positions` are those of all draws that the answer is made of, a new one last.
    """

    shape: Shape
    question: str
    requested: Cost
    charge: Charge
    new: Block | None
    stored: tuple[Cost, ...]
    positions: tuple[int, ...]

    @property
    def whole(self) -> Cost:
        """What all draws that the answer is made of come to, whoever paid for them."""
        return sum(self.charge.made_of(self.stored), Cost.zero(self.requested.measure))


@dataclass(frozen=True, slots=True)
class Decision:
    """Allowed when every gate allows. `plan` is None where the text could not be planned.

    `price` is what the project's ledger pays; `dataset_price` what the data set's ledger pays. Where `price` is that
    of a pilot, `most` is what it and its second step may come to together.
    """

    verdicts: tuple[Verdict, ...]
    plan: PrivatePlan | None
    measured: tuple[Measured, ...]
    price: Cost
    dataset_price: Cost
    timing: Timing | None
    policy_digest: str
    version: str
    most: Cost | None = None

    @property
    def allowed(self) -> bool:
        """Whether every gate allows, and there is a plan to run."""
        return self.plan is not None and all(verdict.allowed for verdict in self.verdicts)

    @property
    def released_first(self) -> frozenset[str]:
        """The questions of the shapes on whose releases others rest."""
        if self.plan is None:
            return frozenset()
        return frozenset(first for one in self.measured for first in self.plan.released_before(one.shape))

    @property
    def refusals(self) -> tuple[Refusal, ...]:
        """Every reason of every gate."""
        return tuple(refusal for verdict in self.verdicts for refusal in verdict.refusals)
