"""A result about many persons inside a query over persons: released first, all prices fixed before (PRIVACY §2, §4)."""

from tests.broker.test_path import DATASET, answered, rows, spent, verified
from tests.house import OKAFOR, PROJECT, question
from tre import ledger
from tre.base.cost import Cost, Measure
from tre.broker.plans import Plans
from tre.broker.standing import question_digest, standing
from tre.jobs import State
from tre.ledger import LedgerId

ABOVE = "SELECT COUNT(*) AS n FROM person WHERE year_of_birth > (SELECT AVG(year_of_birth) FROM person)"
AVERAGE = "SELECT AVG(year_of_birth) AS born FROM person"
TOP = """
    WITH top AS (SELECT visit_concept_id AS c, COUNT(*) AS n FROM visit_occurrence GROUP BY 1 ORDER BY n DESC LIMIT 2)
    SELECT COUNT(DISTINCT v.person_id) AS people
    FROM visit_occurrence v JOIN top ON top.c = v.visit_concept_id
    WHERE v.visit_concept_id IN (SELECT c FROM top)
"""


def checked(running, text, epsilon="0.5"):
    return running.broker.check(OKAFOR, PROJECT, None, question(text, epsilon))[0]


def test_the_first_release_is_paid_stored_and_free_afterwards(home, running):
    decision = checked(running, ABOVE)
    assert [len(one.shape.inputs) for one in decision.measured] == [0, 1]
    before = spent(running, LedgerId.of_dataset(DATASET))
    shown = answered(running, question(ABOVE, "0.5"))
    assert shown.state is State.COMMITTED
    assert spent(running, LedgerId.of_dataset(DATASET)) == before + decision.dataset_price
    n, low, high = rows(shown)[0]
    assert low <= n <= high
    assert 0 < n < 500
    average = answered(running, question(AVERAGE, "0.1"))
    assert average.job.decision["price"]["amount"] == "0"
    assert verified(home, running)[0] == 0


def test_a_check_says_what_is_released_first_and_at_which_price(running):
    _, facts = running.broker.check(OKAFOR, PROJECT, None, question(ABOVE, "0.5"))
    half = checked(running, ABOVE).measured[0].requested.in_words()
    assert facts["notes"] == [f"avg is released first, at {half} of the price, and used as it was released"]


def test_a_result_that_is_typed_twice_is_released_first_once(running):
    average = "(SELECT AVG(year_of_birth) FROM person)"
    text = f"SELECT COUNT(*) AS n, {average} AS a FROM person WHERE year_of_birth > {average}"
    decision, facts = running.broker.check(OKAFOR, PROJECT, None, question(text, "0.5"))
    assert [one.shape.inputs for one in decision.measured] == [(), ("released_0",)]
    assert [one["held"] for one in facts["blocks"]] == [True, False]
    assert answered(running, question(text, "0.5")).state is State.COMMITTED


def test_asked_again_it_is_a_replay_of_both_releases(running):
    first, dataset = answered(running, question(ABOVE)), spent(running, LedgerId.of_dataset(DATASET))
    again = answered(running, question(ABOVE))
    assert rows(again) == rows(first)
    assert again.job.decision["price"]["amount"] == "0"
    assert spent(running, LedgerId.of_dataset(DATASET)) == dataset


def test_a_check_expects_the_error_of_the_draws_that_will_serve(running):
    first = checked(running, ABOVE, "0.5")
    assert checked(running, ABOVE, "0.1").plan.errors["n"] > first.plan.errors["n"]
    answered(running, question(ABOVE, "0.5"))
    assert checked(running, ABOVE, "0.1").plan.errors == first.plan.errors


def test_two_at_once_share_both_measurements(running):
    taken = [running.broker.submit(OKAFOR, PROJECT, None, question(ABOVE)) for _ in range(2)]
    one, other = [running.broker.wait(OKAFOR, each.id, 60) for each in taken]
    assert one.state is other.state is State.COMMITTED
    assert rows(one) == rows(other)
    assert taken[1].facts["price"]["amount"] == "0"


def test_a_with_query_used_twice_is_released_once(running):
    decision = checked(running, TOP, "1")
    assert len(decision.measured) == 2
    shown = answered(running, question(TOP, "1"))
    assert shown.state is State.COMMITTED
    assert len(rows(shown)) == 1


def test_nothing_released_first_is_no_reason_to_refuse(running):
    nobody = (
        "SELECT COUNT(*) AS n FROM person WHERE gender_concept_id IN "
        "(SELECT gender_concept_id FROM person GROUP BY 1 HAVING COUNT(*) > 1000000)"
    )
    shown = answered(running, question(nobody, "0.5"))
    assert shown.state is State.COMMITTED
    assert len(rows(shown)) == 1


def test_planned_again_after_a_restart_it_reads_the_same_releases(running, monkeypatch):
    first = answered(running, question(ABOVE, "0.5"))
    monkeypatch.setattr(Plans, "take", lambda *given: None)
    assert rows(answered(running, question(ABOVE, "0.5"))) == rows(first)
    assert answered(running, question(TOP, "1")).state is State.COMMITTED


def test_other_draws_of_the_first_release_are_another_question(running):
    answered(running, question(ABOVE, "0.5"))
    answered(running, question(AVERAGE, "1"))
    same, more = checked(running, ABOVE, "0.5"), checked(running, ABOVE, "1")
    assert [len(one.charge.serves) for one in same.measured] == [1, 1]
    assert same.price.amount == 0
    assert [len(one.charge.serves) for one in more.measured] == [2, 0]
    assert more.measured[1].charge.new == more.measured[1].requested


def test_a_failed_first_draw_is_no_part_of_the_later_question(running):
    first = checked(running, ABOVE)
    parts = running.broker.parts
    with parts.store.transaction() as tx:
        digest = question_digest(parts, standing(tx, parts, OKAFOR, PROJECT, None), first.measured[0].question)
        ledger.begin_draw(tx, digest, 0, "q_other", Cost(Measure.ZCDP, 1))
        ledger.fail_draw(tx, digest, 0, "q_other")
    then = checked(running, ABOVE)
    assert [one.positions for one in first.measured] == [(0,), (0,)]
    assert [one.positions for one in then.measured] == [(1,), (0,)]
    assert then.measured[1].question != first.measured[1].question
    assert answered(running, question(ABOVE)).state is State.COMMITTED


def test_the_time_of_an_answer_counts_every_pass(running):
    once, twice = checked(running, AVERAGE), checked(running, ABOVE)
    assert twice.timing.release >= once.timing.release
    assert twice.timing.limit >= once.timing.limit
