"""Beside the peers: one question over the same rows, each of them in an environment of its own."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
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
_SECONDS = 240

Cells = Mapping[int, tuple[float, ...]]
"""COUNT, SUM and AVG by sex."""
Asked = tuple[list[float], list[Cells]]


def run(folder: Path, scale: Scale) -> Report:
    """Ask for COUNT, SUM and AVG by sex over a join, epsilon 1; hold the answers against the truth."""
    home = clinic(folder, scale.of(10**6, 10**4))
    source, times = folder / "source", scale.of(3, 1)
    truth = _truth(source)
    found, failed = {}, []
    people, own = _house(home, times)
    found[_OURS] = own
    for peer in PEERS if scale.full else ():
        asked = _peer(peer, source, times)
        if isinstance(asked, str):
            failed.append(f"{peer.name}: {asked}")
        else:
            found[peer.name] = asked
    plain = Plain(home)
    bare, counted = ([plain.ask(sql) for _ in range(times)] for sql in (_SQL, _PEOPLE))
    plain.close()
    series = [milliseconds(name, seconds) for name, (seconds, _) in found.items()]
    series += [milliseconds(_PLAIN, bare), milliseconds("COUNT(DISTINCT patient), this house", people)]
    series += [_error(name, answers, truth) for name, (_, answers) in found.items()]
    return Report("Beside the peers", _about(failed), tuple(series), _targets(found, people, counted))


def _about(failed: Sequence[str]) -> str:
    text = (
        "COUNT, SUM and AVG by sex, epsilon 1 (delta 10⁻⁶, this house's 10⁻⁷), at most 20 rows of a person, 0 to 60 "
        "days a row, all declared. A peer's times count from rows that it has read and that were joined before; this "
        "house's are of whole requests over HTTP, the join in them. An error is that of the worst cell of an answer "
        "against the truth. Qrlew was not asked."
    )
    return f"{text} Not asked, because it failed: {'; '.join(failed)}." if failed else text


def _targets(found: Mapping[str, Asked], people: Sequence[float], counted: Sequence[float]) -> tuple[Target, ...]:
    own = min(found[_OURS][0])
    targets = [Target("COUNT(DISTINCT patient) over the join against plain SQL", "×", min(people) / min(counted), 1)]
    peers = {name: min(seconds) for name, (seconds, _) in found.items() if name != _OURS}
    if peers:
        fastest = min(peers, key=lambda name: peers[name])
        targets.append(Target(f"whole request against the fastest peer ({fastest})", "×", own / peers[fastest], 0.1))
    return tuple(targets)


def _truth(source: Path) -> Cells:
    with duckdb.connect() as connection:
        for table in ("person", "stay"):
            connection.execute(f"CREATE VIEW {table} AS SELECT * FROM '{source}/{table}.parquet'")
        return {row[0]: tuple(map(float, row[1:])) for row in connection.execute(_SQL).fetchall()}


def _house(home: Path, times: int) -> tuple[list[float], Asked]:
    """Return the seconds of counting people, then those and the answers of the question; each at a price of its own."""
    with served(home) as house:
        prices = [f"{1 - turn / 1000:.3f}" for turn in reversed(range(times))]
        people = [house.ask(_PEOPLE, price) for price in prices]
        answers = [house.answer(_SQL, price) for price in prices]
    cells = [{row["sex"]: _cells(row) for row in rows if row["sex"] is not None} for _, rows in answers]
    return people, ([seconds for seconds, _ in answers], list(cells))


def _cells(row: Mapping[str, Any]) -> tuple[float, ...]:
    return tuple(float(row[name]) for name in ("n", "days", "mean"))


def _peer(peer: Peer, source: Path, times: int) -> Asked | str:
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
    return told["seconds"], list(answers)


def _error(name: str, answers: Sequence[Cells], truth: Cells) -> Series:
    errors = [
        max(abs(found / true - 1) for sex, cells in truth.items() for found, true in zip(one[sex], cells, strict=True))
        for one in answers
    ]
    return Series(f"{name}, median of {len(errors)}" if len(errors) > 1 else name, "% error", (100 * median(errors),))
