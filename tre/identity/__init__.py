"""Who asks: keys, issuers, the strict reading of tokens (DESIGN "tokens"), sign-ins and sessions."""

from tre.identity.codes import drop_codes, issue_code, take_code
from tre.identity.jwk import UnfitKey
from tre.identity.jws import Forged, Malformed, verify_jws
from tre.identity.keys import (
    RetiredKey,
    SigningKey,
    create_key,
    load_key,
    load_retired,
    new_key,
    replace_key,
    state_of,
)
from tre.identity.sessions import (
    Session,
    SignedIn,
    begin_session,
    end_session,
    end_sessions,
    open_session,
    to_be_touched,
    touch,
)
from tre.identity.tokens import EmbeddedIssuer, Issuer, Principal, verify

__all__ = [
    "EmbeddedIssuer",
    "Forged",
    "Issuer",
    "Malformed",
    "Principal",
    "RetiredKey",
    "Session",
    "SignedIn",
    "SigningKey",
    "UnfitKey",
    "begin_session",
    "create_key",
    "drop_codes",
    "end_session",
    "end_sessions",
    "issue_code",
    "load_key",
    "load_retired",
    "new_key",
    "open_session",
    "replace_key",
    "state_of",
    "take_code",
    "to_be_touched",
    "touch",
    "verify",
    "verify_jws",
]
