"""The real thing as outsiders meet it: `tre serve` as a process, HTTP, the `tre` command, the verifier."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import requests

from audit import LogReader, decode_entry
from tests.e2e import forked
from tests.support import ROOT
from tre.app.admin import open_admin

SECONDS = 60.0
SERVE = ("-m", "tre.cli", "serve")


@dataclass(frozen=True)
class Ran:
    """What a command said and how it ended."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        return self.out + self.err


def tre(*arguments: object, home: Path | None = None, **environment: str) -> Ran:
    """Run the `tre` command as a process of its own, with nothing of the environment but what is given."""
    with TemporaryDirectory() as folder:
        said = Path(folder)
        code = forked.run(list(map(str, arguments)), surroundings(home, environment), said, SECONDS)
        return _untraced(Ran(code, (said / "out").read_text(), (said / "err").read_text()))


def audit(*arguments: object) -> Ran:
    """Run the verifier as a process of its own."""
    return run(["-m", "audit", *map(str, arguments)])


def run(command: Sequence[str], home: Path | None = None, environment: dict[str, str] | None = None) -> Ran:
    """Run this Python on `command`."""
    found = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=surroundings(home, environment or {}),
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    return _untraced(Ran(found.returncode, found.stdout, found.stderr))


def _untraced(ran: Ran) -> Ran:
    """Hold a process to having ended without a traceback."""
    assert "Traceback" not in ran.err, ran.err
    return ran


def surroundings(home: Path | None, given: dict[str, str] | None = None) -> dict[str, str]:
    """Return what a process of a home gets: nothing of TRE_ but what is given."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("TRE_")}
    return plain | {"PYTHONPATH": str(ROOT)} | (given or {}) | ({"TRE_HOME": str(home)} if home else {})


@dataclass(frozen=True)
class Service:
    """A home that is being served."""

    home: Path
    url: str
    process: subprocess.Popen[bytes]

    def call(self, method: str, path: str, token: str | None, **given: Any) -> requests.Response:
        """Send one request, without the client's retries."""
        headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
        return requests.request(
            method, self.url + path, headers=headers | given.pop("headers", {}), timeout=SECONDS, **given
        )

    def ask(self, sql: str, token: str, path: str = "queries", **said: Any) -> requests.Response:
        """Send a question and wait for its answer."""
        body = {"sql": sql, **said}
        return self.call("POST", f"/api/v1/{path}", token, json=body, headers={"Prefer": "wait=30"})

    def budget(self, project: str, token: str) -> Any:
        """Return the accounts of a project."""
        return self.call("GET", f"/api/v1/projects/{project}/budget", token).json()["accounts"]


@contextmanager
def served(home: Path, entry: Sequence[str] = SERVE) -> Iterator[Service]:
    """Serve a home on a free loopback port, as `tre serve` does; what it says goes to serve.log in the home."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, *entry, "--host", "127.0.0.1", "--port", str(port)]
    with (home / "serve.log").open("ab") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=surroundings(home, {}), stdout=log, stderr=log)
    try:
        _await(f"http://127.0.0.1:{port}/healthz", process)
        yield Service(home, f"http://127.0.0.1:{port}", process)
    finally:
        process.terminate()
        assert process.wait(SECONDS) == 0, "the server did not stop in order"


def _await(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, "the server ended"
        try:
            if requests.get(url, timeout=2).ok:
                return
        except requests.RequestException:
            time.sleep(0.1)
    raise AssertionError("the server did not start")


def entries(home: Path) -> list[dict[str, Any]]:
    """Return every entry of the log."""
    with LogReader(home / "log") as log:
        return [dict(decode_entry(entry)) for _, entry in log.scan()]


def acts(home: Path) -> list[dict[str, Any]]:
    """Return the entries but the counted failures of sign-in, which come when their minute is over."""
    return [entry for entry in entries(home) if entry["event"] != "signin-failed"]


def verified(home: Path) -> Ran:
    """Run the verifier on the log and the ledgers, as an outsider who was given both."""
    exported = tre("ledger", "export", home=home)
    assert exported.code == 0, exported.err
    file = home.parent / f"{home.name}-ledgers.json"
    file.write_text(exported.out)
    return audit("verify", "--log", home / "log", "--key", home / "log.vkey", "--ledger", file)


def ledgers(home: Path) -> dict[str, Any]:
    """Return the ledgers by name as `tre ledger export` prints them."""
    admin = open_admin(home)
    try:
        return dict(json.loads(admin.ledger_export())["ledgers"])
    finally:
        admin.house.close()
