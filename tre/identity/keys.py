"""The embedded issuer's key pair: one ES256 JWK in the home's `keys/`, readable by its owner alone."""

from __future__ import annotations

import json
import os
import stat
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

from tre.base.ids import new_id
from tre.base.reasons import Refused
from tre.base.reasons.identity import KEY_UNSAFE
from tre.identity.jwk import JWK

KEY_FILE = "issuer.jwk"


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


def create_key(folder: Path) -> SigningKey:
    """Make the issuer's key in `folder` (0600) and return it. Raises FileExistsError rather than replace one."""
    key = SigningKey(generate_private_key(SECP256R1()), new_id("k"))
    text = json.dumps(_labelled(key.private, key.kid, "sign"))
    descriptor = os.open(folder / KEY_FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return key


def load_key(folder: Path) -> SigningKey:
    """Return the key that `create_key` wrote; refused when the file is missing, damaged or open to others."""
    try:
        with (folder / KEY_FILE).open(encoding="ascii") as file:
            _check_closed(os.fstat(file.fileno()).st_mode)
            stored = json.load(file)
        private = ECAlgorithm.from_jwk(stored)
        kid = stored["kid"]
    except (OSError, ValueError, KeyError, TypeError, InvalidKeyError) as damaged:
        raise Refused.because(KEY_UNSAFE) from damaged
    if not isinstance(private, EllipticCurvePrivateKey) or stored.get("crv") != "P-256" or not isinstance(kid, str):
        raise Refused.because(KEY_UNSAFE)
    return SigningKey(private, kid)


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
