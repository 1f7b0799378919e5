"""What must hold of a decision, whatever was asked (PRIVACY §1, §2): its reasons, its time, its plan."""

from __future__ import annotations

import time
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import sqlglot

from tests.fuzz.asker import Case, House
from tre.base.reasons import Refusal, every_reason
from tre.decide import Decision
from tre.decide.explain import explain
from tre.privacy.plan import Block, privacy_map
from tre.sql.render import render

SECONDS = 1.0
"""Processor time that a refusal may take. Most take a few thousandths."""
PLACELESS = frozenset(
    {
        "sql.empty",
        "sql.several-statements",
        "sql.too-deep",
        "sql.too-long",
        "sql.unstable",
        "sql.not-a-query",
        "sql.other-dialect",
        "sql.syntax",
    }
)
"""Reasons that may be about a text as a whole; all others that come before the plan have a place in it."""
KNOWN = {one.code: one for one in every_reason()}


@dataclass
class Judge:
    """Decides on cases and looks at what comes out; some plans in `often` are looked at more closely."""

    house: House
    read_again: int = 10
    run: int = 50
    codes: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[tuple[str, bool]] = field(default_factory=Counter)
    planned: int = 0

    def wrong(self, case: Case) -> list[str]:
        """Return everything that does not hold."""
        began = time.process_time()
        try:
            decision = self.house.decide(case)
            took = time.process_time() - began
            explained = explain(decision, case.question.ask, "duckdb")
        except Exception:
            return [traceback.format_exc(limit=-3)]
        refusals = [one for verdict in decision.verdicts for one in verdict.refusals]
        self.codes.update(one.reason.code for one in refusals)
        self.outcomes[case.kind, decision.allowed] += 1
        if not decision.allowed:
            slow = [f"took {took:.2f} s to refuse"] if took > SECONDS else []
            return [*slow, *_refused(refusals, case, decision)]
        untold = [] if explained is not None else ["planned, but not explained"]
        return [*untold, *self._admitted(decision)]

    def _admitted(self, decision: Decision) -> Iterator[str]:
        if decision.plan is None:
            return
        self.planned += 1
        for block in decision.plan.blocks:
            yield from _paid(block)
            yield from self._text(block)
        if self.planned % self.run == 0:
            yield from (str(one) for one in self.house.oracle.violations(decision.plan, steps=self.planned % 4 == 0))

    def _text(self, block: Block) -> Iterator[str]:
        text = render(block.shape.relation).sql
        statements = self.house.oracle.stage.connection.extract_statements(text)
        if len(statements) != 1:
            yield f"the engine reads {len(statements)} statements"
        if self.planned % self.read_again == 0 and not _stable(text):
            yield f"what runs is not what is read again: {text}"


def _refused(refusals: list[Refusal], case: Case, decision: Decision) -> Iterator[str]:
    if not refusals:
        yield "refused without a reason"
    for one in refusals:
        code = one.reason.code
        if KNOWN.get(code) is not one.reason:
            yield f"{code} is in no catalogue"
        if not one.sentence or not one.remedy:
            yield f"{code} says nothing"
        if one.place is None and decision.timing is None and code not in PLACELESS:
            yield f"{code} has no place"
        if one.place is not None and one.place.source not in case.question.sql:
            yield f"{code} stands nowhere in the text"


def _paid(block: Block) -> Iterator[str]:
    amount, delta = privacy_map(block)
    if amount > block.cost.rho or delta > block.cost.delta_fraction:
        yield "a block's privacy map exceeds its price"


def _stable(text: str) -> bool:
    once = sqlglot.parse_one(text, read="duckdb").sql("duckdb")
    return sqlglot.parse_one(once, read="duckdb").sql("duckdb") == once
