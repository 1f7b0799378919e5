"""What a second step costs is worked out from the release alone, so neighbours that release alike pay alike."""

from __future__ import annotations

import inspect
from fractions import Fraction
from typing import Any

import pytest

from tests.privacy.blocks import pure, rules
from tre.base.cost import Cost, Measure
from tre.privacy.accuracy import Accuracy
from tre.privacy.refining import Sharper, further, halved, lacked, sharper, to_accuracy
from tre.privacy.request import Rules

TWO = Accuracy.read("±2%")


def answer(*cells: tuple[Any, Any, Any], type_: str = "double") -> dict[str, Any]:
    """A release of one noisy column, as it is stored."""
    name = {"name": "n", "type": type_, "noisy": True}
    ends = [{"name": f"n_{end}", "type": type_, "noisy": False, "bound_of": "n"} for end in ("low", "high")]
    bounds = {"n": {"rows": "3", "value_low": "0", "value_high": "5000"}}
    return {"columns": [name, *ends], "rows": [list(cell) for cell in cells], "bounds": bounds}


def test_the_price_of_a_second_step_sees_nothing_but_the_release() -> None:
    assert list(inspect.signature(to_accuracy).parameters) == ["amounts", "result", "accuracy", "most"]
    one = to_accuracy((100,), answer((1000.0, 960.0, 1040.0)), TWO, 10**6)
    assert one == to_accuracy((100,), answer((1000.0, 960.0, 1040.0)), TWO, 10**6)


@pytest.mark.parametrize(
    ("result", "found"),
    [
        (answer((1000.0, 960.0, 1040.0)), (435,)),  # ±40, and 2 % of 960 is 19.2: errors 2.08 times too wide
        (answer((1000.0, 999.0, 1001.0)), (100,)),  # exact enough already
        (answer((1000.0, 960.0, 1040.0), (500.0, 460.0, 540.0)), (1891,)),  # the worst number decides
        (answer((1000.0, 960.0, 1040.0), (5.0, -35.0, 45.0)), (435,)),  # not told from 0: left to the others
        (answer((5.0, -35.0, 45.0)), (5000,)),  # nothing told from 0: the most
        (answer((100.0, 60.0, 140.0)), (5000,)),  # would need more than the most
        (answer((None, None, None), ({"marker": "suppressed"},) * 3, (-1000.0, -1040.0, -960.0)), (435,)),
    ],
)
def test_a_share_takes_what_the_worst_number_lacks_and_at_most_the_most(
    result: dict[str, Any], found: tuple[int, ...]
) -> None:
    assert to_accuracy((100,), result, TWO, 5000) == found


def test_a_width_is_asked_of_every_number_also_of_one_that_is_not_told_from_0() -> None:
    result = answer((1000.0, 960.0, 1040.0), (5.0, -35.0, 85.0))
    ten, forty = Accuracy.read("±10"), Accuracy.read("±40")
    assert lacked((100, 50), result, ten) == (6400, 3200)
    assert lacked((100,), answer((1000.0, 960.0, 1040.0)), forty) == (100,)
    assert to_accuracy((100, 50), result, ten, 5000) == (3333, 1666)
    assert lacked((100,), answer((None, None, None)), ten) is None


@pytest.mark.parametrize(
    ("result", "found"),
    [
        (answer((1000.0, 960.0, 1060.0), (500.0, 460.0, 540.0)), 30.0),
        (answer((None, None, None), ({"marker": "suppressed"},) * 3, (1000.0, 960.0, 1040.0)), 20.0),
        (answer((20.0, 0.0, 60.0)), None),  # cut off at a bound: how wide it would be is not told
        (answer((None, None, None)), None),
    ],
)
def test_what_half_the_error_is_follows_from_the_widest_interval(result: dict[str, Any], found: float | None) -> None:
    assert halved(result) == {"n": found}


def test_whole_numbers_whose_half_width_was_rounded_down_are_not_taken_for_sharper_than_they_are() -> None:
    assert to_accuracy((100,), answer((1000, 960, 1040), type_="integer"), TWO, 10**6) > (435,)


def test_questions_grow_alike_and_together_never_past_the_most() -> None:
    assert to_accuracy((100, 50), answer((1000.0, 960.0, 1040.0)), TWO, 10**6) == (435, 218)
    found = to_accuracy((333, 334, 334), answer((5.0, -35.0, 45.0)), TWO, 10_000)
    assert sum(found) <= 10_000
    assert sum(found) >= 10_000 - 3


def test_a_higher_level_and_all_at_once_take_more() -> None:
    result = answer((1000.0, 960.0, 1040.0), (1000.0, 960.0, 1040.0))
    usual, surer, every = (
        to_accuracy((100,), result, Accuracy.read(text), 10**6) for text in ("±2%", "±2%@99", "±2%@95 all")
    )
    assert usual < every < surer


@pytest.mark.parametrize(
    ("given", "amounts", "held", "left", "found"),
    [
        (rules(), (100,), (False,), 10**6, Sharper(Cost(Measure.ZCDP, 300), True, 0.0099995)),
        (rules(), (100,), (False,), 299, Sharper(Cost(Measure.ZCDP, 300), False, 0.5006)),
        (rules(), (100,), (False,), 0, Sharper(Cost(Measure.ZCDP, 300), False, 1.0)),
        (rules(), (70, 100), (True, False), 300, Sharper(Cost(Measure.ZCDP, 300), True, 0.5)),
        (
            rules(per_answer=Cost(Measure.ZCDP, 400)),
            (100,),
            (False,),
            10**6,
            Sharper(Cost(Measure.ZCDP, 300), True, 0.5),
        ),
        (
            rules(per_answer=Cost(Measure.ZCDP, 399)),
            (100,),
            (False,),
            10**6,
            Sharper(Cost(Measure.ZCDP, 300), False, 0.5),
        ),
        (pure(), (100,), (False,), 200, Sharper(Cost(Measure.PURE, 200), True, 0.5)),
        (pure(), (100,), (False,), 50, Sharper(Cost(Measure.PURE, 200), False, 1.0)),
    ],
)
def test_half_the_error_is_three_more_of_the_draws_or_twice_the_epsilon_anew(
    given: Rules, amounts: tuple[int, ...], held: tuple[bool, ...], left: int, found: Sharper
) -> None:
    told = sharper(amounts, held, Cost(given.measure, left), given)
    assert (told.half, told.affordable) == (found.half, found.affordable)
    assert told.least == pytest.approx(found.least, abs=1e-3)


def test_a_further_draw_adds_what_its_epsilon_buys() -> None:
    alone = further((0,), Fraction(1, 10), rules())
    assert further((1000,), Fraction(1, 10), rules()) == (alone[0] + 1000,)
    assert further((0, 0), Fraction(1, 10), rules()) == (-(-alone[0] // 2),) * 2
