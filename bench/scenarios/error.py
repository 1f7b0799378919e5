"""How far answers lie from the truth where the policy declares no bounds: noise and what is clipped together."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

from bench.houses import Plain, Served, different, served, visits
from bench.report import Report, Series, Target
from bench.scale import Scale

_OF = "FROM person p JOIN visit v ON v.person_id = p.person_id WHERE v.visit_id + {n} > 0 GROUP BY p.sex"
_QUESTIONS = {
    "COUNT, SUM, AVG": (f"SELECT p.sex, COUNT(*) AS n, SUM(v.cost) AS total, AVG(v.cost) AS mean {_OF}", 0.2),
    "VAR": (f"SELECT p.sex, VAR_SAMP(v.cost) AS spread {_OF}", 1.0),
    "MEDIAN": (f"SELECT p.sex, MEDIAN(v.cost) AS middle {_OF}", 1.0),
}
_NAMES = {"n": "COUNT", "total": "SUM", "mean": "AVG", "spread": "VAR", "middle": "MEDIAN"}


def run(folder: Path, scale: Scale) -> Report:
    """Ask each question many times at epsilon 1, each time drawn anew, and hold the answers against plain SQL."""
    home = visits(folder, scale.of(100_000, 2_000))
    plain = Plain(home)
    series: list[Series] = []
    targets: list[Target] = []
    with served(home) as house:
        for sql, bound in _QUESTIONS.values():
            for name, errors in _errors(house, plain, sql, scale.of(25, 2)).items():
                square = math.fsum(one**2 for one in errors) / len(errors)
                series.append(Series(name, "%", tuple(abs(one) for one in errors)))
                targets.append(Target(f"{name} by sex, root mean square error", "%", math.sqrt(square), bound))
    plain.close()
    return Report(
        "Error with bounds that were found",
        "100,000 people with a million visits: numbers of visits gamma-Poisson (shape 1), costs lognormal (0.75). Each "
        "question costs epsilon 1 at delta 10⁻⁶ and is answered for two groups; bounds come from one release.",
        tuple(series),
        tuple(targets),
    )


def _errors(house: Served, plain: Plain, sql: str, times: int) -> Mapping[str, list[float]]:
    """Return the errors of each output in per cent, of every group of every answer."""
    found: dict[str, list[float]] = {}
    for _ in range(times):
        asked = different(sql)
        _, rows = house.answer(asked, "1")
        truth = {row[0]: row[1:] for row in plain.rows(asked)}
        for told in rows:
            if told["sex"] is None:  # the declared "other": nobody is in it
                continue
            names = [one for one in told if one in _NAMES]
            for name, exact in zip(names, truth[told["sex"]], strict=True):
                found.setdefault(_NAMES[name], []).append(100 * (float(told[name]) / float(exact) - 1))
    return found
