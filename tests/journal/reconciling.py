"""What the rooms above the journal do with what the log shows at a start."""

from __future__ import annotations

from tre import jobs, ledger
from tre.journal import Shown
from tre.store import Transaction


def reconcile(tx: Transaction, shown: Shown) -> None:
    """Raise the ledgers and end what ended."""
    ledger.raise_to(tx, shown)
    jobs.adopt(tx, shown)
