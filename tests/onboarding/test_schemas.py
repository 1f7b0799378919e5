"""No rows stay in a server under a name that nobody knows: a version that never was has no schema there."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.engines.servers import roles
from tests.onboarding.small import left_behind, make, rows, write_parquet
from tests.support import ROOT
from tre.engines.postgres import VERSION_FILE
from tre.onboarding import Server, VersionRefused, forgetting, sweep
from tre.onboarding.folders import PREFIX

CHILD = """
import sys, time
from pathlib import Path
from tests.onboarding.small import make
from tre.onboarding import Server, server, steps

room, step = {"seal": steps, "lay_out": steps, "_as_csv": server}[sys.argv[3]], sys.argv[3]
was = getattr(room, step)

def stop(*arguments):
    if step != "_as_csv":
        print("there", flush=True)
        time.sleep(60)
    stop.blocks += 1
    if stop.blocks == 3:
        print("there", flush=True)
        time.sleep(60)
    return was(*arguments)

stop.blocks = 0
setattr(room, step, stop)
make(Path(sys.argv[1]), Path(sys.argv[2]), server=Server(sys.argv[4], sys.argv[5]))
"""


@pytest.fixture
def server() -> Iterator[Server]:
    with roles() as (owner, _reader, role):
        yield Server(owner, role)


def schemas(server: Server) -> list[str]:
    with psycopg.connect(server.owner) as connection:
        found = connection.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'tre\\_%'").fetchall()
    return [one for (one,) in found]


def killed(home: Path, server: Server, step: str) -> None:
    """Start an onboarding in a process of its own, and kill it in the step."""
    source = write_parquet(home / "source", rows())
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(source), str(home), step, server.owner, server.reader],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "there\n"
    child.send_signal(signal.SIGKILL)
    child.communicate()


@pytest.mark.parametrize("step", ["lay_out", "_as_csv", "seal"])
def test_the_schema_of_a_killed_onboarding_is_dropped_by_the_next_sweep(
    tmp_path: Path, server: Server, step: str
) -> None:
    """Killed before the server is asked, while rows are written, and when all is there but the folder's name."""
    killed(tmp_path, server, step)
    assert len(left_behind(tmp_path)) == 2
    if step == "seal":
        assert len(schemas(server)) == 1
    assert sweep(tmp_path / "versions", tmp_path / "spill", forget=forgetting(server)) == 2
    assert (schemas(server), left_behind(tmp_path)) == ([], [])


def test_every_onboarding_drops_what_a_killed_one_left_in_the_server(tmp_path: Path, server: Server) -> None:
    killed(tmp_path, server, "seal")
    version = make(tmp_path / "source", tmp_path, server=server)
    assert schemas(server) == [version.path.read_text().strip()] == [f"tre_{version.name}"]
    assert left_behind(tmp_path) == [version.name]


def test_while_the_server_cannot_be_asked_the_name_stays_and_no_row_does(tmp_path: Path, server: Server) -> None:
    killed(tmp_path, server, "seal")
    nowhere = Server(f"postgresql://nobody@/nothing?host={tmp_path}", "nobody")
    for one in (nowhere, None):
        sweep(tmp_path / "versions", tmp_path / "spill", forget=forgetting(one))
        (folder,) = left_behind(tmp_path)
        assert [file.name for file in (tmp_path / "versions" / folder).iterdir()] == [VERSION_FILE]
    assert len(schemas(server)) == 1
    assert sweep(tmp_path / "versions", forget=forgetting(server)) == 1
    assert (schemas(server), left_behind(tmp_path)) == ([], [])


def test_a_version_that_could_not_be_sealed_leaves_no_schema(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr("tre.onboarding.steps.seal", full)
    with pytest.raises(OSError, match="no space"):
        make(write_parquet(tmp_path / "source", rows()), tmp_path, server=server)
    assert (schemas(server), left_behind(tmp_path)) == ([], [])


def test_a_connection_lost_at_the_commit_leaves_no_schema(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server has taken the version, and could not say so."""
    commit = psycopg.Connection.commit

    def lost(connection: psycopg.Connection) -> None:
        commit(connection)
        connection.close()
        raise psycopg.OperationalError("the connection is lost")

    with monkeypatch.context() as patched:
        patched.setattr(psycopg.Connection, "commit", lost)
        with pytest.raises(VersionRefused, match=r"onboarding\.server"):
            make(write_parquet(tmp_path / "source", rows()), tmp_path, server=server)
    assert sweep(tmp_path / "versions", forget=forgetting(server)) == 1
    assert (schemas(server), left_behind(tmp_path)) == ([], [])


def test_a_sweep_waits_for_a_server_that_still_writes_for_the_dead(tmp_path: Path, server: Server) -> None:
    """The server may come to the commit of a killed process after the sweep: it would find no schema to drop."""
    folder = tmp_path / "versions" / f"{PREFIX}dead"
    folder.mkdir(parents=True)
    (folder / VERSION_FILE).write_text("tre_late\n")
    with psycopg.connect(server.owner) as late:
        late.execute("SELECT pg_advisory_xact_lock(hashtextextended('tre_late', 0))")
        late.execute("CREATE SCHEMA tre_late")
        sweeping = threading.Thread(target=sweep, args=[folder.parent], kwargs={"forget": forgetting(server)})
        sweeping.start()
        sweeping.join(0.5)
        assert sweeping.is_alive()
        late.commit()
    sweeping.join(20)
    assert (schemas(server), left_behind(tmp_path)) == ([], [])
