"""An outside issuer as tests know it: its key, its set, and tokens with any claim or header changed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as new_ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as new_rsa
from jwt import PyJWS
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from tre.base.reasons import Refused
from tre.base.reasons.identity import PERSON_UNKNOWN
from tre.identity import Issuer, MappedWords, PublishedKeys

NAME, AUDIENCE = "https://id.example.org/realms/staff", "tre"
START = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
Private = EllipticCurvePrivateKey | RSAPrivateKey | Ed25519PrivateKey
KEYS: dict[str, Private] = {
    "ES256": new_ec(SECP256R1()),
    "RS256": new_rsa(65537, 2048),
    "EdDSA": Ed25519PrivateKey.generate(),
}
KEYS["PS256"] = KEYS["RS256"]


class Ticking:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.at = START

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()

    def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


def public(algorithm: str, kid: str = "k1", **labels: Any) -> dict[str, Any]:
    """The public half as issuers publish it; `...` takes a label away."""
    key: Any = KEYS[algorithm].public_key()
    kinds: dict[str, Any] = {"ES256": ECAlgorithm, "EdDSA": OKPAlgorithm}
    shown = kinds.get(algorithm, RSAAlgorithm).to_jwk(key, as_dict=True)
    found = {**shown, "kid": kid, "use": "sig", "alg": algorithm, **labels}
    return {name: value for name, value in found.items() if value is not ...}


def claims(**changes: Any) -> dict[str, Any]:
    now = int(START.timestamp())
    base = {"iss": NAME, "aud": AUDIENCE, "sub": "s-1", "iat": now, "exp": now + 600, "jti": "j 1 é", "acr": "gold"}
    return {name: value for name, value in (base | changes).items() if value is not ...}


def signed(payload: Any, algorithm: str = "ES256", **headers: Any) -> str:
    """A token of the issuer."""
    named = {"typ": "at+jwt", "kid": "k1"} | headers
    fields = {name: value for name, value in named.items() if value is not ...}
    return PyJWS().encode(json.dumps(payload).encode(), KEYS[algorithm], algorithm=algorithm, headers=fields)


def known(subject: str) -> str:
    """Only s-1 is somebody."""
    if subject != "s-1":
        raise Refused.because(PERSON_UNKNOWN)
    return "ada"


def issuer(
    clock: Ticking, *keys: dict[str, Any], algorithms: Sequence[str] = ("ES256",), name: str = NAME, **words: Any
) -> Issuer:
    """The issuer as the house trusts it."""
    shown = {"keys": list(keys) or [public("ES256")]}
    mapped = MappedWords(**({"of_acr": {"gold": "mfa"}} | words))
    published = PublishedKeys(lambda: shown, algorithms, clock, 60)
    return Issuer(name, AUDIENCE, published, known, mapped, timedelta(hours=1))
