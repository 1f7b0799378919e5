"""Groups of one person that a first step tells: both steps priced before any runs, one reservation (PRIVACY §3.2)."""

from dataclasses import replace
from fractions import Fraction

from tests.broker.test_path import DATASET, answered, rows, spent, verified
from tests.house import OKAFOR, PROJECT, question
from tre.broker import Offer
from tre.broker import running as running_module
from tre.broker.plans import Plans
from tre.broker.standing import situation, standing
from tre.decide import decide
from tre.engines import EngineFailed
from tre.jobs import State
from tre.ledger import LedgerId
from tre.privacy.accuracy import Accuracy
from tre.privacy.request import AUTOMATIC

BY_CLASS = "SELECT visit_concept_id AS c, COUNT(DISTINCT person_id) AS n FROM visit_occurrence GROUP BY 1"
MINE, EVERYBODYS = LedgerId.of_project(PROJECT, DATASET), LedgerId.of_dataset(DATASET)


def automatic(sql=BY_CLASS, epsilon="1", **ask):
    return question(sql, epsilon, groups=AUTOMATIC, **ask)


def check(running, asked):
    return running.broker.check(OKAFOR, PROJECT, None, asked)


def test_both_steps_are_priced_beforehand_and_together_cost_what_was_offered(home, running):
    decision, facts = check(running, automatic())
    plain, _ = check(running, question(BY_CLASS, "1", groups=2))
    first, block = decision.measured
    assert decision.price.amount == plain.price.amount == first.requested.amount + block.requested.amount
    assert (first.requested.delta, first.shape.groups) == (0, 1)
    assert facts["bounds"]["n"] == {"automatic": "yes"}
    before = spent(running, EVERYBODYS)
    shown = answered(running, automatic())
    assert shown.state is State.COMMITTED
    assert spent(running, MINE) == decision.price
    assert spent(running, EVERYBODYS) == before + decision.dataset_price
    told = shown.job.answer.result["bounds"]["n"]
    assert told["automatic"] == "yes"
    assert int(told["groups"]) >= 1
    assert verified(home, running)[0] == 0


def test_asked_again_neither_step_is_paid_and_what_it_told_is_known_beforehand(running):
    first = answered(running, automatic())
    decision, facts = check(running, automatic())
    assert decision.price.amount == 0
    assert facts["bounds"] == first.job.answer.result["bounds"]
    assert decision.plan.errors["n"] is not None
    again = answered(running, automatic())
    assert rows(again) == rows(first)


def test_another_price_another_project_member_and_a_refinement_share_the_step_and_its_groups(running):
    first = answered(running, automatic(epsilon="0.5"))
    dearer, _ = check(running, automatic(epsilon="1"))
    assert dearer.measured[0].charge.new is None
    offer = Offer(epsilon=Fraction("0.2"))
    taken = running.broker.refine(OKAFOR, first.job.id, offer)
    assert taken.queued, taken.refusals
    second = running.broker.wait(OKAFOR, taken.id, 60)
    assert second.job.answer.result["bounds"] == first.job.answer.result["bounds"]
    assert second.job.decision["blocks"][0]["new_draw"] is None
    assert [one["held"] for one in second.job.decision["blocks"]] == [True, False]
    assert [row[0] for row in rows(second)] == [row[0] for row in rows(first)]


def test_two_at_once_share_both_measurements(running):
    taken = [running.broker.submit(OKAFOR, PROJECT, None, automatic()) for _ in range(2)]
    one, other = [running.broker.wait(OKAFOR, each.id, 60) for each in taken]
    assert one.state is other.state is State.COMMITTED
    assert rows(one) == rows(other)
    assert taken[1].facts["price"]["amount"] == "0"


def test_planned_again_after_a_restart_it_tells_the_same(running, monkeypatch):
    first = answered(running, automatic())
    monkeypatch.setattr(Plans, "take", lambda *given: None)
    again = answered(running, automatic())
    assert rows(again) == rows(first)
    other = automatic(BY_CLASS.replace("GROUP", "WHERE person_id > 7 GROUP"))
    assert answered(running, other).job.answer.result["bounds"]["n"]["automatic"] == "yes"


def test_what_fails_between_the_steps_burns_one_reservation_and_is_asked_anew(home, running, monkeypatch):
    draw, decision = running_module._draw, check(running, automatic(epsilon="0.5"))[0]

    def failing(parts, slot, job, shape, *given):
        if shape.first is not None:
            raise EngineFailed("between the steps")
        return draw(parts, slot, job, shape, *given)

    with monkeypatch.context() as patch:
        patch.setattr(running_module, "_draw", failing)
        assert answered(running, automatic(epsilon="0.5")).state is State.BURNED
    assert spent(running, MINE) == decision.price
    again, _ = check(running, automatic(epsilon="0.5"))
    assert again.price == decision.price
    assert answered(running, automatic(epsilon="0.5")).state is State.COMMITTED
    assert spent(running, MINE) == decision.price + again.price
    assert verified(home, running)[0] == 0


def test_a_step_that_would_take_more_than_half_is_refused_with_the_least_that_would_do(running):
    decision, _ = check(running, automatic(epsilon="0.05"))
    (refusal,) = decision.refusals
    assert refusal.reason.code == "privacy.first-step-price"
    assert check(running, automatic(epsilon=refusal.values["least"]))[0].allowed


def test_each_set_of_a_rollup_takes_a_step_of_its_own_and_a_total_none(running):
    text = "SELECT visit_concept_id AS c, visit_start_date AS d, COUNT(DISTINCT person_id) AS n FROM visit_occurrence "
    decision, facts = check(running, automatic(text + "GROUP BY ROLLUP (1, 2)"))
    assert decision.allowed, decision.refusals
    steps = [one for one in decision.measured if one.shape.question in decision.plan.steps]
    assert (len(steps), len(decision.measured)) == (2, 5)
    assert len(facts["notes"]) == 2 + sum("released first" not in one for one in facts["notes"])
    alone, _ = check(running, automatic(text.replace("visit_start_date AS d, ", "") + "GROUP BY 1"))
    assert alone.measured[0].question in [one.question for one in steps]
    assert answered(running, automatic(text + "GROUP BY ROLLUP (1, 2)")).state is State.COMMITTED


def test_groups_that_follow_from_the_person_take_no_step(running):
    decision, facts = check(running, automatic("SELECT gender_concept_id AS g, COUNT(*) AS n FROM person GROUP BY 1"))
    assert len(decision.measured) == 1
    assert facts["bounds"]["n"] == {"groups": "1", "rows": "1"}


def test_an_accuracy_takes_a_pilot_until_the_step_is_out_and_then_has_its_price(running):
    asked = automatic(epsilon="1", accuracy=Accuracy.read("±60"))
    decision, _ = check(running, asked)
    assert decision.most is not None
    assert decision.price.amount < decision.most.amount
    pilot = answered(running, asked)
    last = pilot if pilot.job.second is None else running.broker.wait(OKAFOR, pilot.job.second, 60)
    assert last.state is State.COMMITTED
    again, _ = check(running, asked)
    assert again.most is None
    assert again.plan.errors["n"] <= 60


def test_a_policy_may_let_no_first_step_tell(running):
    asker = standing_of(running)
    rules = replace(asker.policy.rules, automatic=False)
    decision = decide(automatic(), replace(asker, policy=replace(asker.policy, rules=rules)))
    assert [one.reason.code for one in decision.refusals] == ["privacy.automatic-groups"]


def standing_of(running):
    parts = running.broker.parts
    with parts.store.reading() as tx:
        return situation(tx, parts, standing(tx, parts, OKAFOR, PROJECT, None))
