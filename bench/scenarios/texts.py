"""Twelve texts over ten million rows: whole requests beside plain SQL in the same engine, in turn."""

from __future__ import annotations

import math
from pathlib import Path

from bench.houses import Clinic, Plain, Served, clinic_of, served
from bench.report import Report, Series, Target, milliseconds
from bench.scale import Scale

_ALLOWED = 100.0
"""Milliseconds of a request that are no work on rows: decided, reserved, logged, released, read."""
_LARGE, _SMALL = Clinic(10**7, 850_000, 1000, 40, 1.48), Clinic(10**4, 850, 1000, 40, 1.48)

TEXTS = {
    "COUNT(*)": "SELECT COUNT(*) AS n FROM stay",
    "COUNT and SUM by 20 values": "SELECT at_20, COUNT(*) AS n, SUM(days) AS days FROM stay GROUP BY at_20",
    "COUNT and SUM by 400 values, 8 a person": "SELECT code, COUNT(*) AS n, SUM(days) AS days FROM stay GROUP BY code",
    "AVG": "SELECT AVG(days) AS days FROM stay",
    "COUNT(DISTINCT patient)": "SELECT COUNT(DISTINCT person_id) AS people FROM stay",
    "COUNT(DISTINCT patient) by 20 values": "SELECT at_20, COUNT(DISTINCT person_id) AS people FROM stay "
    "GROUP BY at_20",
    "join by sex": "SELECT p.sex, COUNT(*) AS n, SUM(s.days) AS days FROM person p "
    "JOIN stay s ON s.person_id = p.person_id GROUP BY p.sex",
    "join, WHERE on both sides": "SELECT COUNT(*) AS n FROM person p JOIN stay s ON s.person_id = p.person_id "
    "WHERE p.year_of_birth < 1960 AND s.days >= 15",
    "EXISTS": "SELECT COUNT(*) AS people FROM person p WHERE EXISTS "
    "(SELECT 1 FROM stay s WHERE s.person_id = p.person_id AND s.days >= 25)",
    "first event of a patient, by window": "SELECT at_20, COUNT(*) AS people FROM (SELECT person_id, at_20, "
    "ROW_NUMBER() OVER (PARTITION BY person_id ORDER BY started) AS place FROM stay) f WHERE place = 1 GROUP BY at_20",
    "count of a patient, then average": "SELECT AVG(n) AS stays FROM "
    "(SELECT person_id, COUNT(*) AS n FROM stay GROUP BY person_id) c",
    "median": "SELECT MEDIAN(days) AS days FROM stay",
}
_PEOPLE, _JOINED = "COUNT(DISTINCT patient)", "COUNT(DISTINCT patient) over a join"
BESIDES = {
    _JOINED: "SELECT COUNT(DISTINCT s.person_id) AS people FROM person p JOIN stay s ON s.person_id = p.person_id"
}
"""Asked beside the twelve."""


def run(folder: Path, scale: Scale) -> Report:
    """Ask every text several times, each time at a higher price, so that rows are read each time."""
    home = clinic_of(folder, _LARGE if scale.full else _SMALL)
    plain = Plain(home)
    series: list[Series] = []
    ratios: dict[str, float] = {}
    with served(home) as house:
        for name, sql in (TEXTS | BESIDES).items():
            own, bare = _pair(house, plain, name, sql, scale.of(5, 2))
            series += [own, bare]
            t, without = min(own.values), min(bare.values)
            ratios[name] = max(t - _ALLOWED, without) / without
    plain.close()
    best = {one.name: min(one.values) for one in series}
    mean = math.exp(math.fsum(math.log(ratios[name]) for name in TEXTS) / len(TEXTS))
    return Report(
        "Twelve texts on 10,000,000 rows of 850,000 people",
        "Up to 1,000 rows a person, clustered by person; the house and plain SQL are asked in turn. A ratio is "
        "max(t − 100 ms, plain) / plain of the shortest times. The last text is asked beside the twelve.",
        tuple(series),
        (
            Target("geometric mean of the ratios", "×", mean, 4),
            *(
                Target(f"{name}, without allowance", "×", best[name] / best[f"{name}, plain"], 1)
                for name in (_PEOPLE, _JOINED)
            ),
            *(Target(name, "×", ratio) for name, ratio in ratios.items()),
        ),
    )


def _pair(house: Served, plain: Plain, name: str, sql: str, times: int) -> tuple[Series, Series]:
    own, bare = [], []
    for turn in range(times):
        own.append(house.ask(sql, f"{0.2 + turn / 100:.2f}"))
        bare.append(plain.ask(sql))
    return milliseconds(name, own), milliseconds(f"{name}, plain", bare)
