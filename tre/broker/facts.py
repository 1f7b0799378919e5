"""A decision as plain facts: what is stored with a request, shown to its asker, and replayed against a changed policy.

No literal of the text stands in it: the SQL lies in the side-car alone (AUDIT "Entry").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from tre.base.cost import Cost
from tre.broker.parts import Parts
from tre.broker.standing import Standing
from tre.decide import Decision, Measured, Question
from tre.jobs import Job
from tre.journal.entries import Question as Asked
from tre.policy import CompiledPolicy
from tre.policy.context import Verdict
from tre.privacy import accounting, refining
from tre.privacy.blocks import Block, PrivatePlan


def facts(decision: Decision, at: Standing) -> dict[str, Any]:
    """Return the decision's facts as JSON values."""
    whole = at.policy.rules.per_project.least(_limit(at))
    return {
        "allowed": decision.allowed,
        "dataset": at.dataset,
        "version": decision.version,
        "policy": decision.policy_digest,
        "found": at.ground.chosen,
        "gates": [_verdict(verdict) for verdict in decision.verdicts],
        "price": amount(decision.price, at.policy),
        "dataset_price": decision.dataset_price.as_json(),
        "share": share(decision.price, whole),
        "most": None if decision.most is None else amount(decision.most, at.policy),
        "most_share": None if decision.most is None else share(decision.most, whole),
        "errors": {} if decision.plan is None else dict(decision.plan.errors),
        "error_notes": {} if decision.plan is None else dict(decision.plan.notes),
        "bounds": {} if decision.plan is None else {name: dict(one) for name, one in decision.plan.bounds.items()},
        "sourced": {} if decision.plan is None else _sourced(decision.plan),
        "notes": [] if decision.plan is None else [*decision.plan.query.notes, *_released_first(decision)],
        "tables": [] if decision.plan is None else list(decision.plan.query.tables),
        "columns": [] if decision.plan is None else [_origin(one) for one in decision.plan.query.columns],
        "blocks": [_block(measured, decision) for measured in decision.measured],
        "release_seconds": None if decision.timing is None else float(decision.timing.release),
    }


def _sourced(plan: PrivatePlan) -> dict[str, list[dict[str, str]]]:
    """Return the bounds of each output with who says so."""
    return {name: [asdict(bound) for bound in every] for name, every in plan.sourced.items()}


def _released_first(decision: Decision) -> list[str]:
    """Say of each result that others read that it is released before them, and at which price."""
    steps = {} if decision.plan is None else decision.plan.steps
    return [
        f"{_what(one, steps)} is released first, at {one.requested.in_words()} of the price, and used as it was "
        "released"
        for one in decision.measured
        if one.shape.question in decision.released_first
    ]


def _what(measured: Measured, steps: Mapping[str, Block]) -> str:
    if measured.shape.question in steps:
        return "how many people stand in how many groups, which tells how many groups of a person count,"
    return ", ".join(asked.function.value for asked in measured.shape.source.asked)


def sharper(job: Job, left: Cost, whole: Cost, policy: CompiledPolicy) -> dict[str, Any] | None:
    """Return what a sharper answer than a request's would cost, with `left` of the budgets; None of an exact one.

    :param whole: the project's whole budget, of which prices are shares.
    """
    blocks, answer = job.decision["blocks"], job.answer
    if not blocks or answer is None:
        return None
    held = [one["held"] for one in blocks]
    found = refining.sharper([one["amount"] for one in blocks], held, left, policy.rules)
    half = {"half": amount(found.half, policy), "share": share(found.half, whole)}
    then = {} if any(held) else refining.halved(answer.result)  # what others read is not measured again
    return half | {"affordable": found.affordable, "least": found.least, "errors": then}


def amount(cost: Cost, policy: CompiledPolicy) -> dict[str, Any]:
    """Return a cost with the epsilon and delta that people read (PRIVACY §1 "Measure")."""
    epsilon, delta = accounting.shown(cost, policy.rules.conversion_delta)
    return {**cost.as_json(), "epsilon": epsilon if cost.amount else 0.0, "shown_delta": str(delta)}


def share(cost: Cost, limit: Cost) -> float:
    """Return the share of a budget: of rho, because epsilon does not add."""
    return cost.amount / limit.amount if limit.amount else 0.0


def asked(decision: Decision, question: Question, at: Standing, parts: Parts) -> Asked:
    """Return what the log says of a request: ids, digests and codes."""
    plan = decision.plan
    project = at.context.project
    return Asked(
        project=at.project,
        dataset=at.dataset,
        version=decision.version,
        policy_digest=decision.policy_digest,
        query_digest=parts.digest("text", at.dataset, question.sql if plan is None else plan.query.canonical),
        gates=[
            (verdict.gate, "allow" if verdict.allowed else "deny", [one.reason.code for one in verdict.refusals])
            for verdict in decision.verdicts
        ],
        version_commitment=at.version.commitment,
        purposes=sorted(project.purposes) if project else (),
        tables=() if plan is None else plan.query.tables,
        columns=() if plan is None else [_origin(one) for one in plan.query.columns],
    )


def _limit(at: Standing) -> Cost:
    own = at.context.project.limits if at.context.project else {}
    return own.get(at.dataset, at.policy.rules.per_project)


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {
        "gate": verdict.gate,
        "allowed": verdict.allowed,
        "reasons": [refusal.as_json() for refusal in verdict.refusals],
    }


def _origin(one: Any) -> str:
    return f"{one.table}.{one.column}"


def _block(measured: Measured, decision: Decision) -> Mapping[str, Any]:
    shape, charge = measured.shape, measured.charge
    return {
        "amount": measured.whole.amount,
        "held": shape.question in decision.released_first,
        "keys": None if shape.keys is None else len(shape.keys),
        "groups": shape.groups,
        "parts": [{"kind": part.kind.value, "low": str(part.low), "high": str(part.high)} for part in shape.parts],
        "stored_draws": len(charge.serves),
        "new_draw": None if charge.new is None else charge.new.as_json(),
    }
