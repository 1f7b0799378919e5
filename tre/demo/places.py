"""Small areas with a deprivation decile, care sites and providers: attribute tables, shared by people."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from tre.demo.columns import Gaps, table
from tre.demo.identifiers import Ints, outward

REGIONS = np.array(["Northfield", "Eastmoor", "Southdale", "Westhaven", "Midvale"])
PROVIDERS_PER_SITE = 6


@dataclass(frozen=True, slots=True)
class Places:
    """Where people live and are treated; area `a` is `location_id` a + 1.

    `decile` (1 the most deprived, as in the English indices of deprivation) is one value an area; general practices
    are care sites 1 … `practices`, hospitals follow.
    """

    decile: Ints
    practices: int
    hospitals: int


def make_places(rng: np.random.Generator, people: int) -> Places:
    """Return areas of about 400 people, practices of about 5,000 and hospitals of about 50,000."""
    areas = max(20, people // 400)
    decile = rng.permutation(np.arange(areas) % 10 + 1)
    return Places(decile, max(3, people // 5_000), max(2, people // 50_000))


def place_tables(rng: np.random.Generator, places: Places) -> dict[str, pa.Table]:
    """Return `location`, `care_site` and `provider`."""
    return {
        "location": _locations(places),
        "care_site": _care_sites(places),
        "provider": _providers(rng, places),
    }


def _locations(places: Places) -> pa.Table:
    area = np.arange(len(places.decile))
    return table(
        "location",
        len(area),
        location_id=area + 1,
        zip=outward(area),
        county=REGIONS[area * len(REGIONS) // len(area)],
        location_source_value=np.strings.add("IMD ", places.decile.astype("U2")),
        country_source_value="United Kingdom",
    )


def _care_sites(places: Places) -> pa.Table:
    sites = np.arange(1, places.practices + places.hospitals + 1)
    kind = np.where(sites <= places.practices, "Practice ", "Hospital ")
    return table(
        "care_site",
        len(sites),
        care_site_id=sites,
        care_site_name=np.strings.add(kind, sites.astype("U7")),
        location_id=sites * 7 % len(places.decile) + 1,
        care_site_source_value=np.strings.add("S", sites.astype("U7")),
        place_of_service_source_value=kind,
    )


def _providers(rng: np.random.Generator, places: Places) -> pa.Table:
    sites = np.repeat(np.arange(1, places.practices + places.hospitals + 1), PROVIDERS_PER_SITE)
    provider = np.arange(1, len(sites) + 1)
    missing = rng.random(len(sites)) < 0.3
    return table(
        "provider",
        len(sites),
        provider_id=provider,
        care_site_id=sites,
        year_of_birth=Gaps(rng.integers(1955, 1996, len(sites)), missing),
        gender_concept_id=rng.choice([8507, 8532], len(sites)),
        provider_source_value=np.strings.add("P", provider.astype("U7")),
        specialty_source_value=np.where(sites <= places.practices, "general practice", "hospital"),
    )
