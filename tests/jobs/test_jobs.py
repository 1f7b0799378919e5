"""Requests as rows: one caller makes each transition, and no other transition exists."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import insert

from tests.control import FakeClock
from tre import jobs
from tre.jobs import Answer, NewJob, State
from tre.journal import LoggedEntry, Shown, outbox
from tre.store import Store, Transaction
from tre.store import tables as t

NOW = FakeClock().now()
LATER = NOW + timedelta(seconds=30)
ANSWER = Answer([("c" * 64, 0)], {"rows": [[1, "x"]]})


@pytest.fixture
def queued(store: Store) -> str:
    with store.transaction() as tx:
        tx.execute(insert(t.people).values(id="ada", added="now"))
        tx.execute(insert(t.datasets).values(name="omop", added="now"))
        version = {"name": "v_1", "dataset": "omop", "number": 1, "commitment": "", "catalogue_digest": ""}
        tx.execute(insert(t.versions).values(**version, added="now"))
        project = {"id": "P1", "state": "active", "purposes": "[]", "epsilon": "1", "delta": "0", "starts": "now"}
        tx.execute(insert(t.projects).values(**project, expires="later"))
        jobs.submit(tx, new("q_1"), NOW)
    return "q_1"


def new(job: str) -> NewJob:
    return NewJob(job, "P1", "ada", "omop", "v_1", ["c" * 64], {"tables": ["person"]}, "e" * 32, 250, 30_000)


STEPS: dict[tuple[State, State], Callable[[Transaction], bool]] = {
    (State.QUEUED, State.RUNNING): lambda tx: jobs.start(tx, "q_1", "runner", NOW, LATER),
    (State.QUEUED, State.VOIDED): lambda tx: jobs.void(tx, "q_1", NOW, "0" * 32, "request.cancelled"),
    (State.RUNNING, State.COMMITTED): lambda tx: jobs.commit(tx, "q_1", "runner", NOW, "0" * 32, ANSWER),
    (State.RUNNING, State.BURNED): lambda tx: jobs.burn(tx, "q_1", NOW, "0" * 32, "fault.engine"),
}
ROADS = {State.QUEUED: [], State.RUNNING: [(State.QUEUED, State.RUNNING)]}
ROADS |= {after: [*ROADS[before], (before, after)] for before, after in STEPS if after not in ROADS}


def test_the_functions_are_the_transitions() -> None:
    assert frozenset(STEPS) == jobs.TRANSITIONS


@pytest.mark.parametrize("state", State)
def test_from_every_state_only_the_declared_transitions_are_made(store: Store, queued: str, state: State) -> None:
    for step, made in STEPS.items():
        with store.transaction() as tx, tx._connection.begin_nested() as undone:
            for earlier in ROADS[state]:
                assert STEPS[earlier](tx)
            assert made(tx) is (step[0] is state)
            found = jobs.find(tx, queued)
            assert found is not None
            assert found.state is (step[1] if step[0] is state else state)
            undone.rollback()


def test_a_request_is_read_back_as_it_was_written(store: Store, queued: str) -> None:
    with store.transaction() as tx:
        jobs.start(tx, queued, "runner", NOW, LATER)
        jobs.commit(tx, queued, "runner", LATER, "f" * 32, ANSWER)
        assert outbox.note(tx, {"e" * 32: 0, "f" * 32: 1}) == 2
        found = jobs.find(tx, queued)
    assert found is not None
    assert (found.questions, found.decision) == (("c" * 64,), {"tables": ["person"]})
    assert (found.answer, found.receipt_index, found.outcome) == (Answer((("c" * 64, 0),), ANSWER.result), 1, "f" * 32)
    assert found.release_at == NOW + timedelta(milliseconds=250)
    assert found.limit_at == NOW + timedelta(seconds=30)
    assert (found.created, found.started, found.finished) == (NOW, NOW, LATER)


def test_only_the_owner_of_the_lease_commits_or_renews(store: Store, queued: str) -> None:
    with store.transaction() as tx:
        jobs.start(tx, queued, "runner", NOW, LATER)
        assert not jobs.commit(tx, queued, "other", NOW, "0" * 32, ANSWER)
        jobs.renew(tx, "other", LATER + timedelta(seconds=9))
        assert [one.id for one in jobs.running(tx, leases_before=LATER + timedelta(seconds=2))] == [queued]
        jobs.renew(tx, "runner", LATER + timedelta(seconds=1))
        assert jobs.running(tx, leases_before=LATER + timedelta(seconds=1)) == ()


def test_a_request_whose_lease_was_renewed_is_not_burned_by_who_thought_it_lapsed(store: Store, queued: str) -> None:
    with store.transaction() as tx:
        jobs.start(tx, queued, "runner", NOW, LATER)
        jobs.renew(tx, "runner", LATER + timedelta(seconds=9))
        assert not jobs.burn_lapsed(tx, queued, LATER + timedelta(seconds=1), "0" * 32, "fault.engine")
        assert jobs.burn_lapsed(tx, queued, LATER + timedelta(seconds=10), "0" * 32, "fault.engine")


def test_a_claimed_request_is_in_one_hand_until_its_lease_lapses_or_it_is_let_go(store: Store, queued: str) -> None:
    with store.transaction() as tx:
        assert [one.id for one in jobs.unclaimed(tx, NOW, 9)] == [queued]
        assert jobs.claim(tx, queued, "a", NOW, LATER)
        assert not jobs.claim(tx, queued, "b", NOW, LATER)
        assert jobs.unclaimed(tx, NOW, 9) == ()
        assert jobs.claim(tx, queued, "b", LATER + timedelta(seconds=1), LATER + timedelta(seconds=9))
        jobs.unclaim(tx, "a", queued)
        assert jobs.unclaimed(tx, LATER + timedelta(seconds=1), 9) == ()
        jobs.unclaim(tx, "b", queued)
        assert jobs.claim(tx, queued, "a", NOW, LATER)


def test_one_server_alone_holds_a_lease_until_it_lapses(store: Store) -> None:
    with store.transaction() as tx:
        assert jobs.elect(tx, jobs.BURNER, "a", NOW, LATER)
        assert not jobs.elect(tx, jobs.BURNER, "b", NOW, LATER)
        assert jobs.elect(tx, jobs.BURNER, "a", NOW, LATER + timedelta(seconds=5))
        assert not jobs.elect(tx, jobs.BURNER, "b", LATER + timedelta(seconds=1), LATER + timedelta(seconds=9))
        assert jobs.elect(tx, jobs.BURNER, "b", LATER + timedelta(seconds=6), LATER + timedelta(seconds=9))
        assert jobs.elect(tx, "another", "a", NOW, LATER)


def test_a_cancelled_request_says_when_and_its_owner_cannot_commit_it(store: Store, queued: str) -> None:
    with store.transaction() as tx:
        assert not jobs.cancel(tx, queued, NOW, "0" * 32, "request.cancelled")
        jobs.start(tx, queued, "runner", NOW, LATER)
        assert jobs.cancel(tx, queued, LATER, "0" * 32, "request.cancelled")
        assert not jobs.commit(tx, queued, "runner", NOW, "0" * 32, ANSWER)
        found = jobs.find(tx, queued)
    assert found is not None
    assert (found.state, found.cancelled) == (State.BURNED, LATER)


def test_only_running_requests_with_a_dead_lease_are_found_to_burn(store: Store, queued: str) -> None:
    with store.transaction() as tx:
        jobs.submit(tx, new("q_2"), NOW)
        jobs.start(tx, queued, "runner", NOW, LATER)
        assert [one.id for one in jobs.running(tx)] == ["q_1"]
        assert jobs.running(tx, leases_before=NOW) == ()
        (dead,) = jobs.running(tx, leases_before=LATER + timedelta(seconds=1))
        assert jobs.burn(tx, dead.id, LATER, "0" * 32, "fault.engine")
        assert not jobs.burn(tx, dead.id, LATER, "1" * 32, "fault.engine")
        assert [one.id for one in jobs.unclaimed(tx, LATER, 9)] == ["q_2"]


def test_requests_wait_in_the_order_in_which_they_came(store: Store, queued: str) -> None:
    with store.transaction() as tx:
        for job in ("q_3", "q_2"):
            jobs.submit(tx, new(job), NOW)
        assert [one.id for one in jobs.unclaimed(tx, NOW, 2)] == [queued, "q_3"]
        assert [one.id for one in jobs.jobs_of(tx, "P1")] == ["q_2", "q_3", "q_1"]
        newest = jobs.jobs_of(tx, "P1", most=1)
        assert [one.id for one in jobs.jobs_of(tx, "P1", before=newest[-1].number)] == ["q_3", "q_1"]
        assert jobs.jobs_of(tx, "P2") == ()


def test_a_request_that_the_log_shows_as_ended_is_ended_in_a_restored_back_up(store: Store, queued: str) -> None:
    outcome = {"event": "query-outcome", "request": "q_1", "state": "committed"}
    outcome |= {"event_id": "a" * 32, "time": "2026-03-01T12:00:00.000Z"}
    shown = Shown(news=[LoggedEntry(0, outcome), LoggedEntry(1, outcome | {"request": "unknown"})])
    with store.transaction() as tx:
        assert outbox.note(tx, {"a" * 32: 0}) == 1
        assert jobs.adopt(tx, shown) == ("q_1",)
        found = jobs.find(tx, queued)
        assert found is not None
        assert (found.state, found.answer, found.error) == (State.COMMITTED, None, "journal.result-lost")
        assert found.receipt_index == 0
        assert jobs.adopt(tx, shown) == ()
