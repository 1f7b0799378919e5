"""Whole requests over HTTP: decided, reserved, logged, measured, released, logged, read; beside plain SQL."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.houses import Plain, Served, clinic, omop, processor_time, served
from bench.report import Report, Series, Target, milliseconds
from bench.scale import Scale

_FILTER = "p.year_of_birth * 1000000 + {n} > 1950000000"
QUESTIONS = {
    "a count": f"SELECT COUNT(*) AS n FROM person p WHERE {_FILTER}",
    "a count by sex": f"SELECT p.gender_concept_id, COUNT(*) AS n FROM person p WHERE {_FILTER} GROUP BY 1",
    "visits by kind": "SELECT v.visit_concept_id, COUNT(*) AS n FROM person p JOIN visit_occurrence v "
    f"ON v.person_id = p.person_id WHERE {_FILTER} GROUP BY 1",
    "people with a diagnosis": "SELECT COUNT(DISTINCT p.person_id) AS n FROM person p JOIN condition_occurrence c "
    f"ON c.person_id = p.person_id WHERE c.condition_concept_id = 320128 AND {_FILTER}",
    "mean age by sex": f"SELECT p.gender_concept_id, AVG(2026 - p.year_of_birth) AS age FROM person p WHERE {_FILTER} "
    "GROUP BY 1",
}
JOIN = (
    "SELECT p.sex, SUM(s.days) AS days, COUNT(*) AS stays, AVG(s.days) AS mean FROM person p "
    "JOIN stay s ON s.person_id = p.person_id WHERE p.year_of_birth * 1000000 + {n} > 1900000000 GROUP BY p.sex"
)


def paired(house: Served, plain: Plain, sql: str, times: int) -> tuple[list[float], list[float]]:
    """Ask the house and the plain engine in turn; return the seconds of each."""
    own, bare = [], []
    for _ in range(times):
        own.append(house.ask(sql))
        bare.append(plain.ask(sql))
    return own, bare


def one_caller(folder: Path, scale: Scale) -> Report:
    """One caller asks different questions about 10,000 people, one after the other."""
    home = omop(folder, scale.of(10_000, 200))
    plain = Plain(home)
    own: list[Series] = []
    bare: list[float] = []
    with served(home) as house:
        used = processor_time(house.processes())
        for name, sql in QUESTIONS.items():
            mine, other = paired(house, plain, sql, scale.of(60, 2))
            own.append(milliseconds(name, mine))
            bare += other
        used = processor_time(house.processes()) - used
    plain.close()
    every = Series("all questions", "ms", tuple(value for one in own for value in one.values))
    without = milliseconds("plain SQL, all questions", bare)
    return Report(
        "One caller, 10,000 people",
        "The policy lets answers leave when they are ready. No question is asked twice.",
        (*own, every, without),
        (
            Target("whole request, median", "ms", every.median, 40),
            Target("beyond plain SQL, median", "ms", every.median - without.median),
            Target("processor time of one request, engine included", "ms", 1000 * used / len(every.values)),
        ),
    )


def eight_callers(folder: Path, scale: Scale) -> Report:
    """Eight callers ask one question a second each; a late start counts as waiting."""
    home = omop(folder, scale.of(10_000, 200))
    with served(home) as house, ThreadPoolExecutor(8) as pool:
        callers = [house.another() for _ in range(8)]
        began = time.perf_counter() + 0.5
        found = pool.map(lambda place: _caller(callers[place], place, began, scale.of(60, 2)), range(8))
        waited = milliseconds("from the due second to the answer", [one for caller in found for one in caller])
    return Report(
        "Eight callers, one question a second each, 10,000 people",
        "Times count from the second in which a question was due, so that waiting behind others is counted too.",
        (waited,),
        (
            Target("median", "ms", waited.median, 100),
            Target("99 of 100 within", "ms", waited.quantile(99), 400),
        ),
    )


def _caller(house: Served, place: int, began: float, seconds: int) -> list[float]:
    questions = list(QUESTIONS.values())
    waited = []
    for second in range(seconds):
        due = began + second + place / 8
        time.sleep(max(0.0, due - time.perf_counter()))
        house.ask(questions[(second + place) % len(questions)])
        waited.append(time.perf_counter() - due)
    return waited


def join(folder: Path, scale: Scale) -> Report:
    """SUM, COUNT and AVG by sex over a join of 10⁵ people with their 10⁶ stays."""
    home = clinic(folder, scale.of(10**6, 10**4))
    plain = Plain(home)
    with served(home) as house:
        mine, other = paired(house, plain, JOIN, scale.of(40, 2))
    plain.close()
    own, bare = milliseconds("whole request", mine), milliseconds("plain SQL", other)
    return Report(
        "SUM, COUNT and AVG by sex over a join: 100,000 people, 1,000,000 rows",
        "Three aggregates, each clipped by person, over the same file in the same engine with two threads.",
        (own, bare),
        (
            Target("whole request, median", "ms", own.median, 4 * bare.median + 60),
            Target("whole request against plain SQL", "×", own.median / bare.median),
        ),
    )
