import json
import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from jwt import PyJWS

from tre.base.reasons import Refused
from tre.identity import EmbeddedIssuer, Issuer, SigningKey, UnfitKey, create_key, load_key, verify

START = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


class Stopped:
    """A clock that a test sets."""

    def __init__(self, moment: datetime = START) -> None:
        self.moment = moment

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return 0.0

    def sleep(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Stopped:
    return Stopped()


@pytest.fixture
def issuer(clock: Stopped) -> EmbeddedIssuer:
    return EmbeddedIssuer("tre.example", "tre.example/api", SigningKey(generate_private_key(SECP256R1()), "k1"), clock)


def code(token: str, issuer: EmbeddedIssuer, clock: Stopped) -> str:
    with pytest.raises(Refused) as refused:
        verify(token, [issuer.trusted()], clock)
    (refusal,) = refused.value.refusals
    return refusal.reason.code


def claims(**changes: Any) -> dict[str, Any]:
    now = int(START.timestamp())
    base: dict[str, Any] = {
        "iss": "tre.example",
        "aud": "tre.example/api",
        "sub": "ada",
        "iat": now,
        "exp": now + 600,
        "jti": "t_1",
        "acr": "local",
        "amr": ["user"],
    }
    return {name: value for name, value in (base | changes).items() if value is not ...}


def signed(issuer: EmbeddedIssuer, payload: object, **headers: Any) -> str:
    text = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    fields: dict[str, Any] = {"typ": "at+jwt", "kid": "k1"} | headers
    return PyJWS().encode(text, issuer.key.private, algorithm="ES256", headers=fields)


def test_an_issued_token_names_its_person_until_it_expires(issuer: EmbeddedIssuer, clock: Stopped) -> None:
    found = verify(issuer.issue("ada", "p1", 10), [issuer.trusted()], clock)
    assert (found.person, found.project, found.acr, found.issuer) == ("ada", "p1", "local", "tre.example")
    assert found.expires == START + timedelta(minutes=10)


def test_a_token_without_a_project_serves_no_project_in_particular(issuer: EmbeddedIssuer, clock: Stopped) -> None:
    assert verify(issuer.issue("ada", None, 10, acr="mfa"), [issuer.trusted()], clock).project is None


def test_the_clocks_may_differ_by_a_minute_and_no_more(issuer: EmbeddedIssuer, clock: Stopped) -> None:
    token = issuer.issue("ada", None, 10)
    clock.moment = START + timedelta(minutes=10, seconds=59)
    verify(token, [issuer.trusted()], clock)
    clock.moment = START + timedelta(minutes=11)
    assert code(token, issuer, clock) == "identity.token-expired"
    clock.moment = START - timedelta(seconds=61)
    assert code(token, issuer, clock) == "identity.token-early"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"iss": "other.example"}, "identity.token-signature"),
        ({"aud": "other"}, "identity.token-audience"),
        ({"aud": ["tre.example/api", "other"]}, "identity.token-audience"),
        ({"aud": ...}, "identity.token-audience"),
        ({"nbf": int(START.timestamp()) + 300}, "identity.token-early"),
        ({"exp": ...}, "identity.token-claims"),
        ({"exp": "never"}, "identity.token-claims"),
        ({"exp": True}, "identity.token-claims"),
        ({"exp": 10**30}, "identity.token-claims"),
        ({"exp": int(START.timestamp()) + 90_000}, "identity.token-claims"),
        ({"sub": ""}, "identity.token-claims"),
        ({"sub": 7}, "identity.token-claims"),
        ({"sub": "a\nb"}, "identity.token-claims"),
        ({"jti": ...}, "identity.token-claims"),
        ({"acr": ...}, "identity.token-claims"),
        ({"amr": "user"}, "identity.token-claims"),
        ({"project": None}, "identity.token-claims"),
    ],
)
def test_every_claim_is_checked(issuer: EmbeddedIssuer, clock: Stopped, changes: dict[str, Any], expected: str) -> None:
    assert code(signed(issuer, claims(**changes)), issuer, clock) == expected


def test_only_an_access_token_passes_for_one(issuer: EmbeddedIssuer, clock: Stopped) -> None:
    assert code(signed(issuer, claims(), typ="JWT"), issuer, clock) == "identity.token-kind"
    assert code(signed(issuer, claims(), typ="AT+JWT"), issuer, clock) == "identity.token-kind"


def test_a_key_of_nobody_trusted_signs_nothing(issuer: EmbeddedIssuer, clock: Stopped) -> None:
    forger = EmbeddedIssuer(issuer.name, issuer.audience, SigningKey(generate_private_key(SECP256R1()), "k1"), clock)
    assert code(forger.issue("ada", None, 10), issuer, clock) == "identity.token-signature"
    assert code(signed(issuer, claims(), kid="k2"), issuer, clock) == "identity.token-signature"


@pytest.mark.parametrize("payload", [b"[]", b'"x"', b'{"sub":"a","sub":"b"}', b"\xff", b'{"exp":Infinity}'])
def test_claims_are_one_strict_json_object(issuer: EmbeddedIssuer, clock: Stopped, payload: bytes) -> None:
    assert code(signed(issuer, payload), issuer, clock) == "identity.token-malformed"


@pytest.mark.parametrize("minutes", [0, -1, 1441])
def test_no_token_lives_longer_than_a_day(issuer: EmbeddedIssuer, minutes: int) -> None:
    with pytest.raises(Refused, match=r"identity\.token-minutes"):
        issuer.issue("ada", None, minutes)


def test_a_shared_secret_is_no_issuers_key() -> None:
    secret = {"kty": "oct", "alg": "HS256", "kid": "s", "k": "A" * 43}
    with pytest.raises(UnfitKey):
        Issuer.embedded("tre.example", "x", [secret])


def test_the_key_file_is_made_once_for_its_owner_alone(tmp_path: Path, clock: Stopped) -> None:
    made = create_key(tmp_path)
    file = tmp_path / "issuer.jwk"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with pytest.raises(FileExistsError):
        create_key(tmp_path)
    token = EmbeddedIssuer("tre.example", "x", load_key(tmp_path), clock).issue("ada", None, 5)
    assert verify(token, [Issuer.embedded("tre.example", "x", [made.public])], clock).person == "ada"
    assert "d" not in made.public
    assert json.loads(file.read_text())["d"] not in repr(made)


def test_a_key_that_others_can_read_or_that_is_damaged_is_not_used(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"identity\.key-unsafe"):
        load_key(tmp_path)
    create_key(tmp_path)
    os.chmod(tmp_path / "issuer.jwk", 0o640)
    with pytest.raises(Refused, match=r"identity\.key-unsafe"):
        load_key(tmp_path)
    os.chmod(tmp_path / "issuer.jwk", 0o600)
    (tmp_path / "issuer.jwk").write_text('{"kty":"EC"}')
    with pytest.raises(Refused, match=r"identity\.key-unsafe"):
        load_key(tmp_path)
