"""JSON Web Keys that may verify a signature: what a key says of itself must fit what it is (RFC 7517, RFC 7518 §6).

The algorithm belongs to the key. A token is never asked for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from jwt import PyJWK
from jwt.exceptions import InvalidKeyError, PyJWKError

JWK = Mapping[str, Any]

_CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}
_RSA = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"})
_HMAC_BYTES = {"HS256": 32, "HS384": 48, "HS512": 64}
_LEAST_RSA_BITS = 2048
_ROCA_PRIMES = (11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157)
_PRIVATE_PARTS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth"})


class UnfitKey(ValueError):  # noqa: N818 - a verdict on what was sent
    """A key that must not verify anything."""


def verification_key(jwk: JWK) -> PyJWK:
    """Return the key that `jwk` describes, with its algorithm fixed.

    Raises UnfitKey where `use`, `key_ops`, `alg`, `kty`, `crv` or the key's size do not fit each other.
    """
    _check_purpose(jwk)
    algorithm = _algorithm(jwk)
    public = {name: value for name, value in jwk.items() if name not in _PRIVATE_PARTS}
    try:
        key = PyJWK(public, algorithm)
    except (InvalidKeyError, PyJWKError, ValueError, TypeError, KeyError) as unreadable:
        raise UnfitKey("the key cannot be read") from unreadable
    _check_strength(algorithm, key)
    return key


def by_kid(jwks: Sequence[JWK]) -> dict[str, PyJWK]:
    """Return the keys of a set by key id.

    Raises UnfitKey for a missing or repeated id, and for a set that mixes secret with public keys: such a set is
    either published with its secret or invites a public key to be used as one.
    """
    if len({jwk.get("kty") == "oct" for jwk in jwks}) != 1:
        raise UnfitKey("a key set holds secret keys or public keys, and at least one")
    keys = {str(jwk["kid"]): verification_key(jwk) for jwk in jwks if isinstance(jwk.get("kid"), str)}
    if len(keys) != len(jwks):
        raise UnfitKey("every key of a set has an id of its own")
    return keys


def published_keys(jwks: Sequence[JWK], algorithms: Sequence[str]) -> dict[str, PyJWK]:
    """Return those keys of an outside issuer's set that may verify by one of `algorithms`, by key id.

    A set holds keys for other uses too: those are passed over, as is one whose algorithm is not settled. Raises
    UnfitKey for a set that shows a secret, or that gives an id to two keys.
    """
    if any(jwk.get("kty") == "oct" or _PRIVATE_PARTS & jwk.keys() for jwk in jwks):
        raise UnfitKey("a published set shows a secret")
    found: dict[str, PyJWK] = {}
    for jwk in jwks:
        key = _fixed(jwk, algorithms)
        if key is None:
            continue
        if jwk["kid"] in found:
            raise UnfitKey("every key of a set has an id of its own")
        found[jwk["kid"]] = key
    return found


def _fixed(jwk: JWK, algorithms: Sequence[str]) -> PyJWK | None:
    """Return the key with the one algorithm that it and its issuer agree on; None where there is not just one."""
    if not isinstance(jwk.get("kid"), str):
        return None
    fitting: list[PyJWK] = []
    for algorithm in algorithms:
        if jwk.get("alg", algorithm) == algorithm:
            with suppress(UnfitKey):
                fitting.append(verification_key({**jwk, "alg": algorithm}))
    return fitting[0] if len(fitting) == 1 else None


def _check_purpose(jwk: JWK) -> None:
    if jwk.get("use", "sig") != "sig":
        raise UnfitKey("the key is not for signatures")
    operations = jwk.get("key_ops", ["verify"])
    if not isinstance(operations, list) or not {"verify", "sign"} & set(map(str, operations)):
        raise UnfitKey("the key is not for verification")


def _algorithm(jwk: JWK) -> str:
    algorithm, kind = jwk.get("alg"), jwk.get("kty")
    if not isinstance(algorithm, str):
        raise UnfitKey("the key names no algorithm")
    fits = {
        "EC": algorithm in _CURVES and jwk.get("crv") == _CURVES[algorithm],
        "RSA": algorithm in _RSA,
        "OKP": algorithm == "EdDSA" and jwk.get("crv") == "Ed25519",
        "oct": algorithm in _HMAC_BYTES,
    }
    if not fits.get(str(kind), False):
        raise UnfitKey("the key's algorithm does not fit its type")
    return algorithm


def _check_strength(algorithm: str, key: PyJWK) -> None:
    if algorithm in _HMAC_BYTES:
        if len(key.key) < _HMAC_BYTES[algorithm]:
            raise UnfitKey("the secret is shorter than its hash (RFC 7518 §3.2)")
    elif algorithm in _RSA:
        numbers = key.key.public_numbers()
        if key.key.key_size < _LEAST_RSA_BITS or numbers.e < 65537 or _is_roca(numbers.n):
            raise UnfitKey("the RSA key is weak")


def _is_roca(modulus: int) -> bool:
    """Whether the modulus is one of those that CVE-2017-15361 made (Nemec et al. 2017, §3.1).

    Its primes are powers of 65537 modulo each small prime, and so is the modulus: modulo every prime of the list,
    in which 65537 generates a true subgroup.
    """
    return all(modulus % prime in {pow(65537, power, prime) for power in range(prime)} for prime in _ROCA_PRIMES)
