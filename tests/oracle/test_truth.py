"""With wide bounds and no noise an answer is what plain SQL says (PRIVACY §5)."""

from __future__ import annotations

import os
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.oracle.asking import WIDE, planned
from tests.oracle.grammar import Grammar
from tests.oracle.oracle import Oracle
from tests.oracle.truth import answers, differences, wide
from tests.oracle.worlds import world
from tre.privacy.request import AUTOMATIC, Ask
from tre.sql.binding import expressions

EXAMPLES = int(os.environ.get("TRE_ORACLE_EXAMPLES", "30"))
ORACLE = Oracle()


def loaded(random: Random) -> Oracle:
    made = world(random, plain=True)
    ORACLE.load(made, random)
    return ORACLE


@settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), phases=(Phase.reuse, Phase.generate)
)
@given(st.integers(0, 2**32))
def test_an_answer_without_noise_and_clipping_is_the_truth(seed: int) -> None:
    random = Random(seed)
    oracle = loaded(random)
    for _ in range(3):
        text = Grammar(random, plain=True).statement()
        plan = wide(text, oracle)
        if plan is not None:
            wrong = differences(answers(text, plan, oracle))
            assert not wrong, "\n".join([text, *wrong, str(oracle.world and oracle.world.rows)])


RELEASED = (
    "SELECT kind, COUNT(*) AS n FROM visit GROUP BY kind HAVING COUNT(*) > 2",
    "SELECT kind, COUNT(*) AS n FROM visit GROUP BY kind ORDER BY n DESC, kind LIMIT 1",
    "SELECT SUM(n) AS s FROM (SELECT kind, COUNT(*) AS n FROM visit GROUP BY kind) x",
    "SELECT c.name, x.n FROM (SELECT kind, COUNT(*) AS n FROM visit GROUP BY kind) x JOIN concept c "
    "ON c.concept_id = x.kind",
    "SELECT kind, COUNT(*) * 2 + 1 AS n FROM visit GROUP BY kind",
    "SELECT kind, AVG(paid) / COUNT(*) AS n FROM visit GROUP BY kind",
    "SELECT a.kind, a.n * 1.0 / b.n AS r FROM (SELECT kind, COUNT(*) AS n FROM visit GROUP BY kind) a "
    "CROSS JOIN (SELECT COUNT(*) AS n FROM visit) b",
    "SELECT kind, COUNT(*) * 1.0 / (SELECT COUNT(*) FROM visit) AS r FROM visit GROUP BY kind "
    "HAVING COUNT(*) > (SELECT MIN(concept_id) FROM concept) - 1000000",
    "WITH a AS (SELECT kind, COUNT(*) AS n FROM visit GROUP BY kind), b AS (SELECT kind, SUM(paid) AS s FROM visit "
    "GROUP BY kind) SELECT a.kind, b.s / a.n AS r FROM a JOIN b ON b.kind = a.kind",
    "SELECT kind, COUNT(*) * 1.0 / SUM(COUNT(*)) OVER () AS n FROM visit GROUP BY kind",
    "SELECT kind, SUM(n) OVER (ORDER BY kind) AS m, n - LAG(n, 1, 0) OVER (ORDER BY kind) AS d FROM "
    "(SELECT kind, COUNT(*) AS n FROM visit GROUP BY kind) x",
    "SELECT kind, MAX(n) OVER () AS n FROM (SELECT kind, COUNT(*) AS n FROM visit GROUP BY kind HAVING COUNT(*) > 1) x",
    "SELECT kind, COUNT(*) AS n FROM visit GROUP BY kind UNION ALL SELECT 100, COUNT(*) FROM visit ORDER BY n DESC",
    "SELECT kind, COUNT(*) AS n FROM visit GROUP BY kind HAVING COUNT(*) > 1 EXCEPT SELECT code, COUNT(*) FROM event "
    "GROUP BY code",
    "SELECT c.name, x.n FROM concept c LEFT JOIN (SELECT kind, COUNT(*) AS n FROM visit GROUP BY kind) x "
    "ON x.kind = c.concept_id",
    "SELECT name, 1 AS n FROM concept WHERE concept_id IN (SELECT kind FROM visit GROUP BY kind HAVING COUNT(*) > 1)",
    "SELECT kind, RANK() OVER (PARTITION BY c.class_id ORDER BY n DESC, kind) AS n FROM (SELECT kind, COUNT(*) AS n "
    "FROM visit GROUP BY kind HAVING COUNT(*) > 1) x JOIN concept c ON c.concept_id = x.kind",
    "SELECT kind, VAR_SAMP(paid) AS n FROM visit GROUP BY kind",
    "SELECT kind, STDDEV_POP(paid) AS n FROM visit GROUP BY kind",
)


