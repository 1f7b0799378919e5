"""Ledgers and their limits: making them, reading them, exporting them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, bindparam, func, insert, select, update

from tre.base.cost import Cost, Measure
from tre.base.reasons import Refused
from tre.base.reasons import budget as reasons
from tre.ledger.ids import LedgerId
from tre.store import Reading, Transaction
from tre.store.tables import LARGEST, ledger_limits, ledgers

_LEDGER = select(ledgers).where(ledgers.c.id == bindparam("ledger"))


@dataclass(frozen=True, slots=True)
class Balance:
    """One ledger. `spent` is committed or burned, `reserved` belongs to requests under way, `seq` counts moves."""

    ledger: LedgerId
    limit: Cost
    spent: Cost
    reserved: Cost
    seq: int

    @property
    def total(self) -> Cost:
        """Spent and reserved together: what the filter compares with the limit."""
        return self.spent + self.reserved

    @property
    def left(self) -> Cost:
        """What may still be reserved, part by part."""
        return self.limit.minus_at_least_zero(self.total)


def ensure(tx: Transaction, ledger: LedgerId, limit: Cost, event: str) -> Balance:
    """Make the ledger, or give it a new limit; what was spent stays spent.

    :param event: the event id of the entry that says why; every limit a ledger had is kept with it.
    Raises Refused (budget.measure-fixed).
    """
    values = {"limit_amount": checked(limit).amount, "limit_delta": limit.delta}
    start = dict.fromkeys(("spent_amount", "spent_delta", "reserved_amount", "reserved_delta", "seq"), 0)
    made = tx.insert_new(ledgers, {"id": ledger.text, "measure": limit.measure.value, **values, **start})
    found = balance(tx, ledger)
    if found.limit.measure is not limit.measure:
        raise Refused.because(reasons.MEASURE_FIXED, ledger=ledger.text, measure=found.limit.measure.value)
    if made or found.limit != limit:
        tx.execute(update(ledgers).where(ledgers.c.id == ledger.text).values(**values))
        _record_limit(tx, ledger, values, event)
    return balance(tx, ledger)


def balance(tx: Reading, ledger: LedgerId) -> Balance:
    """Return one ledger. Raises Refused (budget.unknown-ledger)."""
    row = tx.execute(_LEDGER, {"ledger": ledger.text}).one_or_none()
    if row is None:
        raise Refused.because(reasons.UNKNOWN_LEDGER, ledger=ledger.text)
    return _balance(row)


def balances(tx: Reading) -> tuple[Balance, ...]:
    """Return every ledger, in ascending id."""
    return tuple(_balance(row) for row in tx.execute(select(ledgers).order_by(ledgers.c.id)))


def export(tx: Reading) -> dict[str, dict[str, dict[str, Any]]]:
    """Return all ledgers in the form that `tre audit verify --ledger` reads (`audit.ledgers`)."""
    return {"ledgers": {one.ledger.text: _exported(one) for one in balances(tx)}}


def checked(cost: Cost) -> Cost:
    """Return `cost`, small enough for exact 64-bit sums; ValueError is a bug."""
    if cost.amount > LARGEST or cost.delta > LARGEST:
        raise ValueError("a cost beyond what a ledger can hold; this is a bug, report it")
    return cost


def amounts(cost: Cost) -> dict[str, str]:
    """Return both parts as decimal strings, the measure left out, as log entries and exports write them."""
    return {"amount": str(cost.amount), "delta": str(cost.delta)}


def _exported(one: Balance) -> dict[str, Any]:
    parts = {"spent": one.spent, "reserved": one.reserved, "limit": one.limit}
    return {
        "measure": one.limit.measure.value,
        "seq": one.seq,
        **{name: amounts(cost) for name, cost in parts.items()},
    }


def _balance(row: Row[Any]) -> Balance:
    measure = Measure(row.measure)
    return Balance(
        LedgerId(row.id),
        Cost(measure, row.limit_amount, row.limit_delta),
        Cost(measure, row.spent_amount, row.spent_delta),
        Cost(measure, row.reserved_amount, row.reserved_delta),
        row.seq,
    )


def _record_limit(tx: Transaction, ledger: LedgerId, values: dict[str, int], event: str) -> None:
    count = select(func.count()).select_from(ledger_limits).where(ledger_limits.c.ledger == ledger.text)
    number = tx.execute(count).scalar_one()
    tx.execute(insert(ledger_limits).values(ledger=ledger.text, number=number, event=event, **values))
