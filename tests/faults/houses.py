"""Houses that can be made to fail while they run, and what is always asked of them afterwards."""

import shutil
import time
from contextlib import contextmanager, suppress

import pytest

from audit import Log, load_signer
from tests.audit.disks import WatchedFiles
from tests.broker.test_path import entries, verified
from tests.house import OKAFOR, PROJECT, question
from tre import jobs, ledger
from tre.app.compose import House
from tre.app.serving import Running
from tre.app.writing import LOG_KEY
from tre.base.home import Home
from tre.base.reasons import Refused
from tre.journal import Journal
from tre.ledger import LedgerId
from tre.store import Store

LEDGERS = (LedgerId.of_project(PROJECT, "small"), LedgerId.of_dataset("small"))
OTHER = "SELECT COUNT(*) AS n FROM death"


class Disk:
    """The log's disk; `breaks` with an error number at every change of the kinds given, until `mend`."""

    def __init__(self):
        self.error, self.kinds = None, ()

    def breaks(self, error, *kinds):
        self.error, self.kinds = error, kinds

    def before(self, kind):
        if self.error is not None and kind in self.kinds:
            raise OSError(self.error, "the disk of this test fails")


def short_of_patience(home):
    config = home / "config.toml"
    config.write_text(config.read_text().replace("patience = 60 ", "patience = 5 "))


@contextmanager
def serving(home, disk=None, clock=None, step=lambda _name: None, patience=0.2):
    """Serve a home whose locks are waited for briefly, over a disk and under a clock of the test's."""
    house = House(Home(home))
    if clock is not None:
        house.__dict__["clock"] = clock
    house.__dict__["store"] = Store(f"sqlite:///{house.home.control}", patience=patience)
    if disk is not None:
        signer = load_signer(house.home.keys / LOG_KEY)
        files = WatchedFiles(disk.before)
        house.__dict__["journal"] = Journal(
            house.store,
            lambda: Log(house.home.log, house.home.head, signer, files=files),
            house.clock,
            house._reconcile,
        )
    running = Running(house, step)
    try:
        yield running
    finally:
        running.stop()


def refused(running, asked=None):
    """Ask, and return the code of the one reason with which it is refused."""
    with pytest.raises(Refused) as found:
        running.broker.submit(OKAFOR, PROJECT, None, asked or question())
    (refusal,) = found.value.refusals
    assert refusal.sentence
    assert refusal.remedy
    return refusal.reason.code


def asked(running, question_):
    taken = running.broker.submit(OKAFOR, PROJECT, None, question_)
    assert taken.queued, taken.refusals
    return taken.id


def ended(running, query, seconds=20):
    found = running.broker.wait(OKAFOR, query, seconds)
    assert found.ended
    return found


def balances(running):
    with running.broker.parts.store.reading() as tx:
        return [ledger.balance(tx, one) for one in LEDGERS]


def spent(running):
    return [one.spent.amount for one in balances(running)]


def requests(running):
    with running.broker.parts.store.reading() as tx:
        return jobs.jobs_of(tx, PROJECT)


def settled(running):
    """Whether every request has ended under an index of the log."""
    return all(running.broker.find(OKAFOR, one.id).index is not None for one in requests(running))


def until(condition, seconds=10):
    """Wait for a condition; a refusal counts as not yet."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with suppress(Refused):
            if condition():
                return
        time.sleep(0.02)
    raise AssertionError("it did not come to pass")


def whole(home, running):
    """Nothing stays reserved, every intent has one outcome, the log verifies with the ledgers."""
    until(lambda: settled(running))
    assert [one.reserved.amount for one in balances(running)] == [0, 0]
    log = entries(home)
    intents = sorted(one["event_id"] for one in log if one["event"] == "query-intent")
    answers = sorted(one["answers"]["event_id"] for one in log if one["event"] == "query-outcome")
    assert intents == answers
    code, report = verified(home, running)
    assert code == 0, report


def copied(home, name):
    """Return a copy of a home that nobody serves."""
    copy = home.parent / name
    shutil.copytree(home, copy, copy_function=shutil.copy2)
    return copy
