"""Who asks: keys, issuers, the strict reading of tokens (DESIGN "tokens"), sign-ins and sessions."""

from tre.identity.codes import drop_codes, issue_code, take_code
from tre.identity.fetching import Unreachable, fetch_json, is_fit
from tre.identity.issuers import Issuer, MappedWords
from tre.identity.jwk import UnfitKey
from tre.identity.jws import Forged, Malformed, strict_object, verify_jws
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
from tre.identity.pending import begin_sign_in, take_sign_in
from tre.identity.provider import Provider, describe
from tre.identity.published import PublishedKeys
from tre.identity.remembered import Remembered
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
from tre.identity.subjects import link_subject, person_of, unlink_subject
from tre.identity.tokens import EmbeddedIssuer, Principal, verify

__all__ = [
    "EmbeddedIssuer",
    "Forged",
    "Issuer",
    "Malformed",
    "MappedWords",
    "Principal",
    "Provider",
    "PublishedKeys",
    "Remembered",
    "RetiredKey",
    "Session",
    "SignedIn",
    "SigningKey",
    "UnfitKey",
    "Unreachable",
    "begin_session",
    "begin_sign_in",
    "create_key",
    "describe",
    "drop_codes",
    "end_session",
    "end_sessions",
    "fetch_json",
    "is_fit",
    "issue_code",
    "link_subject",
    "load_key",
    "load_retired",
    "new_key",
    "open_session",
    "person_of",
    "replace_key",
    "state_of",
    "strict_object",
    "take_code",
    "take_sign_in",
    "to_be_touched",
    "touch",
    "unlink_subject",
    "verify",
    "verify_jws",
]
