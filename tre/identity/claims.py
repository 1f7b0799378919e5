"""Claims of a verified token, each of its type and size or refused (RFC 7519 §4, RFC 9068 §2.2)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from tre.base.reasons import Reason, Refused
from tre.base.reasons.identity import TOKEN_AUDIENCE, TOKEN_CLAIMS, TOKEN_EARLY, TOKEN_EXPIRED, TOKEN_SIGNATURE

Claims = Mapping[str, Any]
LEEWAY = timedelta(seconds=60)
_LONGEST_CLAIM = 256


def check(holds: bool, reason: Reason) -> None:
    """Refuse for `reason` unless `holds`."""
    if not holds:
        raise Refused.because(reason)


def text(claims: Claims, name: str) -> str:
    """Return a claim that is a short printable text."""
    value = claims.get(name)
    if not isinstance(value, str) or not 1 <= len(value) <= _LONGEST_CLAIM or not value.isprintable():
        raise Refused.because(TOKEN_CLAIMS)
    return value


def texts(claims: Claims, name: str) -> tuple[str, ...]:
    """Return a claim that is a list of texts; none where it is not there."""
    value = claims.get(name, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise Refused.because(TOKEN_CLAIMS)
    return tuple(value)


def moment(claims: Claims, name: str) -> datetime:
    """Return a claim that is a time in whole seconds."""
    value = claims.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**34:
        raise Refused.because(TOKEN_CLAIMS)
    return datetime.fromtimestamp(value, UTC)


def check_parties(claims: Claims, issuer: str, audience: str) -> None:
    """Refuse a token of another issuer, and one that is not for `audience` alone: others could pass it on.

    The issuer chose the key already; it is held again to what was signed, should two readers of a token ever differ.
    """
    check(claims.get("iss") == issuer, TOKEN_SIGNATURE)
    check(claims.get("aud") in (audience, [audience]), TOKEN_AUDIENCE)


def checked_times(claims: Claims, longest: timedelta, now: datetime) -> datetime:
    """Return when a token expires, which is at most `longest` after it was issued."""
    issued, expires = moment(claims, "iat"), moment(claims, "exp")
    starts = moment(claims, "nbf") if "nbf" in claims else issued
    check(issued < expires <= issued + longest, TOKEN_CLAIMS)
    check(max(issued, starts) <= now + LEEWAY, TOKEN_EARLY)
    check(now < expires + LEEWAY, TOKEN_EXPIRED)
    return expires
