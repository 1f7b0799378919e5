"""Groups of one person that a first step tells: both steps priced before any runs, one reservation (PRIVACY §3.2)."""

from tests.broker.test_path import DATASET, answered, rows, spent, verified
from tests.house import OKAFOR, PROJECT, question
from tre.jobs import State
from tre.ledger import LedgerId
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
