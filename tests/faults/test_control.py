"""The control database is locked, gone, old or empty: refused, nothing charged; no budget ever comes back."""

import sqlite3
from contextlib import closing

import pytest

from tests.faults.houses import LEDGERS, OTHER, asked, balances, copied, ended, refused, requests, serving, spent, whole
from tests.house import OKAFOR, POLICY, PROJECT, question
from tre import governance, jobs, ledger
from tre.app.compose import House
from tre.base.home import Home
from tre.base.reasons import Refused
from tre.jobs import State
from tre.policy import compile_policy, load_policy
from tre.store import Store


def test_a_database_locked_by_another_process_refuses_and_charges_nothing_until_it_is_free(home):
    with serving(home) as running:
        with closing(sqlite3.connect(home / "control.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            assert refused(running) == "store.unavailable"
            assert requests(running) == ()
            other.execute("ROLLBACK")
        assert ended(running, asked(running, question())).state is State.COMMITTED
        whole(home, running)


def test_a_lock_while_a_measured_answer_is_to_be_stored_burns_it_and_leaves_nothing_running(home):
    other = sqlite3.connect(home / "control.db", isolation_level=None, check_same_thread=False)

    def lock(step):
        if step == "released":
            other.execute("BEGIN IMMEDIATE")

    with closing(other), serving(home, step=lock) as running:
        query = asked(running, question())
        other_lock_is_waited_out(running, query, other)
        found = ended(running, query)
        assert found.state is State.BURNED
        whole(home, running)


def other_lock_is_waited_out(running, query, other):
    import time

    while not other.in_transaction:
        time.sleep(0.01)
    time.sleep(1.0)
    assert running.broker.find(OKAFOR, query).state is State.RUNNING
    other.execute("ROLLBACK")


def test_a_database_moved_away_while_serving_refuses_and_is_never_replaced_by_an_empty_one(home):
    with serving(home) as running:
        price = ended(running, asked(running, question())) and spent(running)
        (home / "control.db").rename(home / "elsewhere.db")
        assert refused(running, question(OTHER)) == "store.missing"
        assert not (home / "control.db").exists()
        (home / "elsewhere.db").rename(home / "control.db")
        assert spent(running) == price
        assert ended(running, asked(running, question(OTHER))).state is State.COMMITTED
        whole(home, running)


def test_an_empty_database_put_in_its_place_while_serving_is_refused(home):
    with serving(home) as running:
        (home / "control.db").rename(home / "elsewhere.db")
        Store.create(f"sqlite:///{home / 'control.db'}").close()
        assert refused(running) == "store.missing"


def test_a_server_stops_in_order_without_its_database(home):
    with serving(home) as running:
        running._failures.count("identity.token")
        (home / "control.db").rename(home / "elsewhere.db")
        running.stop()
    (home / "elsewhere.db").rename(home / "control.db")
    with serving(home) as again:
        assert ended(again, asked(again, question())).state is State.COMMITTED


def test_a_restored_back_up_has_the_logs_ledgers_and_what_it_lost_is_unknown_and_stays_paid(home):
    with serving(home) as running:
        kept = ended(running, asked(running, question())).job.id
    backup = copied(home, "backup")
    with serving(home) as running:
        lost = ended(running, asked(running, question(OTHER))).job.id
        before = spent(running)
    (home / "control.db").write_bytes((backup / "control.db").read_bytes())
    with serving(home) as again:
        assert spent(again) == before
        assert ended(again, kept).state is State.COMMITTED
        # The row is gone with its asker, so nobody can be told more than a stranger; the ledger keeps the price.
        with pytest.raises(Refused, match=r"web\.unknown-query"):
            again.broker.find(OKAFOR, lost)
        assert ended(again, asked(again, question(OTHER))).state is State.COMMITTED
        assert spent(again) > before, "what was drawn is lost with its row: the same question is a new draw"
        whole(home, again)


def test_a_request_that_the_back_up_holds_as_queued_ends_as_the_log_says_without_a_second_price(home, monkeypatch):
    monkeypatch.setattr("tre.broker.runner.Runner.start", lambda _self: None)
    with serving(home) as running:
        query = asked(running, question())
    backup = copied(home, "backup")
    monkeypatch.undo()
    with serving(home) as running:
        ended(running, query)
        before = spent(running)
    (home / "control.db").write_bytes((backup / "control.db").read_bytes())
    with serving(home) as again:
        found = ended(again, query)
        assert (found.state, found.job.error) == (State.COMMITTED, "journal.result-lost")
        assert found.job.answer is None
        assert spent(again) == before
        whole(home, again)


def test_an_empty_database_starts_with_every_price_of_the_log_and_with_no_limit(home):
    with serving(home) as running:
        ended(running, asked(running, question()))
        before = spent(running)
    (home / "control.db").unlink()
    Store.create(f"sqlite:///{home / 'control.db'}").close()
    with serving(home) as again:
        assert spent(again) == before
        assert all(one.limit.amount == 0 for one in balances(again))
        assert refused(again) == "web.unknown-project"
        assert requests(again) == ()
    policy = compile_policy(load_policy(POLICY), "small")
    house = House(Home(home))
    house.act("operator", lambda tx, trail: governance.add_dataset(tx, trail, policy))
    with house.store.reading() as tx:
        balance = ledger.balance(tx, LEDGERS[1])
        assert balance.spent.amount == before[1] < balance.limit.amount
        assert jobs.jobs_of(tx, PROJECT) == ()
    house.close()
