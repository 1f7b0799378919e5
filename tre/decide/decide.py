"""Five gates, in the order of the Five Safes, over one plan. Pure: the same code checks, runs and replays.

No gate stops the next one: every refusal that can be known is given at once, before anything runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cache

from tre.base.cost import Cost
from tre.base.reasons import Refusal, Refused, requests
from tre.base.reasons import budget as reasons
from tre.catalogue import Catalogue
from tre.decide.decision import Decision, DrawnOf, Measured, Question
from tre.decide.timing import Timing, timing
from tre.policy import CompiledPolicy, gates
from tre.policy.context import Context, Verdict
from tre.privacy import expected
from tre.privacy import plan as planning
from tre.privacy.draws import charge
from tre.privacy.keys import PublicValues
from tre.privacy.plan import PrivatePlan, Shape
from tre.privacy.question import over_draws
from tre.privacy.request import Rules
from tre.sql.binding import bind
from tre.sql.plan import Query
from tre.sql.render import tables_of
from tre.sql.work import refusals_for, worst

DATA, OUTPUTS = "data", "outputs"


@dataclass(frozen=True, slots=True)
class Situation:
    """All that a decision rests on beside the text: who asks, under which policy, on which version, with what left.

    `made_under` is the digest of the declarations that the version enforced; `today` the version's date, to which
    functions of the current date bind; `left` has what each ledger that the
    answer touches may still reserve, by its name for people.
    """

    context: Context
    policy: CompiledPolicy
    catalogue: Catalogue
    made_under: str
    today: date
    left: Mapping[str, Cost]
    drawn: DrawnOf
    public_keys: PublicValues


def decide(question: Question, situation: Situation) -> Decision:
    """Return one decision with all reasons, the price and the expected error."""
    policy, rules = situation.policy, situation.policy.rules
    query, data = _data_gate(question, situation)
    plan, measured, outputs = _outputs_gate(query, question, situation)
    nothing, searched = Cost.zero(rules.measure), 0 if plan is None else plan.searched
    return Decision(
        verdicts=(
            *gates.asking(situation.context, policy),
            data,
            *outputs,
        ),
        plan=plan,
        measured=measured,
        price=sum((one.charge.project for one in measured), nothing),
        dataset_price=sum((one.charge.dataset for one in measured), nothing),
        timing=None if query is None else _timing(query, plan, situation, searched),
        policy_digest=policy.digest,
        version=situation.catalogue.version,
        most=None if plan is None else plan.most,
    )


def _timing(query: Query, plan: PrivatePlan | None, situation: Situation, searched: int) -> Timing:
    """Both times: what one person may add counts in every block, as they run one after the other."""
    every, blocks = situation.policy.rules.release_every, 1 if plan is None else max(1, len(plan.measured))
    return timing(_passes(query, plan), situation.catalogue, every, searched, blocks * worst(query.root).rows_of_one)


def _passes(query: Query, plan: PrivatePlan | None) -> tuple[str, ...]:
    """Return the tables that the answer reads, once for each block: blocks run one after the other."""
    if plan is None or not plan.measured:
        return query.tables
    read = ((tables_of(block.shape.relation), block.shape.inputs) for block in plan.measured)
    return tuple(name for tables, released in read for name in tables if name not in released)


def _data_gate(question: Question, situation: Situation) -> tuple[Query | None, Verdict]:
    """Bind the text: which tables and columns it names, and whether every step is private by proof."""
    rules = situation.policy.rules
    outdated = gates.version(situation.made_under, situation.policy).refusals
    try:
        query = bind(question.sql, situation.catalogue, situation.today, question.dialect)
    except Refused as refused:
        return None, Verdict(DATA, (*outdated, *refused.refusals))
    too_much = refusals_for(query.root, rules.most_rows_per_unit, rules.most_rows)
    return (None if too_much else query), Verdict(DATA, (*outdated, *too_much))


def _outputs_gate(
    query: Query | None, question: Question, situation: Situation
) -> tuple[PrivatePlan | None, tuple[Measured, ...], tuple[Verdict, ...]]:
    """Plan the answer and price it against the draws that are stored and the budgets that are left.

    A text that cannot be bound never reaches this gate, which then says nothing.
    """
    if query is None:
        return None, (), ()
    rules, drawn = situation.policy.rules, cache(situation.drawn)
    try:
        draws, releases = (lambda one: drawn(one).draws), (lambda one: drawn(one).releases)
        plan = planning.plan(query, question.ask, rules, situation.public_keys, draws, releases)
        measured = _measured(plan, rules, drawn)
        plan = _expecting(plan, measured)
    except Refused as refused:
        return None, (), (Verdict(OUTPUTS, refused.refusals),)
    refusals = (*_answer_limit(measured, rules), *_budgets(measured, rules, situation.left))
    return plan, measured, (Verdict(OUTPUTS, tuple(refusals)),)


def _measured(plan: PrivatePlan, rules: Rules, drawn_of: DrawnOf) -> tuple[Measured, ...]:
    """Price every block before any runs: the draws of what is released first are known by their places alone."""
    found: dict[str, Measured] = {}
    for block in plan.measured:
        shape = block.shape
        first = [found[question].positions for question in plan.released_before(shape)]
        found[shape.question] = _priced(shape, over_draws(shape.question, first), block.cost, rules, drawn_of)
    return tuple(found.values())


def _expecting(plan: PrivatePlan, measured: tuple[Measured, ...]) -> PrivatePlan:
    """Return the plan with the errors of the draws that will serve, which over released rows are known only now."""
    if not any(plan.released_before(one.shape) for one in measured):
        return plan
    draws = {one.shape.question: one.charge.made_of(one.stored) for one in measured}
    served = [(block.shape, draws[block.shape.question]) for block in plan.blocks]
    return replace(plan, errors=expected.errors(plan.query, served), notes=expected.notes(plan.query, served))


def _priced(shape: Shape, question: str, requested: Cost, rules: Rules, drawn_of: DrawnOf) -> Measured:
    drawn = drawn_of(question)
    charged = charge(drawn.draws, requested, drawn.paid, rules.floor)
    new = None
    if charged.new is not None:
        new = planning.at(shape, charged.new, rules.units, keys_known=bool(drawn.draws))
    return Measured(shape, question, requested, charged, new, drawn.draws, drawn.made_of(charged))


def _answer_limit(measured: tuple[Measured, ...], rules: Rules) -> tuple[Refusal, ...]:
    """PRIVACY §4: the per-answer limit counts the whole prefix of draws that the answer uses."""
    whole = sum((one.whole for one in measured), Cost.zero(rules.measure))
    return () if whole.fits(rules.per_answer) else (Refusal(requests.PREFIX_TOO_LARGE),)


def _budgets(measured: tuple[Measured, ...], rules: Rules, left: Mapping[str, Cost]) -> list[Refusal]:
    """What `check` says beforehand; the reservation itself decides again, atomically."""
    nothing = Cost.zero(rules.measure)
    prices = {
        "project": sum((one.charge.project for one in measured), nothing),
        "dataset": sum((one.charge.dataset for one in measured), nothing),
    }
    return [
        Refusal(reasons.EXHAUSTED, {"ledger": ledger, "price": prices[ledger].in_words(), "left": rest.in_words()})
        for ledger, rest in left.items()
        if not prices[ledger].fits(rest)
    ]
