"""An issuer's published keys (RFC 7517 §5), of which those count that may verify its tokens."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from jwt import PyJWK

from tre.base.clock import Clock
from tre.identity.fetching import Unreachable
from tre.identity.jwk import UnfitKey, published_keys
from tre.identity.remembered import Remembered


class PublishedKeys:
    """Implements `Keys` over a set that may change: an unknown key id is a reason to look again."""

    def __init__(
        self, read: Callable[[], Mapping[str, Any]], algorithms: Sequence[str], clock: Clock, pause: float
    ) -> None:
        """Read nothing yet.

        :param read: returns the JWK set as it is now, or raises Unreachable.
        :param algorithms: those that this issuer may sign with.
        :param pause: the least seconds between two readings.
        """
        self._keys = Remembered(lambda: _usable(read(), algorithms), clock, pause)

    def get(self, kid: str, /) -> PyJWK | None:
        """Return the key; None where there is no such key. Raises Refused (identity.issuer-unavailable)."""
        return self._keys.get(lambda keys: kid in keys).get(kid)


def _usable(document: Mapping[str, Any], algorithms: Sequence[str]) -> dict[str, PyJWK]:
    keys = document.get("keys")
    if not isinstance(keys, list) or not all(isinstance(key, dict) for key in keys):
        raise Unreachable("not a set of keys")
    try:
        return published_keys(keys, algorithms)
    except UnfitKey as unfit:
        raise Unreachable("a set that must not be used") from unfit
