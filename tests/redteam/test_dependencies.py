"""What a row says of itself it does not say of another row of the same query (PRIVACY §2 "Dependencies")."""

from __future__ import annotations

import pytest

from tests.redteam.claims import contribution, engine
from tre.catalogue import Access, Column, Kind, Table, Type
from tre.sql.dependencies import Dependencies, equal, joined
from tre.sql.tracing.rows import declared

VISITS = "WITH v AS (SELECT * FROM visit_occurrence) "
OWN = "FROM v a JOIN v b ON a.person_id = b.person_id WHERE a.visit_occurrence_id = 101"


@pytest.mark.parametrize(
    "sql",
    [
        f"{VISITS} SELECT COUNT(*) AS n {OWN}",
        f"{VISITS} SELECT b.visit_start_date AS day, COUNT(*) AS n {OWN} GROUP BY b.visit_start_date",
        f"{VISITS} SELECT COUNT(*) AS n FROM v a JOIN v b ON a.person_id = b.person_id "
        "JOIN v c ON c.person_id = b.person_id WHERE a.visit_occurrence_id = 101 AND b.visit_occurrence_id = 101",
        "WITH v AS (SELECT * FROM visit_occurrence), w AS (SELECT * FROM v) SELECT COUNT(*) AS n "
        "FROM v a JOIN w b ON a.person_id = b.person_id WHERE a.visit_occurrence_id = 101",
    ],
)
def test_two_references_to_one_with_query_are_two_rows(sql: str) -> None:
    """One visit of a person named by its id was taken to name all visits beside it: two rows counted as one."""
    found = contribution(sql, engine())
    assert found.rows > 1
    assert found.holds, found


def test_dropped_columns_of_two_rows_are_kept_apart() -> None:
    dropped, left, right = 1, 2, 3
    one = Dependencies(frozenset({dropped}), frozenset(equal(dropped, left)))
    other = Dependencies(frozenset({dropped}), frozenset(equal(dropped, right)))
    both = joined(one, other, frozenset({left}), frozenset({right}))
    assert right not in both.closure({left})
    assert not both.unique_on({left})
    assert both.unique_on({left, right})


def test_a_key_of_doubles_is_none_after_the_scan() -> None:
    """NaN and the infinities are different values in the source and one NULL in the scan."""
    rate = Column("rate", Type(Kind.DOUBLE), nullable=False)
    table = Table("t", Access.PRIVATE, {"rate": rate}, unique=(frozenset({"rate"}),))
    assert declared(table, {"rate": 1}).key is None
