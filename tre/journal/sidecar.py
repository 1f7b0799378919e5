"""What may be erased lies beside the log: SQL, addresses, names, reasons people gave (AUDIT "Entry").

AES-256-GCM under a key per scope (a project, or a person), the key wrapped by the master key of the home. Erasure
destroys the scope's key; the entry keeps the digest of what was sealed, and its proofs hold. The event id and the
kind are authenticated with the text, so that no text can be moved under another entry.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import insert, select

from tre.base.ids import Randomness
from tre.base.reasons import Refused
from tre.base.reasons import journal as reasons
from tre.store import Reading, Transaction
from tre.store.tables import sidecar, sidecar_keys

_KEY = 32
_NONCE = 12


def create_master(path: Path, randomness: Randomness = secrets.token_bytes) -> None:
    """Write a new master key, durably, readable by its owner alone. Raises FileExistsError."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(randomness(_KEY))
        file.flush()
        os.fsync(handle)


@dataclass(frozen=True, slots=True)
class Sidecar:
    """The side-car under one master key."""

    _master: AESGCM
    _randomness: Randomness

    @classmethod
    def open(cls, path: Path, randomness: Randomness = secrets.token_bytes) -> Sidecar:
        """Read the master key. Raises Refused (journal.key-missing, journal.key-exposed)."""
        try:
            master, mode = path.read_bytes(), path.stat().st_mode
        except OSError as error:
            raise Refused.because(reasons.KEY_MISSING) from error
        if mode & 0o077:
            raise Refused.because(reasons.KEY_EXPOSED)
        if len(master) != _KEY:
            raise Refused.because(reasons.KEY_MISSING)
        return cls(AESGCM(master), randomness)

    def write(self, tx: Transaction, event_id: str, scope: str, kind: str, text: str) -> str:
        """Seal `text` beside the entry `event_id`; return the digest that the entry carries.

        :param scope: whose key: `project/ID` or `person/ID`. :param kind: `sql`, `name`, `address` or `reason`.
        """
        sealed = self._seal(self._key(tx, scope), text.encode(), _bound(event_id, kind))
        tx.execute(insert(sidecar).values(event_id=event_id, kind=kind, scope=scope, sealed=sealed))
        return hashlib.sha256(sealed).hexdigest()

    def read(self, tx: Reading, event_id: str, kind: str) -> str | None:
        """Return what was sealed; None where there is nothing or its key was destroyed.

        Raises Refused (journal.key-missing) where the key does not open it.
        """
        row = tx.execute(
            select(sidecar.c.sealed, sidecar_keys.c.scope, sidecar_keys.c.wrapped)
            .join(sidecar_keys, sidecar_keys.c.scope == sidecar.c.scope)
            .where(sidecar.c.event_id == event_id, sidecar.c.kind == kind)
        ).one_or_none()
        if row is None:
            return None
        key = AESGCM(_open(self._master, row.wrapped, row.scope.encode()))
        return _open(key, row.sealed, _bound(event_id, kind)).decode()

    def _key(self, tx: Transaction, scope: str) -> AESGCM:
        found = select(sidecar_keys.c.wrapped).where(sidecar_keys.c.scope == scope)
        wrapped = tx.execute(found).scalar_one_or_none()
        if wrapped is None:
            fresh = self._seal(self._master, self._randomness(_KEY), scope.encode())
            tx.insert_new(sidecar_keys, {"scope": scope, "wrapped": fresh})
            wrapped = tx.execute(found).scalar_one()
        return AESGCM(_open(self._master, wrapped, scope.encode()))

    def _seal(self, key: AESGCM, text: bytes, bound: bytes) -> bytes:
        nonce = self._randomness(_NONCE)
        return nonce + key.encrypt(nonce, text, bound)


def _bound(event_id: str, kind: str) -> bytes:
    return f"{event_id}/{kind}".encode()


def _open(key: AESGCM, sealed: bytes, bound: bytes) -> bytes:
    try:
        return key.decrypt(sealed[:_NONCE], sealed[_NONCE:], bound)
    except InvalidTag as error:
        raise Refused.because(reasons.KEY_MISSING) from error
