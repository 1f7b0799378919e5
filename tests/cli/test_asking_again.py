"""`tre history`, and Ctrl-C on `tre query`: a process of its own, a server that answers slowly."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from tests.client.scripted import query, scripted
from tests.support import ROOT
from tests.web.fake import FakeService
from tests.web.live import serving
from tre.cli import main

COUNT = "SELECT COUNT(*) AS n FROM person"


@pytest.fixture
def asking(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with serving(FakeService()) as url:
        for name, text in {"TRE_URL": url, "TRE_TOKEN": "ada", "TRE_PROJECT": "p1"}.items():
            monkeypatch.setenv(name, text)
        yield


@pytest.mark.usefixtures("asking")
def test_the_history_lists_the_newest_questions_first(capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(3):
        assert main(["query", COUNT]) == 0
    capsys.readouterr()
    assert main(["history", "--limit", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0][-1] for line in lines[2:]] == ["2", "1"]
    assert lines[0].split() == ["query", "submitted", "state", "epsilon", "sql"]
    assert main(["history", "--format", "json"]) == 0
    assert [one["state"] for one in json.loads(capsys.readouterr().out)] == ["committed"] * 3


def test_ctrl_c_cancels_the_question_says_what_is_spent_and_exits_130() -> None:
    running, burned = query("running", retry_after=30.0), query("burned")
    running["decision"]["release_seconds"] = 60.0
    with scripted((200, running, {}), (200, burned, {})) as server:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "TRE_URL": server.url, "TRE_TOKEN": "t"}
        command = [sys.executable, "-m", "tre.cli", "query", "--project", "p1", COUNT]
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)
        while not server.asked and process.poll() is None:
            time.sleep(0.05)
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "epsilon 0.25, stays spent" in said
    assert "Traceback" not in said
    assert server.asked[-1].path == "/api/v1/queries/q_1/cancellation"
