"""What a decision rests on, read afresh for every request: rights, policy, version, budgets, stored draws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from tre import governance, ledger
from tre.base.cost import Cost
from tre.base.reasons import Refused, web
from tre.base.reasons import requests as reasons
from tre.broker.parts import Parts
from tre.broker.public import PublicLookup
from tre.decide import Drawn, Situation
from tre.ledger import DrawState, LedgerId
from tre.onboarding import Version, load_version
from tre.policy import CompiledPolicy, with_version
from tre.policy.context import Context
from tre.store import Reading


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
class Standing:
    """Where a request stands before its text is looked at."""

    context: Context
    project: str
    dataset: str
    policy: CompiledPolicy
    version: Version
    ledgers: Ledgers


def standing(tx: Reading, parts: Parts, asker: Asker, project: str, dataset: str | None) -> Standing:
    """Return it, for a member of `project`. Raises Refused: unknown and foreign projects answer alike."""
    context = governance.context(tx, asker.person, project, asker.acr, parts.clock.now())
    if context.project is None or asker.person not in context.project.members:
        raise Refused.because(web.UNKNOWN_PROJECT)
    name = _dataset(context.project.datasets, dataset)
    policy = governance.policy_in_force(tx, name)
    if policy is None:
        raise Refused.because(reasons.VERSION_MISSING)
    record = governance.current_version(tx, name)
    return Standing(
        context,
        project,
        name,
        policy,
        version_at(parts.versions / record.name),
        Ledgers(LedgerId.of_project(project, name), LedgerId.of_dataset(name)),
    )


def situation(tx: Reading, parts: Parts, at: Standing) -> Situation:
    """Return what `decide` needs, with budgets and draws as this transaction sees them."""
    catalogue = with_version(
        at.policy.catalogue,
        at.version.name,
        at.version.enforced,
        at.version.public_sizes,
        at.version.absent,
        at.version.counted,
    )
    return Situation(
        context=at.context,
        policy=at.policy,
        catalogue=catalogue,
        made_under=at.version.catalogue_digest,
        today=at.version.created.date(),
        left={
            "project": ledger.balance(tx, at.ledgers.project).left,
            "dataset": ledger.balance(tx, at.ledgers.dataset).left,
        },
        drawn=lambda question: drawn(tx, parts, at, question),
        public_keys=PublicLookup(parts.engine, at.version.path, parts.patience),
    )


def question_digest(parts: Parts, at: Standing, question: str) -> str:
    """Return the identity of a question on a version: a new version asks a new question (PRIVACY §4).

    The declarations are part of it: domains and clamps of the scan stand in no question's text.
    """
    return parts.digest("question", at.dataset, at.version.name, at.policy.catalogue.digest, question)


def drawn(tx: Reading, parts: Parts, at: Standing, question: str) -> Drawn:
    """Return what is drawn of a question, and what the project has paid of it; a failed draw is spent and gone."""
    digest = question_digest(parts, at, question)
    every = ledger.draws(tx, digest)
    draws = [draw for draw in every if draw.state is not DrawState.FAILED]
    payments = ledger.paid(tx, at.ledgers.project, digest)
    return Drawn(
        draws=tuple(draw.cost for draw in draws),
        paid=frozenset(place for place, draw in enumerate(draws) if draw.position in payments),
        positions=tuple(draw.position for draw in draws),
        following=len(every),
    )


def _dataset(granted: frozenset[str], named: str | None) -> str:
    if named is None and len(granted) == 1:
        return next(iter(granted))
    if named is None or named not in granted:
        raise Refused.because(reasons.WHICH_DATASET, datasets=", ".join(sorted(granted)))
    return named


@lru_cache(maxsize=256)
def version_at(folder: Path) -> Version:
    """Return the version in `folder`; it never changes. Raises Refused (request.version-unusable)."""
    try:
        return load_version(folder)
    except (OSError, ValueError, KeyError) as error:
        raise Refused.because(reasons.VERSION_UNUSABLE) from error
