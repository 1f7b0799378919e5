"""PipelineDP on its local back end, over rows that were joined before."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from bench.peers.scripts.common import DELTA, EPSILON, LEAST_DAYS, MOST_DAYS, MOST_ROWS, SEXES, Rows, measure

dp = import_module("pipeline_dp")
parquet = import_module("pyarrow.parquet")


def ready(folder: Path) -> Callable[[], Rows]:
    """Return a question over the joined rows."""
    people = parquet.read_table(folder / "person.parquet").to_pydict()
    sex = dict(zip(people["person_id"], people["sex"], strict=True))
    stays = parquet.read_table(folder / "stay.parquet", columns=["person_id", "days"]).to_pydict()
    rows = [(who, sex[who], days) for who, days in zip(stays["person_id"], stays["days"], strict=True)]
    return lambda: ask(rows)


def ask(rows: list[tuple[int, int, int]]) -> Rows:
    """Ask for the three aggregates at once."""
    accountant = dp.NaiveBudgetAccountant(total_epsilon=EPSILON, total_delta=DELTA)
    engine = dp.DPEngine(accountant, dp.LocalBackend())
    parameters = dp.AggregateParams(
        metrics=[dp.Metrics.COUNT, dp.Metrics.SUM, dp.Metrics.MEAN],
        noise_kind=dp.NoiseKind.GAUSSIAN,
        max_partitions_contributed=1,
        max_contributions_per_partition=MOST_ROWS,
        min_value=LEAST_DAYS,
        max_value=MOST_DAYS,
    )
    extractors = dp.DataExtractors(
        privacy_id_extractor=lambda row: row[0],
        partition_extractor=lambda row: row[1],
        value_extractor=lambda row: row[2],
    )
    found = engine.aggregate(rows, parameters, extractors, public_partitions=list(SEXES))
    accountant.compute_budgets()
    return [(key, one.count, one.sum, one.mean) for key, one in found]


if __name__ == "__main__":
    measure(ready)
