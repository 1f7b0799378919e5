"""What a request asks of the privacy core, and the rules that its policy sets for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from types import MappingProxyType
from typing import Final, Literal

from tre.base.cost import Cost, Measure
from tre.catalogue import Interval
from tre.privacy.accuracy import Accuracy

AUTOMATIC: Final = "automatic"
"""The groups of one person that count are to be told by a first step (tre.privacy.first_step)."""

Groups = int | Literal["automatic"]
"""How many groups of one person count: so many, or as a first step tells."""


@dataclass(frozen=True, slots=True)
class Ask:
    """How much of the budget a request offers and which bounds it narrows.

    `epsilon` None means the policy's per-answer default. With an `accuracy` the price is what that needs, `epsilon`
    the most that it may be, and None means the policy's limit for one answer. `groups` bounds the groups of one
    person (l0), `rows` the rows of one person in one group; `totals` bounds one person's contribution to the SUM of
    that output name. A request that refines an answer has `amounts` instead: what the draws of each question are to
    come to together, in the order in which the plan measures them.
    """

    epsilon: Fraction | None = None
    accuracy: Accuracy | None = None
    groups: Groups | None = None
    rows: int | None = None
    totals: Mapping[str, Interval] = field(default_factory=lambda: MappingProxyType({}))
    amounts: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """What a policy lays down for every answer on its data set.

    Limits are stored as (rho(epsilon, delta_conversion), delta − delta_conversion) (PRIVACY §1 "Measure").
    `keys_delta` is the delta that one answer with unknown keys may spend; `minimum_group` applies to the noisy
    number of people; `groups` is the policy's default l0, `automatic` says whether a request may have it told by a
    first step; `known_keys` the most keys that are enumerated;
    `release_every` the grid of release times in seconds (0: none); `most_rows_per_unit` and `most_rows` bound
    the worst-case work of a plan (PRIVACY §3.9). `units` bounds the number of people, so that sums cannot
    overflow; `floor` is the least amount that an answer costs (PRIVACY §1), in nano-rho or nano-epsilon; `bounds` is
    what a release of histograms costs the data set and each project, from which bounds are chosen (PRIVACY §3.2),
    `sizes` what the sizes of each version cost them (None: none are released).
    """

    measure: Measure
    per_answer: Cost
    per_project: Cost
    per_dataset: Cost
    conversion_delta: Fraction
    keys_delta: Fraction
    default_epsilon: Fraction
    minimum_group: int | None = None
    groups: int | None = None
    automatic: bool = True
    known_keys: int = 1000
    release_every: Fraction = Fraction(1, 4)
    most_rows_per_unit: int = 10**8
    most_rows: int = 10**15
    units: int = 2**33
    floor: int = 1000
    bounds: Cost | None = None
    sizes: Cost | None = None
