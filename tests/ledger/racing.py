"""What each of the racing processes does: reserve until refused, then say how often it was granted."""

from __future__ import annotations

from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier

from tests.control import DATASET, PROJECT, zcdp
from tre import ledger
from tre.base.reasons import Refused
from tre.store import Store

MOST = 50
"""A broken limit must show as a wrong number, not as a race without end."""


def race(url: str, number: int, price: int, start: Barrier, answer: Connection) -> None:
    """Take `price` from both ledgers until one of them has no more."""
    store = Store(url, patience=60)
    start.wait()
    granted = 0
    while granted < MOST:
        try:
            with store.transaction() as tx:
                ledger.reserve(tx, f"q_{number}_{granted}", {PROJECT: zcdp(price), DATASET: zcdp(price)})
        except Refused as refused:
            answer.send((granted, sorted({one.reason.code for one in refused.refusals})))
            return
        granted += 1
    answer.send((granted, []))
