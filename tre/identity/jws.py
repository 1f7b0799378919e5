"""Signed tokens in compact form (RFC 7515 §7.1), read strictly: form and size first, then header, then signature."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

from jwt import PyJWK, PyJWS
from jwt.exceptions import InvalidKeyError, InvalidTokenError

from tre.identity.jwk import JWK, verification_key

LONGEST = 8192
_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]+", re.ASCII)
_UNDERSTOOD = frozenset({"alg", "kid", "typ", "cty", "x5t", "x5t#S256"})
"""x5t is a thumbprint beside `kid` that some providers send (RFC 7515 §4.1.7); it names a key and carries none."""


class Malformed(ValueError):  # noqa: N818 - a verdict on what was sent
    """Not a signed token in compact form."""


class Forged(ValueError):  # noqa: N818 - a verdict on what was sent
    """Well-formed, and not signed by the key."""


def header_of(compact: str) -> dict[str, Any]:
    """Return the header of a token that nobody has verified yet.

    Raises Malformed for any other form or size, base64url that is not canonical, duplicate names, and header
    parameters beyond those below: they carry keys (jwk, jku, x5c …) or change the form (b64, crit).
    """
    return _header(_parts(compact)[0])


def parts_of(compact: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the header and the JSON payload of a token that nobody has verified yet. Raises Malformed."""
    header, payload, _ = _parts(compact)
    return _header(header), strict_object(payload)


def verify_jws(compact: str, jwk: JWK) -> bytes:
    """Return the payload of `compact`, signed by the key that `jwk` describes.

    Raises Malformed, Forged, or UnfitKey for a key that must not verify signatures.
    """
    return verify_with(compact, verification_key(jwk))


def verify_with(compact: str, key: PyJWK) -> bytes:
    """Return the payload of `compact`, signed by `key` with the algorithm that the key fixes."""
    header = header_of(compact)
    if header.get("kid", key.key_id) != key.key_id:
        raise Forged("another key is named")
    try:
        decoded = PyJWS().decode_complete(
            compact, key, algorithms=[key.algorithm_name], options={"enforce_minimum_key_length": True}
        )
    except (InvalidTokenError, InvalidKeyError, ValueError) as refused:
        raise Forged("the signature does not verify") from refused
    payload: bytes = decoded["payload"]
    return payload


def strict_object(text: bytes) -> dict[str, Any]:
    """Return the JSON object in `text`; Malformed for anything else, duplicate names and NaN included."""
    try:
        value = json.loads(text.decode("utf-8"), object_pairs_hook=_without_duplicates, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as unreadable:
        raise Malformed("not strict JSON") from unreadable
    if not isinstance(value, dict):
        raise Malformed("not a JSON object")
    return value


def _parts(compact: str) -> list[bytes]:
    if len(compact) > LONGEST or not _COMPACT.fullmatch(compact):
        raise Malformed("not a compact token")
    return [_decoded(part) for part in compact.split(".")]


def _header(text: bytes) -> dict[str, Any]:
    header = strict_object(text)
    if not header.keys() <= _UNDERSTOOD or not all(isinstance(value, str) for value in header.values()):
        raise Malformed("header parameters that are not understood")
    return header


def _decoded(part: str) -> bytes:
    decoded = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) if len(part) % 4 != 1 else b""
    if base64.urlsafe_b64encode(decoded).rstrip(b"=").decode() != part:
        raise Malformed("base64url that is not canonical")
    return decoded


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name appears twice")
    return found


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
