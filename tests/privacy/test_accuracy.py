"""Accuracy first: the least price that keeps every number as exact as asked, fixed beforehand (PRIVACY §4)."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.privacy.blocks import no_public_keys, pure, rules
from tests.privacy.test_planning import AVG, COUNT, SUM, UNITS, simple
from tre.base.cost import Cost, Measure
from tre.base.reasons import Refused
from tre.privacy.accuracy import Accuracy
from tre.privacy.expected import half_width
from tre.privacy.mechanisms import OpenDPNoise
from tre.privacy.noising import in_effect
from tre.privacy.plan import PrivatePlan, plan
from tre.privacy.pricing import DrawnOf, nothing_drawn
from tre.privacy.request import Ask, Rules
from tre.sql.plan import PrivateFunction, Query

ZCDP, PURE = rules(), pure(conversion_delta=Fraction(0))


def accurate(
    wanted: Query, accuracy: str, given_rules: Rules = ZCDP, drawn: DrawnOf = nothing_drawn, **ask: object
) -> PrivatePlan:
    return plan(wanted, Ask(accuracy=Accuracy.read(accuracy), **ask), given_rules, no_public_keys, drawn)


def refused(wanted: Query, accuracy: str, **more: object) -> list[str]:
    with pytest.raises(Refused) as found:
        accurate(wanted, accuracy, **more)
    return [one.reason.code for one in found.value.refusals]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("±20", Accuracy(Fraction(20))),
        ("20@95", Accuracy(Fraction(20))),
        ("+-20.5@99.9", Accuracy(Fraction(41, 2), Fraction(999, 1000))),
        ("+/-20@50 all", Accuracy(Fraction(20), Fraction(1, 2), everywhere=True)),
        ("±2%", Accuracy(Fraction(2, 100), relative=True)),
        ("±0.5%@90 all", Accuracy(Fraction(5, 1000), Fraction(9, 10), relative=True, everywhere=True)),
    ],
)
def test_an_accuracy_says_exactly_what_people_write(text: str, found: Accuracy) -> None:
    assert Accuracy.read(text) == found
    assert Accuracy.read(str(found)) == found  # what is kept with a request is the same request


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from([ZCDP, PURE]),
    st.lists(st.sampled_from([COUNT, UNITS, SUM]), min_size=1, max_size=3),
    st.integers(1, 3),
    st.fractions(200, 5000),
    st.sampled_from(["50", "95", "99.9", "95 all"]),
)
def test_the_price_is_the_least_at_which_every_number_is_as_exact_as_asked(
    given_rules: Rules, functions: list[PrivateFunction], groups: int, width: Fraction, level: str
) -> None:
    """Tight on the exact grid of the ledger: with one nano less, one number would be wider than asked."""
    accuracy = replace(Accuracy.read(f"±1@{level}"), width=width)
    wanted = simple(*functions, groups=groups)
    found = plan(wanted, Ask(accuracy=accuracy, groups=groups), given_rules, no_public_keys)
    (block,) = found.blocks
    alpha = accuracy.alpha(len(block.shape.outputs) * len(block.shape.keys or ()))

    def widest(amount: int) -> Fraction:
        mechanisms = in_effect(block.shape, [Cost(given_rules.measure, amount)])
        return max(half_width(output, mechanisms, alpha) or Fraction(0) for output in block.shape.outputs)

    assert widest(found.cost.amount) <= width
    assert found.cost.amount == given_rules.floor or widest(found.cost.amount - 1) > width


def test_noise_at_the_price_of_twenty_lies_beyond_twenty_as_rarely_as_was_asked() -> None:
    for accuracy, worst in (("±20@95", 0.05), ("±20@80", 0.2)):
        (block,) = accurate(simple(UNITS), accuracy, groups=1).blocks
        mechanism = block.mechanisms[block.shape.outputs[0].terms[0][0]]
        beyond = sum(abs(value) > 20 for value in OpenDPNoise().vector([0] * 20_000, mechanism)) / 20_000
        assert beyond <= worst * 1.12


def test_all_at_once_costs_more_the_more_numbers_there_are() -> None:
    each, every = (accurate(simple(COUNT), f"±50@95{which}", groups=1).cost.amount for which in ("", " all"))
    assert each < every < 3 * each
    assert refused(simple(COUNT, is_known=False), "±50@95 all", groups=1) == ["privacy.accuracy-groups"]
    assert accurate(simple(COUNT, is_known=False), "±50@95", groups=1).cost.delta > 0


def test_each_question_gets_its_own_least_and_stored_draws_count_towards_it() -> None:
    wanted = simple(COUNT, groups=1)
    (block,) = accurate(wanted, "±50@95").blocks
    whole = block.cost
    half = Cost(Measure.ZCDP, whole.amount // 2)
    again = accurate(wanted, "±50@95", drawn=lambda _: (half,))
    (one,) = again.errors.values()
    assert one is not None
    assert one <= 50  # of the two draws combined, which is what the answer will have
    assert whole.amount <= again.cost.amount < whole.amount * 1.01
    free = accurate(wanted, "±50@95", drawn=lambda _: (whole, half))
    assert free.cost == whole


def test_what_is_expected_of_an_epsilon_is_the_error_of_all_draws_that_serve() -> None:
    wanted = simple(COUNT, groups=1)
    alone = plan(wanted, Ask(epsilon=Fraction(1, 10)), ZCDP, no_public_keys)
    richer = plan(wanted, Ask(epsilon=Fraction(1, 10)), ZCDP, no_public_keys, lambda _: (Cost(Measure.ZCDP, 10**8),))
    (less,), (more,) = richer.errors.values(), alone.errors.values()
    assert less is not None
    assert more is not None
    assert less < more / 5


def test_what_no_price_fixes_beforehand_is_refused_with_what_to_do() -> None:
    assert refused(simple(AVG), "±1@95", given_rules=pure(), groups=1) == ["privacy.accuracy-unknown"]
    assert refused(simple(COUNT, AVG), "±1@95", given_rules=pure(), groups=1) == ["privacy.accuracy-unknown"]
    assert refused(simple(COUNT), "±0.5@95", epsilon=Fraction(1), groups=1) == ["privacy.accuracy-too-fine"]


@pytest.mark.parametrize("functions", [(AVG,), (COUNT, AVG)])
def test_what_follows_from_values_is_priced_by_a_pilot(functions: tuple[PrivateFunction, ...]) -> None:
    found = accurate(simple(*functions), "±1@95", groups=1)
    assert found.most == Cost(Measure.ZCDP, ZCDP.per_answer.amount)
    assert found.cost.amount == pytest.approx(ZCDP.per_answer.amount / 16, abs=1)
    assert accurate(simple(COUNT), "±50@95", groups=1).most is None


def test_the_most_that_may_be_spent_holds_for_the_price_of_an_accuracy() -> None:
    most = Cost(Measure.ZCDP, 5 * 10**6)
    narrow = rules(per_answer=most)
    assert accurate(simple(COUNT, groups=1), "±5000@95", narrow).cost.fits(most)
    assert refused(simple(COUNT, groups=1), "±1@95", given_rules=narrow) == ["privacy.accuracy-too-fine"]
