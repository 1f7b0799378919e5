"""Tumult Analytics on a local Spark, over rows that were joined before."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from bench.peers.scripts.common import DELTA, EPSILON, LEAST_DAYS, MOST_DAYS, MOST_ROWS, SEXES, Rows, measure

sql = import_module("pyspark.sql")
ta = import_module("tmlt.analytics")


def ready(folder: Path) -> Callable[[], Rows]:
    """Return a question over the joined rows."""
    spark = sql.SparkSession.builder.master("local[2]").getOrCreate()
    people = spark.read.parquet(str(folder / "person.parquet")).select("person_id", "sex")
    stays = spark.read.parquet(str(folder / "stay.parquet")).select("person_id", "days")
    rows = stays.join(people, "person_id").cache()
    rows.count()
    return lambda: ask(rows)


def ask(joined: Any) -> Rows:
    """Ask for the three aggregates at a third of the price each."""
    third = ta.ApproxDPBudget(EPSILON / 3, DELTA / 3)
    session = (
        ta.Session.Builder()
        .with_privacy_budget(ta.ApproxDPBudget(EPSILON, DELTA))
        .with_id_space("people")
        .with_private_dataframe("stay", joined, ta.AddRowsWithID("person_id", "people"))
        .build()
    )
    by_sex = (
        ta.QueryBuilder("stay").enforce(ta.MaxRowsPerID(MOST_ROWS)).groupby(ta.KeySet.from_dict({"sex": list(SEXES)}))
    )
    questions = (
        by_sex.count(name="found"),
        by_sex.sum("days", LEAST_DAYS, MOST_DAYS, name="found"),
        by_sex.average("days", LEAST_DAYS, MOST_DAYS, name="found"),
    )
    count, total, mean = (
        {row["sex"]: float(row["found"]) for row in session.evaluate(one, third).collect()} for one in questions
    )
    return [(sex, count[sex], total[sex], mean[sex]) for sex in SEXES]


if __name__ == "__main__":
    measure(ready)
