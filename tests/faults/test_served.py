"""A served house, over HTTP: killed at each step, on a full disk, with a read-only log, on an old back-up."""

import shutil
from collections import Counter

import pytest
import requests

from tests.e2e.conftest import token_for
from tests.e2e.service import entries, served, tre, verified
from tests.faults.disks import fill, read_only, small_disk
from tests.faults.houses import OTHER, until
from tests.house import COUNT, PERSON, PROJECT

DYING = ("-m", "tests.faults.dying_server")
BURNED = {"running", "read", "released"}
FILTERED = "SELECT COUNT(*) AS n FROM person WHERE year_of_birth > {}"


def asked(service, token, sql, key=None):
    """Ask, and ask again under the same key while the server is away, as the client does; return the answer."""
    headers = {"Prefer": "wait=30"} | ({"Idempotency-Key": key} if key else {})
    body = {"sql": sql, "epsilon": "0.1", "project": PROJECT}
    found = []

    def answered():
        try:
            found[:] = [service.call("POST", "/api/v1/queries", token, json=body, headers=headers)]
        except requests.ConnectionError:
            return False
        return found[0].status_code not in (202, 502)

    until(answered, 60)
    return found[0]


def code(answer):
    return answer.json()["reasons"][0]["code"]


def spent(service, token):
    (account,) = service.budget(PROJECT, token)
    return account["spent"]["rho"]


def whole(home):
    """Every intent has its one outcome, and the log verifies with the ledgers. Return the outcomes' states."""
    log = entries(home)
    intents = [one["event_id"] for one in log if one["event"] == "query-intent"]
    outcomes = [one for one in log if one["event"] == "query-outcome"]
    assert Counter(intents) == Counter(one["answers"]["event_id"] for one in outcomes)
    assert verified(home).code == 0
    return [one["state"] for one in outcomes]


@pytest.mark.parametrize(
    "steps",
    [("reserved", "intent-indexed", "committed", "outcome-indexed"), ("running", "read"), ("released",)],
    ids="-".join,
)
def test_a_served_house_killed_at_any_step_goes_on_by_itself_and_the_retry_is_the_same_request(home, steps):
    token = token_for(home, PERSON)
    with served(home, DYING) as service:
        for number, step in enumerate(steps):
            (home / "die-at").write_text(step)
            answer = asked(service, token, FILTERED.format(1950 + number), f"key-{step}")
            assert not (home / "die-at").exists(), "it died there"
            assert (code(answer) == "fault.engine") if step in BURNED else answer.status_code == 200, answer.text
    states = whole(home)
    assert states == ["burned" if step in BURNED else "committed" for step in steps]


@pytest.mark.parametrize("full", ["", "log"], ids=["all of it", "the log"])
def test_a_full_disk_refuses_grants_nothing_and_with_room_again_a_restart_goes_on(home, full):
    token = token_for(home, PERSON)
    size = sum(file.stat().st_size for file in (home / full).rglob("*") if file.is_file())
    with small_disk(home / full, size // 2**20 + 4):
        with served(home) as service:
            assert asked(service, token, COUNT).status_code == 200
            price = float(spent(service, token))
            filling = fill(home / full)
            given, refused = until_refused(service, token)
            assert refused.status_code == 503
            assert code(refused) in ("fault.log-unavailable", "store.unavailable")
            filling.unlink()
        if full:  # else what the server says has no room either
            assert "The audit log cannot be written" in (home / "serve.log").read_text()
        with served(home) as service:
            assert asked(service, token, OTHER).status_code == 200
            assert float(spent(service, token)) == pytest.approx(price * (given + 2))
        states = Counter(whole(home))
        assert states["committed"] == given + 2
        assert states.keys() <= {"committed", "voided"}


def until_refused(service, token):
    """Ask until an answer is refused; return how many were given, and the refusal."""
    for given in range(300):
        answer = service.ask(FILTERED.format(1950 + given), token, project=PROJECT, epsilon="0.1")
        if answer.status_code != 200:
            return given, answer
    raise AssertionError("nothing was refused")


def test_a_read_only_log_stops_the_start_with_the_cause_and_nothing_is_lost(home):
    with read_only(home / "log"):
        refused = tre("serve", "--port", "1", home=home)
        assert refused.code == 1, refused.said
        for part in ("app.log-unwritable", "Read-only file system", "start again"):
            assert part in refused.err
    with served(home) as service:
        assert asked(service, token_for(home, PERSON), COUNT).status_code == 200
    assert whole(home) == ["committed"]


def test_an_old_back_up_put_in_place_of_the_database_grants_no_budget_again(home):
    token = token_for(home, PERSON)
    with served(home) as service:
        assert asked(service, token, COUNT).status_code == 200
    old = home.parent / "control.db"
    shutil.copy2(home / "control.db", old)
    with served(home) as service:
        assert asked(service, token, OTHER, "lost").status_code == 200
        before = spent(service, token)
    shutil.copy2(old, home / "control.db")
    with served(home) as service:
        assert spent(service, token) == before
        asked(service, token, OTHER, "lost")
        assert spent(service, token) >= before
    assert verified(home).code == 0
