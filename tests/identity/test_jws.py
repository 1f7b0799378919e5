"""Signatures by the vectors of C2SP/wycheproof, testvectors_v1 (Apache-2.0)."""

import base64
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from jwt import PyJWS
from jwt.algorithms import RSAAlgorithm

from tests.support import vectors
from tre.identity import Forged, Malformed, UnfitKey, verify_jws
from tre.identity.jwk import by_kid, verification_key
from tre.identity.jws import header_of, verify_with

MISLABELLED_ALGORITHM = {346, 347, 350, 351}
ILLEGAL_CHARACTERS = {372, 373}
COPIES_OF_A_VALID_VECTOR = {367, 370}
SIGNATURES = "json_web_signature_test.json"


def cases(file: str) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    document = json.loads((vectors("wycheproof") / file).read_text())
    for group in document["testGroups"]:
        for case in group["tests"]:
            if "jws" in case:
                yield group.get("public") or group["private"], case


def accepted(key: Mapping[str, Any], compact: object) -> bool:
    """Whether a key or key set verifies what a vector holds (some hold a JSON serialisation)."""
    text = compact if isinstance(compact, str) else json.dumps(compact)
    try:
        if "keys" in key:
            verify_with(text, by_kid(key["keys"])[header_of(text)["kid"]])
        else:
            verify_jws(text, key)
    except (Malformed, Forged, UnfitKey):
        return False
    return True


def test_no_invalid_signature_is_accepted_and_the_refused_valid_ones_are_exactly_these() -> None:
    found = {case["tcId"]: (case["result"], accepted(key, case["jws"])) for key, case in cases(SIGNATURES)}
    assert len(found) > 380
    taken = {number for number, (result, took) in found.items() if result != "valid" and took}
    assert taken == COPIES_OF_A_VALID_VECTOR
    refused = {number for number, (result, took) in found.items() if result == "valid" and not took}
    assert refused == MISLABELLED_ALGORITHM | ILLEGAL_CHARACTERS


def test_the_vectors_called_invalid_that_verify_are_byte_for_byte_a_valid_one() -> None:
    """367 and 370 lost the padding that they are named for: no verifier can accept 357 and refuse them."""
    found = {case["tcId"]: (key, case["jws"]) for key, case in cases(SIGNATURES)}
    assert all(found[number] == found[357] for number in COPIES_OF_A_VALID_VECTOR)


@pytest.mark.parametrize("part", [0, 1, 2])
def test_base64_padding_is_refused_in_every_part(part: int) -> None:
    key, compact = next((key, case["jws"]) for key, case in cases(SIGNATURES) if case["tcId"] == 357)
    parts = compact.split(".")
    parts[part] += "=" * (-len(parts[part]) % 4 or 4)
    assert not accepted(key, ".".join(parts))


@pytest.mark.parametrize("file", ["json_web_key_test.json", "json_web_crypto_test.json"])
def test_keys_that_do_not_fit_their_label_verify_nothing(file: str) -> None:
    wrong = [
        (case["tcId"], case["comment"])
        for key, case in cases(file)
        if accepted(key, case["jws"]) != (case["result"] == "valid")
    ]
    assert wrong == []


SECRET = {"kty": "oct", "alg": "HS256", "kid": "s", "k": base64.urlsafe_b64encode(b"s" * 32).decode().rstrip("=")}


def hs256(payload: bytes) -> str:
    return PyJWS().encode(payload, b"s" * 32, algorithm="HS256", headers={"kid": "s", "typ": "x"})


def test_a_token_is_measured_before_it_is_read() -> None:
    assert verify_jws(hs256(b"x" * 6000), SECRET) == b"x" * 6000
    with pytest.raises(Malformed):
        verify_jws(hs256(b"x" * 6200), SECRET)


@pytest.mark.parametrize(
    "label",
    [
        {"key_ops": ["encrypt"]},
        {"key_ops": []},
        {"key_ops": "verify"},
        {"use": "enc"},
        {"alg": "A256KW"},
        {"alg": None},
    ],
)
def test_a_key_for_something_else_verifies_nothing(label: dict[str, Any]) -> None:
    with pytest.raises(UnfitKey):
        verify_jws(hs256(b"x"), SECRET | label)


def test_an_rsa_key_with_a_small_exponent_is_weak() -> None:
    public = RSAAlgorithm.to_jwk(generate_private_key(3, 2048).public_key(), as_dict=True)
    with pytest.raises(UnfitKey):
        verification_key(public | {"alg": "RS256"})


@pytest.mark.parametrize("other", [SECRET, {**SECRET, "kid": None}, {**SECRET, "kid": 7}])
def test_every_key_of_a_set_has_an_id_of_its_own(other: dict[str, Any]) -> None:
    with pytest.raises(UnfitKey):
        by_kid([SECRET, other])
    with pytest.raises(UnfitKey):
        by_kid([])


@pytest.mark.parametrize(
    "header",
    [
        '{"alg":"ES256","alg":"ES256"}',
        '{"alg":"ES256","crit":["b64"],"b64":"false"}',
        '{"alg":"ES256","jwk":"x"}',
        '{"alg":["ES256"]}',
        '{"alg":NaN}',
        '["ES256"]',
        "[" * 3000,
    ],
)
def test_a_header_is_strict_json_of_understood_names(header: str) -> None:
    part = base64.urlsafe_b64encode(header.encode()).rstrip(b"=").decode()
    with pytest.raises(Malformed):
        header_of(f"{part}.e30.AA")


@pytest.mark.parametrize("text", ["", "a.b", "a.b.c.d", "e30.e30.AA\n", "ｅ30.e30.AA", "e30=.e30.AA", "e31.e30.AA"])
def test_other_forms_are_no_tokens(text: str) -> None:
    with pytest.raises(Malformed):
        header_of(text)
