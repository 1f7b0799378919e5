"""Signing in at an OpenID provider: authorisation code with PKCE (RFC 6749 §4.1, RFC 7636, RFC 9700).

Threats met here: a code that somebody else got (PKCE, state, nonce); an issuer that answers in another's place (the
issuer of the answer, RFC 9207, of its description and of the token are one); an endpoint that leads elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session

from tre.base.clock import Clock
from tre.base.reasons import Refused
from tre.base.reasons.identity import ISSUER_UNAVAILABLE, SIGN_IN_LOST, SIGN_IN_REFUSED
from tre.identity.fetching import SECONDS, Unreachable, fetch_json, is_fit
from tre.identity.id_tokens import signed_in
from tre.identity.issuers import Issuer
from tre.identity.pending import Begun, Returned
from tre.identity.remembered import Remembered
from tre.identity.sessions import SignedIn

_DISCOVERY = "/.well-known/openid-configuration"


@dataclass(frozen=True, slots=True)
class Endpoints:
    """What is used of an issuer's description (OpenID Connect Discovery §3)."""

    authorization: str
    token: str
    says_issuer: bool


def describe(issuer: str, clock: Clock) -> Endpoints:
    """Return an issuer's endpoints, as it describes them now. Raises Unreachable."""
    said = fetch_json(issuer.rstrip("/") + _DISCOVERY, clock)
    found = Endpoints(
        said.get("authorization_endpoint", ""),
        said.get("token_endpoint", ""),
        said.get("authorization_response_iss_parameter_supported") is True,
    )
    if said.get("issuer") != issuer or not is_fit(found.authorization) or not is_fit(found.token):
        raise Unreachable("a description of another issuer, or of endpoints that are not to be asked")
    return found


@dataclass(frozen=True, slots=True)
class Provider:
    """An issuer at which people sign in: `client` is what this environment is called there.

    `secret` reads the client's secret when it is used, and gives None for a public client. `alone` says that no other
    issuer is there to be mixed up with.
    """

    issuer: Issuer
    label: str
    client: str
    secret: Callable[[], str | None] = field(repr=False)
    endpoints: Remembered[Endpoints]
    clock: Clock
    alone: bool

    def address(self, begun: Begun, callback: str) -> str:
        """Return where to send the browser. Raises Refused (identity.issuer-unavailable)."""
        with self._session(callback) as session:
            address, _ = session.create_authorization_url(
                self._described().authorization, state=begun.state, code_verifier=begun.verifier, nonce=begun.nonce
            )
        return str(address)

    def finish(self, returned: Returned, answer: Mapping[str, str], callback: str) -> SignedIn:
        """Return who has signed in. Raises Refused with one identity.* reason.

        :param answer: the query of the address at which the browser came back.
        """
        endpoints = self._described()
        said = answer.get("iss")
        if said != self.issuer.name and (said is not None or endpoints.says_issuer):
            raise Refused.because(SIGN_IN_LOST)  # another issuer's answer, or one made up (RFC 9207 §2.4)
        code = answer.get("code")
        if code is None or "error" in answer:
            raise Refused.because(SIGN_IN_REFUSED)
        token = self._exchanged(endpoints.token, code, returned.verifier, callback)
        return signed_in(token, self.issuer, self.client, returned.nonce, self.clock)

    def _described(self) -> Endpoints:
        """Return the endpoints. Raises Refused (identity.issuer-unavailable), also where a mix-up could not be told."""
        found = self.endpoints.get()
        if not (self.alone or found.says_issuer):
            raise Refused.because(ISSUER_UNAVAILABLE)
        return found

    def _exchanged(self, endpoint: str, code: str, verifier: str, callback: str) -> str:
        """Return the identity token that `code` is worth. Whatever goes wrong quotes neither code nor secret."""
        try:
            with self._session(callback) as session:
                found: Mapping[str, Any] = session.fetch_token(
                    endpoint,
                    grant_type="authorization_code",
                    code=code,
                    code_verifier=verifier,
                    timeout=SECONDS,
                    allow_redirects=False,
                )
        except (requests.RequestException, ValueError):
            raise Refused.because(ISSUER_UNAVAILABLE) from None
        except AuthlibBaseError:
            raise Refused.because(SIGN_IN_REFUSED) from None
        token = found.get("id_token")
        if not isinstance(token, str):
            raise Refused.because(SIGN_IN_REFUSED)
        return token

    def _session(self, callback: str) -> OAuth2Session:
        return OAuth2Session(
            self.client, self.secret(), scope="openid", redirect_uri=callback, code_challenge_method="S256"
        )
