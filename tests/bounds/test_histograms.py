"""The histograms are private answers like any other: what one person changes, what they hold, what they cost."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from random import Random

import numpy as np
import pytest

from tests.oracle.oracle import Oracle
from tests.oracle.stage import FULL, partials
from tests.oracle.worlds import world
from tests.privacy.exact import NoNoise
from tre.base.cost import Cost, Measure
from tre.privacy import plan as planning
from tre.privacy.histograms import REFERENCE, Statistic, Subject, blocks, histogram, question
from tre.privacy.mechanisms import OpenDPNoise
from tre.privacy.plan import privacy_map
from tre.privacy.release import release
from tre.privacy.request import Ask, Rules
from tre.sql import bind

SUBJECTS = (
    Subject("visit", "", Statistic.ROWS),
    Subject("event", "", Statistic.ROWS),
    Subject("visit", "paid", Statistic.TOTAL),
    Subject("visit", "paid", Statistic.SQUARES),
    Subject("event", "value", Statistic.TOTAL),
    Subject("event", "big", Statistic.TOTAL),
    Subject("event", "big", Statistic.SQUARES),
    Subject("death", "day", Statistic.REACH),
    Subject("event", "at", Statistic.REACH),
)


def rules(measure: Measure = Measure.ZCDP) -> Rules:
    whole = Cost(measure, 10**10)
    conversion = Fraction(1, 10**7) if measure is Measure.ZCDP else Fraction(0)
    return Rules(measure, whole, whole, whole, conversion, Fraction(0), Fraction(1), minimum_group=10)


@pytest.mark.parametrize("subject", SUBJECTS, ids=str)
def test_one_person_changes_one_bin_by_one(subject: Subject) -> None:
    """Broken by putting a row into a bin instead of a person."""
    oracle, random = Oracle(), Random(5)
    for _ in range(6):
        made = world(random)
        oracle.load(made, random)
        query = bind(question(subject, made.catalogue), made.catalogue, REFERENCE)
        planned = planning.plan(query, Ask(), replace(rules(), minimum_group=None), lambda _keys: ())
        (block,) = planned.blocks
        assert (block.shape.groups, [part.sensitivity for part in block.shape.parts]) == (1, [1])
        assert not oracle.violations(planned)


def test_a_histogram_holds_everybody_with_rows_in_the_bin_of_their_size() -> None:
    oracle, random = Oracle(), Random(8)
    made = world(random)
    while len(made.people) < 3:
        made = world(random)
    oracle.load(made, random)
    subject = Subject("visit", "", Statistic.ROWS)
    (block,) = blocks([subject], made.catalogue, rules(), Cost(Measure.ZCDP, 10**9))
    exact = partials(oracle.stage.run(block.shape.relation, FULL))
    found = histogram(subject, block, release(block, exact, NoNoise()))
    cap = made.catalogue.tables["visit"].rows_per_unit
    assert cap is not None
    counts = [sum(row["person_id"] == one for row in made.rows["visit"]) for one in made.people]
    bins = [math.ceil(math.log2(min(count, cap))) for count in counts if count]
    assert found.people == tuple(bins.count(number) for number in subject.exponents)


@pytest.mark.parametrize("measure", Measure)
def test_the_release_costs_no_more_than_its_price_and_wastes_little(measure: Measure) -> None:
    made, price = world(Random(1)).catalogue, Cost(measure, 10**7)
    measured = blocks(SUBJECTS, made, rules(measure), price)
    charged = sum((privacy_map(block)[0] for block in measured), Fraction(0))
    assert price.rho * Fraction(999, 1000) < charged <= price.rho
    assert all(privacy_map(block)[1] == 0 for block in measured)


def test_a_joint_release_is_as_noisy_as_one_vector_of_that_sensitivity() -> None:
    """h histograms at rho/h each: σ² = h/2ρ, the Gaussian mechanism's of L2 sensitivity √h (Bun & Steinke 2016)."""
    measured = blocks(SUBJECTS, world(Random(1)).catalogue, rules(), Cost(Measure.ZCDP, 10**7))
    expected = len(SUBJECTS) / (2 * 10**7 / 10**9)
    for block in measured:
        (mechanism,) = block.mechanisms.values()
        assert float(mechanism.variance) == pytest.approx(expected, rel=1e-3)


def test_the_noise_that_is_released_is_the_noise_that_is_claimed() -> None:
    """Empty bins show noise alone; a fixed seed is not to be had of OpenDP, so the bound lies seven deviations out."""
    oracle, random = Oracle(), Random(3)
    made = world(random)
    oracle.load(made, random)
    subject = SUBJECTS[2]
    (block,) = blocks([subject], made.catalogue, rules(), Cost(Measure.ZCDP, 10**6))
    exact = partials(oracle.stage.run(block.shape.relation, FULL))
    drawn = np.array([histogram(subject, block, release(block, exact, OpenDPNoise())).people for _ in range(60)])
    deviation = histogram(subject, block, release(block, exact, OpenDPNoise())).deviation
    empty = drawn[:, 30:]
    assert abs(empty.mean()) < 7 * deviation / math.sqrt(empty.size)
    assert empty.std() == pytest.approx(deviation, rel=7 / math.sqrt(2 * empty.size))
