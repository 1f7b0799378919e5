"""SmartNoise SQL over a data frame of rows that were joined before: it reads no join."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from bench.peers.scripts.common import DELTA, EPSILON, LEAST_DAYS, MOST_DAYS, MOST_ROWS, Questions, Rows, measure

sn = import_module("snsql")
pd = import_module("pandas")

BY_SEX = "SELECT sex, COUNT(*) AS n, SUM(days) AS days, AVG(days) AS mean FROM clinic.stay GROUP BY sex"
PEOPLE = "SELECT COUNT(DISTINCT person_id) AS n FROM clinic.stay"
TABLE = {
    "max_ids": MOST_ROWS,
    "sample_max_ids": True,
    "censor_dims": False,
    "person_id": {"type": "int", "private_id": True},
    "sex": {"type": "int"},
    "days": {"type": "int", "lower": LEAST_DAYS, "upper": MOST_DAYS},
}


def ready(folder: Path) -> Questions:
    """Return the questions over the joined rows."""
    people = pd.read_parquet(folder / "person.parquet", columns=["person_id", "sex"])
    stays = pd.read_parquet(folder / "stay.parquet", columns=["person_id", "days"])
    people, stays = people.astype("int64"), stays.astype("int64")
    rows = stays.merge(people, on="person_id")
    prices = {query: price(rows, query) for query in (BY_SEX, PEOPLE)}
    return Questions(lambda: by_sex(rows, prices[BY_SEX]), lambda: count(rows, prices[PEOPLE]))


def price(rows: Any, query: str) -> float:
    """Return the epsilon of a column that makes the whole cost what is offered."""
    whole, _ = reader(rows, 1.0).get_privacy_cost(query)
    return EPSILON / float(whole)


def reader(rows: Any, epsilon: float) -> Any:
    """Return a reader; its epsilon is that of one column."""
    privacy = sn.Privacy(epsilon=epsilon, delta=DELTA)
    return sn.from_df(rows, privacy=privacy, metadata={"": {"clinic": {"stay": TABLE}}})


def by_sex(rows: Any, epsilon: float) -> Rows:
    """Ask for the three aggregates at once."""
    found = reader(rows, epsilon).execute(BY_SEX)
    return [(int(sex), float(n), float(days), float(mean)) for sex, n, days, mean in found[1:]]


def count(rows: Any, epsilon: float) -> float:
    """Count people."""
    return float(reader(rows, epsilon).execute(PEOPLE)[1][0])


if __name__ == "__main__":
    measure(ready)
