"""Cost against sizes: rows and groups, whole requests beside plain SQL."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from bench.houses import GROUPS, Clinic, Plain, clinic, clinic_of, served
from bench.report import Report, Series, Target, milliseconds
from bench.scale import Scale
from bench.scenarios.http import paired
from bench.watching import MEBI, Peak, watched
from tre.engines import EngineLimits

_BY = (
    "SELECT s.at_{groups} AS place, COUNT(*) AS stays, SUM(s.days) AS days FROM stay s "
    "WHERE s.days * 1000000 + {n} > 1000000 GROUP BY 1"
)
_UNKNOWN = (
    "SELECT s.code, COUNT(*) AS stays, SUM(s.days) AS days FROM stay s "
    "WHERE s.days * 1000000 + {n} > 1000000 GROUP BY s.code"
)
_LIMITS = (128, 256, 512, 2048)
_NOT_ASKED = ("started", "code", *(f"at_{count}" for count in GROUPS if count != 20))


def rows(folder: Path, scale: Scale) -> Report:
    """Ask one shape of question on tables of 10⁴ to 10⁸ rows."""
    series: list[Series] = []
    for size in [10**power for power in range(4, scale.of(9, 6))]:
        print(f"  {size:,} rows …", flush=True)
        place = folder / str(size)
        place.mkdir()
        home = clinic_of(place, Clinic(size, size // 10, without=_NOT_ASKED))
        series += _at(home, size, 20, scale.of(5 if size > 10**7 else 15, 2))
        shutil.rmtree(place)
    return Report(
        "Cost against rows",
        "COUNT and SUM by 20 known values, clipped by person; ten rows a person. Memory is the most that the engine's "
        "process ever held, Python and Arrow in it, beside the limit of what DuckDB may hold; spilled is the most that "
        "lay in the engine's private folder at one moment, whose own limit is 8,192 MB.",
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


def spill(folder: Path, scale: Scale) -> Report:
    """Ask for groups that nobody has declared, of 10⁷ rows, in engines that may hold less and less."""
    people = scale.of(10**6, 10**4)
    without = tuple(name for name in _NOT_ASKED if name != "code")
    home = clinic_of(folder, Clinic(10 * people, people, without=(*without, "at_20")))
    config = home / "config.toml"
    text = config.read_text()
    series: list[Series] = []
    for limit in _LIMITS:
        config.write_text(re.sub(r"(?m)(^\[engine\]\nmemory =) \d+", rf"\1 {limit}", text))
        with served(home) as house, watched(house) as peak:
            seconds = [house.ask(_UNKNOWN) for _ in range(scale.of(5, 1))]
        series += [milliseconds("whole request", seconds, limit), *_held(peak, limit)]
    return Report(
        "Memory and disk",
        f"COUNT and SUM by 400 values that nobody declared, {10 * people:,} rows of {people:,} people, eight of a "
        "person: each person's rows are gathered by value. The limit is what DuckDB may hold; the engine's process has "
        "Python and Arrow besides.",
        tuple(series),
        (),
        "limit, MB",
    )


def _at(home: Path, x: int, count: int, times: int) -> tuple[Series, ...]:
    plain = Plain(home)
    with served(home) as house, watched(house) as peak:
        own, bare = paired(house, plain, _BY.replace("{groups}", str(count)), times)
    plain.close()
    limit = Series("engine, limit", "MB", (EngineLimits().memory / MEBI,), x)
    return milliseconds("whole request", own, x), milliseconds("plain SQL", bare, x), *_held(peak, x), limit


def _held(peak: Peak, x: int) -> tuple[Series, Series]:
    resident = Series("engine, peak resident", "MB", (peak.resident,), x)
    return resident, Series("engine, spilled", "MB", (peak.spilled,), x)


def _slowest(series: list[Series]) -> tuple[Target, ...]:
    own, bare = (next(one for one in reversed(series) if one.name == name) for name in ("whole request", "plain SQL"))
    return (Target("whole request against plain SQL at the largest size", "×", own.median / bare.median),)
