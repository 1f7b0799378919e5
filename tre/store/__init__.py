"""The control database: tables, migrations, transactions."""

from tre.store.store import Reading, Store, Transaction

__all__ = ["Reading", "Store", "Transaction"]
