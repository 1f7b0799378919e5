"""OpenDP's Polars queries over rows that were joined before; it cuts them to the rows of a person that count."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from bench.peers.scripts.common import DELTA, EPSILON, LEAST_DAYS, MOST_DAYS, MOST_ROWS, Questions, Rows, measure

dp = import_module("opendp.prelude")
pl = import_module("polars")


def ready(folder: Path) -> Questions:
    """Return the questions over the joined rows."""
    dp.enable_features("contrib")
    people = pl.read_parquet(folder / "person.parquet", columns=["person_id", "sex"])
    stays = pl.read_parquet(folder / "stay.parquet", columns=["person_id", "days"])
    rows = stays.join(people, on="person_id")
    return Questions(lambda: by_sex(rows), lambda: count(rows))


def context(rows: Any, **margin: Any) -> Any:
    """Return a context of one question whose unit is a person with any number of rows."""
    return dp.Context.compositor(
        data=rows.lazy(),
        privacy_unit=dp.unit_of(contributions=1, identifier="person_id"),
        privacy_loss=dp.loss_of(epsilon=EPSILON, delta=DELTA),
        split_evenly_over=1,
        margins=[dp.polars.Margin(max_length=rows.height, **margin)],
    )


def by_sex(rows: Any) -> Rows:
    """Ask for the three aggregates at once."""
    asked = context(rows, by=["sex"], invariant="keys").query().truncate_per_group(MOST_ROWS).group_by("sex")
    days = pl.col("days").fill_null(0).dp.sum((LEAST_DAYS, MOST_DAYS)).alias("total")
    found = asked.agg(dp.len(), days).release().collect()
    return [(row["sex"], row["len"], row["total"], row["total"] / row["len"]) for row in found.to_dicts()]


def count(rows: Any) -> float:
    """Count people: one row of each."""
    asked = context(rows, by=[], invariant="keys").query().truncate_per_group(1).select(dp.len())
    return float(asked.release().collect().item())


if __name__ == "__main__":
    measure(ready)
