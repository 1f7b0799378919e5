"""Which key a token is made under: HKDF-SHA256 (RFC 5869) from the secret of an epoch."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tre.catalogue import IdentifierType

_SALT = b""  # fixed: the secret is already uniform, and HKDF is not made for salts of varying length
_LABEL = b"tre pseudonyms 1"
_KEY = 32
_ID = 8


class Circle(Enum):
    """Whose tokens these are: those of a data set lie in its side table, those of a project are what people see."""

    DATA_SET = "data set"
    PROJECT = "project"


@dataclass(frozen=True, slots=True)
class Scope:
    """All that a token's key depends on besides the secret."""

    circle: Circle
    name: str
    kind: IdentifierType
    epoch: int

    def __str__(self) -> str:
        return f"{self.circle.value} {self.name}, {self.kind.value}, epoch {self.epoch}"


@dataclass(frozen=True, slots=True)
class TokenKey:
    """A key of AES-256 and its public name, which tells nothing of the key."""

    key: bytes = field(repr=False)
    key_id: str


def derive(secret: bytes, scope: Scope) -> TokenKey:
    """Return the key of `scope` under an epoch's `secret`: another scope has an independent key."""
    okm = hkdf_sha256(secret, _SALT, info(scope), _KEY + _ID)
    return TokenKey(okm[:_KEY], okm[_KEY:].hex())


def info(scope: Scope) -> bytes:
    """Return the scope as HKDF's `info`: each part with its length before it, so that no two scopes are one."""
    parts = (_LABEL, *(part.encode() for part in (scope.circle.value, scope.name, scope.kind.value, str(scope.epoch))))
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def hkdf_sha256(ikm: bytes, salt: bytes, info: bytes, size: int) -> bytes:
    """Return `size` bytes by HKDF-SHA256. Raises ValueError for more than 255 · 32 (RFC 5869 §2.3)."""
    return HKDF(SHA256(), size, salt, info).derive(ikm)
