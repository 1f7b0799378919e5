"""From a question to a durable, paid-for row: decide, reserve, intent; or a refusal that is on the record."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from tre import jobs, ledger
from tre.base.ids import new_id
from tre.base.reasons import Kind, Refusal, Refused, faults
from tre.base.reasons import requests as reasons
from tre.broker.ending import void
from tre.broker.facts import asked, facts
from tre.broker.parts import Parts
from tre.broker.plans import Basis
from tre.broker.standing import Asker, Payments, Standing, costs, drawings, question_digest, situation, standing
from tre.catalogue import Interval
from tre.decide import Decision, Measured, Question, decide
from tre.jobs import Job, NewJob
from tre.journal import on_record
from tre.journal.entries import Question as Asked
from tre.journal.entries import query_denied, query_intent, request_denied
from tre.privacy.accuracy import Accuracy
from tre.privacy.draws import charge
from tre.privacy.request import Ask
from tre.store import Transaction

_ATTEMPTS = 5
SQL = "sql"


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a question: its id, the decision and its facts; `queued` when it was allowed.

    `job` is the request as it was queued just now; None where it was denied, or taken in before.
    """

    id: str
    facts: dict[str, Any]
    refusals: tuple[tuple[str, Refusal], ...] = ()
    job: Job | None = None

    @property
    def queued(self) -> bool:
        """Whether the question waits for its run."""
        return not self.refusals


class _Moved(Exception):  # noqa: N818 - a state of the world
    """Another request took or stored a draw meanwhile, so the price has to be fixed anew."""


@dataclass(frozen=True, slots=True)
class Use:
    """Which draws of a question an answer is made of; `leads` is the position that this query measures itself."""

    question: str
    positions: tuple[int, ...]
    leads: int | None


@dataclass(frozen=True, slots=True)
class _Claim:
    """A use that is being reserved, with the question's draws and payments as they were before it."""

    use: Use
    draws: tuple[ledger.Draw, ...]
    payments: Payments


def check(
    parts: Parts, asker: Asker, project: str, dataset: str | None, question: Question
) -> tuple[Decision, Standing]:
    """Return the decision on a question. It costs nothing and writes no entry."""
    with parts.store.reading() as tx:
        at = standing(tx, parts, asker, project, dataset)
        return decide(question, situation(tx, parts, at)), at


def named(parts: Parts, asker: Asker, project: str, key: str | None) -> str:
    """Return the id of a request: the same for the same idempotency key of the same person in the same project."""
    if key is None:
        return new_id("q", parts.randomness)
    return "q_" + parts.digest("key", asker.person, project, key)[:32]


def submit(
    parts: Parts,
    asker: Asker,
    project: str,
    dataset: str | None,
    question: Question,
    query: str,
    refines: Job | None = None,
) -> Taken:
    """Take a question in. It is denied with every reason, or its price is reserved and its intent in the log.

    :param query: the request's id; where it is taken already, the same question is the same request.
    :param refines: the answered request whose very measurements the question must be about.
    """
    for _ in range(_ATTEMPTS):
        if (known := _known(parts, query, question)) is not None:
            return known
        decision, at = _decided(parts, asker, project, dataset, question, query)
        if decision.plan is None or not decision.allowed:
            return _denied(parts, asker, at, question, decision, query)
        if refines is not None and not _same(parts, at, decision, refines):
            return _denied(parts, asker, at, question, decision, query, (Refusal(reasons.ANOTHER_QUESTION),))
        basis = Basis(_sealed(question), decision.policy_digest, decision.version)
        parts.plans.keep(query, basis, decision.plan)  # before the row: who takes the row may be quick
        try:
            taken, events = _reserved(parts, asker, at, question, decision, query, refines)
        except _Moved:
            continue
        except Refused as refused:
            if any(refusal.reason.kind is not Kind.BUDGET for refusal in refused.refusals):
                raise  # a fault of the house is no decision on the question
            return _denied(parts, asker, at, question, decision, query, refused.refusals)
        _indexed(parts, query, events)
        return taken
    raise Refused.because(reasons.BUSY)


def _same(parts: Parts, at: Standing, decision: Decision, refines: Job) -> bool:
    """Whether a decision is about the questions of an earlier one, which name bounds, selection and version."""
    asked_now = [question_digest(parts, at, measured.question) for measured in decision.measured]
    return asked_now == list(refines.questions)


