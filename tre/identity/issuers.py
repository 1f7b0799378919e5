"""Issuers that this environment trusts: what they are called, which keys are theirs, what their words mean here."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType
from typing import Protocol

from jwt import PyJWK

from tre.base.reasons import Refused
from tre.base.reasons.identity import ACR_UNKNOWN
from tre.identity.claims import Claims, text, texts
from tre.identity.jwk import JWK, UnfitKey, by_kid

LONGEST_LIFE = timedelta(days=1)

Recognise = Callable[[str], str]
"""Whom a subject of an issuer is here; raises Refused (identity.person-unknown) for nobody."""


class Keys(Protocol):
    """An issuer's public keys by id, each with the one algorithm that it verifies."""

    def get(self, kid: str, /) -> PyJWK | None:
        """Return the key; None where the issuer has no such key."""


class Assurance(Protocol):
    """How strongly a token says that its subject was recognised, in the words of the policies."""

    def acr(self, claims: Claims) -> str:
        """Return one of our words. Raises Refused (identity.token-claims, identity.acr-unknown)."""


class OwnWords:
    """The embedded issuer speaks the policies' words itself."""

    def acr(self, claims: Claims) -> str:
        """Return its `acr`."""
        return text(claims, "acr")


@dataclass(frozen=True, slots=True)
class MappedWords:
    """An outside issuer's `acr` and `amr` values, each to a word of ours; `otherwise` for what is not mapped.

    Without `otherwise` a token that says nothing known is refused: its issuer's weakest way in may be anything.
    """

    of_acr: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    of_amr: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    otherwise: str | None = None

    def acr(self, claims: Claims) -> str:
        """Return our word for its `acr`, else for the first of its `amr` that is mapped, in the mapping's order."""
        said = text(claims, "acr") if "acr" in claims else ""
        ways = texts(claims, "amr")
        found = self.of_acr.get(said) or next((ours for way, ours in self.of_amr.items() if way in ways), None)
        if found is None and self.otherwise is None:
            raise Refused.because(ACR_UNKNOWN)
        return found or self.otherwise or ""


@dataclass(frozen=True, slots=True)
class Issuer:
    """A trusted issuer: `name` is its `iss`, `audience` what its access tokens must name, and they alone.

    `recognise` tells whom a subject is here; `longest` is the longest life of its tokens. No set of keys holds a
    secret one: whoever can verify could then issue.
    """

    name: str
    audience: str
    keys: Keys = field(repr=False)
    recognise: Recognise
    assurance: Assurance
    longest: timedelta = LONGEST_LIFE

    @classmethod
    def embedded(cls, name: str, audience: str, jwks: Sequence[JWK]) -> Issuer:
        """Return the issuer inside this environment, whose subjects are people's ids. Raises UnfitKey."""
        if any(jwk.get("kty") == "oct" for jwk in jwks):
            raise UnfitKey("an issuer's keys are public keys")
        return cls(name, audience, by_kid(jwks), str, OwnWords())

    def token_id(self, jti: str) -> str:
        """Return the id of a token as it may stand in entries: an outside issuer's could hold anything."""
        if isinstance(self.assurance, OwnWords):
            return jti
        return f"x_{hashlib.sha256(f'{self.name} {jti}'.encode()).hexdigest()[:32]}"
