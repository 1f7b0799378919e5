"""Cost against sizes: rows and groups, whole requests beside plain SQL."""

from __future__ import annotations

from pathlib import Path

from bench.houses import GROUPS, Plain, clinic, served
from bench.report import Report, Series, Target, milliseconds
from bench.scale import Scale
from bench.scenarios.http import paired

_BY = (
    "SELECT s.at_{groups} AS place, COUNT(*) AS stays, SUM(s.days) AS days FROM stay s "
    "WHERE s.days * 1000000 + {n} > 1000000 GROUP BY 1"
)


def rows(folder: Path, scale: Scale) -> Report:
    """Ask one shape of question on tables of 10⁴ to 10⁷ rows."""
    series: list[Series] = []
    for size in [10**power for power in range(4, scale.of(8, 6))]:
        place = folder / str(size)
        place.mkdir()
        series += _at(clinic(place, size), size, 20, scale.of(15, 2))
    return Report(
        "Cost against rows",
        "COUNT and SUM by 20 known values, clipped by person; ten rows a person. 100,000,000 rows were not measured.",
        tuple(series),
        _slowest(series),
        "rows",
    )


def groups(folder: Path, scale: Scale) -> Report:
    """Ask for 2 to 1,000 known groups of 10⁶ rows, and for 10⁴ and 10⁵ that nobody has declared."""
    home = clinic(folder, scale.of(10**6, 10**4))
    series: list[Series] = []
    for count in GROUPS:
        series += _at(home, count, count, scale.of(15, 2))
    return Report(
        "Cost against groups",
        "COUNT and SUM of 1,000,000 rows. Up to 1,000 groups are known, each measured and shown with its interval; "
        "more are not declared, so that a person counts in 8 of them, and those of too few people stay hidden.",
        tuple(series),
        _slowest(series),
        "groups",
    )


def _at(home: Path, x: int, count: int, times: int) -> tuple[Series, Series]:
    plain = Plain(home)
    with served(home) as house:
        own, bare = paired(house, plain, _BY.replace("{groups}", str(count)), times)
    plain.close()
    return milliseconds("whole request", own, x), milliseconds("plain SQL", bare, x)


def _slowest(series: list[Series]) -> tuple[Target, ...]:
    own, bare = series[-2:]
    return (Target("whole request against plain SQL at the largest size", "×", own.median / bare.median),)
