"""Beside the peers: two questions over the same rows, each of them in an environment of its own."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import duckdb

from bench.houses import ROOT, Plain, clinic, served
from bench.peers.environments import PEERS, Peer, environment, last_line
from bench.report import Report, Series, Target, milliseconds
from bench.scale import Scale

_SQL = (
    "SELECT p.sex AS sex, COUNT(*) AS n, SUM(s.days) AS days, AVG(s.days) AS mean FROM person p "
    "JOIN stay s ON s.person_id = p.person_id GROUP BY p.sex"
)
_PEOPLE = "SELECT COUNT(DISTINCT s.person_id) AS n FROM person p JOIN stay s ON s.person_id = p.person_id"
_OURS, _PLAIN = "this house", "plain SQL"
_SECONDS = 300
_COUNT = "COUNT(DISTINCT patient)"

Cells = Mapping[int, tuple[float, ...]]
"""COUNT, SUM and AVG by sex."""


@dataclass(frozen=True, slots=True)
class Found:
    """Seconds and answers of both questions; `ready` are the seconds until a peer had read and joined the rows."""

    by_sex: list[float]
    answers: list[Cells]
    people: list[float]
    counts: list[float]
    ready: list[float]


def run(folder: Path, scale: Scale) -> Report:
    """Ask for COUNT, SUM and AVG by sex over a join, and for its people; hold the answers against the truth."""
    home = clinic(folder, scale.of(10**6, 10**4))
    source, times = folder / "source", scale.of(5, 1)
    cells, people = _truth(source)
    found, failed = {_OURS: _house(home, times)}, []
    for peer in PEERS if scale.full else ():
        print(f"  {peer.name} …", flush=True)
        asked = _peer(peer, source, times)
        if isinstance(asked, str):
            failed.append(f"{peer.name}: {asked}")
        else:
            found[peer.name] = asked
    plain = Plain(home)
    bare, counted = ([plain.ask(sql) for _ in range(times)] for sql in (_SQL, _PEOPLE))
    plain.close()
    series = [milliseconds(name, one.by_sex) for name, one in found.items()] + [milliseconds(_PLAIN, bare)]
    series += [milliseconds(f"{_COUNT}, {name}", one.people) for name, one in found.items()]
    series += [milliseconds(f"{_COUNT}, {_PLAIN}", counted)]
    series += [Series(f"{name}, reading before", "s", tuple(one.ready)) for name, one in found.items() if one.ready]
    series += [_error(name, one.answers, cells) for name, one in found.items()]
    series += [_off(name, one.counts, people) for name, one in found.items()]
    return Report("Beside the peers", _about(failed), tuple(series), _targets(found, counted))


def _about(failed: Sequence[str]) -> str:
    text = (
        "COUNT, SUM and AVG by sex, and COUNT(DISTINCT patient), over a join of 100,000 people with 1,000,000 rows; "
        "epsilon 1 a question (delta 10⁻⁶, this house's 10⁻⁷), at most 20 rows of a person, 0 to 60 days a row, all "
        "declared. A peer's times count from rows that it has read and that were joined before, but for "
        "Qrlew, which joins in PostgreSQL; this house's are of whole requests over HTTP, the join in them. "
        "An error is that of the worst cell of an answer against the truth. Qrlew answers COUNT(DISTINCT) of a "
        "person's key with the number of rows, so it is asked for the number of groups by that key. A slow peer is "
        "asked less often."
    )
    return f"{text} Not asked, because it failed: {'; '.join(failed)}." if failed else text


def _targets(found: Mapping[str, Found], counted: Sequence[float]) -> tuple[Target, ...]:
    own = found[_OURS]
    targets = [Target("COUNT(DISTINCT patient) over the join against plain SQL", "×", min(own.people) / min(counted))]
    peers = [name for name in found if name != _OURS]
    if peers:
        fastest = min(peers, key=lambda name: min(found[name].by_sex))
        ratio = min(own.by_sex) / min(found[fastest].by_sex)
        targets.append(Target(f"whole request against the fastest peer ({fastest})", "×", ratio, 0.1))
        fastest = min(peers, key=lambda name: min(found[name].people))
        ratio = min(own.people) / min(found[fastest].people)
        targets.append(Target(f"COUNT(DISTINCT patient) against the fastest peer ({fastest})", "×", ratio, 0.1))
    return tuple(targets)


def _truth(source: Path) -> tuple[Cells, int]:
    with duckdb.connect() as connection:
        for table in ("person", "stay"):
            connection.execute(f"CREATE VIEW {table} AS SELECT * FROM '{source}/{table}.parquet'")
        cells = {row[0]: tuple(map(float, row[1:])) for row in connection.execute(_SQL).fetchall()}
        return cells, connection.execute(_PEOPLE).fetchall()[0][0]


def _house(home: Path, times: int) -> Found:
    """Ask both questions, each time at a price of its own."""
    with served(home) as house:
        prices = [f"{1 - turn / 1000:.3f}" for turn in reversed(range(times))]
        people = [house.answer(_PEOPLE, price) for price in prices]
        by_sex = [house.answer(_SQL, price) for price in prices]
    cells = [{row["sex"]: _cells(row) for row in rows if row["sex"] is not None} for _, rows in by_sex]
    counts = [float(rows[0]["n"]) for _, rows in people]
    return Found([seconds for seconds, _ in by_sex], list(cells), [seconds for seconds, _ in people], counts, [])


def _cells(row: Mapping[str, Any]) -> tuple[float, ...]:
    return tuple(float(row[name]) for name in ("n", "days", "mean"))


def _peer(peer: Peer, source: Path, times: int) -> Found | str:
    python = environment(peer)
    if isinstance(python, str):
        return python
    command = [str(python), "-m", f"bench.peers.scripts.{peer.script}", str(source), str(times)]
    try:
        made = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False, cwd=ROOT)
    except subprocess.TimeoutExpired:
        return f"no answer within {_SECONDS} s"
    if made.returncode:
        return last_line(made.stderr)
    told = json.loads(made.stdout.splitlines()[-1])
    answers = [{int(sex): tuple(map(float, cells)) for sex, *cells in one} for one in told["answers"]]
    return Found(told["by_sex"], list(answers), told["people"], told["counts"], told["ready"])


def _error(name: str, answers: Sequence[Cells], truth: Cells) -> Series:
    errors = [
        max(abs(found / true - 1) for sex, cells in truth.items() for found, true in zip(one[sex], cells, strict=True))
        for one in answers
    ]
    return _median(name, errors)


def _off(name: str, counts: Sequence[float], truth: int) -> Series:
    return _median(f"{_COUNT}, {name}", [abs(count / truth - 1) for count in counts])


def _median(name: str, errors: Sequence[float]) -> Series:
    return Series(f"{name}, median of {len(errors)}" if len(errors) > 1 else name, "% error", (100 * median(errors),))
