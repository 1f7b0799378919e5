"""A question is taken back: decided without regard to the engine, no incident, and no way round one."""

import shutil
import threading
import time
from datetime import timedelta

import pytest

from tests.broker.test_path import answered, entries, verified
from tests.faults.test_time import Stepping
from tests.house import OKAFOR, PROJECT, furnish, question
from tre import governance, ledger
from tre.app.compose import House
from tre.app.serving import Running
from tre.base.home import Home
from tre.base.reasons import Refused
from tre.broker import Asker
from tre.jobs import State
from tre.ledger import LedgerId

LEAD = Asker("lead", "local")
LEDGERS = (LedgerId.of_project(PROJECT, "small"), LedgerId.of_dataset("small"))


class Gate:
    """Holds every request at a step of its path until it is opened."""

    def __init__(self, step):
        self.step, self.reached, self.opened = step, threading.Event(), threading.Event()

    def __call__(self, name):
        if name == self.step:
            self.reached.set()
            assert self.opened.wait(60)


@pytest.fixture(scope="module")
def calm(tmp_path_factory):
    """A home whose answers leave every five seconds: there is time to change one's mind."""
    root = tmp_path_factory.mktemp("calm") / "home"
    furnish(root, release_every="5 s")
    return root


@pytest.fixture
def calm_home(calm, tmp_path):
    copy = tmp_path / "calm"
    shutil.copytree(calm, copy, copy_function=shutil.copy2)
    return copy


def totals(running):
    with running.broker.parts.store.reading() as tx:
        found = [ledger.balance(tx, one) for one in LEDGERS]
    return [one.spent.amount for one in found], [one.reserved.amount for one in found]


def submitted(running, asked, asker=OKAFOR):
    taken = running.broker.submit(asker, PROJECT, None, asked)
    assert taken.queued, taken.refusals
    return taken.id


def until(holds):
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


def workers(running):
    return {worker._process.pid for worker in running.broker.parts.engine._workers if worker.alive}


def test_what_had_not_begun_is_given_back(home):
    running = Running(House(Home(home)))
    running.broker._runner._stopping = True  # nothing is taken
    query = submitted(running, question())
    assert totals(running)[1] > [0, 0]
    shown = running.broker.cancel(OKAFOR, query)
    assert (shown.state, shown.job.error) == (State.VOIDED, "request.cancelled")
    assert totals(running) == ([0, 0], [0, 0])
    assert running.broker.cancel(OKAFOR, query).state is State.VOIDED, "a second wish changes nothing"
    assert verified(home, running)[0] == 0
    running.stop()


@pytest.mark.parametrize("step", ["running", "read", "released"])
def test_what_runs_is_burned_at_once_and_alike_wherever_its_engine_is(calm_home, step):
    gate = Gate(step)
    running = Running(House(Home(calm_home)), gate)
    try:
        query = submitted(running, question())
        assert gate.reached.wait(30)
        before, size = workers(running), len(entries(calm_home))
        shown = running.broker.cancel(LEAD if step == "read" else OKAFOR, query)
        assert (shown.state, shown.job.error) == (State.BURNED, "request.cancelled")
        assert totals(running) == ([int(shown.job.decision["price"]["amount"])] * 2, [0, 0])
        until(lambda: not before <= workers(running))
        gate.opened.set()
        later = answered(running, question("SELECT COUNT(*) AS n FROM death"))
        assert later.state is State.COMMITTED, "the slot is free again"
        assert running.broker.find(OKAFOR, query).state is State.BURNED
        assert [one["event"] for one in entries(calm_home)[size : size + 1]] == ["query-outcome"]
        assert "incident" not in {one["event"] for one in entries(calm_home)}
        with running.broker.parts.store.reading() as tx:
            assert governance.find_project(tx, PROJECT).status.value == "active"
        assert verified(calm_home, running)[0] == 0
    finally:
        gate.opened.set()
        running.stop()


def test_a_late_engine_stays_an_incident_whatever_is_wished(calm_home):
    """Else who asks could look at the clock of an engine again and again, and take the question back in time."""
    gate, clock = Gate("released"), Stepping()
    house = House(Home(calm_home))
    house.__dict__["clock"] = clock
    running = Running(house, gate)
    try:
        query = submitted(running, question())
        assert gate.reached.wait(30)
        clock.shift = timedelta(seconds=6)
        with pytest.raises(Refused, match=r"request\.past-release"):
            running.broker.cancel(OKAFOR, query)
        assert running.broker.find(OKAFOR, query).state is State.RUNNING
    finally:
        gate.opened.set()
        running.stop()


def test_who_waits_for_the_same_measurement_gets_the_price_back(calm_home):
    gate = Gate("read")
    running = Running(House(Home(calm_home)), gate)
    try:
        leader = submitted(running, question())
        assert gate.reached.wait(30)
        follower = submitted(running, question(), Asker("colleague", "local"))
        running.broker.cancel(OKAFOR, leader)
        shown = running.broker.wait(Asker("colleague", "local"), follower, 20)
        assert (shown.state, shown.job.error) == (State.VOIDED, "request.voided")
        gate.opened.set()
        again = answered(running, question())
        assert again.state is State.COMMITTED
        price = int(again.job.decision["price"]["amount"])
        assert price > 0, "a measurement that was taken back is not measured again at its place"
        assert totals(running) == ([2 * price] * 2, [0, 0])
        assert verified(calm_home, running)[0] == 0
    finally:
        gate.opened.set()
        running.stop()


def test_only_who_asked_or_leads_takes_a_question_back_and_only_while_it_goes(running):
    query = answered(running, question()).job.id
    for other in ("colleague", "stranger"):
        with pytest.raises(Refused, match=r"web\.unknown-query"):
            running.broker.cancel(Asker(other, "local"), query)
    with pytest.raises(Refused, match=r"request\.ended"):
        running.broker.cancel(OKAFOR, query)


def test_a_runner_that_waits_for_anothers_measurement_heeds_a_stop(calm_home):
    gate = Gate("read")
    running = Running(House(Home(calm_home)), gate)
    submitted(running, question())
    assert gate.reached.wait(30)
    follower = submitted(running, question(), Asker("colleague", "local"))
    running.broker._runner._stopping = True
    gate.opened.set()
    running.stop()
    again = Running(House(Home(calm_home)))
    shown = again.broker.wait(Asker("colleague", "local"), follower, 30)
    assert shown.state is State.COMMITTED, "it waits as a row, and survives the restart"
    again.stop()
