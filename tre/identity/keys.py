"""The embedded issuer's key pair: one ES256 JWK in the home's `keys/`, readable by its owner alone.

The public halves of keys that were rotated out stand beside it as a JWK set, each until the longest token that it
signed has expired.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from jwt.algorithms import ECAlgorithm
from jwt.exceptions import InvalidKeyError

from tre.base.clock import parse_stamp, stamp
from tre.base.ids import new_id
from tre.base.reasons import Refused
from tre.base.reasons.identity import KEY_UNSAFE
from tre.identity.jwk import JWK

KEY_FILE = "issuer.jwk"
RETIRED_FILE = "issuer-retired.jwks"
_UNTIL = "trusted_until"  # a member of our own, which readers of JWKs pass over (RFC 7517 §4)


class SigningKey:
    """An ES256 private key. It has no repr that shows it."""

    def __init__(self, private: EllipticCurvePrivateKey, kid: str) -> None:
        self.private = private
        self.kid = kid

    def __repr__(self) -> str:
        return f"<SigningKey {self.kid}>"

    @property
    def public(self) -> JWK:
        """The public half as a JWK that says what it is for."""
        return _labelled(self.private.public_key(), self.kid, "verify")


@dataclass(frozen=True, slots=True)
class RetiredKey:
    """A public key that signs no more, and until when what it signed is taken."""

    jwk: JWK
    until: datetime


def new_key() -> SigningKey:
    """Return a key that stands nowhere yet."""
    return SigningKey(generate_private_key(SECP256R1()), new_id("k"))


def create_key(folder: Path) -> SigningKey:
    """Make the issuer's key in `folder` (0600) and return it. Raises FileExistsError rather than replace one."""
    key = new_key()
    _write(folder / KEY_FILE, _private(key))
    return key


def replace_key(folder: Path, key: SigningKey, retired: Sequence[RetiredKey]) -> None:
    """Make `key` the issuer's key in `folder`, with the keys that are `retired` now.

    Those first: a crash in between leaves a key that is both, never a token in use whose key is not known.
    """
    told = [{**one.jwk, _UNTIL: stamp(one.until)} for one in retired]
    _replace(folder / RETIRED_FILE, json.dumps({"keys": told}))
    _replace(folder / KEY_FILE, _private(key))


def load_retired(folder: Path) -> tuple[RetiredKey, ...]:
    """Return the keys that were rotated out; refused when their file is damaged or open to others."""
    if not (folder / RETIRED_FILE).exists():
        return ()
    try:
        found = _read(folder / RETIRED_FILE)["keys"]
        return tuple(
            RetiredKey({name: part for name, part in jwk.items() if name != _UNTIL}, parse_stamp(jwk[_UNTIL]))
            for jwk in found
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as damaged:
        raise Refused.because(KEY_UNSAFE) from damaged


def load_key(folder: Path) -> SigningKey:
    """Return the key that `create_key` wrote; refused when the file is missing, damaged or open to others."""
    try:
        stored = _read(folder / KEY_FILE)
        private = ECAlgorithm.from_jwk(stored)
        kid = stored["kid"]
    except (OSError, ValueError, KeyError, TypeError, InvalidKeyError) as damaged:
        raise Refused.because(KEY_UNSAFE) from damaged
    if not isinstance(private, EllipticCurvePrivateKey) or stored.get("crv") != "P-256" or not isinstance(kid, str):
        raise Refused.because(KEY_UNSAFE)
    return SigningKey(private, kid)


def state_of(folder: Path) -> tuple[object, ...]:
    """Return what changes whenever the files of the issuer's keys are replaced."""
    return tuple(_state(folder / name) for name in (KEY_FILE, RETIRED_FILE))


def _state(file: Path) -> object:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_mode


def _private(key: SigningKey) -> str:
    return json.dumps(_labelled(key.private, key.kid, "sign"))


def _write(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _replace(path: Path, text: str) -> None:
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    _write(fresh, text)
    fresh.replace(path)
    handle = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _read(path: Path) -> Any:
    with path.open(encoding="ascii") as file:
        _check_closed(os.fstat(file.fileno()).st_mode)
        return json.load(file)


def _check_closed(mode: int) -> None:
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise PermissionError("the key file is open to other users")


def _labelled(key: EllipticCurvePrivateKey | EllipticCurvePublicKey, kid: str, operation: str) -> dict[str, Any]:
    return {
        **ECAlgorithm.to_jwk(key, as_dict=True),
        "kid": kid,
        "alg": "ES256",
        "use": "sig",
        "key_ops": [operation],
    }
