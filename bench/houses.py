"""Houses to measure: furnished, served by `tre serve` as a process of its own, asked over HTTP."""

from __future__ import annotations

import itertools
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import psutil
import pyarrow as pa
import requests

from tre.app.admin import HomeAdmin, open_admin
from tre.cli.admin import NewPerson, NewProject
from tre.demo import generate

ROOT = Path(__file__).resolve().parent.parent
PERSON, PROJECT, DATASET = "okafor", "study", "measured"
GROUPS = (2, 20, 200, 1000, 10_000, 100_000)
_SECONDS = 120.0
_LONGEST = 600.0
"""Seconds that an answer may take: a server lets nobody wait longer than a minute at a time."""
_BUDGET = {"project": "epsilon: 5,", "data set": "epsilon: 20,"}
_CLINIC = {
    "person": "SELECT i AS person_id, i % 2 AS sex, 1930 + hash(i) % 80 AS year_of_birth FROM range(PEOPLE) t(i)",
    "stay": "SELECT i AS stay_id, floor(PEOPLE * pow(hash(i) / 18446744073709551616.0, SKEW))::BIGINT AS person_id, "
    "hash(i, 1) % 30 AS days, DATE '2015-01-01' + (hash(i, 3) % 4000)::INTEGER AS started, hash(i, 400) % 400 AS code, "
    + ", ".join(f"hash(i, {count}) % {count} AS at_{count}" for count in GROUPS)
    + " FROM range(ROWS) t(i)",
}
_VISITS = {
    "person": "SELECT i AS person_id, i % 2 AS sex, 1930 + hash(i) % 80 AS year_of_birth FROM range(PEOPLE) t(i)",
    "visit": "SELECT visit_id, person_id, CAST(cost AS DECIMAL(12, 2)) AS cost FROM costs",
}
_fresh = itertools.count(int(time.time()) % 10**6)


def omop(folder: Path, people: int) -> Path:
    """Return a home with the synthetic OMOP population under the shipped policy; its answers leave when ready."""
    generate(people, 7, folder / "source")
    text = (ROOT / "policies" / "omop.yaml").read_text()
    text = text.replace("release every: 250 ms", "release every: 0 ms")
    text = text.replace(_BUDGET["project"], "epsilon: 4000,").replace(_BUDGET["data set"], "epsilon: 8000,")
    return furnished(folder, text)


@dataclass(frozen=True, slots=True)
class Clinic:
    """How large a clinic is: people and their stays, the most and the usual ones of a person, and how uneven they are.

    Person number i has stays in proportion to the density of uⁿ, u even and n the `skew`: 1 is alike for all.
    `without` names columns of stays that it does not have: rows by the hundred million are made in minutes then.
    """

    rows: int
    people: int
    most: int = 100
    usual: int = 20
    skew: float = 1.0
    without: tuple[str, ...] = ()

    def written(self, text: str) -> str:
        """Return `text` with the sizes in it."""
        sizes = {"MOST_ROWS": self.most, "USUAL_ROWS": self.usual, "PEOPLE": self.people, "ROWS": self.rows}
        for name, value in (sizes | {"SKEW": self.skew}).items():
            text = text.replace(name, str(value))
        return text

    def source(self, table: str) -> str:
        """Return the query of a table's rows."""
        sql = self.written(_CLINIC[table])
        return f"SELECT * EXCLUDE ({', '.join(self.without)}) FROM ({sql})" if self.without and table == "stay" else sql

    def policy(self) -> str:
        """Return the policy of these sizes and columns."""
        text = (Path(__file__).parent / "clinic.yaml").read_text()
        text = re.sub(r"KEYS_(\d+)", lambda found: str(list(range(int(found[1])))), text)
        for name in self.without:
            text = re.sub(rf"^ +{name}: .*\n", "", text, flags=re.MULTILINE)
        return self.written(text)


