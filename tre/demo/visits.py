"""Visits and what they cost: skewed between people (gamma–Poisson), respiratory ones in winter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from tre.demo.columns import Gaps, Pence, days, moments, table
from tre.demo.identifiers import Ints
from tre.demo.people import EHR, YEAR, Flags, Floats, People
from tre.demo.places import PROVIDERS_PER_SITE, Places

OUTPATIENT, EMERGENCY, INPATIENT = 9202, 9203, 9201
_MOST_VISITS = 1_500  # of one person: a bound on a chunk's memory, reached by nobody in practice


@dataclass(frozen=True, slots=True)
class Visits:
    """A chunk's visits, sorted by person, then day. `who` is a position in the chunk, `first_id` the first key."""

    first_id: int
    who: Ints
    day: Ints
    kind: Ints
    stay: Ints
    respiratory: Flags
    offsets: Ints
    counts: Ints

    def __len__(self) -> int:
        return len(self.who)

    @property
    def ids(self) -> Ints:
        """`visit_occurrence_id`."""
        return self.first_id + np.arange(len(self))

    def any_of(self, rng: np.random.Generator, who: Ints) -> Ints:
        """Return the position of a random visit of each person in `who`, −1 for people without one."""
        counts = self.counts[who]
        pick = self.offsets[who] + (rng.random(len(who)) * counts).astype(np.int64)
        return np.where(counts > 0, pick, -1)


def make_visits(rng: np.random.Generator, people: People, first_id: int) -> Visits:
    """Return the visits of a chunk, numbered from `first_id`."""
    who = np.repeat(np.arange(len(people)), _visit_counts(rng, people))
    chest = people.conditions[:, 3] | people.conditions[:, 4]
    respiratory = rng.random(len(who)) < 0.17 + 0.15 * chest[who]
    day = _visit_days(rng, people, who, respiratory)
    order = np.lexsort((day, who))
    day, respiratory = day[order], respiratory[order]
    age = people.age(who, day)
    kind = _visit_kinds(rng, age)
    stay = np.where(kind == INPATIENT, rng.geometric(np.where(age > 70, 0.15, 0.3)), 0)
    counts = np.bincount(who, minlength=len(people))
    # A stay ends with the observation at the latest, so that nobody is treated after death.
    stay = np.minimum(stay, people.end[who] - day)
    return Visits(first_id, who, day, kind, stay, respiratory, np.cumsum(counts) - counts, counts)


def _visit_counts(rng: np.random.Generator, people: People) -> Ints:
    years = (people.end - people.start + 1) / YEAR
    age = (people.end - people.birth) / YEAR
    need = 0.35 + age / 70 + 0.6 * people.conditions.sum(axis=1) + 0.05 * (5.5 - people.decile)
    rate = 0.75 * rng.gamma(0.7, 1 / 0.7, len(people)) * np.maximum(need, 0.1)
    counts: Ints = np.minimum(rng.poisson(rate * years), _MOST_VISITS)
    return counts


def _visit_days(rng: np.random.Generator, people: People, who: Ints, respiratory: Flags) -> Ints:
    """Return a day in each person's observation, for respiratory visits the most wintry of three by weight."""
    length = people.end[who] - people.start[who] + 1
    options = people.start[who] + (rng.random((3, len(who))) * length).astype(np.int64)
    weight = np.cumsum(winter(options), axis=0)
    chosen = (rng.random(len(who)) * weight[2] > weight[:2]).sum(axis=0)
    chosen = np.where(respiratory, chosen, 0)
    day: Ints = np.take_along_axis(options, chosen[None], axis=0)[0]
    return day


def winter(day: Ints) -> Floats:
    """Return a weight that is highest in mid-January and lowest in mid-July."""
    weight: Floats = 1 + 0.95 * np.cos(2 * np.pi * (day - 15) / YEAR)
    return weight


def _visit_kinds(rng: np.random.Generator, age: Floats) -> Ints:
    luck = rng.random(len(age))
    inpatient = 0.03 + 0.09 * np.clip((age - 50) / 40, 0, 1)
    return np.where(luck < inpatient, INPATIENT, np.where(luck < inpatient + 0.09, EMERGENCY, OUTPATIENT))


def visit_tables(
    rng: np.random.Generator, people: People, visits: Visits, places: Places, first_cost: int
) -> dict[str, pa.Table]:
    """Return `visit_occurrence` and `cost`; costs are numbered from `first_cost`."""
    return {
        "visit_occurrence": _visit_table(rng, people, visits, places),
        "cost": _cost_table(rng, visits, first_cost),
    }


def _visit_table(rng: np.random.Generator, people: People, visits: Visits, places: Places) -> pa.Table:
    count = len(visits)
    hospital = places.practices + 1 + people.area[visits.who] % places.hospitals
    site = np.where(visits.kind == OUTPATIENT, people.practice[visits.who], hospital)
    provider = (site - 1) * PROVIDERS_PER_SITE + rng.integers(1, PROVIDERS_PER_SITE + 1, count)
    begin = rng.integers(8 * 3600, 18 * 3600, count)
    untimed = rng.random(count) < 0.1
    last = visits.day + visits.stay
    again = np.concatenate(([False], visits.who[1:] == visits.who[:-1]))[:count]
    return table(
        "visit_occurrence",
        count,
        visit_occurrence_id=visits.ids,
        person_id=people.ids[visits.who],
        visit_concept_id=visits.kind,
        visit_start_date=days(visits.day),
        visit_start_datetime=Gaps(moments(visits.day, begin), untimed),
        visit_end_date=days(last),
        visit_end_datetime=Gaps(moments(last, begin + 1800), untimed),
        visit_type_concept_id=EHR,
        provider_id=Gaps(provider, rng.random(count) < 0.15),
        care_site_id=Gaps(site, rng.random(count) < 0.05),
        preceding_visit_occurrence_id=Gaps(visits.ids - 1, ~again),
    )


def _cost_table(rng: np.random.Generator, visits: Visits, first: int) -> pa.Table:
    which = np.flatnonzero(rng.random(len(visits)) < 0.92)
    kind, nights = visits.kind[which], visits.stay[which]
    centre = np.where(kind == OUTPATIENT, 4.2, np.where(kind == EMERGENCY, 5.4, 7.0)) + 0.4 * np.log1p(nights)
    cost = np.round(rng.lognormal(centre, 0.6) * 100).astype(np.int64)
    patient = np.where(rng.random(len(which)) < 0.1, np.minimum(cost, 990), 0)
    unbilled = rng.random(len(which)) < 0.07
    return table(
        "cost",
        len(which),
        cost_id=first + np.arange(len(which)),
        cost_event_id=visits.ids[which],
        cost_domain_id="Visit",
        cost_type_concept_id=EHR,
        total_charge=Pence(cost + cost // 10),
        total_cost=Pence(cost),
        total_paid=Pence(np.where(unbilled, 0, cost)),
        paid_by_payer=Pence(np.where(unbilled, 0, cost - patient)),
        paid_by_patient=Pence(np.where(unbilled, 0, patient)),
    )