@pytest.mark.parametrize("text", RELEASED)
def test_what_stands_above_a_release_means_what_it_says(text: str) -> None:
    for seed in range(6):
        oracle = loaded(Random(seed))
        plan = wide(text, oracle)
        assert plan is not None
        found = answers(text, plan, oracle)
        assert not differences(replace(found, keys=1 if "SUM(n)" not in text else 0)), text


FIRSTS = (
    "SELECT kind, COUNT(*) AS n FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY person_id ORDER BY start, visit_id) "
    "AS rn FROM visit) q WHERE rn = 1 GROUP BY kind",
    "SELECT kind, COUNT(*) AS n FROM (SELECT DISTINCT ON (person_id) person_id, kind FROM visit ORDER BY person_id, "
    "start DESC, visit_id) q GROUP BY kind",
    "SELECT r, COUNT(*) AS n FROM (SELECT person_id, RANK() OVER (PARTITION BY person_id ORDER BY start DESC) AS r "
    "FROM visit) q GROUP BY r",
    "SELECT COUNT(*) AS n FROM (SELECT person_id, start - LAG(start) OVER (PARTITION BY person_id ORDER BY start, "
    "visit_id) AS gap FROM visit) q WHERE gap < 2",
    "SELECT COUNT(*) AS n FROM (SELECT person_id, COUNT(*) OVER (PARTITION BY person_id ORDER BY start RANGE BETWEEN "
    "INTERVAL '1 day' PRECEDING AND CURRENT ROW) AS m FROM visit) q WHERE m > 1",
    "SELECT COUNT(*) AS n FROM (SELECT person_id, LAST_VALUE(kind) OVER (PARTITION BY person_id ORDER BY start, "
    "visit_id ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS m FROM visit) q WHERE m = 1",
    "SELECT COUNT(*) AS n FROM (SELECT person_id, SUM(paid) OVER (PARTITION BY person_id ORDER BY start GROUPS BETWEEN "
    "1 PRECEDING AND CURRENT ROW) AS m FROM visit) q WHERE m > 1",
)


SETS = (
    *(
        f"SELECT k, COUNT(*) AS n FROM (SELECT person_id, kind AS k FROM visit {word} SELECT person_id, code "
        "FROM event) q GROUP BY k"
        for word in ("UNION", "UNION ALL", "INTERSECT", "INTERSECT ALL", "EXCEPT", "EXCEPT ALL")
    ),
    "SELECT COUNT(*) AS n FROM (SELECT kind FROM visit UNION ALL SELECT NULL FROM event UNION ALL SELECT paid FROM "
    "visit) q WHERE kind > 1",
    "SELECT COUNT(*) AS n FROM person WHERE person_id IN (SELECT person_id FROM death UNION (SELECT person_id FROM "
    "visit EXCEPT SELECT person_id FROM event))",
)


