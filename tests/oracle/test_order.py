"""The exact vector is the same whatever the order of rows, their clustering and the number of threads (PRIVACY §5)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from random import Random

import pytest

from tests.oracle.asking import WIDE, planned
from tests.oracle.oracle import vectors
from tests.oracle.stage import FULL, SHUFFLED, PostgresStage, Stage
from tests.oracle.worlds import catalogue
from tre.privacy.request import Ask

PEOPLE, ROWS = 20_000, 300_000
TEXTS = (
    "SELECT code, COUNT(*), SUM(value), AVG(value) FROM event GROUP BY code",
    "SELECT label, COUNT(DISTINCT person_id) FROM event GROUP BY label",
    "SELECT COUNT(*) FROM (SELECT person_id, SUM(big) AS s, AVG(big) AS m FROM event GROUP BY person_id) x WHERE s > m",
    "SELECT COUNT(*), AVG(e.value) FROM event e JOIN event f ON e.person_id = f.person_id AND e.code = f.code",
    "SELECT code, COUNT(*) FROM (SELECT person_id, code, ROW_NUMBER() OVER (PARTITION BY person_id ORDER BY flag) "
    "AS rn FROM event) q WHERE rn <= 2 GROUP BY code",
    "SELECT COUNT(*) FROM (SELECT person_id, SUM(big) OVER (PARTITION BY person_id ORDER BY code, big ROWS 2 "
    "PRECEDING) AS s, LAG(label) OVER (PARTITION BY person_id ORDER BY code) AS l FROM event) q "
    "WHERE s > 1 AND l = 'a'",
    "SELECT COUNT(*) FROM (SELECT person_id, code FROM event WHERE big > 0 EXCEPT ALL SELECT person_id, big "
    "FROM event) q",
    "SELECT c.concept_id, COUNT(*) FROM event e JOIN (SELECT concept_id FROM concept ORDER BY class_id LIMIT 2) c "
    "ON c.concept_id = e.code GROUP BY 1",
)


ROW = (
    "i, (i * 7919) % {people} AS person_id, NULL, i % 4, (i % 977) / {seven}, i % 100003 - 50000, 'ab' || (i % 3), "
    "i % 2 = 0, NULL"
)


def embedded() -> Iterator[Stage]:
    """A table of several row groups, so that threads have something to share."""
    made = Stage()
    rows = f"SELECT {ROW.format(people=PEOPLE, seven='7.0')} FROM range({ROWS}) t(i)"
    _fill(made.connection.execute, rows, "SELECT i, 'c', i % 2 FROM range(1, 5) t(i)", "hash(i)")
    yield made
    made.connection.close()


def served() -> Iterator[Stage]:
    """Tables of many pages, which processes share however cheap a plan is."""
    made = PostgresStage()
    rows = f"SELECT {ROW.format(people=PEOPLE, seven='7::float8')} FROM generate_series(0::bigint, {ROWS - 1}) t(i)"
    _fill(made.execute, rows, "SELECT i, 'c', i % 2 FROM generate_series(1, 4) t(i)", "hashint8(i)")
    for name in ("parallel_setup_cost", "parallel_tuple_cost", "min_parallel_table_scan_size"):
        made.execute(f"SET {name} = 0")
    made.share_among(2)
    assert "Gather" in made.explained(f"SELECT code, COUNT(*) FROM {FULL}.event GROUP BY code")
    yield made


def _fill(execute: Callable[[str], object], rows: str, concepts: str, hashed: str) -> None:
    execute(f"INSERT INTO {FULL}.event {rows} ORDER BY person_id")
    execute(f"INSERT INTO {SHUFFLED}.event {rows} ORDER BY {hashed}")
    execute(f"INSERT INTO {FULL}.concept {concepts}")
    execute(f"INSERT INTO {SHUFFLED}.concept {concepts} ORDER BY i DESC")


@pytest.fixture(scope="module", params=[embedded, served])
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    yield from request.param()


@pytest.mark.parametrize("text", TEXTS)
def test_order_clustering_and_threads_leave_no_trace(stage: Stage, text: str) -> None:
    given = catalogue(Random(1))
    event = replace(given.tables["event"], rows_per_unit=4, enforced_rows=None, magnitude=ROWS, typical_rows=2)
    large = replace(given, units=PEOPLE, tables={**given.tables, "event": event})
    plan = planned(text, large, stage.public_keys, Ask(rows=2, groups=1), replace(WIDE, units=PEOPLE))
    assert plan is not None
    (block,) = plan.blocks
    found = []
    for threads in (1, 2):
        stage.share_among(threads)
        found += [vectors(block, stage.run(block.shape.relation, schema)) for schema in (FULL, SHUFFLED)]
    assert found[0] == found[1] == found[2] == found[3]
    assert found[0]
