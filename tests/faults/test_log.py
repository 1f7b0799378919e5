"""The log cannot be written: nothing is answered, read or charged; mended and started again, it goes on."""

import errno
import json
import subprocess
import sys
import time
from contextlib import suppress
from os import environ

import pytest

from tests.faults.houses import (
    OTHER,
    Disk,
    asked,
    balances,
    ended,
    entries,
    refused,
    requests,
    serving,
    settled,
    spent,
    until,
)
from tests.faults.houses import whole as assert_whole
from tests.house import OKAFOR, PROJECT, ROOT, question
from tre.base.reasons import Refused
from tre.jobs import State


@pytest.mark.parametrize(("error", "kind"), [(errno.ENOSPC, "write"), (errno.EIO, "flush")])
def test_without_the_log_nothing_is_answered_read_or_charged_and_after_a_restart_it_goes_on(home, error, kind):
    disk, steps = Disk(), []
    with serving(home, disk, step=steps.append) as running:
        disk.breaks(error, kind)
        assert refused(running) == "fault.log-unavailable"
        until(lambda: [one.state for one in requests(running)] == [State.VOIDED])
        assert "running" not in steps
        assert [one.total.amount for one in balances(running)] == [0, 0]
        disk.breaks(None)
        assert refused(running, question(OTHER)) == "fault.log-unavailable", "a writer that failed never retries"
    with serving(home) as again:
        until(lambda: {one.state for one in requests(again)} == {State.VOIDED})
        assert {one.error for one in requests(again)} == {"fault.log-unavailable"}
        assert spent(again) == [0, 0]
        assert ended(again, asked(again, question())).state is State.COMMITTED
        assert_whole(home, again)


def test_a_request_that_the_log_failed_is_never_also_denied(home):
    disk = Disk()
    with serving(home, disk) as running:
        disk.breaks(errno.EIO, "flush")
        refused(running)
    with serving(home) as again:
        until(lambda: settled(again))
    events = [(one["event"], one.get("state")) for one in entries(home) if one["event"].startswith("query")]
    assert events == [("query-intent", None), ("query-outcome", "voided")]


def test_a_queued_row_whose_intent_has_no_index_is_never_run(home, monkeypatch):
    monkeypatch.setattr("tre.broker.asking._give_back", lambda *_arguments: None)
    disk, steps = Disk(), []
    with serving(home, disk, step=steps.append) as running:
        disk.breaks(errno.EIO, "flush")
        refused(running)
        until(lambda: [one.state for one in requests(running)] == [State.VOIDED])
        assert steps == ["reserved"]


def test_a_denial_is_not_said_before_it_is_on_the_record(home):
    disk = Disk()
    with serving(home, disk) as running:
        disk.breaks(errno.ENOSPC, "write")
        assert refused(running, question("SELECT nhs_number FROM person")) == "fault.log-unavailable"
    with serving(home):
        assert [one["decision"] for one in entries(home) if one["event"] == "query-decision"] == ["denied"]


def test_an_answer_whose_outcome_cannot_be_written_is_not_shown_before_it_is(home):
    disk = Disk()

    def fail_after_reading(step):
        if step == "released":
            disk.breaks(errno.EIO, "flush")

    with serving(home, disk, step=fail_after_reading) as running:
        query = asked(running, question())
        until(lambda: requests(running)[0].state is State.COMMITTED)
        found = running.broker.find(OKAFOR, query)
        assert (found.state, found.index) == (State.RUNNING, None)
        price = spent(running)
    with serving(home) as again:
        assert ended(again, query).state is State.COMMITTED
        assert spent(again) == price
        assert_whole(home, again)


def test_queued_requests_are_given_back_when_the_log_fails_meanwhile(home):
    disk, waiting = Disk(), []

    def fail_while_others_wait(step):
        if step == "running" and disk.error is None and not waiting:
            waiting.extend([step])
            until(lambda: len(requests(running)) == 3)
            disk.breaks(errno.EIO, "flush")

    with serving(home, disk, step=fail_while_others_wait) as running:
        first = asked(running, question())
        for sql in (OTHER, "SELECT COUNT(*) AS n FROM visit_occurrence"):
            with suppress(Refused):  # the last row is seen, and the fault begins, maybe before its own intent stands
                running.broker.submit(OKAFOR, PROJECT, None, question(sql))
        until(lambda: State.RUNNING not in {one.state for one in requests(running)})
    with serving(home) as again:
        assert ended(again, first).state is State.COMMITTED
        assert_whole(home, again)


def test_the_operator_hears_once_why_nothing_is_answered_and_what_to_do(home, capsys):
    disk = Disk()
    with serving(home, disk) as running:
        disk.breaks(errno.ENOSPC, "write")
        refused(running)
        refused(running, question(OTHER))
        time.sleep(0.3)
    said = [line for line in capsys.readouterr().out.splitlines() if "fault.log-unavailable" in line]
    assert len(said) == 1
    for part in ("The audit log cannot be written", "cause='OSError", "next='Tell the operator"):
        assert part in said[0]


def test_a_log_that_cannot_be_opened_stops_the_start_with_the_cause_and_the_remedy(home):
    (home / "log" / "records").rename(home / "log" / "kept")
    (home / "log" / "records").mkdir()
    command = [sys.executable, "-m", "tre.cli", "serve", "--port", "1"]
    found = subprocess.run(
        command, cwd=ROOT, env=environ | {"TRE_HOME": str(home)}, capture_output=True, text=True, timeout=60
    )
    assert found.returncode == 1, found.stderr
    assert "app.log-unwritable" in found.stderr
    assert "Is a directory" in found.stderr
    assert "start again" in found.stderr
    (home / "log" / "records").rmdir()
    (home / "log" / "kept").rename(home / "log" / "records")
    with serving(home) as running:
        assert ended(running, asked(running, question())).state is State.COMMITTED
        assert "SELECT" not in json.dumps(entries(home))
