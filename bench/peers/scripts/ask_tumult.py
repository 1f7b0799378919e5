"""Tumult Analytics on a local Spark, over rows that were joined before."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from bench.peers.scripts.common import DELTA, EPSILON, LEAST_DAYS, MOST_DAYS, MOST_ROWS, SEXES, Questions, Rows, measure

sql = import_module("pyspark.sql")
ta = import_module("tmlt.analytics")


def ready(folder: Path) -> Questions:
    """Return the questions over the joined rows."""
    os.environ["PYSPARK_PYTHON"] = sys.executable  # else workers run the first Python of the path
    spark = sql.SparkSession.builder.master("local[2]").config("spark.sql.warehouse.dir", mkdtemp()).getOrCreate()
    people = spark.read.parquet(str(folder / "person.parquet")).selectExpr("person_id", "CAST(sex AS BIGINT) AS sex")
    stays = spark.read.parquet(str(folder / "stay.parquet")).selectExpr("person_id", "CAST(days AS BIGINT) AS days")
    rows = stays.join(people, "person_id").cache()
    rows.count()
    return Questions(lambda: by_sex(rows), lambda: count(rows))


def session_over(joined: Any) -> Any:
    """Return a session of the whole budget whose unit is a person with any number of rows."""
    return (
        ta.Session.Builder()
        .with_privacy_budget(ta.ApproxDPBudget(EPSILON, DELTA))
        .with_id_space("people")
        .with_private_dataframe("stay", joined, ta.AddRowsWithID("person_id", "people"))
        .build()
    )


def by_sex(joined: Any) -> Rows:
    """Ask for the three aggregates at a third of the price each."""
    session, third = session_over(joined), ta.ApproxDPBudget(EPSILON / 3, DELTA / 3)
    grouped = (
        ta.QueryBuilder("stay").enforce(ta.MaxRowsPerID(MOST_ROWS)).groupby(ta.KeySet.from_dict({"sex": list(SEXES)}))
    )
    questions = (
        grouped.count(name="found"),
        grouped.sum("days", LEAST_DAYS, MOST_DAYS, name="found"),
        grouped.average("days", LEAST_DAYS, MOST_DAYS, name="found"),
    )
    count, total, mean = (
        {row["sex"]: float(row["found"]) for row in session.evaluate(one, third).collect()} for one in questions
    )
    return [(sex, count[sex], total[sex], mean[sex]) for sex in SEXES]


def count(joined: Any) -> float:
    """Count people."""
    asked = ta.QueryBuilder("stay").count_distinct(columns=["person_id"], name="found")
    ((found,),) = session_over(joined).evaluate(asked, ta.ApproxDPBudget(EPSILON, DELTA)).collect()
    return float(found)


if __name__ == "__main__":
    measure(ready)
