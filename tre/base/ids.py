"""Random names. An id carries nothing of what it names."""

from __future__ import annotations

import secrets
from collections.abc import Callable

Randomness = Callable[[int], bytes]
"""A source of n cryptographically random bytes; `secrets.token_bytes` outside tests."""


def new_id(prefix: str, randomness: Randomness = secrets.token_bytes) -> str:
    """Return `prefix` and 128 random bits in hex, such as `q_4f…`."""
    return f"{prefix}_{randomness(16).hex()}"


def event_id(randomness: Randomness = secrets.token_bytes) -> str:
    """Return the random 128-bit id of a log entry, so that a public leaf hash confirms no guess (AUDIT "Entry")."""
    return randomness(16).hex()
