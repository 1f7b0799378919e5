"""Another master key: the keys of all scopes are wrapped anew, what they seal stays as it is.

The control database is the truth: which of two key files is the master key is the one that its rows open under. So
the new key is written beside the old one, the rows change in one transaction, and the file takes the old one's place
afterwards; a crash anywhere in between is settled when the side-car is next opened.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import select, update

from tre.base.ids import Randomness
from tre.base.reasons import Refused
from tre.journal.sidecar import Held, create_master, opened, read_master, sealed
from tre.store import Reading, Store, Transaction
from tre.store.tables import sidecar_keys


def rotate_master(
    store: Store, path: Path, record: Callable[[Transaction], object], randomness: Randomness = secrets.token_bytes
) -> None:
    """Replace the master key at `path`; `record` writes the entry, in the transaction of the change.

    Raises Refused (journal.key-in-use) while a server or another command has the key opened.
    """
    held = Held(path.parent, alone=True)
    try:
        _settle(store, path)
        create_master(_fresh(path), randomness)
        old, new = read_master(path), read_master(_fresh(path))
        with store.transaction() as tx:
            for scope, wrapped in _rows(tx):
                key = sealed(new, opened(old, wrapped, scope.encode()), scope.encode(), randomness)
                tx.execute(update(sidecar_keys).where(sidecar_keys.c.scope == scope).values(wrapped=key))
            record(tx)
        _adopt(path)
    finally:
        held.release()


def settle_master(store: Store, path: Path) -> None:
    """End a rotation that a crash interrupted. Raises Refused (journal.key-in-use) while one is under way."""
    if not _fresh(path).exists():
        return
    held = Held(path.parent, alone=True)
    try:
        _settle(store, path)
    finally:
        held.release()


def _settle(store: Store, path: Path) -> None:
    if not _fresh(path).exists():
        return
    with store.reading() as tx:
        rows = _rows(tx)
    # A torn file is no key, so nothing was wrapped under it.
    if _fresh(path).stat().st_size == path.stat().st_size and rows and _opens(read_master(_fresh(path)), rows[0]):
        _adopt(path)
    else:
        _fresh(path).unlink()


def _opens(master: AESGCM, row: tuple[str, bytes]) -> bool:
    try:
        opened(master, row[1], row[0].encode())
    except Refused as refused:
        if isinstance(refused.__cause__, InvalidTag):
            return False
        raise
    return True


def _rows(tx: Reading) -> list[tuple[str, bytes]]:
    return [(row.scope, row.wrapped) for row in tx.execute(select(sidecar_keys))]


def _fresh(path: Path) -> Path:
    return path.with_name(f"{path.name}.new")


def _adopt(path: Path) -> None:
    _fresh(path).replace(path)
    handle = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
