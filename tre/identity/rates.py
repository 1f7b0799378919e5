"""How often somebody came within a minute: counted in the control database, for all servers together.

Who is counted stands there as a keyed digest, so that the table names neither people nor addresses.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, delete, update

from tre.base.clock import Clock
from tre.base.reasons import Refused
from tre.base.reasons.web import TOO_MANY
from tre.store import Store, Transaction
from tre.store.tables import rates

WINDOW = 60
"""Seconds."""

_MORE = (
    update(rates)
    .where(rates.c.key == bindparam("counted"), rates.c.window == bindparam("in_window"))
    .values(count=rates.c.count + 1)
    .returning(rates.c.count)
)
_KEPT = 2
_ATTEMPTS = 2


@dataclass(frozen=True, slots=True)
class Rates:
    """Counts over a control database; `key` keys the digests."""

    store: Store
    key: bytes
    clock: Clock

    def count(self, what: str, who: str, most: int) -> None:
        """Count once more. Raises Refused (web.too-many; store.unavailable: what cannot be counted is not let in)."""
        now = self.clock.now()
        window = int(now.timestamp()) // WINDOW
        digest = hmac.new(self.key, f"{what}\x00{who}".encode(), hashlib.sha256).hexdigest()
        with self.store.transaction(lasting=False) as tx:
            counted = _counted(tx, digest, window)
        if counted > most:
            raise Refused.because(TOO_MANY, seconds=str(_left(now, window)))


def _counted(tx: Transaction, digest: str, window: int) -> int:
    for _ in range(_ATTEMPTS):
        found = tx.execute(_MORE, {"counted": digest, "in_window": window}).scalar_one_or_none()
        if found is not None:
            return int(found)
        if tx.insert_new(rates, {"key": digest, "window": window, "count": 1}):
            tx.execute(delete(rates).where(rates.c.window < window - _KEPT))
            return 1
    raise LookupError("a rate that is neither there nor new; this is a bug, report it")


def _left(now: datetime, window: int) -> int:
    return max(1, (window + 1) * WINDOW - int(now.timestamp()))
