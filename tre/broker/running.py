"""From a queued row to an answer or a burning: AUDIT's steps 3 to 6, and the two times of PRIVACY §3.10."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import structlog

from audit import result_commitment
from tre import governance, jobs, ledger
from tre.base.cost import Cost
from tre.base.passage import Release
from tre.base.reasons import Kind, Refused, faults
from tre.base.reasons import requests as reasons
from tre.broker.asking import SQL, Use, unsealed
from tre.broker.ending import burn, settle_outcome, void
from tre.broker.facts import amount
from tre.broker.holding import Held, Holding
from tre.broker.parts import Parts
from tre.broker.plans import Basis
from tre.broker.standing import Asker, Ground, ground, situation, standing
from tre.decide import decide
from tre.engines import EngineFailed, Slot
from tre.jobs import Job, State
from tre.journal import OnRecord, on_record
from tre.journal.entries import query_outcome
from tre.policy import CompiledPolicy, gates
from tre.privacy import plan as planning
from tre.privacy.answer import answer
from tre.privacy.choosing import SECRET
from tre.privacy.plan import PrivatePlan
from tre.privacy.release import combine, release
from tre.privacy.released import inputs_of
from tre.sql.plan import Relation
from tre.sql.render import render

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Measurement:
    """What a run released: the new draws by question, and the answer as plain JSON."""

    draws: Mapping[str, Release]
    result: Mapping[str, Any]


def run(parts: Parts, job: Job, holding: Holding) -> None:
    """Bring a claimed request to its end. Never raises for what a request can cause."""
    intent = _intent_on_record(parts, job)
    if intent is None:
        void(parts, job, faults.LOG_UNAVAILABLE)
        return
    if not _relied_on_ended_well(parts, job):
        void(parts, job, reasons.NOT_READ)
        return
    try:
        plan, at = _planned(parts, job, intent)
    except Refused as refused:
        faulty = any(refusal.reason.kind is Kind.UNAVAILABLE for refusal in refused.refusals)
        void(parts, job, reasons.NOT_READ if faulty else reasons.CHANGED)
        return
    with ExitStack() as held:
        try:
            slot = held.enter_context(parts.engine.slot(at.version.path, parts.patience))
            running = held.enter_context(holding.run(job.id, slot))
        except EngineFailed:
            # Nothing was read, so this may be said: the operator looks at the version's file, at memory and disk.
            structlog.get_logger("tre.broker").error("no engine started or came free", version=job.version)
            void(parts, job, reasons.NOT_READ)
            return
        _run_in(parts, slot, running, job, plan, at)


def _run_in(parts: Parts, slot: Slot, running: Held, job: Job, plan: PrivatePlan, at: Ground) -> None:
    """Run, and let everything change only at one of the two times; the slot is held until then.

    A request that somebody ended meanwhile is ended: what was measured for it is dropped.
    """
    if not _started(parts, job, at.policy):
        void(parts, job, reasons.CHANGED)
        return
    parts.step("running")
    began = parts.clock.monotonic()
    limit = job.limit_ms / 1000
    measured = _measured(parts, slot, job, plan, at, began + limit)
    parts.step("released")
    elapsed = parts.clock.monotonic() - began
    in_time = measured is not None and (job.release_ms == 0 or elapsed <= job.release_ms / 1000)
    leaves = (job.release_ms / 1000) if in_time else limit
    running.wait(leaves - elapsed)
    if measured is None:
        burn(parts, job, parts.owner)
    else:
        _commit(parts, job, at, measured, late=not in_time)


def _intent_on_record(parts: Parts, job: Job) -> OnRecord | None:
    """Return the intent, if it stands in the log: a queued row is visible before its entry has an index."""
    try:
        return on_record(parts.journal, job.intent)
    except Refused:
        return None


def _relied_on_ended_well(parts: Parts, job: Job) -> bool:
    """Whether the requests whose draws or payments this one takes were all answered; none of them waits any more."""
    awaited = job.decision["waits_for"]
    if not awaited:
        return True
    with parts.store.reading() as tx:
        states = jobs.states_of(tx, awaited)
    return all(states.get(one) is State.COMMITTED for one in awaited)


def _planned(parts: Parts, job: Job, intent: OnRecord) -> tuple[PrivatePlan, Ground]:
    """Return the plan of the side-car's text under the policy and on the version with which it was taken in.

    After a restart, and on another server, it is planned again; where it waited in memory it is not. What must still
    hold is the policy, the version, the bounds that were found, and that the text was not erased; the rights are judged
    again when it starts.
    """
    with parts.store.reading() as tx:
        text = parts.sidecar.read(tx, job.intent, SQL, intent)
        if text is None:
            raise Refused.because(reasons.CHANGED)
        at = ground(tx, parts, job.dataset)
        said = job.decision["policy"], job.version, job.decision["found"]
        if (at.policy.digest, at.version.name, at.chosen) != said:
            raise Refused.because(reasons.CHANGED)
        plan = parts.plans.take(job.id, Basis(text, at.policy.digest, at.version.name))
        if plan is None:
            asked = standing(tx, parts, Asker(job.person, ""), job.project, job.dataset)
            plan = decide(unsealed(text), situation(tx, parts, asked)).plan
    if plan is None:
        raise Refused.because(reasons.CHANGED)
    return plan, at


def _started(parts: Parts, job: Job, policy: CompiledPolicy) -> bool:
    """Start, unless the rights were withdrawn while the request waited: a lock after incidents holds at once.

    Read in the transaction that starts it, after the slot came free: the request before it may have been the incident.
    """
    now = parts.clock.now()
    until = now + timedelta(seconds=parts.lease)
    with parts.store.transaction() as tx:
        context = governance.context(tx, job.person, job.project, "", now)
        people, project, _settings = gates.asking(context, policy)
        if not (people.allowed and project.allowed):
            return False
        return jobs.start(tx, job.id, parts.owner, now, until)


def _measured(parts: Parts, slot: Slot, job: Job, plan: PrivatePlan, at: Ground, deadline: float) -> Measurement | None:
    """Read, release and post-process; None for any failure, whose cause may be private."""
    try:
        return _measurement(parts, slot, job, plan, at, deadline)
    except Exception:  # noqa: BLE001 - PRIVACY §1: the cause may depend on data, so one fixed outcome
        return None


def _measurement(parts: Parts, slot: Slot, job: Job, plan: PrivatePlan, at: Ground, deadline: float) -> Measurement:
    uses = [Use(question, tuple(positions), leads) for question, positions, leads in job.decision["uses"]]
    draws: dict[str, Release] = {}
    released: dict[str, Release] = {}
    for place, use in enumerate(uses):
        plan = planning.settled(plan, released)
        block = plan.measured[place]
        stored = _stored(parts, use)
        if use.leads is not None:
            inputs = inputs_of(block, plan, released)
            new = _draw(parts, slot, job, block.shape, use, stored, inputs, at, deadline)
            draws[use.question] = new
            stored = (*stored, new)
        released[block.shape.question] = combine(stored)
    parts.step("read")
    releases = [released[block.shape.question] for block in plan.blocks]

    def evaluate(relation: Relation, inputs: Mapping[str, pa.Table]) -> pa.Table:
        return slot.public(render(relation, parts.engine.dialect), inputs, _left(parts, deadline))

    price = Cost.from_json(_cost_of(job))
    found = replace(answer(plan, releases, evaluate), cost=price).as_json()
    found["cost"] = amount(price, at.policy)
    return Measurement(draws, found)


def _stored(parts: Parts, use: Use) -> tuple[Release, ...]:
    wanted = [position for position in use.positions if position != use.leads]
    if not wanted:
        return ()
    with parts.store.reading() as tx:
        found = {draw.position: draw.release for draw in ledger.draws(tx, use.question)}
    stored = tuple(found[position] for position in wanted)
    if any(one is None for one in stored):
        raise LookupError("a draw that was relied on is not stored; this is a bug, report it")
    return tuple(one for one in stored if one is not None)


def _draw(
    parts: Parts,
    slot: Slot,
    job: Job,
    shape: planning.Shape,
    use: Use,
    stored: tuple[Release, ...],
    inputs: Mapping[str, pa.Table],
    at: Ground,
    deadline: float,
) -> Release:
    """Measure a block anew, at the price that was reserved for this draw."""
    cost = next(Cost.from_json(one["new_draw"]) for one in [job.decision["blocks"][_place(job, use)]])
    block = planning.at(shape, cost, at.policy.rules.units, keys_known=bool(stored))
    statement = render(shape.relation, parts.engine.dialect)
    partials = slot.partials(statement, {SECRET: parts.mix_secret}, _left(parts, deadline), inputs)
    return release(block, partials, parts.noise, stored[0].keys if stored else None)


def _place(job: Job, use: Use) -> int:
    return job.questions.index(use.question)


def _cost_of(job: Job) -> dict[str, str]:
    price = job.decision["price"]
    return {name: price[name] for name in ("measure", "amount", "delta")}


def _left(parts: Parts, deadline: float) -> float:
    return max(0.0, deadline - parts.clock.monotonic())


def _commit(parts: Parts, job: Job, at: Ground, measured: Measurement, *, late: bool) -> None:
    """Release, commit and outcome in one transaction; the answer is shown once the outcome has its index."""
    trail = parts.trail(job.person)
    salt = parts.randomness(32).hex()
    names = [column["name"] for column in measured.result["columns"]]
    commitment = result_commitment(salt, names, measured.result["rows"])
    releases = [(question, position) for question, positions, _ in job.decision["uses"] for position in positions]
    kept = jobs.Answer(releases, {**measured.result, "salt": salt})
    with parts.store.transaction() as tx:
        act = trail.act(job.id)
        if not jobs.commit(tx, job.id, parts.owner, parts.clock.now(), act.event_id, kept):
            return  # taken back by its asker, or burned by another server after its lease
        for use in job.decision["uses"]:
            if use[2] is not None:
                ledger.store_draw(tx, use[0], use[2], job.id, measured.draws[use[0]])
        moved = [movement.as_entry() for movement in ledger.commit(tx, job.id)]
        price = Cost.from_json(_cost_of(job))
        trail.record(
            tx,
            query_outcome(act, job.project, "committed", job.intent, moved, cost=price, result_commitment=commitment),
        )
        if late:
            governance.record_incident(tx, trail, job.project, faults.ENGINE.code, job.id)
    parts.step("committed")
    settle_outcome(parts, job, trail.events)
    parts.step("outcome-indexed")
