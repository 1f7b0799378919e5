"""Conditions: the onset of long-term ones, and acute ones that follow the seasons."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from tre.demo.columns import Gaps, days, table
from tre.demo.events import Choice, Events, at_visits, together
from tre.demo.people import EHR, LONG_TERM, People
from tre.demo.visits import Visits, winter

# Acute bronchitis, viral pharyngitis, upper respiratory infection, pneumonia, influenza
_RESPIRATORY = Choice((260139, 4112343, 257011, 255848, 4266367), (0.3, 0.25, 0.25, 0.08, 0.12))
_OTHER = Choice(
    (195588, 81902, 372328, 81151, 4059173, 28060, 192671, 134438, 439777, 4280726, 381316, 4329847),
    (0.1, 0.14, 0.1, 0.12, 0.05, 0.08, 0.05, 0.14, 0.1, 0.06, 0.004, 0.005),
)
_POLLEN, _DERMATITIS = 4280726, 134438
_SUMMER = 0.6  # below this weight of `winter`, seasonal allergic rhinitis occurs


def make_onsets(rng: np.random.Generator, people: People, visits: Visits) -> Events:
    """Return the first record of each long-term condition, `concept` being its position in LONG_TERM.

    It is made at one of the person's visits, or on any observed day, without a visit.
    """
    who, which = np.nonzero(people.conditions)
    visit = np.where(rng.random(len(who)) < 0.85, visits.any_of(rng, who), -1)
    span = people.end[who] - people.start[who] + 1
    day = people.start[who] + (rng.random(len(who)) * span).astype(np.int64)
    seen = visit >= 0
    day[seen] = visits.day[visit[seen]]
    return Events(who, visit, day, which)


def condition_table(
    rng: np.random.Generator, people: People, visits: Visits, onsets: Events, first_id: int
) -> pa.Table:
    """Return `condition_occurrence`, numbered from `first_id`."""
    concepts = np.array([condition.concept for condition in LONG_TERM])
    lasting = Events(onsets.who, onsets.visit, onsets.day, concepts[onsets.concept])
    events = together([lasting, _acute(rng, visits)])
    count = len(events)
    end = np.minimum(events.day + rng.integers(2, 21, count), people.end[events.who])
    unended = (np.arange(count) < len(lasting)) | (rng.random(count) < 0.25)
    return table(
        "condition_occurrence",
        count,
        condition_occurrence_id=first_id + np.arange(count),
        condition_concept_id=events.concept,
        condition_start_date=days(events.day),
        condition_end_date=Gaps(days(end), unended),
        condition_type_concept_id=EHR,
        **events.shared_columns(rng, people, visits),
    )


def _acute(rng: np.random.Generator, visits: Visits) -> Events:
    found = at_visits(rng, visits, 0.55, _OTHER)
    no_pollen = (found.concept == _POLLEN) & (winter(found.day) > _SUMMER)
    other = np.where(no_pollen, _DERMATITIS, found.concept)
    chest = _RESPIRATORY.draw(rng, len(found))
    concept = np.where(visits.respiratory[found.visit], chest, other)
    return Events(found.who, found.visit, found.day, concept)
