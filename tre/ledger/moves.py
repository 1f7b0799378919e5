"""Reserving and closing: each move is one conditional update, numbered, with what stood before and after it.

The total of a ledger is what is spent and what is reserved. A reservation raises it, a commit or a burning leaves
it, a voiding lowers it again; a charge, of what is measured for everybody, raises it for good. Each takes the next
`ledger_seq`, so that the log shows a chain without a gap.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, bindparam, insert, select, update

from tre.base.cost import Cost, Measure
from tre.base.reasons import Refusal, Refused
from tre.base.reasons import budget as reasons
from tre.ledger.accounts import amounts, balance, checked
from tre.ledger.ids import LedgerId
from tre.store import Transaction
from tre.store.tables import ledgers, movements

_TOTALS = (
    ledgers.c.seq,
    (ledgers.c.spent_amount + ledgers.c.reserved_amount).label("total_amount"),
    (ledgers.c.spent_delta + ledgers.c.reserved_delta).label("total_delta"),
)
_AMOUNT, _DELTA = bindparam("amount", type_=BigInteger), bindparam("delta", type_=BigInteger)
_FITTING = update(ledgers).where(
    ledgers.c.id == bindparam("ledger"),
    ledgers.c.measure == bindparam("in_measure"),
    ledgers.c.spent_amount + ledgers.c.reserved_amount + _AMOUNT <= ledgers.c.limit_amount,
    ledgers.c.spent_delta + ledgers.c.reserved_delta + _DELTA <= ledgers.c.limit_delta,
)
_RESERVE = _FITTING.values(
    reserved_amount=ledgers.c.reserved_amount + _AMOUNT,
    reserved_delta=ledgers.c.reserved_delta + _DELTA,
    seq=ledgers.c.seq + 1,
).returning(*_TOTALS)
_CHARGE = _FITTING.values(
    spent_amount=ledgers.c.spent_amount + _AMOUNT,
    spent_delta=ledgers.c.spent_delta + _DELTA,
    seq=ledgers.c.seq + 1,
).returning(*_TOTALS)
_CLOSE = (
    update(ledgers)
    .where(ledgers.c.id == bindparam("ledger"))
    .values(
        reserved_amount=ledgers.c.reserved_amount - _AMOUNT,
        reserved_delta=ledgers.c.reserved_delta - _DELTA,
        spent_amount=ledgers.c.spent_amount + bindparam("gone_amount", type_=BigInteger),
        spent_delta=ledgers.c.spent_delta + bindparam("gone_delta", type_=BigInteger),
        seq=ledgers.c.seq + 1,
    )
    .returning(*_TOTALS)
)
_CLOSED = select(movements.c.ledger).where(movements.c.query == bindparam("of_query"), movements.c.closes == 1)
_OPEN = (
    select(movements.c.ledger, movements.c.cost_amount, movements.c.cost_delta, ledgers.c.measure)
    .join(ledgers, ledgers.c.id == movements.c.ledger)
    .where(movements.c.query == bindparam("of_query"), movements.c.closes == 0, movements.c.ledger.not_in(_CLOSED))
    .order_by(movements.c.ledger)
)
_RECORD = insert(movements)


class Kind(StrEnum):
    """What a movement does."""

    RESERVE = "reserve"
    COMMIT = "commit"
    BURN = "burn"
    VOID = "void"
    CHARGE = "charge"


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
    return _raise(tx, query, charges, Kind.RESERVE)


def charge(tx: Transaction, release: str, charges: Mapping[LedgerId, Cost]) -> tuple[Movement, ...]:
    """Spend each charge in its ledger at once, as `reserve` reserves: no outcome gives any of it back.

    `release` is the id of what is measured; a ledger pays for one release once.
    """
    return _raise(tx, release, charges, Kind.CHARGE)


def _raise(tx: Transaction, query: str, charges: Mapping[LedgerId, Cost], kind: Kind) -> tuple[Movement, ...]:
    moved: list[Movement] = []
    refusals: list[Refusal] = []
    with tx.all_or_nothing():
        for ledger in sorted(ledger for ledger, cost in charges.items() if cost.amount or cost.delta):
            movement = _raise_one(tx, query, ledger, checked(charges[ledger]), kind)
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


def _raise_one(tx: Transaction, query: str, ledger: LedgerId, cost: Cost, kind: Kind) -> Movement | None:
    asked = {"ledger": ledger.text, "in_measure": cost.measure.value, "amount": cost.amount, "delta": cost.delta}
    row = tx.execute(_RESERVE if kind is Kind.RESERVE else _CHARGE, asked).one_or_none()
    if row is None:
        return None
    after = _total(cost.measure, row)
    return record(tx, Movement(ledger, row.seq, query, kind, cost, after.minus_at_least_zero(cost), after))


def _close(tx: Transaction, query: str, kind: Kind) -> tuple[Movement, ...]:
    return tuple(_close_one(tx, query, kind, LedgerId(ledger), cost) for ledger, cost in open_reservations(tx, query))


def _close_one(tx: Transaction, query: str, kind: Kind, ledger: LedgerId, cost: Cost) -> Movement:
    gone = Cost.zero(cost.measure) if kind is Kind.VOID else cost
    moved = {"amount": cost.amount, "delta": cost.delta, "gone_amount": gone.amount, "gone_delta": gone.delta}
    row = tx.execute(_CLOSE, {"ledger": ledger.text, **moved}).one()
    after = _total(cost.measure, row)
    before = after + cost if kind is Kind.VOID else after
    return record(tx, Movement(ledger, row.seq, query, kind, cost, before, after))


def open_reservations(tx: Transaction, query: str) -> list[tuple[str, Cost]]:
    """Return (ledger, cost) of what `query` reserved and nothing has closed, in ascending ledger."""
    rows = tx.execute(_OPEN, {"of_query": query})
    return [(row.ledger, Cost(Measure(row.measure), row.cost_amount, row.cost_delta)) for row in rows]


def record(tx: Transaction, movement: Movement) -> Movement:
    """Keep a movement; a second closing of one reservation breaks a unique key."""
    parts = {"cost": movement.cost, "before": movement.before, "after": movement.after}
    values = {
        "ledger": movement.ledger.text,
        "seq": movement.seq,
        "query": movement.query,
        "kind": movement.kind.value,
        "closes": int(movement.kind is not Kind.RESERVE),
    }
    values |= {f"{name}_amount": cost.amount for name, cost in parts.items()}
    values |= {f"{name}_delta": cost.delta for name, cost in parts.items()}
    tx.execute(_RECORD, values)
    return movement


def _total(measure: Measure, row: Any) -> Cost:
    return Cost(measure, row.total_amount, row.total_delta)


def _exhausted(tx: Transaction, ledger: LedgerId, cost: Cost) -> Refusal:
    left = balance(tx, ledger).left
    if left.measure is not cost.measure:
        raise TypeError("a charge in another measure than its ledger's; this is a bug, report it")
    values = {"ledger": ledger.text, "price": cost.in_words(), "left": left.in_words()}
    return Refusal(reasons.EXHAUSTED, values)