def _decided(
    parts: Parts, asker: Asker, project: str, dataset: str | None, question: Question, query: str
) -> tuple[Decision, Standing]:
    try:
        return check(parts, asker, project, dataset, question)
    except Refused as refused:
        _record_refused(parts, asker, project, query, refused)
        raise


def _record_refused(parts: Parts, asker: Asker, project: str, query: str, refused: Refused) -> None:
    """A denied request is an entry like any other, also where its project is not the asker's."""
    trail = parts.trail(asker.person, asker.token)
    codes = [refusal.reason.code for refusal in refused.refusals]
    with parts.store.transaction() as tx:
        named = project if _is_id(project) else "unknown"
        trail.record(tx, request_denied(trail.act(query), named, [("project", "deny", codes)]))
    parts.journal.settle(trail.events)


def _is_id(name: str) -> bool:
    return name.isascii() and name.replace("-", "").replace("_", "").isalnum() and len(name) <= 64


def _denied(
    parts: Parts,
    asker: Asker,
    at: Standing,
    question: Question,
    decision: Decision,
    query: str,
    late: tuple[Refusal, ...] = (),
) -> Taken:
    """Put a denial on the record and return its reasons. `late` ones came from the reservation itself."""
    trail = parts.trail(asker.person, asker.token)
    said = asked(decision, question, at, parts)
    if late:
        codes = [refusal.reason.code for refusal in late]
        said = _with_gate(said, codes)
    with parts.store.transaction() as tx:
        act = trail.sealed(tx, trail.act(query), f"project/{at.project}", SQL, _sealed(question))
        trail.record(tx, query_denied(act, said, decision.price))
    parts.journal.settle(trail.events)
    refusals = [(verdict.gate, refusal) for verdict in decision.verdicts for refusal in verdict.refusals]
    refusals += [("outputs", refusal) for refusal in late]
    return Taken(query, facts(decision, at), tuple(refusals))


def _with_gate(said: Asked, codes: list[str]) -> Asked:
    gates = [(gate, verdict, found) for gate, verdict, found in said.gates if gate != "outputs"]
    return replace(said, gates=[*gates, ("outputs", "deny", codes)])


def _reserved(
    parts: Parts,
    asker: Asker,
    at: Standing,
    question: Question,
    decision: Decision,
    query: str,
    refines: Job | None,
) -> tuple[Taken, list[str]]:
    """AUDIT's first step, decision, reservation and intent in one transaction; return the entries on their way."""
    trail = parts.trail(asker.person, asker.token)
    found = facts(decision, at) | ({} if refines is None else {"refines": refines.id})
    questions = [question_digest(parts, at, one.question) for one in decision.measured]
    with parts.store.transaction() as tx:
        tx.in_turn([query, *questions])
        if jobs.find(tx, query) is not None:  # the same idempotency key, a moment earlier
            raise _Moved
        claims = [_claimed(tx, parts, at, one, query) for one in decision.measured]
        uses = [claim.use for claim in claims]
        charges = at.ledgers.charges(decision.price, decision.dataset_price)
        movements = ledger.reserve(tx, query, charges)
        found["uses"] = [[use.question, list(use.positions), use.leads] for use in uses]
        found["waits_for"] = sorted(_relied_on(tx, claims, query))
        for claim in claims:
            new = [one for one in claim.use.positions if one not in claim.payments]
            ledger.pay(tx, at.ledgers.project, claim.use.question, new, query)
        act = trail.sealed(tx, trail.act(query), f"project/{at.project}", SQL, _sealed(question))
        moved = [movement.as_entry() for movement in movements]
        trail.record(tx, query_intent(act, asked(decision, question, at, parts), decision.price, moved))
        job = jobs.submit(tx, _job(query, asker, at, decision, found, act.event_id, uses), parts.clock.now())
    return Taken(query, found, job=job), trail.events


def _indexed(parts: Parts, query: str, events: list[str]) -> None:
    """AUDIT's second step. Where the log cannot take the intent, the price is given back before that is said."""
    parts.step("reserved")
    try:
        parts.journal.settle(events)
    except Refused:
        with suppress(Refused):
            _give_back(parts, query)
        raise
    parts.step("intent-indexed")


