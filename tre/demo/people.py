"""People: age, sex, place, long-term conditions, how long they are observed. No two chunks share randomness."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tre.demo.columns import Gaps, days, moments, table
from tre.demo.identifiers import Ints, nhs_numbers, postcodes
from tre.demo.places import PROVIDERS_PER_SITE, Places

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

FIRST_DAY = int(np.datetime64("2015-01-01").astype(int))
LAST_DAY = int(np.datetime64("2024-12-31").astype(int))
YEAR = 365.25
EHR = 32827  # type concept "EHR encounter record"

# Share of the population by five-year age band, 0–4 … 95–99 (shape of England's mid-2020s estimates).
_BANDS = np.array([5.4, 5.9, 6.0, 5.7, 6.0, 6.6, 7.0, 6.8, 6.4, 6.2, 6.8, 6.8, 6.0, 5.0, 4.8, 3.9, 2.5, 1.6, 0.7, 0.2])
# White, Asian, Black or African American, not recorded
_RACES = np.array([8527, 8515, 8516, 0])
_RACE_SHARES = np.array([0.74, 0.09, 0.05, 0.12])


@dataclass(frozen=True, slots=True)
class LongTerm:
    """A long-term condition: log-odds at 50, by ten years of age, by deprivation (−1 … 1), for women; onset age."""

    concept: int
    at_50: float
    decade: float
    deprivation: float
    female: float
    onset: int


LONG_TERM = (
    LongTerm(201826, -2.7, 0.45, 0.45, -0.2, 20),  # type 2 diabetes
    LongTerm(320128, -1.5, 0.60, 0.20, 0.0, 18),  # essential hypertension
    LongTerm(46271022, -4.1, 0.80, 0.25, 0.1, 20),  # chronic kidney disease
    LongTerm(317009, -2.2, -0.05, 0.20, 0.1, 2),  # asthma
    LongTerm(255573, -3.9, 0.60, 0.80, -0.1, 35),  # chronic obstructive lung disease
    LongTerm(440383, -2.0, 0.00, 0.40, 0.5, 12),  # depressive disorder
    LongTerm(316139, -5.1, 0.85, 0.30, -0.3, 30),  # heart failure
    LongTerm(4182210, -7.6, 1.45, 0.10, 0.1, 50),  # dementia
    LongTerm(313217, -4.9, 0.95, 0.00, -0.3, 30),  # atrial fibrillation
    LongTerm(317576, -3.7, 0.80, 0.35, -0.8, 30),  # coronary arteriosclerosis
    LongTerm(80180, -2.4, 0.60, 0.15, 0.3, 30),  # osteoarthritis
    LongTerm(432867, -1.9, 0.50, 0.10, -0.1, 18),  # hyperlipidemia
)


@dataclass(frozen=True, slots=True)
class People:
    """A chunk of people, one element a person; days count from 1970-01-01, `conditions` is people x LONG_TERM."""

    first: int
    birth: Ints
    female: Flags
    area: Ints
    decile: Ints
    practice: Ints
    start: Ints
    end: Ints
    dead: Flags
    conditions: Flags

    def __len__(self) -> int:
        return len(self.birth)

    @property
    def ids(self) -> Ints:
        """`person_id`, from 1."""
        return self.first + 1 + np.arange(len(self))

    def age(self, who: Ints, day: Ints) -> Floats:
        """Return the age in years of the people at positions `who` on `day`."""
        years: Floats = (day - self.birth[who]) / YEAR
        return years


def make_people(rng: np.random.Generator, places: Places, first: int, count: int) -> People:
    """Return people number `first` … `first + count − 1` of a population, counted from 0."""
    band = rng.choice(len(_BANDS), count, p=_BANDS / _BANDS.sum())
    age = band * 5 + 5 * rng.random(count)
    birth = (LAST_DAY - age * YEAR).astype(np.int64)
    female = rng.random(count) < 0.505 + 0.002 * np.maximum(0, age - 60)
    area = rng.integers(0, len(places.decile), count)
    decile = places.decile[area]
    start, end, dead = _observed(rng, age, birth, decile)
    return People(
        first,
        birth,
        female,
        area,
        decile,
        1 + area % places.practices,
        start,
        end,
        dead,
        _conditions(rng, age, female, decile),
    )


def _observed(rng: np.random.Generator, age: Floats, birth: Ints, decile: Ints) -> tuple[Ints, Ints, Flags]:
    """Return first and last day of observation and who died: Gompertz hazard, higher where deprivation is."""
    count = len(age)
    late = np.where(rng.random(count) < 0.35, rng.integers(0, LAST_DAY - FIRST_DAY - 30, count), 0)
    start = np.maximum(birth, FIRST_DAY + late)
    hazard = 3e-4 * np.exp(0.085 * age) * (1 + 0.06 * (5.5 - decile))
    dead = rng.random(count) < 1 - np.exp(-hazard)
    leaves = dead | (rng.random(count) < 0.08)
    stay = (rng.random(count) * (LAST_DAY - start)).astype(np.int64)
    return start, np.where(leaves, start + stay, LAST_DAY), dead


def _conditions(rng: np.random.Generator, age: Floats, female: Flags, decile: Ints) -> Flags:
    """Return who has which long-term condition; a shared frailty makes them come together."""
    spec = np.array([(c.at_50, c.decade, c.deprivation, c.female, c.onset) for c in LONG_TERM])
    facts = np.stack((np.ones(len(age)), (age - 50) / 10, (5.5 - decile) / 4.5, female), axis=1)
    frailty = 0.7 * rng.standard_normal((len(age), 1))
    odds = facts @ spec[:, :4].T + frailty
    have: Flags = rng.random(odds.shape) < 1 / (1 + np.exp(-odds))
    return have & (age[:, None] >= spec[:, 4])


def people_tables(rng: np.random.Generator, people: People, places: Places) -> dict[str, pa.Table]:
    """Return `person`, `observation_period` and `death`."""
    return {
        "person": _person(rng, people),
        "observation_period": table(
            "observation_period",
            len(people),
            observation_period_id=people.ids,
            person_id=people.ids,
            observation_period_start_date=days(people.start),
            observation_period_end_date=days(people.end),
            period_type_concept_id=EHR,
        ),
        "death": _death(rng, people),
    }


def _person(rng: np.random.Generator, people: People) -> pa.Table:
    count = len(people)
    birth = days(people.birth)
    month = birth.astype("datetime64[M]")
    nhs = nhs_numbers(people.first, count)
    race = rng.choice(len(_RACES), count, p=_RACE_SHARES)
    return table(
        "person",
        count,
        person_id=people.ids,
        gender_concept_id=np.where(people.female, 8532, 8507),
        year_of_birth=birth.astype("datetime64[Y]").astype(np.int64) + 1970,
        month_of_birth=month.astype(np.int64) % 12 + 1,
        day_of_birth=Gaps((birth - month).astype(np.int64) + 1, rng.random(count) < 0.05),
        birth_datetime=moments(people.birth, rng.integers(0, 86_400, count)),
        race_concept_id=_RACES[race],
        ethnicity_concept_id=0,
        location_id=Gaps(people.area + 1, rng.random(count) < 0.03),
        provider_id=Gaps(people.practice * PROVIDERS_PER_SITE, rng.random(count) < 0.2),
        care_site_id=people.practice,
        person_source_value=nhs,
        gender_source_value=np.where(people.female, "F", "M"),
        race_source_value=Gaps(np.array(["White", "Asian", "Black", ""])[race], race == 3),
        nhs_number=nhs,
        postcode=Gaps(postcodes(rng, people.area), rng.random(count) < 0.02),
        date_of_birth=birth,
    )


def _death(rng: np.random.Generator, people: People) -> pa.Table:
    who = np.flatnonzero(people.dead)
    causes = np.array([317576, 255573, 316139, 4182210, 381316, 255848])
    cause = rng.choice(causes, len(who), p=[0.28, 0.12, 0.1, 0.2, 0.15, 0.15])
    return table(
        "death",
        len(who),
        person_id=people.ids[who],
        death_date=days(people.end[who]),
        death_datetime=Gaps(moments(people.end[who], rng.integers(0, 86_400, len(who))), rng.random(len(who)) < 0.4),
        death_type_concept_id=EHR,
        cause_concept_id=Gaps(cause, rng.random(len(who)) < 0.15),
    )
