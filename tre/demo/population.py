"""Write the synthetic population: one Parquet file a table, chunk by chunk, so that memory does not grow with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tre.demo.diagnoses import condition_table, make_onsets
from tre.demo.findings import measurement_table, observation_table
from tre.demo.people import make_people, people_tables
from tre.demo.places import Places, make_places, place_tables
from tre.demo.schema import SCHEMAS
from tre.demo.treatment import drug_table, procedure_table
from tre.demo.visits import make_visits, visit_tables
from tre.demo.vocabulary import vocabulary_tables

CHUNK = 25_000  # people at a time: about a million rows, 400 MB
Progress = Callable[[str, float], None]


def generate(people: int, seed: int, target: Path, progress: Progress | None = None) -> None:
    """Write a synthetic OMOP CDM 5.4 population of `people` persons into the folder `target`.

    The files are a function of `people` and `seed` alone (given one version of numpy and pyarrow). `progress` is
    told ("population", fraction done). `target` is made; files of the CDM's names in it are overwritten.
    Raises ValueError unless `people` is positive and `seed` is not negative.
    """
    if people < 1 or seed < 0:
        raise ValueError("people must be at least 1 and seed at least 0")
    target.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng([seed, 0])
    places = make_places(rng, people)
    for name, rows in {**place_tables(rng, places), **vocabulary_tables()}.items():
        pq.write_table(rows, target / f"{name}.parquet", compression="zstd")
    _write_people(people, seed, places, target, progress)


def _write_people(people: int, seed: int, places: Places, target: Path, progress: Progress | None) -> None:
    written: Counter[str] = Counter()
    with ExitStack() as open_files:
        writers: dict[str, pq.ParquetWriter] = {}
        for chunk, first in enumerate(range(0, people, CHUNK)):
            rng = np.random.default_rng([seed, 1 + chunk])
            count = min(CHUNK, people - first)
            for name, rows in _chunk(rng, places, first, count, written):
                if name not in writers:
                    path = target / f"{name}.parquet"
                    writer = pq.ParquetWriter(path, SCHEMAS[name], compression="zstd")
                    writers[name] = open_files.enter_context(writer)
                writers[name].write_table(rows)
                written[name] += rows.num_rows
            if progress:
                progress("population", (first + count) / people)


def _chunk(
    rng: np.random.Generator, places: Places, first: int, count: int, written: Counter[str]
) -> Iterator[tuple[str, pa.Table]]:
    """Yield the tables of one chunk; keys continue after the rows `written` so far."""
    after = {name: written[name] + 1 for name in SCHEMAS}
    people = make_people(rng, places, first, count)
    yield from people_tables(rng, people, places).items()
    visits = make_visits(rng, people, after["visit_occurrence"])
    yield from visit_tables(rng, people, visits, places, after["cost"]).items()
    onsets = make_onsets(rng, people, visits)
    yield "condition_occurrence", condition_table(rng, people, visits, onsets, after["condition_occurrence"])
    yield "drug_exposure", drug_table(rng, people, visits, onsets, after["drug_exposure"])
    yield "procedure_occurrence", procedure_table(rng, people, visits, after["procedure_occurrence"])
    yield "measurement", measurement_table(rng, people, visits, after["measurement"])
    yield "observation", observation_table(rng, people, visits, after["observation"])
