"""Source data and policies: neighbouring populations, the shipped policy with other times or budgets."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tre.demo import generate

CANARY_BORN = 1901
"""The year in which the canary alone was born."""


def neighbours(folder: Path, people: int) -> tuple[Path, Path]:
    """Write a population with a canary patient, and the same without every row of that patient."""
    whole, less = folder / "whole", folder / "less"
    generate(people, 7, whole)
    less.mkdir()
    canary = _mark(whole / "person.parquet")
    for file in whole.iterdir():
        table = pq.read_table(file)
        if "person_id" in table.column_names:
            table = table.filter(pc.not_equal(table["person_id"], canary))
        pq.write_table(table, less / file.name)
    return whole, less


def _mark(file: Path) -> int:
    """Give the first person the canary's year of birth, nobody else, and return their id."""
    table = pq.read_table(file)
    years = table["year_of_birth"].to_pylist()
    assert CANARY_BORN not in years
    marked = pa.array([CANARY_BORN, *years[1:]], table.schema.field("year_of_birth").type)
    place = table.column_names.index("year_of_birth")
    pq.write_table(table.set_column(place, table.schema.field(place), marked), file)
    return int(table["person_id"][0].as_py())


def fast(policy: str, file: Path) -> Path:
    """Write the policy with answers that leave when they are ready, however small, and budgets for hundreds."""
    for shipped, here in (
        ("release every: 250 ms", "release every: 0 ms"),
        ("per project: {epsilon: 5,", "per project: {epsilon: 80,"),
        ("data set: {epsilon: 20,", "data set: {epsilon: 200,"),
        ("  minimum group: 10\n", ""),
    ):
        assert policy.count(shipped) == 1, shipped
        policy = policy.replace(shipped, here)
    file.write_text(policy)
    return file


def column(source: Path, table: str, name: str) -> list[str]:
    """Return a column of a source table as texts."""
    return [str(value) for value in pq.read_table(source / f"{table}.parquet")[name].to_pylist()]
