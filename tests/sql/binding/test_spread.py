# ruff: noqa: E501 - statements of a test
"""Windows over many persons are the groups' results joined back: on the same rows both texts give the same."""

from __future__ import annotations

from datetime import date
from random import Random

import duckdb
import pytest

from tests.sql.catalogue import CATALOGUE
from tre.base.reasons import Refused
from tre.sql import bind
from tre.sql.parse import parse
from tre.sql.reading import SPREAD, joined_back

FORMS = (
    "SELECT g, x - MIN(x) OVER (PARTITION BY g) AS d FROM t ORDER BY 1, 2",
    "SELECT x, MAX(x) OVER () AS m, COUNT(*) OVER (PARTITION BY g) AS n FROM t WHERE x > 1 ORDER BY 1, 2, 3",
    "SELECT q.x, q.m FROM (SELECT a.x, AVG(a.x) OVER (PARTITION BY a.g) AS m FROM t a JOIN t b ON a.x = b.x) q ORDER BY 1, 2",
)


@pytest.mark.parametrize("text", FORMS)
@pytest.mark.parametrize("seed", range(3))
def test_both_texts_give_the_same(text: str, seed: int) -> None:
    found = joined_back(parse(text))
    assert found is not None
    written = found.tree.sql("duckdb")
    assert "OVER" not in written
    random = Random(seed)
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE t (g INTEGER, x INTEGER)")
        rows = [(random.choice((1, 2, 3)), random.choice((None, 1, 2, 3, 5, 8))) for _ in range(12)]
        connection.executemany("INSERT INTO t VALUES (?, ?)", rows)
        assert connection.execute(written).fetchall() == connection.execute(text).fetchall()


@pytest.mark.parametrize(
    "text",
    [
        "SELECT x, SUM(x) OVER (ORDER BY x) FROM t",
        "SELECT x, ROW_NUMBER() OVER (PARTITION BY g) FROM t",
        "SELECT g, SUM(COUNT(*)) OVER () FROM t GROUP BY g",
        "SELECT x, MIN(x) OVER (PARTITION BY g + 1) FROM t",
    ],
)
def test_other_windows_are_left_as_they_are(text: str) -> None:
    assert joined_back(parse(text)) is None


def test_a_window_over_one_person_stays_one_and_one_over_many_is_said_to_be_released_first() -> None:
    across = "SELECT AVG(d) FROM (SELECT year_of_birth - MIN(year_of_birth) OVER (PARTITION BY gender_concept_id) AS d FROM person) q"
    found = bind(across, CATALOGUE, date(2024, 1, 1))
    assert SPREAD in found.notes
    assert len(found.blocks) == 2
    own = across.replace("gender_concept_id", "person_id")
    assert SPREAD not in bind(own, CATALOGUE, date(2024, 1, 1)).notes
    with pytest.raises(Refused, match="window-across"):
        bind(
            "SELECT * FROM (SELECT person_id, MIN(year_of_birth) OVER () AS d FROM person) q",
            CATALOGUE,
            date(2024, 1, 1),
        )
