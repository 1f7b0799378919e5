"""Whole processes: one server a home; what runs when it is told to stop is finished, what waits survives."""

import os
import signal
import time
from pathlib import Path

import pytest

from tests.e2e.conftest import token_for
from tests.e2e.service import served, tre
from tests.faults.houses import OTHER, ended, entries, requests, serving, until, whole
from tests.house import PERSON, PROJECT
from tre.jobs import State

SLOW = ("-m", "tests.faults.slow_server")


def submitted(service, token, sql):
    body = {"sql": sql, "epsilon": "0.1", "project": PROJECT}
    answer = service.call("POST", "/api/v1/queries", token, json=body, headers={"Prefer": "respond-async"})
    assert answer.status_code in (200, 202), answer.text
    return answer.json()["id"]


@pytest.mark.parametrize("to_all", [False, True], ids=["to the server", "to its engines too"])
def test_told_to_stop_it_finishes_what_runs_and_keeps_what_waits(home, to_all):
    token = token_for(home, PERSON)
    (home / "config.toml").write_text((home / "config.toml").read_text().replace("threads = 2   ", "threads = 1   ", 1))
    with served(home, SLOW) as service:
        first = submitted(service, token, "SELECT COUNT(*) AS n FROM person")
        second = submitted(service, token, OTHER)
        until(lambda: "running" in service.call("GET", f"/api/v1/queries/{first}", token).text)
        time.sleep(0.3)
        if to_all:
            for pid in engines(service.process.pid):
                os.kill(pid, signal.SIGTERM)
                os.kill(pid, signal.SIGINT)
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(20) == 0
    states = {one["request"]: one["state"] for one in entries(home) if one["event"] == "query-outcome"}
    assert states[first] == "committed"
    with serving(home) as again:
        assert {one.state for one in requests(again)} <= {State.COMMITTED, State.QUEUED, State.RUNNING}
        for query in (first, second):
            assert ended(again, query).state is State.COMMITTED
        whole(home, again)


def engines(server):
    """Return the processes of engines under a server."""
    found = []
    for folder in os.scandir("/proc"):
        if folder.name.isdigit():
            try:
                command = Path(folder.path, "cmdline").read_bytes()
                parents = _parents(int(folder.name))
            except OSError:
                continue
            if b"tre.engines.child" in command and server in parents:
                found.append(int(folder.name))
    assert found
    return found


def _parents(pid):
    found = set()
    while pid > 1:
        pid = int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
        found.add(pid)
    return found


def test_a_second_server_on_a_home_refuses_with_the_reason_and_the_exit_code(home):
    with serving(home) as running:
        second = tre("serve", "--port", "1", home=home)
        assert second.code == 3, second.said
        assert "app.server-runs" in second.err
        assert "Stop it first" in second.err
        whole(home, running)
