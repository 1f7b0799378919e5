"""Killed at each step of AUDIT's order, started again: nothing is granted twice, nothing lost, the log verifies."""

import subprocess
import sys

import pytest

from tests.broker.test_path import answered, entries, rows, verified
from tests.house import OKAFOR, PROJECT, ROOT, question
from tre import jobs, ledger
from tre.app.compose import House
from tre.app.serving import Running
from tre.base.home import Home
from tre.jobs import State
from tre.ledger import LedgerId

BURNED, ANSWERED = State.BURNED, State.COMMITTED
# step of the crash → how the killed request ends after the restart
STEPS = {
    "reserved": ANSWERED,
    "intent-indexed": ANSWERED,
    "running": BURNED,
    "read": BURNED,
    "released": BURNED,
    "committed": ANSWERED,
    "outcome-indexed": ANSWERED,
}


def crash(home, step):
    command = [sys.executable, "-m", "tests.broker.crash_server", str(home), step]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert found.returncode == -9, found.stderr


@pytest.mark.parametrize("step", STEPS)
def test_a_server_killed_at_this_step_grants_nothing_twice_and_loses_nothing(home, step):
    crash(home, step)
    running = Running(House(Home(home)))
    try:
        with running.broker.parts.store.reading() as tx:
            (job,) = jobs.jobs_of(tx, PROJECT)
        shown = running.broker.wait(OKAFOR, job.id, 60)
        assert shown.state is STEPS[step]
        outcomes = [entry for entry in entries(home) if entry["event"] == "query-outcome"]
        assert len(outcomes) == 1
        with running.broker.parts.store.reading() as tx:
            for name in (LedgerId.of_project(PROJECT, "small"), LedgerId.of_dataset("small")):
                balance = ledger.balance(tx, name)
                assert balance.reserved.amount == 0
                assert str(balance.spent.amount) == job.decision["price"]["amount"]
        again = answered(running, question())
        if shown.state is ANSWERED:
            assert rows(again) == rows(shown)
            assert again.job.decision["price"]["amount"] == "0"
        code, report = verified(home, running)
        assert code == 0, report
    finally:
        running.stop()
