"""From text to decision: parsed, bound, planned, priced, judged; no private byte is read."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from bench.houses import DATASET, PERSON, PROJECT, different, omop
from bench.report import Report, Series, Target, milliseconds
from bench.scale import Scale
from bench.scenarios.http import QUESTIONS
from tre.app.compose import House
from tre.base.home import Home
from tre.broker import Asker
from tre.broker.asking import check
from tre.broker.standing import situation, standing
from tre.decide import Question, Situation, decide
from tre.privacy import plan as planning
from tre.sql import bind

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

_TEN = """SELECT g.concept_name AS sex, COUNT(DISTINCT p.person_id) AS people, COUNT(*) AS stays
FROM person p
JOIN concept g ON g.concept_id = p.gender_concept_id
JOIN observation_period o ON o.person_id = p.person_id
JOIN visit_occurrence v ON v.person_id = p.person_id AND v.visit_start_date >= o.observation_period_start_date
JOIN care_site s ON s.care_site_id = v.care_site_id
JOIN concept k ON k.concept_id = v.visit_concept_id
JOIN condition_occurrence c ON c.person_id = p.person_id AND c.visit_occurrence_id = v.visit_occurrence_id
JOIN concept_ancestor a ON a.descendant_concept_id = c.condition_concept_id
JOIN concept d ON d.concept_id = a.ancestor_concept_id
LEFT JOIN death x ON x.person_id = p.person_id
WHERE d.concept_id = 201826 AND k.concept_id IN (9201, 9203) AND p.year_of_birth * 1000000 + {n} > 0
  AND x.death_date IS NULL
GROUP BY g.concept_name HAVING COUNT(*) > 10 ORDER BY people DESC"""
"""Stays in hospital at which diabetes was diagnosed: a join of ten tables."""

_STEPS = """WITH diabetes AS (
  SELECT c.person_id, MIN(c.condition_start_date) AS since
  FROM condition_occurrence c
  JOIN concept_ancestor a ON a.descendant_concept_id = c.condition_concept_id
  JOIN concept k ON k.concept_id = a.ancestor_concept_id AND k.standard_concept = 'S'
  WHERE a.ancestor_concept_id = 201826 GROUP BY c.person_id),
treated AS (
  SELECT d.person_id, COUNT(*) AS exposures, MIN(e.drug_exposure_start_date) AS first_drug
  FROM diabetes d JOIN drug_exposure e ON e.person_id = d.person_id AND e.drug_exposure_start_date >= d.since
  GROUP BY d.person_id),
tested AS (
  SELECT m.person_id, MAX(m.value_as_number) AS hba1c FROM measurement m
  JOIN diabetes d ON d.person_id = m.person_id AND m.measurement_date >= d.since
  WHERE m.value_as_number IS NOT NULL GROUP BY m.person_id),
admitted AS (
  SELECT v.person_id, COUNT(*) AS stays FROM visit_occurrence v
  JOIN care_site s ON s.care_site_id = v.care_site_id
  WHERE v.visit_concept_id IN (9201, 9203) AND s.place_of_service_concept_id IS NOT NULL GROUP BY v.person_id)
SELECT p.gender_concept_id, COUNT(*) AS people, SUM(CASE WHEN x.person_id IS NULL THEN 0 ELSE 1 END) AS died,
  AVG(2026 - p.year_of_birth) AS age, SUM(LEAST(COALESCE(h.stays, 0), 50)) AS stays
FROM person p
JOIN observation_period o ON o.person_id = p.person_id
JOIN diabetes d ON d.person_id = p.person_id
JOIN treated t ON t.person_id = p.person_id
LEFT JOIN tested m ON m.person_id = p.person_id
LEFT JOIN admitted h ON h.person_id = p.person_id
LEFT JOIN death x ON x.person_id = p.person_id
WHERE o.observation_period_start_date <= d.since AND o.observation_period_end_date >= d.since
  AND t.exposures > 1 AND (m.hba1c IS NULL OR m.hba1c > 6) AND p.year_of_birth * 1000000 + {n} > 0
GROUP BY p.gender_concept_id HAVING COUNT(*) > 10 ORDER BY people DESC"""
"""Diabetes, its drugs, its last HbA1c, its stays in hospital and deaths: ten tables in five steps."""


def run(folder: Path, scale: Scale) -> Report:
    """Decide on each kind of question many times, its literal different each time."""
    house = House(Home(omop(folder, scale.of(10_000, 200))))
    house.journal.recover()
    parts = house.parts()
    asker = Asker(PERSON, "local")
    found = [
        _timed(name, sql, scale, lambda question: check(parts, asker, PROJECT, DATASET, question)[0].allowed)
        for name, sql in (QUESTIONS | _LARGER).items()
    ]
    with parts.store.reading() as tx:
        seen = situation(tx, parts, standing(tx, parts, asker, PROJECT, DATASET))
        ten = [
            _timed(f"{name}, {what}", sql, scale, made)
            for name, sql in (("ten tables", _TEN), ("ten tables in five steps", _STEPS))
            for what, made in (
                ("text to private plan", lambda question: _planned(question, seen)),
                ("without the control database", lambda question: decide(question, seen).allowed),
            )
        ]
    parts.engine.close()
    house.close()
    return Report(
        "Decisions",
        "`check` and the first half of every query: control database, five gates, plan, price and expected error. Of "
        "the texts over ten tables also the plan alone: read, checked, bound, traced, priced.",
        (*found, *ten),
        (
            Target("the slowest kind, median", "ms", max(one.median for one in found)),
            Target("ten tables, text to private plan, median", "ms", ten[0].median, 10),
        ),
    )


def _planned(question: Question, seen: Situation) -> bool:
    rules = seen.policy.rules
    query = bind(question.sql, seen.catalogue, seen.today, question.dialect)
    return bool(planning.plan(query, question.ask, rules, seen.public_keys, lambda one: seen.drawn(one).draws).blocks)


def _timed(name: str, sql: str, scale: Scale, made: Callable[[Question], bool]) -> Series:
    seconds = []
    for turn in range(scale.of(60, 2) + 1):
        question = Question(different(sql))
        began = time.perf_counter()
        good = made(question)
        if turn:  # the first one compiles the policy
            seconds.append(time.perf_counter() - began)
        if not good:
            raise RuntimeError(f"{name} was refused")
    return milliseconds(name, seconds)
