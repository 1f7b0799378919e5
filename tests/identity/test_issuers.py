"""Access tokens of outside issuers: whose keys, which algorithm, what kind of token, in whose words, for whom."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.identity.outside import KEYS, NAME, Ticking, claims, issuer, public, signed
from tre.base.reasons import Refused
from tre.identity import EmbeddedIssuer, Issuer, SigningKey, verify


@pytest.fixture
def clock() -> Ticking:
    return Ticking()


def code(token: str, clock: Ticking, *issuers: Issuer) -> str:
    with pytest.raises(Refused) as refused:
        verify(token, issuers or [issuer(clock)], clock)
    return refused.value.refusals[0].reason.code


@pytest.mark.parametrize("algorithm", ["ES256", "RS256", "PS256", "EdDSA"])
def test_a_token_of_an_outside_issuer_speaks_for_whom_its_subject_was_linked_to(clock: Ticking, algorithm: str) -> None:
    trusted = issuer(clock, public(algorithm), algorithms=[algorithm])
    found = verify(signed(claims(), algorithm), [trusted], clock)
    assert (found.person, found.issuer, found.acr) == ("ada", NAME, "mfa")


def test_a_subject_that_was_not_linked_is_nobody_whatever_else_it_says(clock: Ticking) -> None:
    told = {"sub": "ada", "preferred_username": "ada", "email": "ada@example.org", "name": "Ada Lovelace"}
    assert code(signed(claims(**told)), clock) == "identity.person-unknown"


def test_what_an_outside_issuer_calls_a_token_never_reaches_an_entry(clock: Ticking) -> None:
    found = verify(signed(claims(jti="Ada Lovelace, 943 476 5919")), [issuer(clock)], clock)
    assert found.token.startswith("x_")
    assert found.token[2:].isalnum()


# --- which key, which algorithm


@pytest.mark.parametrize(
    ("keys", "algorithms", "signing"),
    [
        ([public("RS256")], ["PS256"], "RS256"),
        ([public("RS256")], ["PS256"], "PS256"),
        ([public("RS256", alg=...)], ["RS256", "PS256"], "RS256"),  # which of the two is not settled
        ([public("RS256", alg=...)], ["PS256"], "RS256"),
        ([public("ES256")], ["RS256"], "ES256"),
        ([public("ES256", use="enc")], ["ES256"], "ES256"),
        ([public("ES256", key_ops=["encrypt"])], ["ES256"], "ES256"),
        ([public("ES256", kid="k2")], ["ES256"], "ES256"),
        ([public("ES256", kid=...)], ["ES256"], "ES256"),
        ([public("ES256", alg="ES384")], ["ES256"], "ES256"),
        ([public("EdDSA", crv="Ed448")], ["EdDSA"], "EdDSA"),
    ],
)
def test_the_algorithm_is_the_issuers_and_the_keys_never_the_tokens(
    clock: Ticking, keys: list[dict[str, Any]], algorithms: list[str], signing: str
) -> None:
    trusted = issuer(clock, *keys, algorithms=algorithms)
    assert code(signed(claims(), signing), clock, trusted) == "identity.token-signature"


def test_a_key_without_an_algorithm_takes_the_one_that_its_issuer_signs_with(clock: Ticking) -> None:
    trusted = issuer(clock, public("RS256", alg=...), algorithms=["ES256", "RS256"])
    assert verify(signed(claims(), "RS256"), [trusted], clock).person == "ada"


def test_a_public_key_is_no_shared_secret(clock: Ticking) -> None:
    """RS256 to HS256: the forger signs with the published key as if it were a password."""
    trusted = issuer(clock, public("RS256"), algorithms=["RS256"])
    pem = KEYS["RS256"].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for secret in (pem, json.dumps(public("RS256")).encode()):
        text = f"{_part({'alg': 'HS256', 'typ': 'at+jwt', 'kid': 'k1'})}.{_part(claims())}"
        mac = hmac.new(secret, text.encode(), hashlib.sha256).digest()
        token = f"{text}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
        assert code(token, clock, trusted) == "identity.token-signature"


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", ""])
def test_an_unsigned_token_is_none(clock: Ticking, algorithm: str) -> None:
    text = f"{_part({'alg': algorithm, 'typ': 'at+jwt', 'kid': 'k1'})}.{_part(claims())}"
    assert code(f"{text}.", clock) == "identity.token-malformed"
    assert code(f"{text}.AAAA", clock) == "identity.token-signature"


def _part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
def test_an_issuer_speaks_for_its_own_subjects_alone(clock: Ticking, algorithm: str) -> None:
    """Two issuers whose key ids are equal: neither signs in the other's name, nor in the embedded one's."""
    other = issuer(clock, public("RS256"), algorithms=["RS256"], name="https://evil.example")
    own = EmbeddedIssuer("tre.example", "tre", SigningKey(KEYS["ES256"], "k1"), clock)  # type: ignore[arg-type]
    trusted = (own.trusted(), issuer(clock), other)
    assert verify(signed(claims()), trusted, clock).issuer == NAME
    assert code(signed(claims(), "RS256"), clock, *trusted) == "identity.token-signature"
    assert code(signed(claims(iss="tre.example"), "RS256"), clock, *trusted) == "identity.token-signature"
    assert code(signed(claims(iss="https://evil.example")), clock, *trusted) == "identity.token-signature"


# --- which kind of token


@pytest.mark.parametrize("kind", ["JWT", "id+jwt", "logout+jwt", "dpop+jwt", "AT+JWT", "", ..., "jwt; at+jwt"])
def test_no_other_token_of_the_issuer_passes_for_an_access_token(clock: Ticking, kind: Any) -> None:
    assert code(signed(claims(), typ=kind), clock) == "identity.token-kind"


@pytest.mark.parametrize("kind", ["at+jwt", "application/at+jwt"])
def test_an_access_token_says_so_in_either_way(clock: Ticking, kind: str) -> None:
    assert verify(signed(claims(), typ=kind), [issuer(clock)], clock).person == "ada"


@pytest.mark.parametrize("audience", ["other", ["tre", "account"], [], None, ["tre", "tre"]])
def test_a_token_is_for_us_and_nobody_else(clock: Ticking, audience: Any) -> None:
    assert code(signed(claims(aud=audience)), clock) == "identity.token-audience"


def test_a_token_lives_as_long_as_its_issuer_may_say(clock: Ticking) -> None:
    issued = claims()["iat"]
    assert verify(signed(claims(exp=issued + 3600)), [issuer(clock)], clock)
    assert code(signed(claims(exp=issued + 3601)), clock) == "identity.token-claims"


# --- in whose words


@pytest.mark.parametrize(
    ("said", "words", "found"),
    [
        ({"acr": "gold"}, {}, "mfa"),
        ({"acr": "silver"}, {}, None),
        ({"acr": ...}, {}, None),
        ({"acr": "silver"}, {"otherwise": "password"}, "password"),
        ({"acr": "silver", "amr": ["pwd", "otp"]}, {"of_amr": {"hwk": "key", "otp": "mfa"}}, "mfa"),
        ({"acr": "silver", "amr": ["otp", "hwk"]}, {"of_amr": {"hwk": "key", "otp": "mfa"}}, "key"),
        ({"acr": "mfa"}, {"otherwise": "password"}, "password"),  # its words are not ours
        ({"acr": "local"}, {"otherwise": "password"}, "password"),
    ],
)
def test_an_issuers_words_mean_what_the_settings_say_and_nothing_else(
    clock: Ticking, said: dict[str, Any], words: dict[str, Any], found: str | None
) -> None:
    trusted = issuer(clock, **words)
    if found is None:
        assert code(signed(claims(**said)), clock, trusted) == "identity.acr-unknown"
    else:
        assert verify(signed(claims(**said)), [trusted], clock).acr == found


@pytest.mark.parametrize("said", [{"acr": 2}, {"amr": "otp"}, {"amr": [1]}, {"acr": "x" * 300}, {"jti": ...}])
def test_claims_of_another_form_are_refused(clock: Ticking, said: dict[str, Any]) -> None:
    assert code(signed(claims(**said)), clock) == "identity.token-claims"
