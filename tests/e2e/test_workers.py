"""Two workers of `tre serve` on PostgreSQL, the log written by a process of its own; and what one alone may not."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import token_for
from tests.e2e.service import SERVE, Service, entries, served, surroundings, tre, verified
from tests.house import PROJECT, ROOT, furnish
from tests.postgresql import drop_database, fresh_database
from tre.app.admin import open_admin
from tre.cli.admin import NewPerson

WORKERS = (*SERVE, "--workers", "2")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home, address = tmp_path_factory.mktemp("shared") / "home", fresh_database()
    furnish(home, control=address)
    admin = open_admin(home)
    admin.person_add(NewPerson("watch", "W. Atcher", ("operator",)))
    admin.house.close()
    yield home
    drop_database(address)


def test_workers_are_refused_where_the_log_is_written_inside_the_server(shared: Path) -> None:
    said = tre("serve", "--workers", "2", home=shared)
    assert (said.code, "app.workers" in said.err) == (2, True)


def test_a_back_up_without_the_database_is_refused_and_is_no_entry(shared: Path, tmp_path: Path) -> None:
    before = entries(shared)
    said = tre("backup", tmp_path / "copy", "--keys", tmp_path / "keys", home=shared)
    assert (said.code, "app.backup-postgresql" in said.err, "pg_dump" in said.err) == (3, True, True)
    assert (list(tmp_path.iterdir()), entries(shared)) == ([], before)


def test_two_workers_share_one_house(shared: Path) -> None:
    config = shared / "config.toml"
    config.write_text(config.read_text().replace('writer = "embedded"', 'writer = "process"'))
    command = [sys.executable, "-m", "tre.cli", "audit", "serve"]
    writer = subprocess.Popen(command, cwd=ROOT, env=surroundings(shared), stdout=subprocess.DEVNULL)
    try:
        with served(shared, WORKERS) as service:
            _ask(service, token_for(shared, "okafor", PROJECT))
            _watch(service, token_for(shared, "watch"), token_for(shared, "okafor"))
        assert verified(shared).code == 0
    finally:
        writer.terminate()
        writer.wait()


def _ask(service: Service, token: str) -> None:
    for year in range(6):
        answer = service.ask(f"SELECT COUNT(*) AS n FROM person WHERE year_of_birth > {1950 + year}", token)
        assert (answer.status_code, answer.json()["state"]) == (200, "committed")
    receipt = f"/api/v1/queries/{answer.json()['id']}/receipt"
    assert service.call("GET", receipt, token).status_code == 200


def _watch(service: Service, operator: str, researcher: str) -> None:
    metrics = service.call("GET", "/metrics", operator)
    assert 'tre_queries{state="committed"} 6.0' in metrics.text
    assert service.call("GET", "/metrics", researcher).status_code == 404
    assert service.call("GET", "/readyz", None).status_code == 200
