"""The wall clock steps back: waiting goes by the clock that never does; tokens and credentials by the wall's."""

from datetime import timedelta

import pytest

from tests.faults.houses import OTHER, asked, ended, entries, serving, whole
from tests.house import PERSON, PROJECT, question
from tre.app.compose import House
from tre.base.clock import SystemClock
from tre.base.home import Home
from tre.base.reasons import Refused
from tre.identity import EmbeddedIssuer, load_key, verify
from tre.jobs import State


class Stepping(SystemClock):
    """The machine's clock, its wall shifted."""

    def __init__(self):
        self.shift = timedelta()

    def now(self):
        return super().now() + self.shift


def test_a_clock_stepping_back_between_and_within_requests_ends_each_once(home):
    clock = Stepping()
    clock.shift = timedelta(days=1)

    def back(step):
        if step == "running":
            clock.shift -= timedelta(hours=2)

    with serving(home, clock=clock, step=back) as running:
        for sql in (OTHER, "SELECT COUNT(*) AS n FROM person"):
            assert ended(running, asked(running, question(sql))).state is State.COMMITTED
        whole(home, running)
    times = [one["time"] for one in entries(home)]
    assert times != sorted(times), "entries say what the clock said"
    with serving(home) as again:
        whole(home, again)


def test_a_lease_that_lies_in_the_future_does_not_keep_a_dead_servers_request_running(home, monkeypatch):
    clock = Stepping()
    clock.shift = timedelta(days=30)

    class Died(BaseException):
        """Stands for the end of the process: nothing may handle it."""

    def die(step):
        if step == "running":
            raise Died

    monkeypatch.setattr("threading.excepthook", lambda _arguments: None)
    with serving(home, clock=clock, step=die) as running:
        query = asked(running, question())
        with pytest.raises(AssertionError):
            ended(running, query, 1)
    with serving(home) as again:
        assert ended(again, query).state is State.BURNED
        whole(home, again)


def test_a_token_of_a_future_that_was_taken_back_is_refused_and_a_past_one_ends_by_the_wall(home):
    house, clock = House(Home(home)), Stepping()
    issuer = EmbeddedIssuer("test.example/log", "tre", load_key(house.home.keys), clock)
    token = issuer.issue(PERSON, PROJECT, 10)
    assert verify(token, [issuer.trusted()], clock).person == PERSON
    for shift, code in ((timedelta(hours=-1), "identity."), (timedelta(hours=1), "identity.token-expired")):
        clock.shift = shift
        with pytest.raises(Refused, match=code):
            verify(token, [issuer.trusted()], clock)
