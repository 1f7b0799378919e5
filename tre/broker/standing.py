"""What a decision rests on, read afresh for every request: rights, policy, version, budgets, stored draws."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from tre import governance, ledger
from tre.base.cost import Cost
from tre.base.reasons import Refused, web
from tre.base.reasons import requests as reasons
from tre.broker.parts import Parts
from tre.broker.public import PublicLookup
from tre.catalogue import Catalogue, Size
from tre.decide import Drawn, Situation
from tre.ledger import Draw, DrawState, LedgerId
from tre.onboarding import Version, load_version
from tre.policy import CompiledPolicy, with_version
from tre.policy.context import Context
from tre.privacy import choice
from tre.privacy.histograms import Histogram, Subject
from tre.privacy.sizes import with_sizes
from tre.store import Reading

Payments = Mapping[int, frozenset[str]]
"""The requests that paid for a draw, or reserved its price, by its position."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, by which way of signing in, with which token."""

    person: str
    acr: str
    token: str | None = None


@dataclass(frozen=True, slots=True)
class Ledgers:
    """The two accounts of an answer. The project's rations; the data set's is the guarantee (PRIVACY §4)."""

    project: LedgerId
    dataset: LedgerId

    def charges(self, project: Cost, dataset: Cost) -> Mapping[LedgerId, Cost]:
        """Return what each account is to pay."""
        return {self.project: project, self.dataset: dataset}


@dataclass(frozen=True, slots=True)
class Ground:
    """What a plan rests on: the policy in force, the newest version, and what was released to plan by.

    `catalogue` is that of the version, with its noisy sizes, and the bounds that were found where none are declared;
    `chosen` the digest of these bounds: a release may come between a question and its run.
    """

    policy: CompiledPolicy
    version: Version
    catalogue: Catalogue
    chosen: str


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a request stands before its text is looked at."""

    context: Context
    project: str
    dataset: str
    ground: Ground
    ledgers: Ledgers

    @property
    def policy(self) -> CompiledPolicy:
        """The policy in force."""
        return self.ground.policy

    @property
    def version(self) -> Version:
        """The newest version."""
        return self.ground.version


def standing(tx: Reading, parts: Parts, asker: Asker, project: str, dataset: str | None) -> Standing:
    """Return it, for a member of `project`. Raises Refused: unknown and foreign projects answer alike."""
    context = governance.context(tx, asker.person, project, asker.acr, parts.clock.now())
    if context.project is None or asker.person not in context.project.members:
        raise Refused.because(web.UNKNOWN_PROJECT)
    name = _dataset(context.project.datasets, dataset)
    ledgers = Ledgers(LedgerId.of_project(project, name), LedgerId.of_dataset(name))
    return Standing(context, project, name, ground(tx, parts, name), ledgers)


def ground(tx: Reading, parts: Parts, dataset: str) -> Ground:
    """Return what plans rest on now. Raises Refused (request.version-missing, request.version-unusable)."""
    policy = governance.policy_in_force(tx, dataset)
    if policy is None:
        raise Refused.because(reasons.VERSION_MISSING)
    version = version_at(parts.versions / governance.current_version(tx, dataset).name)
    found, sizes = governance.found_bounds(tx, dataset), governance.found_sizes(tx, version.name)
    return ground_of(policy, version, tuple(sorted(found.items())), tuple(sorted(sizes.items())))


def situation(tx: Reading, parts: Parts, at: Standing) -> Situation:
    """Return what `decide` needs, with budgets and draws as this transaction sees them."""
    return Situation(
        context=at.context,
        policy=at.policy,
        catalogue=at.ground.catalogue,
        made_under=at.version.catalogue_digest,
        today=at.version.created.date(),
        left={
            "project": ledger.balance(tx, at.ledgers.project).left,
            "dataset": ledger.balance(tx, at.ledgers.dataset).left,
        },
        drawn=cache(lambda question: drawn(tx, parts, at, question)),
        public_keys=PublicLookup(parts.engine, at.version.path, parts.patience),
    )


def question_digest(parts: Parts, at: Standing, question: str) -> str:
    """Return the identity of a question on a version: a new version asks a new question (PRIVACY §4).

    The declarations, and what was found in place of some, are part of it: domains and clamps of the scan stand in no
    question's text.
    """
    declared = at.policy.catalogue.digest
    return parts.digest("question", at.dataset, at.version.name, declared, at.ground.chosen, question)


def drawn(tx: Reading, parts: Parts, at: Standing, question: str) -> Drawn:
    """Return what is drawn of a question, and what the project has paid of it."""
    return costs(*drawings(tx, at, question_digest(parts, at, question)))


def drawings(tx: Reading, at: Standing, digest: str) -> tuple[tuple[Draw, ...], Payments]:
    """Return every draw of a question by position, failed ones too, and who paid for which in this project."""
    return ledger.draws(tx, digest), ledger.paid(tx, at.ledgers.project, digest)


def costs(every: tuple[Draw, ...], payments: Payments) -> Drawn:
    """Return what these draws of a question cost, and which of them are paid; a failed draw is spent and gone."""
    draws = [draw for draw in every if draw.state is not DrawState.FAILED]
    return Drawn(
        draws=tuple(draw.cost for draw in draws),
        paid=frozenset(place for place, draw in enumerate(draws) if draw.position in payments),
        positions=tuple(draw.position for draw in draws),
        following=len(every),
        releases=tuple(draw.release for draw in draws),
    )


def _dataset(granted: frozenset[str], named: str | None) -> str:
    if named is None and len(granted) == 1:
        return next(iter(granted))
    if named is None or named not in granted:
        raise Refused.because(reasons.WHICH_DATASET, datasets=", ".join(sorted(granted)))
    return named


@lru_cache(maxsize=256)
def ground_of(
    policy: CompiledPolicy,
    at: Version,
    found: tuple[tuple[Subject, Histogram], ...],
    sizes: tuple[tuple[str, Size], ...],
) -> Ground:
    """Return what follows from these. Of the same there is one catalogue in a process: its tables keep their facts."""
    declared = with_version(policy.catalogue, at.name, at.enforced, at.public_sizes, at.absent, at.counted)
    bounds = dict(found)
    catalogue = with_sizes(choice.with_bounds(declared, bounds, policy.rules), dict(sizes))
    return Ground(policy, at, catalogue, hashlib.sha256(choice.text_of(bounds, policy.rules).encode()).hexdigest())


@lru_cache(maxsize=256)
def version_at(folder: Path) -> Version:
    """Return the version in `folder`; it never changes. Raises Refused (request.version-unusable)."""
    try:
        return load_version(folder)
    except (OSError, ValueError, KeyError) as error:
        raise Refused.because(reasons.VERSION_UNUSABLE) from error
