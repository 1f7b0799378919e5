"""A server that is stopped and started again: nothing is lost, and what was counted is in the log."""

import time

import pytest

from tests.e2e.conftest import token_for
from tests.e2e.service import entries, run, served, verified

QUESTIONS, FAILURES = 6, 15
COUNT = "SELECT COUNT(*) AS n FROM person WHERE year_of_birth > {year}"


@pytest.fixture(scope="module")
def bearer(spare):
    return token_for(spare, "okafor")


@pytest.fixture(scope="module")
def places(spare, bearer):
    """A server that turned bad tokens away and was stopped with questions in its queue; where the answers will be."""
    with served(spare) as service:
        for number in range(FAILURES):
            assert service.call("GET", "/api/v1/projects", f"not.a.token{number}").status_code == 401
        return [
            service.call(
                "POST",
                "/api/v1/queries",
                bearer,
                json={"project": "paced", "sql": COUNT.format(year=1940 + number)},
                headers={"Prefer": "wait=0"},
            ).headers["Location"]
            for number in range(QUESTIONS)
        ]


def test_failed_sign_ins_become_one_counted_entry(spare, places):
    failures = [entry for entry in entries(spare) if entry["event"] == "signin-failed"]
    assert 1 <= len(failures) <= 2  # two when the minute turned meanwhile
    assert sum(int(entry["count"]) for entry in failures) == FAILURES


def test_queued_questions_survive_a_restart(spare, bearer, places):
    with served(spare) as service:
        deadline = time.monotonic() + 40
        states = {}
        while time.monotonic() < deadline and set(states.values()) != {"committed"}:
            states = {place: service.call("GET", place, bearer).json()["state"] for place in places}
            time.sleep(0.1)
        assert set(states.values()) == {"committed"}
        found = verified(spare)
    assert found.code == 0, found.said


def test_the_first_answer_loads_no_module_in_its_release_time(spare, places):
    """What is not ready by its release time is an incident, and imports take longer than a small answer."""
    found = run(["-m", "tests.e2e.cold", str(spare)])
    assert (found.code, found.out.split()) == (0, []), found.said
