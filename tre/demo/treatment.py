"""Drugs, repeated for long-term conditions and prescribed at visits, and procedures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from tre.demo.columns import Gaps, days, table
from tre.demo.events import Choice, Events, at_visits, together
from tre.demo.people import EHR, YEAR, People
from tre.demo.visits import OUTPATIENT, Visits


@dataclass(frozen=True, slots=True)
class Repeat:
    """A drug taken for a long-term condition (its position in LONG_TERM) by a share of patients."""

    condition: int
    drug: int
    share: float
    a_year: float


_REPEATS = (
    Repeat(0, 1503297, 0.75, 2.0),  # metformin
    Repeat(1, 1332419, 0.6, 2.0),  # amlodipine
    Repeat(3, 1154615, 0.9, 1.5),  # albuterol
    Repeat(3, 40169216, 0.5, 1.5),  # fluticasone
    Repeat(4, 40169281, 0.6, 2.0),  # fluticasone and salmeterol
    Repeat(5, 739138, 0.5, 2.0),  # sertraline
    Repeat(7, 40223768, 0.4, 2.0),  # donepezil
    Repeat(8, 40163554, 0.6, 3.0),  # warfarin
    Repeat(8, 19018935, 0.2, 2.0),  # digoxin
    Repeat(9, 19075601, 0.4, 2.0),  # clopidogrel
    Repeat(9, 19059056, 0.6, 2.0),  # aspirin
    Repeat(10, 19019273, 0.4, 1.0),  # naproxen
    Repeat(11, 1539411, 0.4, 1.5),  # simvastatin
    Repeat(11, 1545959, 0.4, 1.5),  # atorvastatin
)
_ACUTE = Choice(
    (1127433, 19078461, 19073183, 920334, 19133873, 1107882, 19077344, 40162359),
    (0.3, 0.2, 0.2, 0.07, 0.08, 0.06, 0.05, 0.04),
)
_PROCEDURES = Choice(
    (4037675, 4218408, 4187458, 4326177, 4163872, 4163951, 4293740, 4062501, 4195803, 4170947),
    (0.28, 0.24, 0.1, 0.12, 0.08, 0.07, 0.03, 0.03, 0.02, 0.03),
)


def drug_table(rng: np.random.Generator, people: People, visits: Visits, onsets: Events, first_id: int) -> pa.Table:
    """Return `drug_exposure`, numbered from `first_id`; repeats are issued outside visits."""
    repeats = together([_issued(rng, people, onsets, repeat) for repeat in _REPEATS])
    events = together([repeats, at_visits(rng, visits, 0.3, _ACUTE)])
    count = len(events)
    long, short = 28 * rng.integers(1, 4, count), rng.integers(5, 15, count)
    supply = np.where(np.arange(count) < len(repeats), long, short)
    return table(
        "drug_exposure",
        count,
        drug_exposure_id=first_id + np.arange(count),
        drug_concept_id=events.concept,
        drug_exposure_start_date=days(events.day),
        drug_exposure_end_date=days(events.day + supply - 1),
        drug_type_concept_id=EHR,
        refills=Gaps(rng.integers(0, 6, count), rng.random(count) < 0.4),
        quantity=Gaps(supply * rng.integers(1, 4, count).astype(float), rng.random(count) < 0.1),
        days_supply=Gaps(supply, rng.random(count) < 0.2),
        **events.shared_columns(rng, people, visits),
    )


def _issued(rng: np.random.Generator, people: People, onsets: Events, repeat: Repeat) -> Events:
    """Return the prescriptions of one drug from the onset of its condition to the end of observation."""
    taking = (onsets.concept == repeat.condition) & (rng.random(len(onsets)) < repeat.share)
    who, since = onsets.who[taking], onsets.day[taking]
    number = rng.poisson((people.end[who] - since) / YEAR * repeat.a_year)
    who, since = np.repeat(who, number), np.repeat(since, number)
    day = since + (rng.random(len(who)) * (people.end[who] - since)).astype(np.int64)
    return Events(who, np.full(len(who), -1), day, np.full(len(who), repeat.drug))


def procedure_table(rng: np.random.Generator, people: People, visits: Visits, first_id: int) -> pa.Table:
    """Return `procedure_occurrence`, numbered from `first_id`."""
    events = at_visits(rng, visits, np.where(visits.kind == OUTPATIENT, 0.3, 0.7), _PROCEDURES)
    count = len(events)
    return table(
        "procedure_occurrence",
        count,
        procedure_occurrence_id=first_id + np.arange(count),
        procedure_concept_id=events.concept,
        procedure_date=days(events.day),
        procedure_type_concept_id=EHR,
        quantity=Gaps(np.ones(count, np.int64), rng.random(count) < 0.5),
        **events.shared_columns(rng, people, visits),
    )
