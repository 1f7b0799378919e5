"""A failure tells one bit about whoever it was keyed on; so the second one is the last (PRIVACY §3.9)."""

from __future__ import annotations

import sys

from tests.house import OKAFOR, PROJECT, furnish, question
from tre.app.serving import Running
from tre.jobs import State

TABLES = ("person", "death", "visit_occurrence", "condition_occurrence", "measurement")


def test_requests_that_wait_while_a_project_is_locked_are_never_run(tmp_path, monkeypatch):
    """Judged at intake alone, a thousand cheap requests queued at once would read a bit each before any lock."""

    def dies(*_arguments):
        raise RuntimeError

    monkeypatch.setattr("tre.broker.running.release", dies)
    monkeypatch.setattr(sys.modules["tre.decide.timing"], "_LEAST_LIMIT", 1)
    service = Running(furnish(tmp_path / "home", 50))
    try:
        taken = [
            service.broker.submit(OKAFOR, PROJECT, None, question(f"SELECT COUNT(*) AS n FROM {one}")) for one in TABLES
        ]
        assert all(one.queued for one in taken)
        ends = [service.broker.wait(OKAFOR, one.id, 60).state for one in taken]
    finally:
        service.stop()
    # One is tolerated; of those already running when the second one locks, each thread of the runner has one.
    burned = ends.count(State.BURNED)
    assert 2 <= burned <= 3
    assert ends.count(State.VOIDED) == len(TABLES) - burned
