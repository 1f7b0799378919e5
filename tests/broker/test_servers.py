"""Several servers on one database, some of them killed: each reservation is started at most once and ended once."""

import random
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.broker.test_path import entries, verified
from tests.house import OKAFOR, PROJECT, ROOT, furnish, question
from tests.postgresql import drop_database, fresh_database
from tre import jobs, ledger
from tre.app.compose import House
from tre.base.home import Home
from tre.broker import Broker
from tre.jobs import State
from tre.ledger import LedgerId

SERVERS, REQUESTS, KILLED = 4, 24, 3


@pytest.fixture(params=["sqlite", "postgresql"])
def shared_home(request, furnished, tmp_path):
    home = tmp_path / "home"
    if request.param == "sqlite":
        shutil.copytree(furnished, home, copy_function=shutil.copy2)
        yield home
        return
    address = fresh_database()
    furnish(home, control=address)
    yield home
    drop_database(address)


def server(home: Path, notes: Path) -> subprocess.Popen:
    command = [sys.executable, "-m", "tests.broker.racing_server", str(home), str(notes)]
    found = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert found.stdout.readline() == "started\n"
    return found


def killed(server: subprocess.Popen) -> None:
    """End a server as a crash does."""
    server.kill()
    server.wait()
    server.stdout.close()


def states(house):
    with house.store.reading() as tx:
        return [job.state for job in jobs.jobs_of(tx, PROJECT, most=100)]


def test_servers_that_are_killed_leave_nothing_started_twice_and_nothing_open(shared_home, tmp_path):
    house, notes, over = House(Home(shared_home)), tmp_path / "notes", threading.Event()
    house.journal.recover()

    def write() -> None:
        while not over.wait(0.02):
            house.journal.drain_once()

    writer = threading.Thread(target=write)
    writer.start()
    asking = Broker(house.parts(), alone=False)  # takes questions in, and runs none
    for year in range(REQUESTS):
        sql = f"SELECT COUNT(*) AS n FROM person WHERE year_of_birth > {1920 + year // 2}"
        assert asking.submit(OKAFOR, PROJECT, None, question(sql, "0.05"), f"q_{year:032x}").queued
    servers = [server(shared_home, notes) for _ in range(SERVERS)]
    dice, end = random.Random(4), time.monotonic() + 120
    for _ in range(KILLED):
        time.sleep(0.3 + dice.random())
        killed(servers.pop())
    while not all(state in (State.COMMITTED, State.BURNED, State.VOIDED) for state in states(house)):
        assert time.monotonic() < end, states(house)
        time.sleep(0.1)
    for one in servers:
        killed(one)
    over.set()
    writer.join()
    while house.journal.drain_once():
        pass
    ended = [state for state in states(house) if state is not State.VOIDED]
    assert State.COMMITTED in ended
    assert len(notes.read_text().split()) <= len(ended), "no request was started twice"
    outcomes = [one["request"] for one in entries(shared_home) if one["event"] == "query-outcome"]
    assert len(outcomes) == len(set(outcomes)) == REQUESTS
    with house.store.reading() as tx:
        for name in (LedgerId.of_project(PROJECT, "small"), LedgerId.of_dataset("small")):
            assert ledger.balance(tx, name).reserved.amount == 0
    asking.parts.engine.close()
    running = type("Running", (), {"broker": asking})
    assert verified(shared_home, running)[0] == 0
    house.close()
