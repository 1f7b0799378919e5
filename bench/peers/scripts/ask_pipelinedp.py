"""PipelineDP on its local back end, over rows that were joined before."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from bench.peers.scripts.common import DELTA, EPSILON, LEAST_DAYS, MOST_DAYS, MOST_ROWS, SEXES, Questions, Rows, measure

dp = import_module("pipeline_dp")
parquet = import_module("pyarrow.parquet")


Joined = list[tuple[int, int, int]]
"""Person, sex, days."""


def ready(folder: Path) -> Questions:
    """Return the questions over the joined rows."""
    people = parquet.read_table(folder / "person.parquet").to_pydict()
    sex = dict(zip(people["person_id"], people["sex"], strict=True))
    stays = parquet.read_table(folder / "stay.parquet", columns=["person_id", "days"]).to_pydict()
    rows = [(who, sex[who], days) for who, days in zip(stays["person_id"], stays["days"], strict=True)]
    return Questions(lambda: by_sex(rows), lambda: count(rows))


def by_sex(rows: Joined) -> Rows:
    """Ask for the three aggregates at once."""
    parameters = dp.AggregateParams(
        metrics=[dp.Metrics.COUNT, dp.Metrics.SUM, dp.Metrics.MEAN],
        noise_kind=dp.NoiseKind.GAUSSIAN,
        max_partitions_contributed=1,
        max_contributions_per_partition=MOST_ROWS,
        min_value=LEAST_DAYS,
        max_value=MOST_DAYS,
    )
    return [(key, one.count, one.sum, one.mean) for key, one in asked(rows, parameters, 1, SEXES)]


def count(rows: Joined) -> float:
    """Count people, all of them in one partition."""
    parameters = dp.AggregateParams(
        metrics=[dp.Metrics.PRIVACY_ID_COUNT],
        noise_kind=dp.NoiseKind.GAUSSIAN,
        max_partitions_contributed=1,
        max_contributions_per_partition=1,
    )
    ((_, found),) = asked(rows, parameters, None, (0,))
    return float(found.privacy_id_count)


def asked(rows: Joined, parameters: Any, by: int | None, partitions: tuple[int, ...]) -> list[tuple[int, Any]]:
    """Ask by the column `by`, or for one partition of all rows."""
    accountant = dp.NaiveBudgetAccountant(total_epsilon=EPSILON, total_delta=DELTA)
    extractors = dp.DataExtractors(
        privacy_id_extractor=lambda row: row[0],
        partition_extractor=lambda row: 0 if by is None else row[by],
        value_extractor=lambda row: row[2],
    )
    engine = dp.DPEngine(accountant, dp.LocalBackend())
    found = engine.aggregate(rows, parameters, extractors, public_partitions=list(partitions))
    accountant.compute_budgets()
    return list(found)


if __name__ == "__main__":
    measure(ready)
