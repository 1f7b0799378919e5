"""Whatever happens in whatever order: movements add up to balances, balances stay within limits, the log agrees."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule
from sqlalchemy import select

from tests.control import DATASET, PROJECT, conclude, log_at, make_home, url_of, verified, zcdp
from tre import ledger
from tre.base.clock import SystemClock
from tre.base.cost import Cost
from tre.base.reasons import Refused
from tre.journal import Act, Journal, entries, record
from tre.store import Store
from tre.store.tables import movements

AMOUNT = st.integers(0, 40)
COST = st.builds(zcdp, AMOUNT, AMOUNT)


class Budgets(RuleBasedStateMachine):
    """A model of two ledgers in two dictionaries, beside the real ones."""

    under_way = Bundle("under_way")

    def __init__(self) -> None:
        super().__init__()
        self.home = make_home(Path(tempfile.mkdtemp()))
        self.store = Store(url_of(self.home))
        self.limits: dict[ledger.LedgerId, Cost] = {}
        self.spent = {DATASET: zcdp(0), PROJECT: zcdp(0)}
        self.reserved = dict(self.spent)
        self.count = 0
        for one in (DATASET, PROJECT):
            self.set_limit(one, zcdp(100, 100))

    @rule(one=st.sampled_from([DATASET, PROJECT]), limit=st.builds(zcdp, st.integers(0, 200), st.integers(0, 200)))
    def set_limit(self, one: ledger.LedgerId, limit: Cost) -> None:
        with self.store.transaction() as tx:
            ledger.ensure(tx, one, limit, f"{self.count:032x}")
        self.limits[one] = limit

    @rule(target=under_way, charges=st.dictionaries(st.sampled_from([DATASET, PROJECT]), COST))
    def reserve(self, charges: dict[ledger.LedgerId, Cost]) -> tuple[str, str, dict[ledger.LedgerId, Cost]] | None:
        self.count += 1
        query = f"q_{self.count}"
        totals = {one: self.spent[one] + self.reserved[one] + cost for one, cost in charges.items()}
        fits = all(total.fits(self.limits[one]) for one, total in totals.items() if charges[one] != zcdp(0))
        try:
            with self.store.transaction() as tx:
                moved = [one.as_entry() for one in ledger.reserve(tx, query, charges)]
                act = Act.by("ada", SystemClock(), request=query)
                question = entries.Question("P1", "omop", "v_1", "a" * 64, "b" * 64, [])
                intent = record(tx, entries.query_intent(act, question, zcdp(0), moved))
        except Refused:
            assert not fits
            return None
        assert fits
        for one, cost in charges.items():
            self.reserved[one] += cost
        return query, intent, charges

    @rule(one=consumes(under_way), state=st.sampled_from(["committed", "burned", "voided"]))
    def close(self, one: tuple[str, str, dict[ledger.LedgerId, Cost]] | None, state: str) -> None:
        if one is None:
            return
        query, intent, charges = one
        with self.store.transaction() as tx:
            conclude(tx, query, intent, state)
            assert ledger.commit(tx, query) == ()
        for name, cost in charges.items():
            self.reserved[name] = self.reserved[name].minus_at_least_zero(cost)
            if state != "voided":
                self.spent[name] += cost

    @invariant()
    def movements_add_up_to_balances(self) -> None:
        with self.store.reading() as tx:
            for one in (DATASET, PROJECT):
                found = ledger.balance(tx, one)
                assert (found.spent, found.reserved) == (self.spent[one], self.reserved[one])
                rows = tx.execute(
                    select(movements).where(movements.c.ledger == one.text).order_by(movements.c.seq)
                ).all()
                assert [row.seq for row in rows] == list(range(1, found.seq + 1))
                total = 0
                for row in rows:
                    assert row.before_amount == total
                    total = row.after_amount
                assert total == found.total.amount

    def teardown(self) -> None:
        """The verifier, which knows nothing of the database, must come to the same sums."""
        journal = Journal(self.store, log_at(self.home), SystemClock())
        journal.recover()
        journal.close()
        with self.store.reading() as tx:
            report = verified(self.home, ledger.export(tx))
        assert report.ok, str(report)
        self.store.close()
        shutil.rmtree(self.home)


TestBudgets = Budgets.TestCase
TestBudgets.settings = settings(max_examples=12, stateful_step_count=25, deadline=None)
