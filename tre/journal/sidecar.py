"""What may be erased lies beside the log: SQL, addresses, names, reasons people gave (AUDIT "Entry").

AES-256-GCM under a key per scope (a project, or a person), the key wrapped by the master key of the home. Erasure
destroys the scope's key; the entry keeps the digest of what was sealed, and its proofs hold. The event id and the
kind are authenticated with the text, so that no text can be moved under another entry.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import bindparam, delete, insert, select

from audit.entries import Event
from tre.base.ids import Randomness
from tre.base.reasons import Refused
from tre.base.reasons import journal as reasons
from tre.journal.readings import OnRecord
from tre.journal.recovery import Shown
from tre.store import Reading, Transaction
from tre.store.tables import sidecar, sidecar_keys

_WRITE = insert(sidecar)
_READ = (
    select(sidecar.c.sealed, sidecar_keys.c.scope, sidecar_keys.c.wrapped)
    .join(sidecar_keys, sidecar_keys.c.scope == sidecar.c.scope)
    .where(sidecar.c.event_id == bindparam("event"), sidecar.c.kind == bindparam("kind"))
)
_WRAPPED = select(sidecar_keys.c.wrapped).where(sidecar_keys.c.scope == bindparam("scope"))
_KEY = 32
_NONCE = 12


class Held:
    """A lock of the folder that the master key stands in, the kernel's, until this object or the process ends.

    Whoever has the key opened holds it together with others; who replaces the key holds it alone. So no process goes on
    wrapping under a key that was replaced.
    """

    def __init__(self, folder: Path, *, alone: bool = False) -> None:
        self._handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(self._handle, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self.release()
            raise Refused.because(reasons.KEY_IN_USE) from error

    def release(self) -> None:
        """Give the lock back; a second call does nothing."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    __del__ = release


def create_master(path: Path, randomness: Randomness = secrets.token_bytes) -> None:
    """Write a new master key, durably, readable by its owner alone. Raises FileExistsError."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(randomness(_KEY))
        file.flush()
        os.fsync(handle)


def read_master(path: Path) -> AESGCM:
    """Return the master key. Raises Refused (journal.key-missing, journal.key-exposed)."""
    try:
        master, mode = path.read_bytes(), path.stat().st_mode
    except OSError as error:
        raise Refused.because(reasons.KEY_MISSING) from error
    if mode & 0o077:
        raise Refused.because(reasons.KEY_EXPOSED)
    if len(master) != _KEY:
        raise Refused.because(reasons.KEY_MISSING)
    return AESGCM(master)


@dataclass(frozen=True, slots=True)
class Sidecar:
    """The side-car under one master key."""

    _master: AESGCM
    _randomness: Randomness
    _held: Held

    @classmethod
    def open(cls, path: Path, randomness: Randomness = secrets.token_bytes) -> Sidecar:
        """Read the master key. Raises Refused (journal.key-missing, journal.key-exposed, journal.key-in-use)."""
        try:
            held = Held(path.parent)
        except OSError as error:
            raise Refused.because(reasons.KEY_MISSING) from error
        return cls(read_master(path), randomness, held)

    def write(self, tx: Transaction, event_id: str, scope: str, kind: str, text: str) -> str:
        """Seal `text` beside the entry `event_id`; return the digest that the entry carries.

        :param scope: whose key: `project/ID` or `person/ID`. :param kind: `sql`, `name`, `address` or `reason`.
        """
        content = self._seal(self._key(tx, scope), text.encode(), _bound(event_id, kind))
        tx.execute(_WRITE, {"event_id": event_id, "kind": kind, "scope": scope, "sealed": content})
        return hashlib.sha256(content).hexdigest()

    def read(self, tx: Reading, event_id: str, kind: str, reading: OnRecord) -> str | None:
        """Return what was sealed; None where there is nothing or its key was destroyed.

        :param reading: the entry that tells of this reading; that there is one says that it stands in the log.
        Raises Refused (journal.key-missing) where the key does not open it.
        """
        if not reading.covers(event_id):
            raise ValueError("a text that the entry of its reading does not tell of; this is a bug, report it")
        row = tx.execute(_READ, {"event": event_id, "kind": kind}).one_or_none()
        if row is None:
            return None
        key = AESGCM(opened(self._master, row.wrapped, row.scope.encode()))
        return opened(key, row.sealed, _bound(event_id, kind)).decode()

    def _key(self, tx: Transaction, scope: str) -> AESGCM:
        wrapped = tx.execute(_WRAPPED, {"scope": scope}).scalar_one_or_none()
        if wrapped is None:
            fresh = self._seal(self._master, self._randomness(_KEY), scope.encode())
            tx.insert_new(sidecar_keys, {"scope": scope, "wrapped": fresh})
            wrapped = tx.execute(_WRAPPED, {"scope": scope}).scalar_one()
        return AESGCM(opened(self._master, wrapped, scope.encode()))

    def _seal(self, key: AESGCM, text: bytes, bound: bytes) -> bytes:
        return sealed(key, text, bound, self._randomness)


def destroy(tx: Transaction, scope: str) -> bool:
    """Destroy the key of `scope` and all that it sealed; return whether there was any.

    The entries keep the digests of what was sealed, so every proof holds. What the database file still has of it
    `Store.scrub` takes.
    """
    tx.execute(delete(sidecar).where(sidecar.c.scope == scope))
    return tx.execute(delete(sidecar_keys).where(sidecar_keys.c.scope == scope)).rowcount > 0


def destroy_again(tx: Transaction, shown: Shown) -> None:
    """Destroy what the log says was destroyed: a restored back-up brings no erased text back."""
    for one in shown.news:
        if one.fields["event"] == Event.KEY_DESTROYED:
            destroy(tx, one.fields["subject"])


def sealed(key: AESGCM, text: bytes, bound: bytes, randomness: Randomness) -> bytes:
    """Encrypt `text` under `key`; `bound` is authenticated with it."""
    nonce = randomness(_NONCE)
    return nonce + key.encrypt(nonce, text, bound)


def _bound(event_id: str, kind: str) -> bytes:
    return f"{event_id}/{kind}".encode()


def opened(key: AESGCM, text: bytes, bound: bytes) -> bytes:
    """Decrypt what `sealed` made. Raises Refused (journal.key-missing) where the key does not open it."""
    try:
        return key.decrypt(text[:_NONCE], text[_NONCE:], bound)
    except InvalidTag as error:
        raise Refused.because(reasons.KEY_MISSING) from error