def clinic(folder: Path, rows: int) -> Path:
    """Return a home with `rows` stays, ten a person on average."""
    return clinic_of(folder, Clinic(rows, rows // 10))


def clinic_of(folder: Path, sizes: Clinic) -> Path:
    """Return a home with a clinic of these sizes."""
    (folder / "source").mkdir()
    with duckdb.connect() as connection:
        for table in _CLINIC:
            connection.execute(f"COPY ({sizes.source(table)}) TO '{folder}/source/{table}.parquet'")
    return furnished(folder, sizes.policy())


def visits(folder: Path, people: int) -> Path:
    """Return a home with ten visits a person on average, whose number and whose costs have long tails."""
    generator = np.random.default_rng(7)
    counts = generator.poisson(generator.gamma(1.0, 10.0, people))
    of = np.repeat(np.arange(people), counts)
    costs = pa.table({"visit_id": np.arange(len(of)), "person_id": of, "cost": generator.lognormal(5.0, 0.75, len(of))})
    (folder / "source").mkdir()
    with duckdb.connect() as connection:
        connection.register("costs", costs)
        for table, sql in _VISITS.items():
            connection.execute(f"COPY ({sql.replace('PEOPLE', str(people))}) TO '{folder}/source/{table}.parquet'")
    text = (Path(__file__).parent / "visits.yaml").read_text()
    return furnished(folder, text.replace("PEOPLE", str(people)))


def furnished(folder: Path, policy: str) -> Path:
    """Return a home in `folder` whose data set is folder/source under `policy`."""
    home, file = folder / "home", folder / "policy.yaml"
    file.write_text(policy)
    admin = open_admin(home)
    admin.init(home, "bench.example/log")
    config = home / "config.toml"  # one person asks here what a whole house would
    config.write_text(config.read_text().replace("questions = 120 ", "questions = 1000000 "))
    admin.dataset_add(DATASET, folder / "source", file, lambda _step, _part: None)
    admin.person_add(NewPerson(PERSON, "Dr A. Okafor", ("researcher",)))
    grant = (Decimal(4000), Decimal("1e-6"))
    admin.project_add(NewProject(PROJECT, (DATASET,), (PERSON,), ("DUO:0000006",), *grant, None))
    admin.house.close()
    return home


def different(sql: str) -> str:
    """Return `sql` as a question that was not asked before: a repeated one is answered from its stored draws."""
    return sql.replace("{n}", str(next(_fresh)))


@dataclass(frozen=True)
class Served:
    """A house in service, and a researcher's session with it."""

    home: Path
    url: str
    process: subprocess.Popen[bytes]
    session: requests.Session = field(default_factory=requests.Session)

    def ask(self, sql: str, epsilon: str = "0.1") -> float:
        """Ask a question that is made different from all before it; return the seconds until its answer was read.

        A text that must not change is measured again where `epsilon` is more than before.
        """
        return self.answer(sql, epsilon)[0]

    def answer(self, sql: str, epsilon: str) -> tuple[float, list[dict[str, Any]]]:
        """Return the seconds and the rows by name of column."""
        body = {"sql": different(sql), "epsilon": epsilon, "project": PROJECT}
        began = time.perf_counter()
        answer = self.session.post(f"{self.url}/api/v1/queries", json=body, headers={"Prefer": "wait=60"})
        while answer.ok and answer.json()["finished"] is None and time.perf_counter() - began < _LONGEST:
            time.sleep(0.05)
            answer = self.session.get(f"{self.url}{answer.json()['links']['self']}")
        if answer.ok and answer.json()["result"] is None:
            answer = self.session.get(f"{self.url}{answer.json()['links']['result']}")
        seconds = time.perf_counter() - began
        if answer.status_code != 200:
            raise RuntimeError(answer.text)
        result = answer.json().get("result", answer.json())
        names = [column["name"] for column in result["columns"]]
        return seconds, [dict(zip(names, row, strict=True)) for row in result["rows"]]

    def processes(self) -> tuple[psutil.Process, ...]:
        """Return the arbiter, its worker and their engines."""
        arbiter = psutil.Process(self.process.pid)
        return (arbiter, *arbiter.children(recursive=True))

    def engines(self) -> list[int]:
        """Return the processes that engines run in."""
        return [one.pid for one in self.processes() if "tre.engines.child" in one.cmdline()]

    def another(self) -> Served:
        """Return a session of its own for another caller."""
        made = Served(self.home, self.url, self.process)
        made.session.headers.update(self.session.headers)
        return made


@contextmanager
def served(home: Path) -> Iterator[Served]:
    """Serve a home on a free loopback port; it has answered once when it is given."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "tre.cli", "serve", "--port", str(port)]
    environment = os.environ | {"TRE_HOME": str(home), "PYTHONPATH": str(ROOT)}
    with (home.parent / "serve.log").open("ab") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        found = Served(home, f"http://127.0.0.1:{port}", process)
        _await(found)
        found.session.headers["Authorization"] = f"Bearer {_token(open_admin(home))}"
        found.ask("SELECT COUNT(*) AS n FROM person WHERE year_of_birth * 1000000 + {n} > 0")
        yield found
    finally:
        process.terminate()
        process.wait(_SECONDS)


def _await(found: Served) -> None:
    deadline = time.monotonic() + _SECONDS
    while time.monotonic() < deadline and found.process.poll() is None:
        try:
            if requests.get(f"{found.url}/healthz", timeout=2).ok:
                return
        except requests.RequestException:
            time.sleep(0.1)
    raise RuntimeError(f"the server did not start; see {found.home.parent / 'serve.log'}")


def _token(admin: HomeAdmin) -> str:
    try:
        return admin.house.issuer.issue(PERSON, PROJECT, 240)
    finally:
        admin.house.close()


def processor_time(processes: Iterable[psutil.Process]) -> float:
    """Return the seconds that processes have computed so far, in user and in system mode."""
    return sum(float(sum(one.cpu_times()[:2])) for one in processes)


class Plain:
    """The same file in the same engine with the same threads, and nothing in between."""

    def __init__(self, home: Path) -> None:
        (file,) = (home / "versions").glob("*/data.duckdb")
        self._connection = duckdb.connect(str(file), read_only=True, config={"threads": "2"})

    def ask(self, sql: str) -> float:
        """Return the seconds of the plain statement."""
        statement = different(sql)
        began = time.perf_counter()
        self._connection.execute(statement).fetchall()
        return time.perf_counter() - began

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Return the exact answer."""
        return self._connection.execute(sql).fetchall()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()
