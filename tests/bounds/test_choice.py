"""Bounds are chosen from what was released alone, near the best there are, and never against a declaration."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from tests.policy.documents import MINIMAL
from tre.catalogue import Interval, Kind, Type
from tre.policy import compile_policy, load_policy
from tre.privacy.bins import usual_noise
from tre.privacy.choice import best, text_of, with_bounds
from tre.privacy.histograms import Histogram, Statistic, Subject, wanted

SIZES = {
    "gamma-Poisson": lambda generator, people: generator.poisson(generator.gamma(1, 10, people)),
    "two kinds of people": lambda generator, people: np.where(generator.random(people) < 0.05, 90, 1 + people % 2),
    "lognormal": lambda generator, people: np.exp(generator.normal(4, 1, people)),
}


def noisy(sizes: np.ndarray, spread: float, generator: np.random.Generator, subject: Subject) -> Histogram:
    bins = np.clip(np.ceil(np.log2(sizes[sizes > 0])), subject.exponents[0], subject.exponents[-1])
    counts = [int((bins == number).sum() + round(generator.normal(0, spread))) for number in subject.exponents]
    return Histogram(subject, tuple(counts), spread)


@pytest.mark.parametrize("kind", SIZES)
@pytest.mark.parametrize("spread", [5.0, 40.0])
def test_a_bound_is_near_the_best_that_the_exact_data_would_give(kind: str, spread: float) -> None:
    """Broken by a bin that ends the search too soon, or by bounds that weigh no bias."""
    generator = np.random.default_rng(4)
    sizes, noise = np.asarray(SIZES[kind](generator, 100_000), dtype=float), 10.0
    found = best(noisy(sizes, spread, generator, Subject("t", "x", Statistic.TOTAL)), noise)
    assert found is not None

    def error(bound: float) -> float:
        return math.hypot(float(np.maximum(sizes - bound, 0).sum()), noise * bound)

    assert error(found) < 1.5 * min(error(2.0 ** (step / 8)) for step in range(8, 160))


def test_nothing_is_chosen_from_noise_alone() -> None:
    generator = np.random.default_rng(4)
    subject = Subject("t", "", Statistic.ROWS)
    for _ in range(200):
        assert best(noisy(np.zeros(0), 30.0, generator, subject), 10.0) is None


def test_a_declared_bound_is_neither_looked_for_nor_replaced() -> None:
    policy = compile_policy(load_policy(MINIMAL))
    assert wanted(policy.catalogue) == ()
    visit = policy.catalogue.tables["visit"]
    subject = Subject("visit", "", Statistic.ROWS)
    full = Histogram(subject, tuple(10**4 for _ in subject.exponents), 1.0)
    assert with_bounds(policy.catalogue, {subject: full}, policy.rules).tables["visit"] == visit


def test_an_open_bound_is_looked_for_and_filled_in() -> None:
    policy = compile_policy(load_policy(MINIMAL))
    visit = policy.catalogue.tables["visit"]
    cost = replace(visit.columns["cost"], bounds=None, found=True)
    start = replace(visit.columns["visit_date"], bounds=None, calendar=None, found=True)
    open_ended = replace(visit, typical_rows=None, columns={**visit.columns, "cost": cost, "visit_date": start})
    catalogue = replace(policy.catalogue, tables={**policy.catalogue.tables, "visit": open_ended})
    subjects = wanted(catalogue)
    assert [(one.column, one.statistic) for one in subjects] == [
        ("", Statistic.ROWS),
        ("cost", Statistic.TOTAL),
        ("cost", Statistic.SQUARES),
        ("visit_date", Statistic.REACH),
    ]
    found = {one: Histogram(one, tuple(10**4 * (3 <= n <= 9) for n in one.exponents), 10.0) for one in subjects}
    filled = with_bounds(catalogue, found, policy.rules).tables["visit"]
    usual = filled.columns["cost"].usually
    assert filled.typical_rows is not None
    assert 100 < filled.typical_rows <= 500
    assert usual is not None
    assert usual.squares is not None
    bounds = filled.columns["cost"].bounds
    assert bounds is not None
    assert bounds.magnitude == -bounds.low == min(usual.total, bounds.magnitude)
    assert bounds.magnitude**2 >= usual.squares
    assert usual.total % filled.columns["cost"].granularity == 0
    assert filled.columns["visit_date"].bounds == Interval(Fraction(10957 - 512), Fraction(10957 + 512))


def test_a_dearer_usual_price_gives_wider_bounds_and_another_text() -> None:
    policy = compile_policy(load_policy(MINIMAL))
    cheap, dear = (replace(policy.rules, default_epsilon=Fraction(one)) for one in ("0.01", "5"))
    assert usual_noise(dear) < usual_noise(cheap)
    subject = Subject("visit", "cost", Statistic.TOTAL)
    people = tuple(max(0, 10**5 >> max(0, number)) for number in subject.exponents)
    found = {subject: Histogram(subject, people, 1.0)}
    narrow, wide = (best(found[subject], 2 * usual_noise(one)) for one in (cheap, dear))
    assert narrow is not None
    assert wide is not None
    assert narrow < wide
    assert text_of(found, cheap) != text_of(found, dear)
    assert text_of({}, cheap) == ""


def test_whole_numbers_and_dates_are_looked_for_where_the_policy_asks_for_it() -> None:
    """Most whole numbers are codes: their histograms would make all others noisier."""
    text = MINIMAL.replace("bounds: [2000-01-01", "bounds: automatic  # [2000-01-01")
    policy = compile_policy(load_policy(text)) if text != MINIMAL else None
    columns = compile_policy(load_policy(MINIMAL)).catalogue.tables["visit"].columns.values()
    undeclared = [one for one in columns if one.type == Type(Kind.INTEGER) and one.bounds is None]
    assert undeclared
    assert not any(one.found for one in undeclared)
    assert policy is None or policy.catalogue
