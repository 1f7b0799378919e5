"""OpenDP's Polars queries, over rows that were joined, and cut to the rows of a person that count, before."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from bench.peers.scripts.common import DELTA, EPSILON, LEAST_DAYS, MOST_DAYS, MOST_ROWS, Rows, measure

dp = import_module("opendp.prelude")
pl = import_module("polars")


def ready(folder: Path) -> Callable[[], Rows]:
    """Return a question over the joined rows."""
    dp.enable_features("contrib")
    people = pl.read_parquet(folder / "person.parquet", columns=["person_id", "sex"])
    stays = pl.read_parquet(folder / "stay.parquet", columns=["person_id", "days"])
    rows = stays.join(people, on="person_id").filter(pl.int_range(pl.len()).over("person_id") < MOST_ROWS)
    return lambda: ask(rows)


def ask(rows: Any) -> Rows:
    """Ask for the three aggregates at once."""
    context = dp.Context.compositor(
        data=rows.lazy(),
        privacy_unit=dp.unit_of(contributions=MOST_ROWS),
        privacy_loss=dp.loss_of(epsilon=EPSILON, delta=DELTA),
        split_evenly_over=1,
        margins=[dp.polars.Margin(by=["sex"], max_length=rows.height, invariant="keys")],
    )
    days = pl.col("days")
    query = (
        context.query().group_by("sex").agg(dp.len(), days.fill_null(0).dp.sum((LEAST_DAYS, MOST_DAYS)).alias("total"))
    )
    found = query.release().collect()
    return [(row["sex"], row["len"], row["total"], row["total"] / row["len"]) for row in found.to_dicts()]


if __name__ == "__main__":
    measure(ready)
