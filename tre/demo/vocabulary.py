"""The vocabulary rows that the population uses, with their true concept ids (`concepts.md` names the sources)."""

from __future__ import annotations

import csv
from datetime import date
from importlib.resources import files
from typing import Any

import pyarrow as pa

from tre.demo.schema import SCHEMAS

# Names and concept ids as in GiBleed's `vocabulary` and `domain`; 0 where that release has no such row.
_VOCABULARIES = (
    ("Gender", "OMOP Gender", "OMOP generated", 44819108),
    ("LOINC", "Logical Observation Identifiers Names and Codes (Regenstrief Institute)", "loinc.org", 44819102),
    ("None", "OMOP Standardized Vocabularies", "OMOP generated", 44819096),
    ("Race", "Race and Ethnicity Code Set (USBC)", "cdc.gov", 44819109),
    ("RxNorm", "RxNorm (NLM)", "nlm.nih.gov", 44819104),
    ("SNOMED", "Systematic Nomenclature of Medicine - Clinical Terms (IHTSDO)", "snomed.org", 44819097),
    ("Type Concept", "OMOP Type Concept", "OMOP generated", 0),
    ("UCUM", "Unified Code for Units of Measure (Regenstrief Institute)", "ucum.org", 44819107),
    ("Visit", "OMOP Visit", "OMOP generated", 44819119),
)
_DOMAINS = (
    ("Condition", 19),
    ("Drug", 13),
    ("Gender", 2),
    ("Measurement", 21),
    ("Metadata", 7),
    ("Observation", 27),
    ("Procedure", 10),
    ("Race", 3),
    ("Type Concept", 58),
    ("Unit", 16),
    ("Visit", 8),
)


def vocabulary_tables() -> dict[str, pa.Table]:
    """Return `concept`, `concept_ancestor` (with each concept's own row), `vocabulary` and `domain`."""
    lines = (files("tre.demo") / "concepts.csv").read_text(encoding="utf-8").splitlines()
    rows = [{name: text or None for name, text in row.items()} for row in csv.DictReader(lines)]
    return {
        "concept": _table("concept", [_concept(row) for row in rows]),
        "concept_ancestor": _table("concept_ancestor", [link for row in rows for link in _ancestry(row)]),
        "vocabulary": _table(
            "vocabulary",
            [
                dict(zip(SCHEMAS["vocabulary"].names, (key, name, origin, None, concept), strict=True))
                for key, name, origin, concept in _VOCABULARIES
            ],
        ),
        "domain": _table(
            "domain",
            [{"domain_id": name, "domain_name": name, "domain_concept_id": key} for name, key in _DOMAINS],
        ),
    }


def _table(name: str, rows: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=SCHEMAS[name])


def _concept(row: dict[str, str | None]) -> dict[str, Any]:
    dates = {name: date.fromisoformat(row[name] or "") for name in ("valid_start_date", "valid_end_date")}
    return {**row, **dates, "concept_id": int(row["concept_id"] or 0)}


def _ancestry(row: dict[str, str | None]) -> list[dict[str, int]]:
    own = int(row["concept_id"] or 0)
    links = [(own, 0, 0), *(map(int, link.split(":")) for link in (row["descends_from"] or "").split())]
    names = SCHEMAS["concept_ancestor"].names
    return [dict(zip(names, (ancestor, own, least, most), strict=True)) for ancestor, least, most in links]
