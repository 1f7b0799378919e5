"""Reserving and closing: each move is one conditional update, numbered, with what stood before and after it.

The total of a ledger is what is spent and what is reserved. A reservation raises it, a commit or a burning leaves
it, a voiding lowers it again; each takes the next `ledger_seq`, so that the log shows a chain without a gap.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import insert, select, update

from tre.base.cost import Cost, Measure
from tre.base.reasons import Refusal, Refused
from tre.base.reasons import budget as reasons
from tre.ledger.accounts import amounts, balance, checked
from tre.ledger.ids import LedgerId
from tre.store import Transaction
from tre.store.tables import ledgers, movements


class Kind(StrEnum):
    """What a movement does."""

    RESERVE = "reserve"
    COMMIT = "commit"
    BURN = "burn"
    VOID = "void"


@dataclass(frozen=True, slots=True)
class Movement:
    """One move of one ledger: its number there, the cost it is about, the ledger's total before and after."""

    ledger: LedgerId
    seq: int
    query: str
    kind: Kind
    cost: Cost
    before: Cost
    after: Cost

    def as_entry(self) -> dict[str, Any]:
        """Return the movement as a log entry lists it."""
        return {
            "ledger": self.ledger.text,
            "ledger_seq": self.seq,
            "measure": self.cost.measure.value,
            "before": amounts(self.before),
            "after": amounts(self.after),
        }


def reserve(tx: Transaction, query: str, charges: Mapping[LedgerId, Cost]) -> tuple[Movement, ...]:
    """Reserve each charge in its ledger, in ascending id; a charge of nothing moves nothing.

    Raises Refused (budget.exhausted, budget.unknown-ledger) with every ledger that lacks something; then nothing
    at all is reserved, and the transaction goes on as if it had not been asked.
    """
    moved: list[Movement] = []
    refusals: list[Refusal] = []
    with tx.all_or_nothing():
        for ledger in sorted(ledger for ledger, cost in charges.items() if cost.amount or cost.delta):
            movement = _reserve_one(tx, query, ledger, checked(charges[ledger]))
            if movement is None:
                refusals.append(_exhausted(tx, ledger, charges[ledger]))
            else:
                moved.append(movement)
        if refusals:
            raise Refused(refusals)
    return tuple(moved)


def commit(tx: Transaction, query: str) -> tuple[Movement, ...]:
    """Turn every open reservation of `query` into spending: its answer leaves."""
    return _close(tx, query, Kind.COMMIT)


def burn(tx: Transaction, query: str) -> tuple[Movement, ...]:
    """Turn every open reservation of `query` into spending though no answer leaves: something private was read."""
    return _close(tx, query, Kind.BURN)


def void(tx: Transaction, query: str) -> tuple[Movement, ...]:
    """Give every open reservation of `query` back. Only for a query that read nothing private."""
    return _close(tx, query, Kind.VOID)


def _reserve_one(tx: Transaction, query: str, ledger: LedgerId, cost: Cost) -> Movement | None:
    t = ledgers.c
    row = tx.execute(
        update(ledgers)
        .where(
            t.id == ledger.text,
            t.measure == cost.measure.value,
            t.spent_amount + t.reserved_amount + cost.amount <= t.limit_amount,
            t.spent_delta + t.reserved_delta + cost.delta <= t.limit_delta,
        )
        .values(
            reserved_amount=t.reserved_amount + cost.amount,
            reserved_delta=t.reserved_delta + cost.delta,
            seq=t.seq + 1,
        )
        .returning(*_TOTALS)
    ).one_or_none()
    if row is None:
        return None
    after = _total(cost.measure, row)
    return record(tx, Movement(ledger, row.seq, query, Kind.RESERVE, cost, after.minus_at_least_zero(cost), after))


def _close(tx: Transaction, query: str, kind: Kind) -> tuple[Movement, ...]:
    return tuple(_close_one(tx, query, kind, LedgerId(ledger), cost) for ledger, cost in open_reservations(tx, query))


def _close_one(tx: Transaction, query: str, kind: Kind, ledger: LedgerId, cost: Cost) -> Movement:
    t = ledgers.c
    spent = Cost.zero(cost.measure) if kind is Kind.VOID else cost
    row = tx.execute(
        update(ledgers)
        .where(t.id == ledger.text)
        .values(
            reserved_amount=t.reserved_amount - cost.amount,
            reserved_delta=t.reserved_delta - cost.delta,
            spent_amount=t.spent_amount + spent.amount,
            spent_delta=t.spent_delta + spent.delta,
            seq=t.seq + 1,
        )
        .returning(*_TOTALS)
    ).one()
    after = _total(cost.measure, row)
    before = after + cost if kind is Kind.VOID else after
    return record(tx, Movement(ledger, row.seq, query, kind, cost, before, after))


def open_reservations(tx: Transaction, query: str) -> list[tuple[str, Cost]]:
    """Return (ledger, cost) of what `query` reserved and nothing has closed, in ascending ledger."""
    t = movements.c
    closed = select(t.ledger).where(t.query == query, t.closes == 1)
    rows = tx.execute(
        select(t.ledger, t.cost_amount, t.cost_delta, ledgers.c.measure)
        .join(ledgers, ledgers.c.id == t.ledger)
        .where(t.query == query, t.closes == 0, t.ledger.not_in(closed))
        .order_by(t.ledger)
    )
    return [(row.ledger, Cost(Measure(row.measure), row.cost_amount, row.cost_delta)) for row in rows]


def record(tx: Transaction, movement: Movement) -> Movement:
    """Keep a movement; a second closing of one reservation breaks a unique key."""
    parts = {"cost": movement.cost, "before": movement.before, "after": movement.after}
    tx.execute(
        insert(movements).values(
            ledger=movement.ledger.text,
            seq=movement.seq,
            query=movement.query,
            kind=movement.kind.value,
            closes=int(movement.kind is not Kind.RESERVE),
            **{f"{name}_amount": cost.amount for name, cost in parts.items()},
            **{f"{name}_delta": cost.delta for name, cost in parts.items()},
        )
    )
    return movement


_TOTALS = (
    ledgers.c.seq,
    (ledgers.c.spent_amount + ledgers.c.reserved_amount).label("total_amount"),
    (ledgers.c.spent_delta + ledgers.c.reserved_delta).label("total_delta"),
)


def _total(measure: Measure, row: Any) -> Cost:
    return Cost(measure, row.total_amount, row.total_delta)


def _exhausted(tx: Transaction, ledger: LedgerId, cost: Cost) -> Refusal:
    left = balance(tx, ledger).left
    if left.measure is not cost.measure:
        raise TypeError("a charge in another measure than its ledger's; this is a bug, report it")
    values = {"ledger": ledger.text, "price": cost.in_words(), "left": left.in_words()}
    return Refusal(reasons.EXHAUSTED, values)
