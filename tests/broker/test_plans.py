"""A plan that waited in memory is the one that would be made again, and is used for nothing else."""

import pytest
from sqlalchemy import delete

from tests.broker.test_path import answered
from tests.house import OKAFOR, PROJECT, question
from tre import jobs
from tre.app.compose import House
from tre.app.serving import Running
from tre.base.home import Home
from tre.broker.asking import unsealed
from tre.broker.holding import Holding
from tre.broker.plans import Basis, Plans
from tre.broker.running import run
from tre.broker.standing import situation
from tre.decide import decide
from tre.jobs import State
from tre.sql.render import render
from tre.store.tables import sidecar_keys

BASIS = Basis("text", "policy", "version")
GROUPED = "SELECT gender_concept_id, COUNT(*) AS n, AVG(year_of_birth) AS born FROM person GROUP BY 1"


def what_would_run(plan):
    blocks = [(render(block.shape.relation, "duckdb"), block.cost, block.mechanisms) for block in plan.blocks]
    return blocks, plan.query.canonical, plan.cost, plan.bounds, plan.errors


@pytest.mark.parametrize("sql", [GROUPED, "SELECT COUNT(*) AS n FROM visit_occurrence WHERE visit_concept_id = 9201"])
def test_a_plan_that_waited_in_memory_is_the_one_that_is_made_again(running, monkeypatch, sql):
    parts, compared = running.broker.parts, []
    take = parts.plans.take

    def both(query, basis):
        kept = take(query, basis)
        with parts.store.reading() as tx:
            at = running.broker.standing(OKAFOR, PROJECT, "small")
            made = decide(unsealed(basis.text), situation(tx, parts, at)).plan
        compared.append((what_would_run(kept), what_would_run(made)))
        return kept

    monkeypatch.setattr(parts.plans, "take", both)
    assert answered(running, question(sql)).state is State.COMMITTED
    ((kept, made),) = compared
    assert kept == made


@pytest.mark.parametrize("field", BASIS._fields)
def test_a_plan_leaves_once_and_for_nothing_but_what_it_was_made_on(field):
    plans = Plans()
    plans.keep("q", BASIS, "plan")
    assert plans.take("other", BASIS) is None
    assert plans.take("q", BASIS._replace(**{field: "changed"})) is None
    assert plans.take("q", BASIS) is None
    plans.keep("q", BASIS, "plan")
    assert plans.take("q", BASIS) == "plan"
    assert plans.take("q", BASIS) is None


def test_plans_that_nobody_takes_are_forgotten():
    plans = Plans()
    for number in range(1000):
        plans.keep(f"q{number}", BASIS, "plan")
    assert plans.take("q0", BASIS) is None
    assert plans.take("q999", BASIS) == "plan"


def test_a_question_whose_text_was_erased_is_not_run_from_memory(home, monkeypatch):
    monkeypatch.setattr("tre.broker.runner.Runner.start", lambda _self: None)
    running = Running(House(Home(home)))
    parts = running.broker.parts
    query = running.broker.submit(OKAFOR, PROJECT, None, question()).id
    with parts.store.transaction() as tx:
        tx.execute(delete(sidecar_keys).where(sidecar_keys.c.scope == f"project/{PROJECT}"))
    with parts.store.reading() as tx:
        job = jobs.find(tx, query)
    run(parts, job, Holding())
    with parts.store.reading() as tx:
        assert jobs.find(tx, query).state is State.VOIDED
    running.stop()
