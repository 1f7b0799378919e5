"""How facts are worded on pages: numbers, shares, times, names of gates and states. No rule of the house is here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from markupsafe import Markup

GATES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "people": ("Safe people", "your role, credentials and way of signing in"),
        "projects": ("Safe projects", "the project, its dates and its purposes"),
        "settings": ("Safe settings", "where and how this service runs"),
        "data": ("Safe data", "tables and columns, and no row of a single person"),
        "outputs": ("Safe outputs", "the noise, its price and the budget left"),
    }
)

STATES: Mapping[str, str] = MappingProxyType(
    {
        "queued": "waiting",
        "running": "being measured",
        "committed": "answered",
        "burned": "ended without an answer, price spent",
        "voided": "taken back, price returned",
        "denied": "refused, nothing spent",
    }
)

DIALECTS: Mapping[str, str] = MappingProxyType(
    {
        "postgres": "PostgreSQL",
        "tsql": "T-SQL, also OHDSI’s",
        "bigquery": "BigQuery",
        "duckdb": "DuckDB",
        "mysql": "MySQL",
        "oracle": "Oracle",
        "redshift": "Redshift",
        "snowflake": "Snowflake",
        "spark": "Spark",
    }
)
"""The dialects that a question can be written in, the usual one first."""

PURPOSES: Mapping[str, str] = MappingProxyType(
    {
        "DUO:0000004": "no restriction",
        "DUO:0000006": "health, medical or biomedical research",
        "DUO:0000007": "research on one disease",
        "DUO:0000042": "general research use",
    }
)
"""The commonest terms of GA4GH's Data Use Ontology, as the ontology names them."""


def number(value: Any) -> str:
    """Return a number with its thousands marked: computed ones to six digits, exact ones as they are."""
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100_000 else f"{value:,.6g}"
    if isinstance(value, str):
        whole, point, part = value.partition(".")
        return f"{int(whole):,}{point}{part}" if whole.isdigit() else value
    return f"{value:,}"


def plain(value: float) -> str:
    """Return a declared number as people write it: a year without a comma."""
    return f"{value:.0f}" if value == int(value) else f"{value:.6g}"


def share(value: float) -> str:
    """Return a share as a percentage that does not read as nothing when it is something."""
    if value in (0, 1):
        return f"{value:.0%}"
    if 0 < value < 0.0001:
        return "less than 0.01%"
    return f"{value:.2%}" if value < 0.1 else f"{value:.1%}"


def epsilon(value: float) -> str:
    """Return an epsilon to three digits."""
    return f"{value:.3g}"


def part(some: str | None, whole: str | None) -> float:
    """Return the share that an exact amount is of another; 0 of nothing."""
    return float(Decimal(some or 0) / Decimal(whole)) if whole and Decimal(whole) else 0.0


def time(moment: str | None) -> Markup:
    """Return a time of the service's as an element: UTC as it stands, which a script may tell in the reader's zone."""
    if moment is None:
        return Markup("–")
    at = datetime.fromisoformat(moment).astimezone(UTC)
    return Markup('<time datetime="{}">{}</time>').format(
        at.isoformat(timespec="seconds").replace("+00:00", "Z"), f"{at.day} {at:%b %Y, %H:%M} UTC"
    )


def day(moment: str | None) -> Markup:
    """Return the day of a time, in UTC."""
    if moment is None:
        return Markup("–")
    at = datetime.fromisoformat(moment).astimezone(UTC)
    return Markup('<time datetime="{}">{}</time>').format(f"{at:%Y-%m-%d}", f"{at.day} {at:%b %Y}")


def short(digest: str | None) -> str:
    """Return the head of a digest or id, for tables."""
    text = digest or ""
    return text if len(text) <= 14 else f"{text[:12]}…"


FILTERS: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {
        "day": day,
        "epsilon": epsilon,
        "number": number,
        "part": part,
        "plain": plain,
        "purpose": lambda code: PURPOSES.get(code, ""),
        "share": share,
        "short": short,
        "state": lambda state: STATES.get(state, state),
        "time": time,
    }
)
