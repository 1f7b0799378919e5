"""A data set under pure differential privacy: epsilon adds, noise is Laplace's, no group is named, no draw refined."""

from fractions import Fraction
from math import log

import pytest

from tests.broker.test_path import answered, rows, spent, verified
from tests.house import COUNT, DATASET, OKAFOR, PROJECT, furnish, question
from tre.app.serving import Running
from tre.base.cost import Measure
from tre.base.reasons import Refused
from tre.broker import Offer
from tre.ledger import LedgerId
from tre.privacy.accuracy import Accuracy

LEDGERS = LedgerId.of_project(PROJECT, DATASET), LedgerId.of_dataset(DATASET)


@pytest.fixture
def running(tmp_path):
    service = Running(furnish(tmp_path / "home", pure=True))
    yield service
    service.stop()


def codes(running, asked):
    decision, _ = running.broker.check(OKAFOR, PROJECT, None, asked)
    return [one.reason.code for one in decision.refusals]


def test_a_pure_ledger_adds_epsilon_and_a_larger_question_is_measured_anew_at_its_whole_price(running, tmp_path):
    first = answered(running, question(epsilon="0.1"))
    for ledger in LEDGERS:
        assert (spent(running, ledger).measure, spent(running, ledger).amount) == (Measure.PURE, 10**8)
    _, low, high = rows(first)[0]
    assert (high - low) / 2 == pytest.approx(log(20) / 0.1, abs=1)  # of Laplace noise of scale 1/epsilon, at 95 %
    more = answered(running, question(epsilon="0.3"))
    assert int(more.job.decision["price"]["amount"]) == 3 * 10**8
    assert len(more.job.answer.releases) == 1  # by itself: nothing is combined
    again = answered(running, question(epsilon="0.2"))
    assert (rows(again), again.job.decision["price"]["amount"]) == (rows(more), "0")
    assert spent(running, LEDGERS[0]).amount == spent(running, LEDGERS[1]).amount == 4 * 10**8
    assert verified(tmp_path / "home", running)[0] == 0


def test_an_accuracy_has_its_price_in_epsilon(running):
    shown = answered(running, question(epsilon=None, accuracy=Accuracy.read("±20")))
    _, low, high = rows(shown)[0]
    assert (high - low) / 2 == 20
    assert int(shown.job.decision["price"]["amount"]) == pytest.approx(log(20) / 20.5 * 10**9, rel=0.05)


def test_unknown_groups_and_refinements_are_refused_with_what_to_do(running):
    by_condition = "SELECT condition_concept_id, COUNT(*) AS n FROM condition_occurrence GROUP BY 1"
    assert codes(running, question(by_condition)) == ["privacy.unknown-keys"]
    assert codes(running, question(COUNT, None, accuracy=Accuracy.read("±2%"))) == ["request.nothing-refined"]
    first = answered(running, question(epsilon="0.1"))
    for offer in (Offer(Fraction(1, 10)), Offer(None, Accuracy.read("±20")), Offer(None, Accuracy.read("±2%"))):
        with pytest.raises(Refused) as refused:
            running.broker.refine(OKAFOR, first.job.id, offer)
        assert str(refused.value) == "request.nothing-refined"
    told = running.broker.read(OKAFOR, first.job.id).sharper
    assert int(told["half"]["amount"]) == 2 * 10**8  # anew, at twice the epsilon
