"""Measurements, which depend on age and long-term conditions, and observations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from tre.demo.columns import Gaps, days, moments, table
from tre.demo.events import Choice, Events, at_visits, together
from tre.demo.people import EHR, Floats, People
from tre.demo.visits import Visits

_DIABETES, _HYPERTENSION, _KIDNEY = 0, 1, 2
_MISTYPED = 0.0005  # share of values typed with a digit too many: what declared bounds are for
# Allergies to grass pollen, nuts, shellfish, animal dander
_ALLERGIES = Choice((4302207, 438614, 433644, 439406), (0.4, 0.2, 0.15, 0.25))


@dataclass(frozen=True, slots=True)
class Test:
    """A test: at what share of visits, and the distribution of its value there (one element a visit)."""

    concept: int
    unit: int
    decimals: int
    share: Floats
    centre: Floats
    spread: float


def measurement_table(rng: np.random.Generator, people: People, visits: Visits, first_id: int) -> pa.Table:
    """Return `measurement`, numbered from `first_id`."""
    tests = _tests(people, visits)
    parts = [at_visits(rng, visits, test.share, Choice((test.concept,), (1.0,))) for test in tests]
    values = [_values(rng, test, part) for test, part in zip(tests, parts, strict=True)]
    units = [np.full(len(part), test.unit) for test, part in zip(tests, parts, strict=True)]
    events = together(parts)
    count = len(events)
    return table(
        "measurement",
        count,
        measurement_id=first_id + np.arange(count),
        measurement_concept_id=events.concept,
        measurement_date=days(events.day),
        measurement_datetime=Gaps(moments(events.day, rng.integers(28_800, 64_800, count)), rng.random(count) < 0.4),
        measurement_type_concept_id=EHR,
        value_as_number=Gaps(np.concatenate(values), rng.random(count) < 0.03),
        unit_concept_id=Gaps(np.concatenate(units), rng.random(count) < 0.02),
        **events.shared_columns(rng, people, visits),
    )


def _tests(people: People, visits: Visits) -> list[Test]:
    age = people.age(visits.who, visits.day)
    ill = people.conditions[visits.who].astype(float)
    adult = (age >= 18).astype(float)
    size = np.minimum(age / 18, 1.0)
    sugar, pressure, kidney = ill[:, _DIABETES], ill[:, _HYPERTENSION], ill[:, _KIDNEY]
    chest = visits.respiratory.astype(float)
    woman = people.female[visits.who].astype(float)
    return [
        Test(3004249, 8876, 0, 0.35 * adult, 112 + 0.25 * age + 14 * pressure, 13),  # systolic, mm[Hg]
        Test(3012888, 8876, 0, 0.35 * adult, 74 + 0.03 * age + 8 * pressure, 9),  # diastolic
        Test(3038553, 9531, 1, 0.2 + 0 * age, 16 + 10.5 * size + 3.5 * sugar, 4.2),  # BMI, kg/m2
        Test(3004410, 9579, 0, 0.04 * adult + 0.4 * sugar, 36 + 0.06 * age + 18 * sugar, 6),  # HbA1c, mmol/mol
        Test(3016723, 8749, 0, 0.2 * adult, 82 - 16 * woman + 70 * kidney, 12),  # creatinine, umol/L
        Test(3000963, 8713, 1, 0.2 + 0 * age, 14.6 - 1.3 * woman - 1.5 * kidney, 1.2),  # haemoglobin, g/dL
        Test(3010813, 9444, 1, 0.15 + 0 * age, 7 + 1.5 * chest, 1.8),  # white cells, 10*9/L
    ]


def _values(rng: np.random.Generator, test: Test, events: Events) -> Floats:
    centre = test.centre[events.visit]
    value = np.maximum(rng.normal(centre, test.spread), 0.2 * centre)
    value = np.where(rng.random(len(value)) < _MISTYPED, value * 10, value)
    rounded: Floats = np.round(value, test.decimals).astype(np.float64)
    return rounded


def observation_table(rng: np.random.Generator, people: People, visits: Visits, first_id: int) -> pa.Table:
    """Return `observation` (allergies, some noted at a visit), numbered from `first_id`."""
    who = np.flatnonzero(rng.random(len(people)) < 0.12)
    who = np.repeat(who, rng.integers(1, 4, len(who)))
    visit = np.where(rng.random(len(who)) < 0.5, visits.any_of(rng, who), -1)
    day = people.start[who].copy()
    seen = visit >= 0
    day[seen] = visits.day[visit[seen]]
    events = Events(who, visit, day, _ALLERGIES.draw(rng, len(who)))
    severity = rng.choice(np.array(["mild", "moderate", "severe"]), len(events), p=[0.6, 0.3, 0.1])
    return table(
        "observation",
        len(events),
        observation_id=first_id + np.arange(len(events)),
        observation_concept_id=events.concept,
        observation_date=days(events.day),
        observation_type_concept_id=EHR,
        value_as_string=Gaps(severity, rng.random(len(events)) < 0.3),
        **events.shared_columns(rng, people, visits),
    )
