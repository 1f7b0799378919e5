"""GiBleed onboarded under the shipped policy, and its questions asked: privately, and plainly for comparison."""

from __future__ import annotations

import secrets
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from tests.onboarding.small import make
from tests.privacy.exact import released
from tests.support import ROOT, data
from tre.base.passage import Partials
from tre.broker.public import PublicLookup
from tre.catalogue import Catalogue
from tre.engines.duckdb import DuckDBEngine
from tre.engines.interface import EngineLimits, Slot
from tre.onboarding import Version
from tre.policy import compile_policy, load_policy, with_version
from tre.privacy.answer import Answer, answer
from tre.privacy.choosing import SECRET
from tre.privacy.mechanisms import Noise
from tre.privacy.plan import PrivatePlan, plan
from tre.privacy.request import Ask, Rules
from tre.sql.binding import bind
from tre.sql.plan import Relation
from tre.sql.render import render

HERE = Path(__file__).parent
TODAY = date(2026, 3, 1)
_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Question:
    """A question of `questions.toml`: `groups` and `rows` bound what one person counts (None: the policy's)."""

    title: str
    about: str
    sql: str
    epsilon: Fraction
    groups: int | None
    rows: int | None

    @property
    def ask(self) -> Ask:
        """What the question offers and bounds."""
        return Ask(epsilon=self.epsilon, groups=self.groups, rows=self.rows)


def questions() -> tuple[Question, ...]:
    """Return the ten questions."""
    found = tomllib.loads((HERE / "questions.toml").read_text(encoding="utf-8"))["question"]
    return tuple(
        Question(
            one["title"],
            one["about"],
            one["sql"].strip(),
            Fraction(one["epsilon"]),
            one.get("groups"),
            one.get("rows"),
        )
        for one in found
    )


@dataclass(frozen=True)
class GiBleed:
    """The data set at one version, with an engine on it."""

    version: Version
    catalogue: Catalogue
    rules: Rules
    engine: DuckDBEngine

    def plan(self, question: Question, ask: Ask, rules: Rules) -> PrivatePlan:
        """Return what a request would run, at which price."""
        query = bind(question.sql, self.catalogue, TODAY)
        return plan(query, ask, rules, PublicLookup(self.engine, self.version.path, _SECONDS))

    def ask(self, question: Question, noise: Noise, ask: Ask | None = None, rules: Rules | None = None) -> Answer:
        """Return the answer, made as the broker makes it, but for ledger and log."""
        planned = self.plan(question, ask or question.ask, rules or self.rules)
        with self.engine.slot(self.version.path, _SECONDS) as slot:

            def run(relation: Relation, inputs: Mapping[str, pa.Table]) -> Partials:
                return slot.partials(render(relation), {SECRET: _mix_secret()}, _SECONDS, inputs)

            return answer(planned, released(planned, run, noise), _evaluator(slot))

    def exact(self, question: Question) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
        """Return columns and rows of the text as it stands, run on the version without privacy, policy or plan."""
        with duckdb.connect(self.version.path, read_only=True) as connection:
            connection.execute("SET integer_division = true")  # as PostgreSQL divides
            found = connection.execute(question.sql)
            return tuple(column[0] for column in found.description), found.fetchall()


def _mix_secret() -> int:
    return secrets.randbits(62)


def _evaluator(slot: Slot) -> Any:
    def evaluate(relation: Relation, inputs: Mapping[str, pa.Table]) -> pa.Table:
        return slot.public(render(relation), inputs, _SECONDS)

    return evaluate


@contextmanager
def gibleed(home: Path) -> Iterator[GiBleed]:
    """Onboard GiBleed below `home` under `policies/omop.yaml` and start an engine on the version."""
    policy = compile_policy(load_policy(ROOT / "policies" / "omop.yaml"), "gibleed")
    version = make(data("gibleed"), home, policy.catalogue)
    at = with_version(
        policy.catalogue, version.name, version.enforced, version.public_sizes, version.absent, version.counted
    )
    engine = DuckDBEngine(EngineLimits(memory=1 << 30, threads=1), home / "spill")
    try:
        yield GiBleed(version, at, policy.rules, engine)
    finally:
        engine.close()
