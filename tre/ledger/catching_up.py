"""At start a ledger is never below what the log says: a restored back-up grants no budget again.

Movements that the log holds and the database does not are taken over one by one, so that both agree again to the
last number; should they still differ, the ledger is raised to the log's total.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import insert, select, update

from audit.entries import Event
from tre.base.cost import Cost, Measure
from tre.base.reasons import Refused
from tre.base.reasons import budget as reasons
from tre.base.reasons.journal import RESULT_LOST
from tre.journal import LoggedLedger, Shown, Trail
from tre.journal.entries import query_outcome
from tre.ledger.accounts import Balance, balances, checked
from tre.ledger.ids import LedgerId
from tre.ledger.moves import Kind, Movement, burn, record
from tre.store import Transaction
from tre.store.tables import ledgers, movements, queries

_KINDS = {"committed": Kind.COMMIT, "burned": Kind.BURN, "voided": Kind.VOID}


def raise_to(tx: Transaction, shown: Shown) -> tuple[LedgerId, ...]:
    """Bring every ledger to what the log shows; return those that the database was behind on.

    A ledger that the database lost altogether comes back with no limit: nothing fits until a policy gives it one.
    Raises Refused (budget.log-behind) when the log lacks movements that the database has.
    """
    before = {one.ledger.text: one for one in balances(tx)}
    for entry in shown.news:
        for movement in entry.fields.get("ledgers", ()):
            _take_over(tx, entry.fields, movement)
    now = {one.ledger.text: one for one in balances(tx)}
    for name, one in now.items():
        logged = shown.ledgers.get(name)
        if one.seq > (logged.seq if logged else 0):
            raise Refused.because(reasons.LOG_BEHIND, ledger=name)
    for name, logged in sorted(shown.ledgers.items()):
        # A ledger that is not behind is not touched: other servers may be moving it at this moment.
        if _was_behind(now.get(name), logged):
            _raise(tx, LedgerId(name), now.get(name), logged)
    return tuple(LedgerId(name) for name in sorted(shown.ledgers) if _was_behind(before.get(name), shown.ledgers[name]))


def _was_behind(one: Balance | None, logged: LoggedLedger) -> bool:
    return one is None or one.seq < logged.seq or not _total(logged).fits(one.total)


def _take_over(tx: Transaction, fields: Mapping[str, Any], logged: Mapping[str, Any]) -> None:
    ledger, measure = LedgerId(logged["ledger"]), Measure(logged["measure"])
    before, after = (Cost.from_json({"measure": measure.value, **logged[side]}) for side in ("before", "after"))
    _lost(tx, ledger, measure)
    row = tx.execute(select(ledgers.c.seq).where(ledgers.c.id == ledger.text)).scalar_one()
    if logged["ledger_seq"] != row + 1:
        return
    kind = _kind(fields)
    if kind in (Kind.RESERVE, Kind.CHARGE):
        cost = after.minus_at_least_zero(before)
    else:
        cost = _reserved(tx, fields["request"], ledger, measure)
    subject = fields["subject"] if kind is Kind.CHARGE else fields["request"]
    record(tx, Movement(ledger, logged["ledger_seq"], subject, kind, cost, before, after))
    _apply(tx, ledger, kind, checked(cost))


def _kind(fields: Mapping[str, Any]) -> Kind:
    if fields["event"] == Event.BOUNDS_CHARGED:
        return Kind.CHARGE
    return _KINDS.get(fields.get("state", ""), Kind.RESERVE)


def _lost(tx: Transaction, ledger: LedgerId, measure: Measure) -> None:
    """Make a ledger that the database lost, with a limit of nothing."""
    if tx.execute(select(ledgers.c.id).where(ledgers.c.id == ledger.text)).one_or_none() is None:
        parts = [f"{name}_{part}" for name in ("limit", "spent", "reserved") for part in ("amount", "delta")]
        tx.execute(insert(ledgers).values(id=ledger.text, measure=measure.value, seq=0, **dict.fromkeys(parts, 0)))


def _reserved(tx: Transaction, query: str, ledger: LedgerId, measure: Measure) -> Cost:
    t = movements.c
    row = tx.execute(
        select(t.cost_amount, t.cost_delta).where(t.query == query, t.ledger == ledger.text, t.closes == 0)
    ).one_or_none()
    return Cost(measure, row.cost_amount, row.cost_delta) if row else Cost.zero(measure)


def _apply(tx: Transaction, ledger: LedgerId, kind: Kind, cost: Cost) -> None:
    reserved = {Kind.RESERVE: 1, Kind.CHARGE: 0}.get(kind, -1)
    spent = 1 if kind in (Kind.COMMIT, Kind.BURN, Kind.CHARGE) else 0
    t = ledgers.c
    tx.execute(
        update(ledgers)
        .where(t.id == ledger.text)
        .values(
            reserved_amount=t.reserved_amount + reserved * cost.amount,
            reserved_delta=t.reserved_delta + reserved * cost.delta,
            spent_amount=t.spent_amount + spent * cost.amount,
            spent_delta=t.spent_delta + spent * cost.delta,
            seq=t.seq + 1,
        )
    )


def _raise(tx: Transaction, ledger: LedgerId, one: Balance | None, logged: LoggedLedger) -> None:
    """Raise what the movements did not explain, as spent."""
    total = _total(logged)
    if one is None:
        _lost(tx, ledger, total.measure)
    missing = total if one is None else total.minus_at_least_zero(one.total)
    t = ledgers.c
    tx.execute(
        update(ledgers)
        .where(t.id == ledger.text)
        .values(
            spent_amount=t.spent_amount + checked(missing).amount,
            spent_delta=t.spent_delta + missing.delta,
            seq=logged.seq,
        )
    )


def _total(logged: LoggedLedger) -> Cost:
    return Cost(Measure(logged.measure), logged.amount, logged.delta)


def burn_unknown(tx: Transaction, shown: Shown, trail: Trail) -> tuple[str, ...]:
    """End as burned every request that the log shows open and the database does not know; return their ids.

    After `raise_to`: a back-up lost them, and nobody can say any more that they read nothing.
    """
    known = select(queries.c.id).where(queries.c.id.in_([one.request for one in shown.unanswered.values()]))
    names = set(tx.execute(known).scalars())
    lost = [one for one in shown.unanswered.values() if one.request not in names]
    for one in lost:
        moved = [movement.as_entry() for movement in burn(tx, one.request)]
        act = trail.act(one.request)
        trail.record(
            tx,
            query_outcome(
                act, one.project, "burned", one.event_id, moved, answers_index=one.index, reasons=[RESULT_LOST.code]
            ),
        )
    return tuple(one.request for one in lost)
