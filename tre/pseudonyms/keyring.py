"""The secrets of all epochs, wrapped by a master key: two files of the home's `keys/`, 0600 each.

Keys live outside the data store (GOVERNANCE §5): a copy of a version without `keys/` identifies nobody, nor does the
keyring without the master key. A new epoch is added beside the older ones, which stay: their tokens remain usable,
and no column of one epoch is ever compared with one of another.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tre.base.clock import Clock, stamp
from tre.base.ids import Randomness
from tre.base.reasons import Refused
from tre.base.reasons import pseudonyms as reasons

KEYRING = "pseudonyms.keyring"
MASTER = "pseudonyms.master"
_FORMAT = "tre pseudonym keyring 1"
_KEY = 32
_NONCE = 12


@dataclass(frozen=True, slots=True)
class Keyring:
    """Secrets by epoch, unwrapped: only the process that makes tokens holds one."""

    secrets: Mapping[int, bytes] = field(repr=False)

    @property
    def newest(self) -> int:
        """The epoch of tokens that are made without another being named."""
        return max(self.secrets)

    def secret(self, epoch: int) -> bytes:
        """Return the secret of `epoch`. Raises Refused (pseudonyms.epoch-unknown)."""
        try:
            return self.secrets[epoch]
        except KeyError:
            raise Refused.because(reasons.EPOCH_UNKNOWN, epoch=str(epoch)) from None


def create_keyring(keys: Path, clock: Clock, randomness: Randomness = secrets.token_bytes) -> None:
    """Write a new master key and a keyring of epoch 1 into the folder `keys`. Raises FileExistsError."""
    _write(keys / MASTER, randomness(_KEY))
    _write(keys / KEYRING, _written([_epoch(1, AESGCM(_master(keys)), clock, randomness)]))


def add_epoch(keys: Path, clock: Clock, randomness: Randomness = secrets.token_bytes) -> int:
    """Add an epoch and return its number; processes that are running keep to the epochs they have read.

    Raises Refused (pseudonyms.keyring-*) and changes nothing where the keyring does not open.
    """
    with _alone(keys):
        epoch = open_keyring(keys).newest + 1
        added = _epoch(epoch, AESGCM(_master(keys)), clock, randomness)
        fresh = keys / f"{KEYRING}.new"
        fresh.unlink(missing_ok=True)
        _write(fresh, _written([*_entries(keys), added]))
        fresh.replace(keys / KEYRING)
        _flush_folder(keys)
    return epoch


def open_keyring(keys: Path) -> Keyring:
    """Return the keyring in the folder `keys`, unwrapped. Raises Refused (pseudonyms.keyring-*)."""
    master = AESGCM(_master(keys))
    try:
        found = {int(entry["epoch"]): _unwrapped(master, entry) for entry in _entries(keys)}
    except (InvalidTag, KeyError, TypeError, ValueError) as error:
        raise Refused.because(reasons.KEYRING_DAMAGED) from error
    if not found:
        raise Refused.because(reasons.KEYRING_DAMAGED)
    return Keyring(found)


def _epoch(epoch: int, master: AESGCM, clock: Clock, randomness: Randomness) -> dict[str, Any]:
    entry: dict[str, Any] = {"epoch": epoch, "created": stamp(clock.now())}
    nonce = randomness(_NONCE)
    return entry | {"wrapped": (nonce + master.encrypt(nonce, randomness(_KEY), _bound(entry))).hex()}


def _unwrapped(master: AESGCM, entry: Mapping[str, Any]) -> bytes:
    wrapped = bytes.fromhex(entry["wrapped"])
    return master.decrypt(wrapped[:_NONCE], wrapped[_NONCE:], _bound(entry))


def _bound(entry: Mapping[str, Any]) -> bytes:
    # Authenticated with the secret, so that no secret can be moved to another epoch.
    return f"{_FORMAT}\n{int(entry['epoch'])}\n{entry['created']}".encode()


def _written(entries: list[dict[str, Any]]) -> bytes:
    return json.dumps({"format": _FORMAT, "epochs": entries}, indent=1).encode()


def _entries(keys: Path) -> list[dict[str, Any]]:
    try:
        content = json.loads(_read(keys / KEYRING))
        if content["format"] != _FORMAT:
            raise ValueError(content["format"])
        return list(content["epochs"])
    except (KeyError, TypeError, ValueError) as error:
        raise Refused.because(reasons.KEYRING_DAMAGED) from error


def _master(keys: Path) -> bytes:
    master = _read(keys / MASTER)
    if len(master) != _KEY:
        raise Refused.because(reasons.KEYRING_DAMAGED)
    return master


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            content = file.read()
    except OSError as error:
        raise Refused.because(reasons.KEYRING_MISSING) from error
    if mode & 0o077:
        raise Refused.because(reasons.KEYRING_EXPOSED)
    return content


def _write(path: Path, content: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(handle)
    _flush_folder(path.parent)


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _alone(keys: Path) -> Iterator[None]:
    # The master key's file is never replaced, so its lock holds: of two racing additions none loses its secret.
    try:
        handle = os.open(keys / MASTER, os.O_RDONLY)
    except OSError as error:
        raise Refused.because(reasons.KEYRING_MISSING) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
