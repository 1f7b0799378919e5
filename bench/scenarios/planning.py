"""From text to decision: parsed, bound, planned, priced, judged; no private byte is read."""

from __future__ import annotations

import time
from pathlib import Path

from bench.houses import DATASET, PERSON, PROJECT, different, omop
from bench.report import Report, Series, Target, milliseconds
from bench.scale import Scale
from bench.scenarios.http import QUESTIONS
from tre.app.compose import House
from tre.base.home import Home
from tre.broker import Asker
from tre.broker.asking import check
from tre.decide import Question

_LARGER = {
    "a cohort in three steps": """WITH first AS (
  SELECT person_id, MIN(condition_start_date) AS since FROM condition_occurrence
  WHERE condition_concept_id = 201826 GROUP BY person_id),
treated AS (
  SELECT f.person_id FROM first f WHERE EXISTS (SELECT 1 FROM drug_exposure d
    WHERE d.person_id = f.person_id AND d.drug_exposure_start_date >= f.since))
SELECT p.gender_concept_id, COUNT(*) AS n, AVG(2026 - p.year_of_birth) AS age
FROM person p JOIN treated t ON t.person_id = p.person_id WHERE p.year_of_birth * 1000000 + {n} > 0
GROUP BY 1 HAVING COUNT(*) > 20 ORDER BY n DESC""",
    "shares of two counts": """SELECT p.gender_concept_id, COUNT(*) AS people,
  COUNT(*) FILTER (WHERE EXISTS (SELECT 1 FROM visit_occurrence v WHERE v.person_id = p.person_id
    AND v.visit_concept_id = 9201)) AS admitted, 100.0 * COUNT(*) FILTER (WHERE EXISTS (SELECT 1
    FROM visit_occurrence v WHERE v.person_id = p.person_id AND v.visit_concept_id = 9201)) / COUNT(*) AS percent
FROM person p WHERE p.year_of_birth * 1000000 + {n} > 0 GROUP BY 1""",
}


def run(folder: Path, scale: Scale) -> Report:
    """Decide on each kind of question many times, its literal different each time."""
    house = House(Home(omop(folder, scale.of(10_000, 200))))
    house.journal.recover()
    parts = house.parts()
    asker = Asker(PERSON, "local")
    found: list[Series] = []
    for name, sql in (QUESTIONS | _LARGER).items():
        seconds = []
        for turn in range(scale.of(60, 2) + 1):
            question = Question(different(sql))
            began = time.perf_counter()
            decision, _ = check(parts, asker, PROJECT, DATASET, question)
            if turn:  # the first one compiles the policy
                seconds.append(time.perf_counter() - began)
            if not decision.allowed:
                raise RuntimeError(str(decision.refusals))
        found.append(milliseconds(name, seconds))
    parts.engine.close()
    house.close()
    slowest = max(one.median for one in found)
    return Report(
        "Decisions",
        "`check` and the first half of every query: control database, five gates, plan, price and expected error.",
        tuple(found),
        (Target("the slowest kind, median", "ms", slowest),),
    )
