"""The log's writer as a process of its own: servers wait for it, refuse without it, and go on when it is back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.service import acts, served, tre, verified
from tests.house import COUNT
from tests.support import ROOT


@contextmanager
def writing(home: Path) -> Iterator[subprocess.Popen[str]]:
    """Run `tre audit serve`, from when it can be used."""
    command = [sys.executable, "-m", "tre.cli", "audit", "serve"]
    environment = os.environ | {"TRE_HOME": str(home), "PYTHONPATH": str(ROOT)}
    writer = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        assert writer.stdout is not None
        assert writer.stdout.readline() == f"The log is written at {home}/log.sock.\n"
        yield writer
    finally:
        writer.terminate()
        writer.communicate(timeout=60)


@pytest.fixture(scope="module")
def apart(spare: Path) -> Path:
    """A home whose log is written by a process of its own."""
    assert tre("audit", "serve", home=spare).code == 2, "the settings leave the log to the server"
    config = spare / "config.toml"
    text = config.read_text()
    assert 'writer = "embedded"' in text
    config.write_text(text.replace('writer = "embedded"', 'writer = "process"'))
    return spare


def test_server_and_commands_write_one_log_through_its_own_process(apart: Path) -> None:
    with writing(apart) as writer, served(apart) as service:
        token = tre("token", "--person", "okafor", home=apart).out.splitlines()[-1]
        assert service.ask(COUNT, token, project="study", epsilon="0.1").status_code == 200
        for command in (("audit", "serve"), ("serve", "--port", "1")):
            second = tre(*command, home=apart)
            assert (second.code, "app.server-runs" in second.err) == (3, True), second.said
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        refused = service.ask("SELECT COUNT(*) AS n FROM death", token, project="study", epsilon="0.1")
        assert refused.json()["reasons"][0]["code"] == "fault.log-unavailable"
        with writing(apart):
            again = service.ask("SELECT COUNT(*) AS n FROM visit_occurrence", token, project="study", epsilon="0.1")
            assert again.status_code == 200, again.text
            ends = [one["state"] for one in acts(apart) if one["event"] == "query-outcome"]
    assert ends[0] == ends[-1] == "committed"
    assert verified(apart).code == 0


def test_a_server_waits_for_the_writer_and_says_so(apart: Path) -> None:
    with ThreadPoolExecutor() as pool:
        later = pool.submit(start_when_waited_for, apart)
        with served(apart) as service:
            assert service.call("GET", "/api/v1/log/checkpoint", None).status_code == 200
        ended = later.result()
    ended.terminate()
    assert ended.wait(60) == 0


def start_when_waited_for(home: Path) -> subprocess.Popen[str]:
    while "Waiting for the log's writer" not in (said.read_text() if (said := home / "serve.log").exists() else ""):
        time.sleep(0.05)
    command = [sys.executable, "-m", "tre.cli", "audit", "serve"]
    return subprocess.Popen(command, cwd=ROOT, env=os.environ | {"TRE_HOME": str(home)}, text=True)
