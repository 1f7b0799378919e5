"""The stored draws: the independent measurements of a question, in order, and who has paid for which.

A question is the digest of a canonical block on one version. The data set's ledger pays a draw once, when its
leader reserves it; every other payer (a project, a researcher) pays the whole prefix that it uses, each draw once
(PRIVACY §4 "Draws, not texts"). What a request has to pay is computed by the flow from what stands here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Executable, Row, bindparam, delete, insert, select, update

from tre.base.cost import Cost, Measure
from tre.base.passage import Release, reload_release
from tre.ledger.accounts import checked
from tre.ledger.ids import LedgerId
from tre.store import Reading, Transaction
from tre.store.tables import draw_payments
from tre.store.tables import draws as table

_OF_QUESTION = table.c.question == bindparam("of_question")
_AT = _OF_QUESTION, table.c.position == bindparam("at")
_DRAWS = select(table).where(_OF_QUESTION).order_by(table.c.position)
_DRAW = select(table).where(*_AT)
_PENDING = *_AT, table.c.leader == bindparam("led_by"), table.c.state == "pending"
_STORE = update(table).where(*_PENDING).values(state="stored", release=bindparam("released"))
_FAIL = update(table).where(*_PENDING).values(state="failed")
_DROP = delete(table).where(*_PENDING)
_PAID = select(draw_payments.c.position, draw_payments.c.query).where(
    draw_payments.c.payer == bindparam("payer"), draw_payments.c.question == bindparam("question")
)
_PAY = insert(draw_payments)
_UNPAY = delete(draw_payments).where(draw_payments.c.query == bindparam("of_query"))


class DrawState(StrEnum):
    """A draw is pending until its leader ends. A failed one stays: its position is never measured again."""

    PENDING = "pending"
    STORED = "stored"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Draw:
    """One measurement: its place in the question's list, what it costs, who leads it, its release once stored."""

    question: str
    position: int
    state: DrawState
    leader: str
    cost: Cost
    release: Release | None


@dataclass(frozen=True, slots=True)
class Lead:
    """This query measures the draw."""

    draw: Draw


@dataclass(frozen=True, slots=True)
class Follow:
    """Another query is measuring the draw, or has: wait for it and take its release."""

    draw: Draw


def draws(tx: Reading, question: str) -> tuple[Draw, ...]:
    """Return every draw of a question by position, failed ones too."""
    return tuple(_draw(row) for row in tx.execute(_DRAWS, {"of_question": question}))


def begin_draw(tx: Transaction, question: str, position: int, query: str, cost: Cost) -> Lead | Follow:
    """Take the draw at `position` for `query`, unless another has it: identical questions in flight share one."""
    values = {
        "question": question,
        "position": position,
        "state": DrawState.PENDING.value,
        "leader": query,
        "measure": cost.measure.value,
        "cost_amount": checked(cost).amount,
        "cost_delta": cost.delta,
    }
    if tx.insert_new(table, values):
        return Lead(Draw(question, position, DrawState.PENDING, query, cost, None))
    return Follow(_draw(tx.execute(_DRAW, {"of_question": question, "at": position}).one()))


def store_draw(tx: Transaction, question: str, position: int, query: str, release: Release) -> None:
    """Keep the release of a pending draw that `query` leads."""
    _end(tx, _STORE, question, position, query, released=release.as_json())


def fail_draw(tx: Transaction, question: str, position: int, query: str) -> None:
    """End a pending draw without a release; its price is spent by the burning of `query`."""
    _end(tx, _FAIL, question, position, query)


def drop_draw(tx: Transaction, question: str, position: int, query: str) -> None:
    """Take back a pending draw whose leader was voided: nothing was read, so the position is free again."""
    _end(tx, _DROP, question, position, query)


def paid(tx: Reading, payer: LedgerId, question: str) -> dict[int, frozenset[str]]:
    """Return, by position, the queries that paid or reserved that draw for `payer`.

    A query that is still queued may be voided and its payment with it: whoever relies on it waits for its end.
    """
    found: dict[int, frozenset[str]] = {}
    for row in tx.execute(_PAID, {"payer": payer.text, "question": question}):
        found[row.position] = found.get(row.position, frozenset()) | {row.query}
    return found


def pay(tx: Transaction, payer: LedgerId, question: str, positions: Iterable[int], query: str) -> None:
    """Note that `query` reserves these draws for `payer`; in the transaction of its reservation."""
    for position in positions:
        tx.execute(_PAY, {"payer": payer.text, "question": question, "position": position, "query": query})


def unpay(tx: Transaction, query: str) -> None:
    """Forget the payments of a voided query; in the transaction that gives its reservation back."""
    tx.execute(_UNPAY, {"of_query": query})


def _end(tx: Transaction, how: Executable, question: str, position: int, query: str, **values: str) -> None:
    ended = tx.execute(how, {"of_question": question, "at": position, "led_by": query, **values})
    if ended.rowcount != 1:
        raise LookupError("no such pending draw of this query; this is a bug, report it")


def _draw(row: Row[Any]) -> Draw:
    return Draw(
        row.question,
        row.position,
        DrawState(row.state),
        row.leader,
        Cost(Measure(row.measure), row.cost_amount, row.cost_delta),
        reload_release(row.release) if row.release is not None else None,
    )
