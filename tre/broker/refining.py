"""A sharper answer to an answered question: the next draw, and the second step of a pilot (PRIVACY §4).

Why a pilot's second step is reserved only when the pilot is released: its price is a function of that release, so it
may be known and acted upon, like everything that is worked out from a release. To reserve the quoted maximum first and
give back what the release leaves over would tell as little, but would keep others from a budget that is not used, and
teach ledgers to give back what a run decides, where they give back only what was never read (PRIVACY §1 "Filter"). So
each step is a request of its own, with intent, reservation, run and outcome. No budget is held for a step that may be
refused: then the pilot's answer stands, at the pilot's price.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import structlog

from tre import jobs
from tre.base.cost import Measure
from tre.base.reasons import Kind, Refused
from tre.base.reasons import requests as reasons
from tre.broker.asking import SQL, Taken, submit, unsealed
from tre.broker.parts import Parts
from tre.broker.standing import Asker, standing
from tre.decide import Question
from tre.jobs import Job, State
from tre.journal import on_record
from tre.privacy import accounting
from tre.privacy.accuracy import Accuracy
from tre.privacy.refining import further, lacked, to_accuracy
from tre.privacy.request import Rules


@dataclass(frozen=True, slots=True)
class Offer:
    """What a refinement is to take: the price of a further draw, or the accuracy that all draws are to bring.

    Where the accuracy needs more than may be spent, `to_the_most` takes that; else the refinement is refused.
    """

    epsilon: Fraction | None = None
    accuracy: Accuracy | None = None
    to_the_most: bool = False


@dataclass(frozen=True, slots=True)
class _Answered:
    """An answered request: its question and its answer, and what the draws of that come to, by question.

    `held` marks what others of its questions read once it was released: another draw of it would be other rows, and
    so make other questions of those. `told` says that the errors of all its numbers were known before it was measured.
    """

    question: Question
    result: Mapping[str, Any]
    amounts: tuple[int, ...]
    held: tuple[bool, ...]
    told: bool
    rules: Rules


def refine(parts: Parts, asker: Asker, job: Job, offer: Offer, query: str) -> Taken:
    """Take a refinement in as the request `query`: the same measurements, with a further draw where one is needed.

    Raises Refused where there is nothing to refine. What may be spent is decided as for every question.
    """
    question = _sharper(_answered(parts, asker, job), offer)
    return submit(parts, asker, job.project, job.dataset, question, query, refines=job)


def second_step(parts: Parts, job: Job) -> None:
    """Take an answered pilot's second step, for who asked it; what is refused is noted with the pilot.

    Done again after a crash it finds what it did: the second request's id follows from the pilot's.
    """
    if job.aim is None:
        return
    asker = Asker(job.person, job.aim["acr"] or "", job.aim["token"])
    second, error = None, None
    try:
        second, error = _second(parts, asker, job)
    except Refused as refused:
        if any(one.reason.kind is Kind.UNAVAILABLE for one in refused.refusals):
            raise  # a fault of the house: it is tried again
        error = reasons.SECOND_STEP.code
    except Exception as fault:  # noqa: BLE001 - the message may quote what was in hand
        structlog.get_logger("tre.broker").error("second step failed", query=job.id, kind=type(fault).__name__)
        error = reasons.SECOND_STEP.code
    parts.step("second-taken")
    with parts.store.transaction() as tx:
        jobs.note_second(tx, job.id, second, error)
    parts.ends.tell(job.id)


def _second(parts: Parts, asker: Asker, job: Job) -> tuple[str | None, str | None]:
    found = _answered(parts, asker, job)
    asked = found.question.ask
    question = _sharper(found, Offer(asked.epsilon, asked.accuracy, to_the_most=True))
    if question.ask.amounts == found.amounts:
        return None, None  # the pilot is as exact as was asked, or the most is spent
    query = "q_" + parts.digest("second step", job.id)[:32]
    taken = submit(parts, asker, job.project, job.dataset, question, query, refines=job)
    return (query, None) if taken.queued else (None, reasons.SECOND_STEP.code)


def _answered(parts: Parts, asker: Asker, job: Job) -> _Answered:
    intent = on_record(parts.journal, job.intent)
    with parts.store.reading() as tx:
        text = parts.sidecar.read(tx, job.intent, SQL, intent)
        at = standing(tx, parts, asker, job.project, job.dataset)
    if at.policy.rules.measure is Measure.PURE:
        raise Refused.because(reasons.NOTHING_REFINED)
    blocks = job.decision["blocks"]
    if job.state is not State.COMMITTED or job.answer is None or not blocks:
        raise Refused.because(reasons.NOT_ANSWERED)
    if text is None:
        raise Refused.because(reasons.ANOTHER_QUESTION)
    amounts, held = (tuple(block[name] for block in blocks) for name in ("amount", "held"))
    told = None not in job.decision["errors"].values()
    return _Answered(unsealed(text), job.answer.result, amounts, held, told, at.policy.rules)


def _sharper(found: _Answered, offer: Offer) -> Question:
    """Return the question at what the offer comes to, which is no less than what its answer is made of."""
    ask = replace(found.question.ask, epsilon=None, accuracy=None, amounts=None)
    if offer.accuracy is not None and not offer.accuracy.relative and found.told:
        return replace(found.question, ask=replace(ask, accuracy=offer.accuracy))
    return replace(found.question, ask=replace(ask, amounts=_raised(found, offer)))


def _raised(found: _Answered, offer: Offer) -> tuple[int, ...]:
    free = [amount for amount, held in zip(found.amounts, found.held, strict=True) if not held]
    raised = iter(_grown(found, offer, free))
    return tuple(amount if held else next(raised) for amount, held in zip(found.amounts, found.held, strict=True))


def _grown(found: _Answered, offer: Offer, amounts: Sequence[int]) -> Sequence[int]:
    rules, most = found.rules, found.rules.per_answer.amount
    if offer.accuracy is None:
        return amounts if offer.epsilon is None else further(amounts, offer.epsilon, rules)
    if not offer.accuracy.relative and not offer.to_the_most:
        return lacked(amounts, found.result, offer.accuracy) or amounts
    if offer.epsilon is not None:
        most = min(most, accounting.price(rules.measure, offer.epsilon, rules.conversion_delta).amount)
    return to_accuracy(amounts, found.result, offer.accuracy, most - sum(found.amounts) + sum(amounts))
