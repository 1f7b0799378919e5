"""Who asks: keys, the embedded issuer, and the strict reading of bearer tokens (DESIGN "tokens")."""

from tre.identity.jwk import UnfitKey
from tre.identity.jws import Forged, Malformed, verify_jws
from tre.identity.keys import SigningKey, create_key, load_key
from tre.identity.tokens import EmbeddedIssuer, Issuer, Principal, verify

__all__ = [
    "EmbeddedIssuer",
    "Forged",
    "Issuer",
    "Malformed",
    "Principal",
    "SigningKey",
    "UnfitKey",
    "create_key",
    "load_key",
    "verify",
    "verify_jws",
]
