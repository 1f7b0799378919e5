"""Official vectors through the functions that make keys and tokens; a key of its own for every scope."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import vectors
from tre.pseudonyms import Circle, IdentifierType, Scope
from tre.pseudonyms.cipher import decrypt, encrypt
from tre.pseudonyms.keys import derive, hkdf_sha256, info

NAMES = st.text(max_size=12)
SCOPES = st.builds(Scope, st.sampled_from(Circle), NAMES, st.sampled_from(IdentifierType), st.integers(1, 300))


def test_keys_are_derived_as_wycheproof_says():
    groups = json.loads((vectors("wycheproof") / "hkdf_sha256_test.json").read_text())["testGroups"]
    tests = [test for group in groups for test in group["tests"]]
    assert len(tests) == 86
    for test in tests:
        parts = [bytes.fromhex(test[name]) for name in ("ikm", "salt", "info")]
        if test["result"] == "invalid":
            with pytest.raises(ValueError, match="larger than 8160"):
                hkdf_sha256(*parts, test["size"])
        else:
            assert hkdf_sha256(*parts, test["size"]).hex() == test["okm"], test["tcId"]


def test_a_block_is_enciphered_as_fips_197_says():
    """FIPS 197 (2001), appendix C.3: AES-256."""
    key = bytes(range(32))
    blocks = np.frombuffer(bytes.fromhex("00112233445566778899aabbccddeeff" * 3), dtype=np.uint8).reshape(-1, 16)
    tokens = encrypt(key, blocks)
    assert tokens.tobytes().hex() == "8ea2b7ca516745bfeafc49904b496089" * 3
    assert (decrypt(key, tokens) == blocks).all()


def test_a_column_without_identifiers_has_no_tokens():
    assert encrypt(bytes(32), np.empty((0, 16), dtype=np.uint8)).shape == (0, 16)


def test_a_key_is_hkdf_of_the_whole_scope():
    scope = Scope(Circle.PROJECT, "asthma", IdentifierType.NHS_NUMBER, 7)
    said = b"".join(
        len(part).to_bytes(4, "big") + part
        for part in (b"tre pseudonyms 1", b"project", b"asthma", b"nhs-number", b"7")
    )
    okm = hkdf_sha256(b"s" * 32, b"", said, 40)
    assert (derive(b"s" * 32, scope).key, derive(b"s" * 32, scope).key_id) == (okm[:32], okm[32:].hex())


@given(SCOPES, SCOPES)
def test_two_scopes_never_share_a_key(one, other):
    assert (info(one) == info(other)) == (one == other)
    keys = [derive(b"s" * 32, scope) for scope in (one, other)]
    assert (keys[0].key == keys[1].key) == (keys[0].key_id == keys[1].key_id) == (one == other)


def test_a_key_is_not_shown_and_its_name_tells_nothing_of_it():
    found = derive(b"s" * 32, Scope(Circle.PROJECT, "asthma", IdentifierType.NHS_NUMBER, 1))
    assert found.key.hex() not in repr(found)
    assert repr(found.key) not in repr(found)
    assert found.key_id not in found.key.hex()
