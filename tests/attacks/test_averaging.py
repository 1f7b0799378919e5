"""The same question in other words is the same question, so that asking again draws no new noise (PRIVACY §4)."""

from __future__ import annotations

from random import Random

import pytest

from tests.attacks.lab import Lab
from tests.oracle.grammar import Grammar
from tests.oracle.stage import FULL, tuples
from tests.oracle.worlds import World, world
from tre.base.reasons import Refused

PLAIN = "SELECT kind, COUNT(*) FROM visit WHERE kind > 0 AND paid > 1 GROUP BY kind"
SAME = (
    "select  KIND , count(*)  from VISIT where kind>0 and paid>1 group by kind",
    "SELECT v.kind AS k, COUNT(*) AS n FROM visit AS v WHERE v.kind > 0 AND v.paid > 1 GROUP BY v.kind",
    "SELECT kind, COUNT(*) FROM visit WHERE paid > 1 AND kind > 0 GROUP BY 1",
    "SELECT kind, COUNT(*) /* again */ FROM visit -- please\nWHERE (kind > 0) AND ((paid > 1)) GROUP BY kind",
    "SELECT kind, COUNT(*) FROM visit WHERE kind > 0 AND paid > 1 GROUP BY kind ORDER BY 2 DESC LIMIT 3",
    "SELECT kind, COUNT(*) * 2 FROM visit WHERE kind > 0 AND paid > 1 GROUP BY kind HAVING COUNT(*) > 4",
    "SELECT k, COUNT(*) FROM (SELECT kind AS k, paid FROM visit) x WHERE k > 0 AND paid > 1 GROUP BY k",
    "WITH w AS (SELECT kind, paid FROM visit) SELECT kind, COUNT(*) FROM w WHERE kind > 0 AND paid > 1 GROUP BY kind",
    "SELECT kind, COUNT(*) FROM visit WHERE kind > 0 AND paid > 1 AND kind > 0 GROUP BY kind",
)
OTHER = (
    "SELECT kind, COUNT(*) FROM visit WHERE kind > 0 AND paid > 2 GROUP BY kind",
    "SELECT kind, COUNT(*) FROM visit WHERE kind > 0 OR paid > 1 GROUP BY kind",
    "SELECT kind, COUNT(paid) FROM visit WHERE kind > 0 GROUP BY kind",
    "SELECT kind, COUNT(*) FROM visit WHERE kind > 0 AND paid < 1 GROUP BY kind",
    "SELECT kind, COUNT(*) FROM visit WHERE kind >= 0 AND paid > 1 GROUP BY kind",
    "SELECT visit_id, COUNT(*) FROM visit WHERE kind > 0 AND paid > 1 GROUP BY visit_id",
    "SELECT COUNT(*) FROM visit WHERE kind > 0 AND paid > 1",
    "SELECT kind, COUNT(*) FROM episode WHERE kind > 0 GROUP BY kind",
)


@pytest.fixture(scope="module")
def lab() -> Lab:
    return Lab(world(Random(3), plain=True))


def question(lab: Lab, text: str) -> str:
    return lab.plan(text).blocks[0].shape.question


@pytest.mark.parametrize("text", SAME)
def test_a_rewritten_text_is_the_same_question(lab: Lab, text: str) -> None:
    assert question(lab, text) == question(lab, PLAIN)


def test_questions_that_differ_have_different_names(lab: Lab) -> None:
    found = [question(lab, text) for text in (PLAIN, *OTHER)]
    assert len(set(found)) == len(found)


def test_the_order_of_a_join_s_equality_and_of_or_leaves_no_trace(lab: Lab) -> None:
    one = "SELECT COUNT(*) FROM visit v JOIN event e ON v.person_id = e.person_id WHERE v.kind = 1 OR e.code = 2"
    other = "SELECT COUNT(*) FROM visit a JOIN event b ON b.person_id = a.person_id WHERE b.code = 2 OR a.kind = 1"
    assert question(lab, one) == question(lab, other)


def test_questions_of_one_name_have_one_answer() -> None:
    """What is reused must be right: over random statements, equal names mean equal exact vectors."""
    random = Random(7)
    made: World = world(random)
    lab = Lab(made)
    seen: dict[str, tuple[str, object]] = {}
    for _ in range(150):
        text = Grammar(random, depth=1).statement()
        try:
            plan = lab.plan(text, rows=2, groups=2)
        except Refused:
            continue
        # What reads an earlier release is named by that release's draws as well (tests/privacy/test_staged.py).
        for block in (one for one in plan.blocks if not one.shape.inputs):
            exact = sorted(tuples(lab.stage.run(block.shape.relation, FULL)), key=repr)
            first, known = seen.setdefault(block.shape.question, (text, exact))
            assert known == exact, f"{first}\n{text}"
