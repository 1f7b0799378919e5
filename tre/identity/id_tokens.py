"""Identity tokens of OpenID Connect: what an issuer tells its client of a sign-in (OpenID Connect Core §3.1.3.7)."""

from __future__ import annotations

import hmac
from datetime import timedelta

from tre.base.clock import Clock
from tre.base.reasons.identity import SIGN_IN_REFUSED, TOKEN_CLAIMS, TOKEN_EARLY, TOKEN_EXPIRED, TOKEN_SIGNATURE
from tre.identity.claims import LEEWAY, check, check_parties, moment, text
from tre.identity.issuers import Issuer
from tre.identity.secrets import digest
from tre.identity.sessions import SignedIn
from tre.identity.tokens import verified

FRESH = timedelta(minutes=10)
"""How long ago the issuer may have made the token: it has just been fetched for this sign-in."""
_KINDS = frozenset({None, "JWT"})


def signed_in(token: str, issuer: Issuer, client: str, nonce: str, clock: Clock) -> SignedIn:
    """Return who has signed in at `issuer`, as `client` was told. Raises Refused with one identity.* reason.

    :param nonce: the digest of the nonce that was sent along: a token made for another sign-in holds another.
    """
    header, _, claims = verified(token, [issuer])
    check(header.get("typ") in _KINDS, SIGN_IN_REFUSED)
    check_parties(claims, issuer.name, client)
    check(claims.get("azp", client) == client, TOKEN_SIGNATURE)
    check(hmac.compare_digest(digest(text(claims, "nonce")), nonce), TOKEN_SIGNATURE)
    now, issued, expires = clock.now(), moment(claims, "iat"), moment(claims, "exp")
    check(issued < expires, TOKEN_CLAIMS)
    check(issued <= now + LEEWAY, TOKEN_EARLY)
    check(now < min(expires, issued + FRESH) + LEEWAY, TOKEN_EXPIRED)
    acr = issuer.assurance.acr(claims)
    return SignedIn(issuer.recognise(text(claims, "sub")), issuer.name, acr)