GROUPINGS = (
    "SELECT kind, GROUPING(kind) AS b, COUNT(*) AS n, SUM(paid) AS s FROM visit GROUP BY ROLLUP (kind)",
    "SELECT kind, start, GROUPING(start, kind) AS b, COUNT(*) AS n, AVG(paid) AS m FROM visit "
    "GROUP BY CUBE (kind, start)",
    "SELECT kind, start, GROUPING(kind) AS b, COUNT(DISTINCT person_id) AS n FROM visit GROUP BY kind, GROUPING SETS "
    "((start), ()) HAVING GROUPING(start) = 1",
    "SELECT kind, GROUPING(kind) AS b, COUNT(DISTINCT paid) AS n FROM visit GROUP BY GROUPING SETS ((kind), ()) "
    "ORDER BY GROUPING(kind) DESC, kind",
    "SELECT k, COUNT(*) AS n FROM (SELECT person_id, kind AS k, COUNT(*) AS m FROM visit GROUP BY person_id, "
    "CUBE (kind, start)) q WHERE m > 1 GROUP BY k",
    "SELECT n, COUNT(*) AS m FROM (SELECT person_id, SUM(paid) AS n, GROUPING(kind) AS b FROM visit GROUP BY GROUPING "
    "SETS ((person_id, kind), (person_id))) q WHERE b = 1 GROUP BY n",
)


@pytest.mark.parametrize("text", GROUPINGS)
def test_grouping_sets_mean_what_they_say(text: str) -> None:
    for seed in range(8):
        oracle = loaded(Random(seed))
        plan = wide(text, oracle)
        assert plan is not None
        assert not differences(answers(text, plan, oracle)), text


@pytest.mark.parametrize("text", SETS)
def test_a_set_operation_means_what_it_says(text: str) -> None:
    for seed in range(8):
        oracle = loaded(Random(seed))
        plan = wide(text, oracle)
        assert plan is not None
        assert not differences(answers(text, plan, oracle)), text


@pytest.mark.parametrize("text", FIRSTS)
def test_a_window_over_a_persons_rows_means_what_it_says(text: str) -> None:
    for seed in range(8):
        oracle = loaded(Random(seed))
        plan = wide(text, oracle)
        assert plan is not None
        assert not differences(answers(text, plan, oracle)), text


NULLS = (
    "SELECT COUNT(*) FROM visit v WHERE v.kind NOT IN (SELECT e.code FROM event e WHERE e.person_id = v.person_id)",
    "SELECT COUNT(*) FROM event e WHERE e.code NOT IN (SELECT c.class_id FROM concept c)",
)


def _some_difference(text: str) -> bool:
    for seed in range(20):
        oracle = loaded(Random(seed))
        plan = wide(text, oracle)
        assert plan is not None
        if differences(answers(text, plan, oracle)):
            return True
    return False