def _give_back(parts: Parts, query: str) -> None:
    with parts.store.reading() as tx:
        job = jobs.find(tx, query)
    if job is not None:
        void(parts, job, faults.LOG_UNAVAILABLE)


def _claimed(tx: Transaction, parts: Parts, at: Standing, block: Measured, query: str) -> _Claim:
    """Fix which draws serve, in this transaction; _Moved where that differs from what was decided."""
    digest = question_digest(parts, at, block.question)
    draws, payments = drawings(tx, at, digest)
    now = costs(draws, payments)
    if charge(now.draws, block.requested, now.paid, at.policy.rules.floor) != block.charge:
        raise _Moved
    if now.made_of(block.charge) != block.positions:
        raise _Moved
    if block.charge.new is None:
        return _Claim(Use(digest, block.positions, None), draws, payments)
    position = block.positions[-1]
    if not isinstance(ledger.begin_draw(tx, digest, position, query, block.charge.new), ledger.Lead):
        raise _Moved
    return _Claim(Use(digest, block.positions, position), draws, payments)


def _relied_on(tx: Transaction, claims: list[_Claim], query: str) -> set[str]:
    """Return the requests whose end this one waits for: who measures a draw it uses, who paid for one it takes."""
    found: set[str] = set()
    for claim in claims:
        for draw in claim.draws:
            if draw.position not in claim.use.positions:
                continue
            if draw.state is ledger.DrawState.PENDING:
                found.add(draw.leader)
            if (payers := claim.payments.get(draw.position)) and not _ended(tx, payers):
                found |= payers
    return found - {query}


def _ended(tx: Transaction, payers: frozenset[str]) -> bool:
    states = (jobs.find(tx, payer) for payer in payers)
    return any(job is not None and job.state in (jobs.State.COMMITTED, jobs.State.BURNED) for job in states)


def _job(
    query: str, asker: Asker, at: Standing, decision: Decision, found: dict[str, Any], intent: str, uses: list[Use]
) -> NewJob:
    if decision.timing is None:
        raise ValueError("an allowed decision without times; this is a bug, report it")
    return NewJob(
        id=query,
        project=at.project,
        person=asker.person,
        dataset=at.dataset,
        version=decision.version,
        questions=[use.question for use in uses],
        decision=found,
        intent=intent,
        release_ms=int(decision.timing.release * 1000),
        limit_ms=int(decision.timing.limit * 1000),
        aim=None if decision.most is None else {"acr": asker.acr, "token": asker.token},
    )


def _known(parts: Parts, query: str, question: Question) -> Taken | None:
    """Return the request that an idempotency key already names. Raises Refused where it asked something else."""
    with parts.store.reading() as tx:
        job = jobs.find(tx, query)
    if job is None:
        return None
    intent = on_record(parts.journal, job.intent)
    with parts.store.reading() as tx:
        if parts.sidecar.read(tx, job.intent, SQL, intent) != _sealed(question):
            raise Refused.because(reasons.KEY_REUSED)
    return Taken(query, dict(job.decision))


def _sealed(question: Question) -> str:
    """Return the question as the side-car holds it: enough to plan it again after a restart."""
    ask = question.ask
    return json.dumps(
        {
            "sql": question.sql,
            "dialect": question.dialect,
            "epsilon": None if ask.epsilon is None else str(ask.epsilon),
            "accuracy": None if ask.accuracy is None else str(ask.accuracy),
            "groups": ask.groups,
            "rows": ask.rows,
            "amounts": None if ask.amounts is None else list(ask.amounts),
            "totals": {name: [str(one.low), str(one.high)] for name, one in sorted(ask.totals.items())},
        },
        sort_keys=True,
    )


def unsealed(text: str) -> Question:
    """Return the question that lies in the side-car."""
    found = json.loads(text)
    fraction: Callable[[str], Fraction] = Fraction
    totals = {name: Interval(fraction(low), fraction(high)) for name, (low, high) in found["totals"].items()}
    epsilon = None if found["epsilon"] is None else fraction(found["epsilon"])
    accuracy = None if found["accuracy"] is None else Accuracy.read(found["accuracy"])
    amounts = None if found["amounts"] is None else tuple(found["amounts"])
    ask = Ask(epsilon, accuracy, found["groups"], found["rows"], totals, amounts)
    return Question(found["sql"], found["dialect"], ask)
