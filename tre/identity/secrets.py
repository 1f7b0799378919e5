"""Secrets that are handed out once and kept as a digest alone: whoever reads the database can use none of them."""

from __future__ import annotations

import base64
import hashlib

from tre.base.ids import Randomness

_BYTES = 32


def new_secret(randomness: Randomness) -> str:
    """Return 256 random bits in base64url."""
    return base64.urlsafe_b64encode(randomness(_BYTES)).rstrip(b"=").decode()


def digest(secret: str) -> str:
    """Return what is kept of a secret. No salt, no stretching: it is random and long, so nothing can be guessed."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()