@pytest.mark.parametrize("text", NULLS)
def test_not_in_has_sqls_nulls_and_losing_them_shows(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not _some_difference(text)

    def all_differ(self: expressions._Membership) -> Any:
        return replace(self.equal, negated=True)

    monkeypatch.setattr(expressions._Membership, "all_differ", all_differ)
    assert _some_difference(text)


STAGED = (
    "SELECT COUNT(*) AS n FROM visit WHERE kind * 3 > (SELECT COUNT(*) FROM death)",
    "SELECT kind, COUNT(*) AS n FROM visit WHERE kind IN (SELECT kind FROM visit GROUP BY 1 HAVING COUNT(*) > 2) "
    "GROUP BY kind HAVING COUNT(*) > 0",
    "SELECT COUNT(*) AS n FROM visit v JOIN (SELECT kind AS k, SUM(paid) AS s FROM visit GROUP BY 1) q "
    "ON q.k = v.kind WHERE v.paid * 3 > q.s",
    "SELECT COUNT(*) AS n FROM visit v LEFT JOIN (SELECT kind AS k, COUNT(*) AS m FROM visit GROUP BY 1 "
    "HAVING COUNT(*) > 2) q ON q.k = v.kind WHERE q.m IS NULL",
    "WITH top AS (SELECT kind AS k, COUNT(*) AS m FROM visit GROUP BY 1 ORDER BY m DESC, k LIMIT 2) "
    "SELECT COUNT(DISTINCT v.person_id) AS n FROM visit v JOIN top ON top.k = v.kind",
    "WITH s AS (SELECT kind AS k, COUNT(*) AS m FROM visit GROUP BY 1) SELECT COUNT(*) AS n FROM visit v "
    "JOIN s ON s.k = v.kind WHERE s.m > (SELECT MIN(m) FROM s WHERE m > 0)",
    "SELECT COUNT(*) AS n FROM visit v WHERE EXISTS (SELECT 1 FROM (SELECT kind AS k, COUNT(*) AS m FROM visit "
    "GROUP BY 1) q WHERE q.k < v.kind AND q.m > 1)",
    "SELECT SUM(CASE WHEN v.kind * 3 > (SELECT COUNT(*) FROM death) THEN 1 ELSE 0 END) AS n FROM visit v",
    "SELECT kind * 3 > (SELECT COUNT(*) FROM death) AS many, COUNT(*) AS n, COUNT(*) FILTER (WHERE kind < "
    "(SELECT COUNT(*) FROM event)) AS m FROM visit GROUP BY 1 HAVING COUNT(*) > 0",
    "SELECT COUNT(*) AS n FROM (SELECT person_id, MAX(CASE WHEN kind < (SELECT COUNT(*) FROM death) THEN kind END) "
    "AS k FROM visit GROUP BY person_id) q WHERE k > 0",
    "SELECT COUNT(*) AS n FROM person WHERE born > (SELECT COUNT(*) FROM visit WHERE kind < "
    "(SELECT COUNT(*) FROM death))",
    "SELECT kind IN (SELECT kind FROM visit GROUP BY 1 HAVING COUNT(*) > 2) AS many, COUNT(*) AS n FROM visit "
    "GROUP BY 1",
    "SELECT kind IN (SELECT kind FROM visit GROUP BY 1 HAVING COUNT(*) > 2) AS many, start, COUNT(*) AS n FROM visit "
    "GROUP BY GROUPING SETS ((kind IN (SELECT kind FROM visit GROUP BY 1 HAVING COUNT(*) > 2), start), "
    "(kind IN (SELECT kind FROM visit GROUP BY 1 HAVING COUNT(*) > 2)))",
    "SELECT 2 NOT IN (SELECT kind FROM visit GROUP BY 1 HAVING COUNT(*) > 2) AS many, COUNT(*) AS n FROM visit "
    "GROUP BY CUBE ((1))",
    "SELECT COUNT(*) AS n FROM visit v WHERE (SELECT COUNT(*) FROM event e WHERE e.code = v.kind) > 2",
    "SELECT v.kind, COUNT(*) FILTER (WHERE (SELECT COUNT(*) FROM visit w WHERE w.kind = v.kind AND w.paid > 0) > 1) "
    "AS n FROM visit v GROUP BY v.kind",
    "SELECT v.kind, COUNT(*) - COALESCE((SELECT COUNT(*) FROM event e WHERE e.code = v.kind), 0) AS n FROM visit v "
    "GROUP BY v.kind",
)


@pytest.mark.parametrize("text", STAGED)
def test_what_is_released_first_and_used_inside_means_what_it_says(text: str) -> None:
    for seed in range(8):
        oracle = loaded(Random(seed))
        plan = wide(text, oracle)
        assert plan is not None
        assert len(plan.measured) > 1
        assert not differences(answers(text, plan, oracle)), text


TOLD = (
    "SELECT kind, COUNT(*) AS n, SUM(paid) AS s FROM visit GROUP BY kind",
    "SELECT v.kind, COUNT(DISTINCT v.person_id) AS n FROM visit v JOIN event e ON e.person_id = v.person_id "
    "WHERE e.code > 0 GROUP BY v.kind",
    "SELECT kind, start, GROUPING(kind, start) AS b, COUNT(DISTINCT paid) AS n FROM visit "
    "GROUP BY ROLLUP (kind, start)",
)


@pytest.mark.parametrize("text", TOLD)
def test_groups_that_a_first_step_tells_cut_nobody_where_it_tells_enough(text: str) -> None:
    for seed in range(8):
        oracle = loaded(Random(seed))
        assert oracle.world is not None
        plan = planned(text, oracle.world.catalogue, oracle.stage.public_keys, Ask(groups=AUTOMATIC), WIDE)
        assert plan is not None
        assert plan.steps
        assert not differences(answers(text, plan, oracle)), text
