"""A sharper answer is the next draw of the same question; a share of a number is priced by a pilot's release."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest

from tests.broker.test_path import answered, entries, rows, spent, verified
from tests.house import COUNT, DATASET, OKAFOR, PERSON, PROJECT, ROOT, question
from tre import jobs
from tre.app.admin import open_admin
from tre.app.compose import House
from tre.app.serving import Running
from tre.base.home import Home
from tre.base.reasons import Kind, Refused
from tre.broker import Asker, Offer
from tre.broker.refining import refine
from tre.cli.admin import NewProject
from tre.jobs import State
from tre.ledger import LedgerId
from tre.privacy.accuracy import Accuracy

BY_PARITY = """
    SELECT condition_concept_id % 2 AS odd, COUNT(DISTINCT person_id) AS n FROM condition_occurrence GROUP BY 1
"""
MINE, EVERYBODYS = LedgerId.of_project(PROJECT, DATASET), LedgerId.of_dataset(DATASET)


def sharper(running, shown, epsilon=None, accuracy=None, asker=OKAFOR, key=None):
    offer = Offer(epsilon and Fraction(epsilon), accuracy and Accuracy.read(accuracy))
    taken = running.broker.refine(asker, shown.job.id, offer, key)
    assert taken.queued, taken.refusals
    return running.broker.wait(asker, taken.id, 60)


def price(shown):
    return int(shown.job.decision["price"]["amount"])


def half(shown):
    _, low, high = next(row[-3:] for row in rows(shown) if not isinstance(row[-1], dict))
    return (high - low) / 2


def refusal(running, shown, **offered):
    with pytest.raises(Refused) as refused:
        sharper(running, shown, **offered)
    return str(refused.value)


def test_a_refinement_pays_one_draw_more_keeps_the_keys_and_shrinks_the_error_by_what_it_paid(running):
    first = answered(running, question(BY_PARITY, "0.6", groups=2))
    assert (first.job.decision["blocks"][0]["keys"], len(rows(first)) > 0) == (None, True)
    second = sharper(running, first, "0.6")
    assert [row[0] for row in rows(second)] == [row[0] for row in rows(first)]  # unknown keys
    assert price(second) == pytest.approx(price(first), abs=2)
    assert second.job.decision["price"]["delta"] == "0"
    assert second.job.decision["refines"] == first.job.id
    assert half(second) == pytest.approx(half(first) / 2**0.5, rel=0.1)
    third = sharper(running, second, "0.3")
    assert [row[0] for row in rows(third)] == [row[0] for row in rows(first)]
    assert len(third.job.answer.releases) == 3
    assert spent(running, MINE).amount == price(first) + price(second) + price(third)


def test_an_answer_says_what_half_its_error_would_cost_and_a_refinement_at_that_price_halves_it(running):
    first = answered(running, question(epsilon="0.1"))
    told = running.broker.read(OKAFOR, first.job.id).sharper
    assert told["affordable"]
    assert 0 < told["least"] < 0.2
    second = sharper(running, first, str(told["half"]["epsilon"]))
    assert price(second) == pytest.approx(int(told["half"]["amount"]), rel=1e-3)
    assert half(second) == pytest.approx(half(first) / 2, abs=1)
    third = sharper(running, second, "0.8")
    beyond = running.broker.read(OKAFOR, third.job.id).sharper
    assert not beyond["affordable"]  # above the policy's limit for one answer
    exact = answered(running, question("SELECT COUNT(*) AS n FROM concept"))
    assert running.broker.read(OKAFOR, exact.job.id).sharper is None


def test_a_refinement_by_an_accuracy_pays_what_the_draws_before_lack(running):
    first = answered(running, question(epsilon="0.1"))
    second = sharper(running, first, accuracy="±40")
    assert half(second) <= 40
    asked = question(COUNT + " WHERE year_of_birth > 0", None, accuracy=Accuracy.read("±40"))
    alone, _ = running.broker.check(OKAFOR, PROJECT, None, asked)
    assert price(first) + price(second) == pytest.approx(alone.price.amount, rel=0.01)


MEAN_AGE = "SELECT AVG(year_of_birth) AS born FROM person WHERE gender_concept_id = 8507"


def test_half_the_error_of_an_average_of_some_follows_from_its_own_release(running):
    """Broken by telling it of counts and sums alone."""
    first = answered(running, question(MEAN_AGE, "0.4"))
    assert first.job.decision["errors"] == {"born": None}
    told = running.broker.read(OKAFOR, first.job.id).sharper
    assert told["errors"]["born"] == pytest.approx(mean_half(first) / 2)
    second = sharper(running, first, str(told["half"]["epsilon"]))
    assert mean_half(second) == pytest.approx(told["errors"]["born"], rel=0.5)  # as far as the few are known
    third = sharper(running, first, accuracy=f"±{mean_half(first) * 0.7:.6f}")
    assert price(third) == 0, "the draws of the second are there, and paid"
    too_much = Offer(accuracy=Accuracy.read(f"±{mean_half(first) / 50:.6f}"))
    assert running.broker.refine(OKAFOR, first.job.id, too_much, None).refusals[-1][1].reason.kind is Kind.BUDGET


def mean_half(shown):
    ((value, low, high),) = rows(shown)
    return max(float(high) - float(value), float(value) - float(low))


def test_the_error_of_an_average_of_some_is_asked_by_a_pilot_with_a_quoted_most(running):
    asked = question(MEAN_AGE, "0.9", accuracy=Accuracy.read("±0.5"))
    decision, _ = running.broker.check(OKAFOR, PROJECT, None, asked)
    pilot = answered(running, asked)
    second = running.broker.wait(OKAFOR, pilot.job.second, 60)
    assert price(pilot) + price(second) <= decision.most.amount
    assert mean_half(second) <= 0.6 or price(pilot) + price(second) >= decision.most.amount - 1
    assert mean_half(second) < mean_half(pilot)


def test_racing_refinements_of_one_answer_share_one_draw_and_one_price(running):
    first = answered(running, question(epsilon="0.1"))
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda _: sharper(running, first, "0.2"), range(6)))
    assert len({json.dumps(rows(one)) for one in found}) == 1
    assert sum(map(price, found)) == max(map(price, found)) > 0
    assert spent(running, EVERYBODYS).amount == price(first) + max(map(price, found))


def test_a_refinement_sent_again_under_its_key_is_the_same_request(running):
    first = answered(running, question(epsilon="0.1"))
    assert sharper(running, first, "0.2", key="k").job.id == sharper(running, first, "0.2", key="k").job.id
    assert refusal(running, first, epsilon="0.3", key="k") == "request.idempotency-key-reused"


def test_who_may_read_an_answer_may_refine_it_and_nobody_else(home, running):
    first = answered(running, question(epsilon="0.1"))
    for who in ("stranger", "colleague"):
        assert refusal(running, first, epsilon="0.1", asker=Asker(who, "local")) == "web.unknown-query"
    second = sharper(running, first, "0.1", asker=Asker("lead", "local"))
    assert second.job.person == "lead"
    assert [one["actor"] for one in entries(home) if one["event"] == "audit-read"] == ["lead"]


def test_what_has_no_noise_and_what_is_no_answer_is_not_refined(running):
    public = answered(running, question("SELECT COUNT(*) AS n FROM concept"))
    assert refusal(running, public, epsilon="0.1") == "request.not-answered"


def test_what_has_become_another_question_is_refused_and_nothing_is_spent(running):
    """Same bounds, selection and version, or it is no further draw of the same measurement (PRIVACY §4)."""
    first = answered(running, question("SELECT COUNT(*) AS n FROM visit_occurrence", "0.1", rows=2))
    other = answered(running, question(epsilon="0.1"))
    mixed = replace(first.job, questions=other.job.questions)
    taken = refine(running.broker.parts, OKAFOR, mixed, Offer(Fraction("0.1")), "q_" + "0" * 32)
    assert [one.reason.code for _, one in taken.refusals] == ["request.another-question"]
    assert spent(running, MINE).amount == price(first) + price(other)


def test_a_share_of_the_number_takes_a_pilot_and_then_what_its_release_lacks_up_to_the_most(running):
    asked = question(epsilon="0.9", accuracy=Accuracy.read("±5%"))
    decision, facts = running.broker.check(OKAFOR, PROJECT, None, asked)
    assert decision.price.amount * 16 == pytest.approx(decision.most.amount, abs=16)
    pilot = answered(running, asked)
    assert pilot.state is State.COMMITTED
    assert price(pilot) == decision.price.amount == int(facts["price"]["amount"])
    second = running.broker.wait(OKAFOR, pilot.job.second, 60)
    value, low, high = rows(second)[0]
    assert price(pilot) + price(second) <= decision.most.amount
    assert (high - low) / 2 <= 0.05 * value * 1.1 or price(pilot) + price(second) >= decision.most.amount - 1
    assert second.job.decision["refines"] == pilot.job.id
    assert second.job.aim is None


def test_a_number_that_cannot_be_that_exact_takes_the_most_and_no_more(running):
    asked = question(epsilon="0.4", accuracy=Accuracy.read("±0.1%"))
    decision, _ = running.broker.check(OKAFOR, PROJECT, None, asked)
    pilot = answered(running, asked)
    second = running.broker.wait(OKAFOR, pilot.job.second, 60)
    assert price(pilot) + price(second) == pytest.approx(decision.most.amount, abs=1)
    assert spent(running, MINE).fits(decision.most)


def test_a_pilot_that_is_exact_enough_is_the_answer(running):
    pilot = answered(running, question(epsilon="0.9", accuracy=Accuracy.read("±90%")))
    assert (pilot.state, pilot.job.second, pilot.job.error) == (State.COMMITTED, None, None)


def test_where_the_second_step_is_refused_the_pilots_answer_stands_and_says_so(home):
    tight = NewProject("tight", (DATASET,), (PERSON,), ("DUO:0000006",), Decimal("0.3"), Decimal("1e-6"))
    admin = open_admin(home)
    admin.project_add(tight)
    admin.house.close()
    running = Running(House(Home(home)))
    try:
        asked = question(epsilon="0.9", accuracy=Accuracy.read("±1%"))
        taken = running.broker.submit(OKAFOR, "tight", None, asked)
        pilot = running.broker.wait(OKAFOR, taken.id, 60)
        assert (pilot.state, pilot.job.second) == (State.COMMITTED, None)
        assert pilot.job.error == "request.second-step-refused"
        assert spent(running, LedgerId.of_project("tight", DATASET)).amount == price(pilot)
        denied = [entry for entry in entries(home) if entry["event"] == "query-decision"]
        assert denied[-1]["gates"][-1]["reasons"] == ["budget.exhausted"]
    finally:
        running.stop()


@pytest.mark.parametrize("step", ["committed", "outcome-indexed", "second-taken"])
def test_a_server_killed_between_pilot_and_second_step_goes_on_once_and_charges_nothing_twice(home, step):
    command = [sys.executable, "-m", "tests.broker.crash_server", str(home), step, "±5%"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert found.returncode == -9, found.stderr
    running = Running(House(Home(home)))
    try:
        with running.broker.parts.store.reading() as tx:
            pilot = min(jobs.jobs_of(tx, PROJECT), key=lambda job: job.number)
        pilot = running.broker.wait(OKAFOR, pilot.id, 60)
        assert pilot.state is State.COMMITTED
        second = running.broker.wait(OKAFOR, pilot.job.second, 60)
        assert second.state is State.COMMITTED
        with running.broker.parts.store.reading() as tx:
            assert len(jobs.jobs_of(tx, PROJECT)) == 2
        assert spent(running, MINE).amount == price(pilot) + price(second) == spent(running, EVERYBODYS).amount
        code, report = verified(home, running)
        assert code == 0, report
    finally:
        running.stop()


def test_projects_pay_the_prefix_they_use_and_the_data_set_pays_each_draw_once(home):
    """PRIVACY §4: a data set's spend is, per question, the largest prefix over projects."""
    admin = open_admin(home)
    purposes, limits = ("DUO:0000006",), (Decimal("5"), Decimal("1e-6"))
    admin.project_add(NewProject("other", (DATASET,), (PERSON,), purposes, *limits))
    admin.house.close()
    running = Running(House(Home(home)))
    others = LedgerId.of_project("other", DATASET)

    def asks(project, epsilon):
        taken = running.broker.submit(OKAFOR, project, None, question(epsilon=epsilon))
        return running.broker.wait(OKAFOR, taken.id, 60)

    try:
        first = asks(PROJECT, "0.2")
        less = asks("other", "0.05")  # less than the first draw still pays the first draw
        assert (rows(less), price(less)) == (rows(first), price(first))
        assert spent(running, EVERYBODYS).amount == price(first)
        more = sharper(running, less, "0.2")  # the other project alone
        assert spent(running, others).amount == price(less) + price(more)
        assert spent(running, MINE).amount == price(first)
        assert rows(asks(PROJECT, "0.2")) == rows(first)  # who paid one draw is shown one
        same = sharper(running, first, "0.2")  # the draw is there: paid by the project, not by the data set again
        assert (rows(same), price(same)) == (rows(more), price(more))
        assert spent(running, EVERYBODYS).amount == price(first) + price(more)
        assert spent(running, MINE) == spent(running, others) == spent(running, EVERYBODYS)
    finally:
        running.stop()


def test_what_is_released_first_is_held_while_the_question_over_it_is_refined(running):
    """Another draw of the first release would be other rows, and so another question over them."""
    above = "SELECT COUNT(*) AS n FROM person WHERE year_of_birth > (SELECT AVG(year_of_birth) FROM person)"
    first = answered(running, question(above, "0.3"))
    second = sharper(running, first, "0.3")
    assert [len(positions) for _, positions, _ in second.job.decision["uses"]] == [1, 2]
    assert half(second) < half(first)
