"""Access tokens (RFC 9068): issued by the embedded issuer, verified for every issuer alike."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from jwt import PyJWK, PyJWS

from tre.base.clock import Clock
from tre.base.ids import Randomness, new_id
from tre.base.reasons import Reason, Refused
from tre.base.reasons.identity import (
    TOKEN_AUDIENCE,
    TOKEN_CLAIMS,
    TOKEN_EARLY,
    TOKEN_EXPIRED,
    TOKEN_KIND,
    TOKEN_MALFORMED,
    TOKEN_MINUTES,
    TOKEN_SIGNATURE,
)
from tre.identity.jwk import JWK, UnfitKey, by_kid
from tre.identity.jws import Forged, Malformed, header_of, strict_object, verify_with
from tre.identity.keys import RetiredKey, SigningKey

ACCESS_TOKEN = "at+jwt"  # noqa: S105 - a media type
LEEWAY = timedelta(seconds=60)
LONGEST_LIFE = timedelta(days=1)
_LONGEST_CLAIM = 256


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks, by what credential, until when.

    `acr` says how they signed in; `project` is the only project that the token serves, if it names one; `token`
    is the token's id (jti), never its text.
    """

    person: str
    issuer: str
    acr: str
    amr: tuple[str, ...]
    project: str | None
    token: str
    expires: datetime


@dataclass(frozen=True, slots=True)
class Issuer:
    """An issuer that this environment trusts: its name, the audience it must name, its keys by id.

    A set with a secret key in it is refused: whoever can verify could then issue.
    """

    name: str
    audience: str
    keys: Mapping[str, PyJWK] = field(repr=False)
    longest: timedelta = LONGEST_LIFE

    @classmethod
    def trusting(cls, name: str, audience: str, jwks: Sequence[JWK], longest: timedelta = LONGEST_LIFE) -> Issuer:
        """Return the issuer with the public keys `jwks`. Raises UnfitKey."""
        if any(jwk.get("kty") == "oct" for jwk in jwks):
            raise UnfitKey("an issuer's keys are public keys")
        return cls(name, audience, by_kid(jwks), longest)


@dataclass(frozen=True, slots=True)
class EmbeddedIssuer:
    """The issuer inside this environment: `name` its origin, `audience` the service that its tokens are for."""

    name: str
    audience: str
    key: SigningKey
    clock: Clock
    retired: tuple[RetiredKey, ...] = ()
    randomness: Randomness = secrets.token_bytes

    def trusted(self) -> Issuer:
        """Return what `verify` needs to know of this issuer: its key, and those whose tokens have not all expired."""
        return Issuer.trusting(self.name, self.audience, [self.key.public, *(one.jwk for one in self.retiring())])

    def retiring(self) -> tuple[RetiredKey, ...]:
        """Return the keys that sign no more and are trusted still."""
        now = self.clock.now()
        return tuple(one for one in self.retired if one.until > now and one.jwk["kid"] != self.key.kid)

    def retired_by(self, key: SigningKey) -> tuple[RetiredKey, ...]:
        """Return what is retired when `key` takes the place of this issuer's: its longest token ends first."""
        until = self.clock.now() + LONGEST_LIFE + 2 * LEEWAY
        mine = () if key.kid == self.key.kid else (RetiredKey(self.key.public, until),)
        return (*self.retiring(), *mine)

    def issue(
        self, person: str, project: str | None, minutes: int, acr: str = "local", amr: Sequence[str] = ("user",)
    ) -> str:
        """Return a signed access token for `person` that expires after `minutes`; refused beyond a day."""
        most = int(LONGEST_LIFE.total_seconds() // 60)
        if not 1 <= minutes <= most:
            raise Refused.because(TOKEN_MINUTES, most=str(most))
        now = int(self.clock.now().timestamp())
        claims: dict[str, Any] = {
            "iss": self.name,
            "aud": self.audience,
            "sub": person,
            "client_id": "tre",
            "iat": now,
            "exp": now + 60 * minutes,
            "jti": new_id("t", self.randomness),
            "acr": acr,
            "amr": list(amr),
        }
        return _signed(claims | ({"project": project} if project else {}), self.key)


def verify(token: str, issuers: Sequence[Issuer], clock: Clock) -> Principal:
    """Return who `token` speaks for. Raises Refused with one identity.* reason.

    The key is found by its id among the trusted issuers' keys; the claims are read only after the signature holds
    and must name the issuer whose key it was.
    """
    try:
        header = header_of(token)
        issuer, key = _signer(header, issuers)
        claims = strict_object(verify_with(token, key))
    except Malformed as malformed:
        raise Refused.because(TOKEN_MALFORMED) from malformed
    except Forged as forged:
        raise Refused.because(TOKEN_SIGNATURE) from forged
    if header.get("typ") != ACCESS_TOKEN:
        raise Refused.because(TOKEN_KIND)
    _check(claims.get("iss") == issuer.name, TOKEN_SIGNATURE)
    _check(claims.get("aud") in (issuer.audience, [issuer.audience]), TOKEN_AUDIENCE)
    expires = _checked_times(claims, issuer, clock.now())
    return Principal(
        person=_text(claims, "sub"),
        issuer=issuer.name,
        acr=_text(claims, "acr"),
        amr=_texts(claims.get("amr", [])),
        project=_text(claims, "project") if "project" in claims else None,
        token=_text(claims, "jti"),
        expires=expires,
    )


def _signed(claims: Mapping[str, Any], key: SigningKey) -> str:
    payload = json.dumps(claims, separators=(",", ":")).encode()
    return PyJWS().encode(payload, key.private, algorithm="ES256", headers={"typ": ACCESS_TOKEN, "kid": key.kid})


def _signer(header: Mapping[str, Any], issuers: Sequence[Issuer]) -> tuple[Issuer, PyJWK]:
    for issuer in issuers:
        if header.get("kid") in issuer.keys:
            return issuer, issuer.keys[header["kid"]]
    raise Forged("no trusted key has this id")


def _checked_times(claims: Mapping[str, Any], issuer: Issuer, now: datetime) -> datetime:
    issued, expires = _moment(claims, "iat"), _moment(claims, "exp")
    starts = _moment(claims, "nbf") if "nbf" in claims else issued
    _check(issued < expires <= issued + issuer.longest, TOKEN_CLAIMS)
    _check(max(issued, starts) <= now + LEEWAY, TOKEN_EARLY)
    _check(now < expires + LEEWAY, TOKEN_EXPIRED)
    return expires


def _check(holds: bool, reason: Reason) -> None:
    if not holds:
        raise Refused.because(reason)


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not 1 <= len(value) <= _LONGEST_CLAIM or not value.isprintable():
        raise Refused.because(TOKEN_CLAIMS)
    return value


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise Refused.because(TOKEN_CLAIMS)
    return tuple(value)


def _moment(claims: Mapping[str, Any], name: str) -> datetime:
    value = claims.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**34:
        raise Refused.because(TOKEN_CLAIMS)
    return datetime.fromtimestamp(value, UTC)
