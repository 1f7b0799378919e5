"""Access tokens (RFC 9068): issued by the embedded issuer, verified for every issuer alike."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from jwt import PyJWS

from tre.base.clock import Clock
from tre.base.ids import Randomness, new_id
from tre.base.reasons import Refused
from tre.base.reasons.identity import TOKEN_KIND, TOKEN_MALFORMED, TOKEN_MINUTES, TOKEN_SIGNATURE
from tre.identity.claims import LEEWAY, check, check_parties, checked_times, text, texts
from tre.identity.issuers import LONGEST_LIFE, Issuer
from tre.identity.jws import Forged, Malformed, parts_of, strict_object, verify_with
from tre.identity.keys import RetiredKey, SigningKey

ACCESS_TOKEN = "at+jwt"  # noqa: S105 - a media type
ACCESS_TOKENS = frozenset({ACCESS_TOKEN, f"application/{ACCESS_TOKEN}"})
"""What `typ` says of an access token (RFC 9068 §4); identity tokens and all others say something else."""


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
        return Issuer.embedded(self.name, self.audience, [self.key.public, *(one.jwk for one in self.retiring())])

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

    What the token says of its issuer only chooses whose keys are tried: nothing else in it is believed before its
    signature holds by a key of that issuer, with the algorithm that the key fixes.
    """
    header, issuer, claims = verified(token, issuers)
    check(header.get("typ") in ACCESS_TOKENS, TOKEN_KIND)
    check_parties(claims, issuer.name, issuer.audience)
    return Principal(
        expires=checked_times(claims, issuer.longest, clock.now()),
        issuer=issuer.name,
        acr=issuer.assurance.acr(claims),
        amr=texts(claims, "amr"),
        project=text(claims, "project") if "project" in claims else None,
        token=issuer.token_id(text(claims, "jti")),
        person=issuer.recognise(text(claims, "sub")),
    )


def verified(token: str, issuers: Sequence[Issuer]) -> tuple[dict[str, Any], Issuer, dict[str, Any]]:
    """Return header, issuer and claims of a token whose signature holds; its claims are not checked yet.

    Raises Refused (identity.token-malformed, identity.token-signature, identity.issuer-unavailable).
    """
    try:
        header, said = parts_of(token)
        issuer = next((one for one in issuers if one.name == said.get("iss")), None)
        key = issuer.keys.get(header["kid"]) if issuer and "kid" in header else None
        if issuer is None or key is None:
            raise Forged("no trusted key has this id")
        return header, issuer, strict_object(verify_with(token, key))
    except Malformed as malformed:
        raise Refused.because(TOKEN_MALFORMED) from malformed
    except Forged as forged:
        raise Refused.because(TOKEN_SIGNATURE) from forged


def _signed(claims: Mapping[str, Any], key: SigningKey) -> str:
    payload = json.dumps(claims, separators=(",", ":")).encode()
    return PyJWS().encode(payload, key.private, algorithm="ES256", headers={"typ": ACCESS_TOKEN, "kid": key.kid})
