# ruff: noqa: E501 - statements of a test
"""Percentiles counted by hand are PERCENTILE_DISC: on the same rows both texts give the same, whatever the rows are."""

from __future__ import annotations

from random import Random

import duckdb
import pytest

from tre.sql.parse import parse
from tre.sql.reading import plainly

SHARES = ("0.25", "0.5", "0.75", "0.1")
VALUE = "MIN(CASE WHEN n < {share} * rows THEN 9999 ELSE x END)"
FORMS = {
    "a count beside": "SELECT {value} FROM (SELECT x, ROW_NUMBER() OVER (ORDER BY x) AS n, (SELECT COUNT(*) FROM t) AS rows FROM t) q",
    "a count over the rows": "WITH o AS (SELECT g, x, ROW_NUMBER() OVER (PARTITION BY g ORDER BY x) AS n, COUNT(*) OVER (PARTITION BY g) AS rows FROM t) SELECT g, {value} FROM o GROUP BY g ORDER BY 1",
    "a count joined": "SELECT a.g, {value} FROM (SELECT g, x, ROW_NUMBER() OVER (PARTITION BY g ORDER BY g, x) AS n FROM t) a JOIN (SELECT g, COUNT(*) AS rows FROM t GROUP BY g) b ON a.g = b.g GROUP BY a.g ORDER BY 1",
    "a count crossed": "SELECT {value} FROM (SELECT x, ROW_NUMBER() OVER (ORDER BY x) AS n FROM t) a CROSS JOIN (SELECT COUNT(*) AS rows FROM t) b",
    "a window that is grouped by": "SELECT g, least_x, {value} FROM (SELECT g, x, MIN(x) OVER (PARTITION BY g) AS least_x, ROW_NUMBER() OVER (PARTITION BY g ORDER BY x) AS n, COUNT(*) OVER (PARTITION BY g) AS rows FROM t) q GROUP BY g, least_x ORDER BY 1",
    "one row of windows": "SELECT DISTINCT MIN(x) OVER (), {value} OVER () FROM (SELECT x, ROW_NUMBER() OVER (ORDER BY x) AS n, (SELECT COUNT(*) FROM t) AS rows FROM t) q GROUP BY n, rows, x",
    "the row of a rank": "WITH r AS (SELECT x, ROW_NUMBER() OVER (ORDER BY x) AS n FROM t) SELECT x AS v FROM (SELECT x, n, (SELECT COUNT(*) FROM r) AS rows FROM r) a WHERE n = CAST(CEIL({share} * rows) AS INTEGER)",
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("seed", range(4))
def test_both_texts_give_the_same(form: str, seed: int) -> None:
    random = Random(seed)
    share = random.choice(SHARES)
    text = FORMS[form].replace("{value}", VALUE).replace("{share}", share)
    found = plainly(parse(text))
    assert found is not None
    plain, notes = found
    written = plain.tree.sql("duckdb")
    assert "PERCENTILE_DISC" in plain.tree.sql("postgres").upper()
    assert "OVER" not in written.upper()
    assert f"PERCENTILE_DISC({share})" in notes[0]
    with duckdb.connect() as connection:
        rows = [(random.choice((1, 2)), random.choice((1, 2, 3, 5, 8, 8))) for _ in range(random.choice((1, 4, 9, 40)))]
        connection.execute("CREATE TABLE t (g INTEGER, x INTEGER)")
        connection.executemany("INSERT INTO t VALUES (?, ?)", rows)
        assert connection.execute(written).fetchall() == connection.execute(text).fetchall()


@pytest.mark.parametrize(
    "text",
    [
        FORMS["a count beside"].replace("ORDER BY x)", "ORDER BY g)"),
        FORMS["a count beside"].replace("ROW_NUMBER", "DENSE_RANK"),
        FORMS["a count beside"].replace("ORDER BY x)", "ORDER BY x DESC)"),
        FORMS["a count beside"].replace("FROM t) AS rows", "FROM u) AS rows"),
        FORMS["a count over the rows"].replace("COUNT(*) OVER (PARTITION BY g)", "COUNT(*) OVER ()"),
        FORMS["a count over the rows"].replace("COUNT(*) OVER", "SUM(x) OVER"),
    ],
)
def test_what_counts_no_percentile_is_left_as_it_is(text: str) -> None:
    assert plainly(parse(text.replace("{value}", VALUE).replace("{share}", "0.5"))) is None
