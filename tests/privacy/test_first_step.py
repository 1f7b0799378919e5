"""How many groups of one person count, as a release tells it: a function of that, the policy and public facts."""

from fractions import Fraction

import pytest

from tests.oracle.asking import TODAY
from tests.privacy.blocks import pure, rules
from tests.privacy.exact import telling
from tests.sql.catalogue import CATALOGUE
from tre.base.passage import Release
from tre.base.reasons import Refused
from tre.privacy import first_step
from tre.privacy.accuracy import Accuracy
from tre.privacy.plan import plan, privacy_map, settled
from tre.privacy.request import AUTOMATIC, Ask
from tre.sql import bind

BY_CLASS = "SELECT visit_concept_id AS c, COUNT(DISTINCT person_id) AS n FROM visit_occurrence GROUP BY 1"


def people(*bins, noise=1):
    padded = (*bins, *(0 for _ in range(len(first_step.BINS) - len(bins))))
    return Release(tuple((one,) for one in first_step.BINS), {"p0": padded}, {"p0": Fraction(noise)}, Fraction(1))


def planned(ask=None, given=None, text=BY_CLASS):
    return plan(bind(text, CATALOGUE, TODAY), ask or Ask(groups=AUTOMATIC), given or rules(), lambda keys: (1, 2, 3, 4))


def test_what_is_cut_off_is_weighed_against_noise():
    few, many = people(0, 0, 0, 500, 2), people(0, 0, 0, 50_000, 20_000)
    assert first_step.chosen(few, rules(), 1000, None) < first_step.chosen(many, rules(), 1000, None) <= 16
    assert first_step.chosen(many, rules(), 5, None) == 5
    assert first_step.chosen(people(10**6), rules(), 1000, None) == 1


def test_noise_grows_faster_under_pure_dp_so_that_fewer_groups_count():
    crowd = people(0, 400, 400, 400, 400)
    assert first_step.chosen(crowd, pure(), 1000, None) < first_step.chosen(crowd, rules(), 1000, None)


def test_where_noise_alone_may_have_filled_the_bins_nothing_is_told():
    assert first_step.chosen(people(4, 4, 4, noise=1), rules(), 1000, None) is None
    assert first_step.chosen(people(9, noise=9), rules(), 1000, None) is None


def test_the_question_has_one_name_before_and_after_and_its_noise_follows_what_was_told():
    before = planned()
    (block,), (step,) = before.blocks, before.steps.values()
    assert block.shape.open
    assert before.errors["n"] is None
    after = settled(before, {step.shape.question: telling(step, 1)})
    (told,) = after.blocks
    assert (told.shape.groups, told.shape.question) == (2, block.shape.question)
    assert told.cost == block.cost
    assert told.mechanisms["p0"].scale < block.mechanisms["p0"].scale
    amount, _ = privacy_map(told)
    assert amount <= told.cost.rho
    asked = planned(Ask(groups=2))
    assert told.shape.relation == asked.blocks[0].shape.relation
    assert step.cost.amount + told.cost.amount == before.cost.amount == asked.cost.amount


def test_the_price_of_the_step_is_one_whatever_is_offered():
    found = {planned(Ask(Fraction(epsilon), groups=AUTOMATIC)).measured[0].cost for epsilon in ("0.5", "1", "2")}
    assert len(found) == 1


def test_another_rule_of_choice_is_another_question_as_another_bound_is():
    one, other = (planned(given=rules(default_epsilon=Fraction(epsilon))) for epsilon in (1, 2))
    assert one.measured[0].shape.question == other.measured[0].shape.question
    assert one.measured[1].shape.question != other.measured[1].shape.question


def test_pure_answers_take_a_step_too_but_no_accuracy_before_it_is_released():
    known = (
        "SELECT CASE WHEN visit_concept_id > 5 THEN 1 ELSE 2 END AS c, COUNT(*) AS n FROM visit_occurrence GROUP BY 1"
    )
    found = planned(given=pure(), text=known)
    assert [one.shape.groups for one in found.measured] == [1, 2]
    with pytest.raises(Refused) as refused:
        planned(Ask(accuracy=Accuracy.read("±20"), groups=AUTOMATIC), pure(), known)
    assert str(refused.value) == "privacy.accuracy-first-step"
