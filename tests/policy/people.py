"""Ada asks inside a project of hers; every fault of the gates is one change away."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.policy.documents import MINIMAL
from tre.policy import CompiledPolicy, compile_policy, load_policy
from tre.policy.context import Context, Credential, Person, Project, Role, Status

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
YEAR = timedelta(days=365)


def policy(text: str = MINIMAL) -> CompiledPolicy:
    return compile_policy(load_policy(text), "northfield")


def credential(kind: str, issued: datetime = NOW - YEAR, expires: datetime = NOW + YEAR) -> Credential:
    return Credential(kind, "ons", issued, expires)


ADA = Person("ada", frozenset({Role.RESEARCHER}), (credential("accreditation"), credential("ig-training")))
PROJECT = Project(
    "asthma",
    {"ada": Role.RESEARCHER, "lead": Role.LEAD},
    frozenset({"DUO:0000006"}),
    frozenset({"northfield"}),
    NOW - YEAR,
    NOW + YEAR,
    Status.ACTIVE,
)
ASKING = Context(ADA, "local", NOW, PROJECT)


def in_project(**changes: Any) -> Context:
    return replace(ASKING, project=replace(PROJECT, **changes))


def as_person(**changes: Any) -> Context:
    return replace(ASKING, person=replace(ADA, **changes))


def codes(*verdicts: Any) -> list[str]:
    return [one.reason.code for verdict in verdicts for one in verdict.refusals]
