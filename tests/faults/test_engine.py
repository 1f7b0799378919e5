"""The engine or its files fail: before the start all is given back, after it the price is burned."""

import os
import shutil
import signal
import threading
import time
from pathlib import Path

import pytest

from tests.faults.houses import asked, balances, ended, entries, refused, serving, spent, until, whole
from tests.house import OKAFOR, PROJECT, question
from tre import governance
from tre.broker.standing import version_at
from tre.engines import EngineLimits
from tre.jobs import State


@pytest.fixture(autouse=True)
def _fresh_versions():
    version_at.cache_clear()


def data(home):
    (file,) = (home / "versions").glob("*/data.duckdb")
    file.chmod(0o600)
    file.parent.chmod(0o700)
    return file


def workers(running):
    return [worker._process.pid for worker in running.broker.parts.engine._workers]


def project_status(running):
    with running.broker.parts.store.reading() as tx:
        return governance.find_project(tx, PROJECT).status.value


def test_a_deleted_version_gives_the_request_back_and_says_so(home, capsys):
    file = data(home)
    file.rename(file.with_suffix(".kept"))
    with serving(home) as running:
        found = ended(running, asked(running, question()))
        assert (found.state, found.job.error) == (State.VOIDED, "request.voided")
        assert [one.total.amount for one in balances(running)] == [0, 0]
        assert "no engine started" in capsys.readouterr().out
        file.with_suffix(".kept").rename(file)
        assert ended(running, asked(running, question())).state is State.COMMITTED
        whole(home, running)


def test_a_version_whose_facts_are_gone_is_refused_with_what_to_do(home):
    facts = data(home).with_name("version.json")
    kept = facts.read_bytes()
    facts.chmod(0o600)
    for damage in (b"{", b"{}", None):
        facts.unlink() if damage is None else facts.write_bytes(damage)
        with serving(home) as running:
            assert refused(running) == "request.version-unusable"
    facts.write_bytes(kept)
    with serving(home) as running:
        assert ended(running, asked(running, question())).state is State.COMMITTED


def test_a_file_that_is_no_database_gives_the_request_back(home):
    file = data(home)
    file.write_bytes(b"\xff" * file.stat().st_size)
    with serving(home) as running:
        assert ended(running, asked(running, question())).state is State.VOIDED
        assert spent(running) == [0, 0]
        whole(home, running)


def test_damage_found_while_reading_burns_the_price_and_gives_no_wrong_answer(home):
    file = data(home)
    content = bytearray(file.read_bytes())
    content[3 * 4096 :] = b"\xa5" * (len(content) - 3 * 4096)
    file.write_bytes(content)
    with serving(home) as running:
        found = ended(running, asked(running, question()))
        assert found.state in (State.BURNED, State.VOIDED)
        assert found.job.answer is None
        whole(home, running)


def test_an_engine_killed_while_it_computes_burns_the_price_and_tells_governance_and_the_next_one_works(home):
    def stall(step):
        if step == "running" and not killed:
            for pid in workers(running):
                os.kill(pid, signal.SIGSTOP)
                threading.Timer(0.2, os.kill, (pid, signal.SIGKILL)).start()
                killed.append(pid)

    killed = []
    with serving(home, step=stall) as running:
        began = time.monotonic()
        found = ended(running, asked(running, question()))
        assert time.monotonic() - began > 0.5, "a failure leaves at the limit, not when it happens"
        assert (found.state, found.job.error) == (State.BURNED, "fault.engine")
        assert spent(running) > [0, 0]
        assert [one["event"] for one in entries(home)][-2:] == ["query-outcome", "incident"]
        assert project_status(running) == "active"
        again = ended(running, asked(running, question()))
        assert again.state is State.COMMITTED, again.job.error
        whole(home, running)


def test_an_engine_without_memory_and_disk_burns_the_price_with_the_one_fixed_text(home, monkeypatch):
    monkeypatch.setattr("tre.app.compose.EngineLimits", lambda *_said: EngineLimits(1 << 20, 0, 1, 1))
    with serving(home) as running:
        found = ended(
            running, asked(running, question("SELECT gender_concept_id, COUNT(*) AS n FROM person GROUP BY 1"))
        )
        assert (found.state, found.job.error) == (State.BURNED, "fault.engine")
        whole(home, running)


def test_an_engine_that_cannot_be_started_gives_the_request_back(home, monkeypatch):
    with serving(home) as running:
        for pid in workers(running):
            os.kill(pid, signal.SIGKILL)
        monkeypatch.setattr("tre.engines.pool.sys.executable", "/nowhere/python")
        until(lambda: not any(worker.alive for worker in list(running.broker.parts.engine._workers)))
        found = ended(running, asked(running, question()))
        assert found.state is State.VOIDED
        assert spent(running) == [0, 0]
        monkeypatch.undo()
        assert ended(running, asked(running, question())).state is State.COMMITTED
        whole(home, running)


def test_a_spill_folder_that_was_removed_gives_the_request_back_and_the_next_start_makes_it(home):
    with serving(home) as running:
        for pid in workers(running):
            os.kill(pid, signal.SIGKILL)
        shutil.rmtree(home / "spill")
        Path(home / "spill").write_text("")
        until(lambda: not any(worker.alive for worker in list(running.broker.parts.engine._workers)))
        assert ended(running, asked(running, question())).state is State.VOIDED
        assert running.broker.find(OKAFOR, asked(running, question())).state is not State.BURNED
