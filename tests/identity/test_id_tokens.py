"""Identity tokens, and an issuer that lies about itself: only this sign-in's own token signs anybody in."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.identity.outside import KEYS, NAME, START, Ticking, claims, issuer, public, signed
from tre.base.clock import SystemClock
from tre.base.reasons import Refused
from tre.identity import Provider, Remembered, Unreachable, describe
from tre.identity.id_tokens import signed_in
from tre.identity.pending import Begun, Returned
from tre.identity.secrets import digest

CLIENT, NONCE = "tre-portal", "n" * 43


@pytest.fixture
def clock() -> Ticking:
    return Ticking()


def told(**changes: Any) -> dict[str, Any]:
    return claims(**({"aud": CLIENT, "nonce": NONCE, "jti": ...} | changes))


def id_token(payload: Any, algorithm: str = "ES256", **headers: Any) -> str:
    return signed(payload, algorithm, **({"typ": "JWT"} | headers))


def code(token: str, clock: Ticking, *keys: dict[str, Any], algorithms: tuple[str, ...] = ("ES256",)) -> str:
    with pytest.raises(Refused) as refused:
        signed_in(token, issuer(clock, *keys, algorithms=algorithms), CLIENT, digest(NONCE), clock)
    return refused.value.refusals[0].reason.code


@pytest.mark.parametrize("kind", ["JWT", ...])
def test_the_token_of_this_sign_in_says_who_it_is(clock: Ticking, kind: Any) -> None:
    found = signed_in(id_token(told(), typ=kind), issuer(clock), CLIENT, digest(NONCE), clock)
    assert (found.person, found.issuer, found.acr) == ("ada", NAME, "mfa")


NOW = int(START.timestamp())


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"nonce": "m" * 43}, "identity.token-signature"),
        ({"nonce": ...}, "identity.token-claims"),
        ({"nonce": None}, "identity.token-claims"),
        ({"iss": "https://evil.example"}, "identity.token-signature"),
        ({"aud": "another-client"}, "identity.token-audience"),
        ({"aud": [CLIENT, "another-client"]}, "identity.token-audience"),
        ({"azp": "another-client"}, "identity.token-signature"),
        ({"exp": NOW}, "identity.token-claims"),
        ({"iat": NOW - 700, "exp": NOW - 61}, "identity.token-expired"),
        ({"iat": NOW - 661, "exp": NOW + 3000}, "identity.token-expired"),
        ({"iat": NOW + 61, "exp": NOW + 600}, "identity.token-early"),
        ({"iat": ...}, "identity.token-claims"),
        ({"sub": ""}, "identity.token-claims"),
        ({"sub": "s-2"}, "identity.person-unknown"),
        ({"acr": "silver"}, "identity.acr-unknown"),
    ],
)
def test_a_token_for_anything_but_this_sign_in_signs_nobody_in(
    clock: Ticking, changes: dict[str, Any], expected: str
) -> None:
    assert code(id_token(told(**changes)), clock) == expected


@pytest.mark.parametrize("kind", ["at+jwt", "application/at+jwt", "logout+jwt"])
def test_no_other_token_of_the_issuer_passes_for_an_identity_token(clock: Ticking, kind: str) -> None:
    assert code(signed(told(), typ=kind), clock) == "identity.sign-in-refused"


def test_neither_no_signature_nor_the_public_key_as_a_password_will_do(clock: Ticking) -> None:
    text = f"{_part({'alg': 'none', 'kid': 'k1'})}.{_part(told())}"
    assert code(f"{text}.", clock) == "identity.token-malformed"
    assert code(f"{text}.AAAA", clock) == "identity.token-signature"
    pem = KEYS["RS256"].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    text = f"{_part({'alg': 'HS256', 'kid': 'k1'})}.{_part(told())}"
    mac = hmac.new(pem, text.encode(), hashlib.sha256).digest()
    forged = f"{text}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
    assert code(forged, clock, public("RS256"), algorithms=("RS256",)) == "identity.token-signature"
    assert code(id_token(told(), "RS256"), clock, public("RS256"), algorithms=("PS256",)) == "identity.token-signature"


def _part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


# --- an issuer that lies about itself


@dataclass
class Liar:
    """An issuer on loopback whose description and token endpoint say what a test wants."""

    url: str = ""
    says: dict[str, Any] = field(default_factory=dict)
    token: tuple[int, Any, dict[str, str]] = (200, {}, {})
    asked: list[dict[str, Any]] = field(default_factory=list)
    described: int = 0

    def description(self) -> dict[str, Any]:
        base = {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/auth",
            "token_endpoint": f"{self.url}/token",
            "authorization_response_iss_parameter_supported": True,
        }
        return {name: value for name, value in (base | self.says).items() if value is not ...}

    def provider(self, clock: Ticking, alone: bool = True) -> Provider:
        trusted = issuer(clock, name=self.url)
        remembered = Remembered(lambda: describe(self.url, SystemClock()), clock, 60)
        return Provider(trusted, "Liar", CLIENT, lambda: "secret", remembered, clock, alone)


@pytest.fixture
def liar() -> Iterator[Liar]:
    with _lying() as found:
        yield found


@contextmanager
def _lying() -> Iterator[Liar]:
    told = Liar()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told.described += self.path == "/.well-known/openid-configuration"
            self._answer(200, told.description(), {})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            told.asked.append({"path": self.path, "authorization": self.headers["Authorization"], **parse_qs(body)})
            self._answer(*told.token)

        def _answer(self, status: int, said: Any, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(json.dumps(said).encode())

        def log_message(self, *_: object) -> None:
            return

    serving = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=serving.serve_forever, daemon=True)
    thread.start()
    told.url = f"http://127.0.0.1:{serving.server_port}"
    try:
        yield told
    finally:
        serving.shutdown()
        thread.join()
        serving.server_close()


def finish(liar: Liar, clock: Ticking, **answer: str) -> Any:
    returned = Returned(liar.url, digest(NONCE), "v" * 43, "/")
    said = {"code": "the-code", "iss": liar.url} | answer
    return liar.provider(clock).finish(returned, {k: v for k, v in said.items() if v}, "http://127.0.0.1/cb")


def why(act: Callable[[], object]) -> str:
    with pytest.raises(Refused) as refused:
        act()
    assert "the-code" not in repr(refused.value.__cause__), "a code in an error"
    return refused.value.refusals[0].reason.code


def test_a_code_is_exchanged_with_its_verifier_by_who_has_the_secret(liar: Liar, clock: Ticking) -> None:
    liar.token = (200, {"access_token": "a", "token_type": "Bearer", "id_token": id_token(told(iss=liar.url))}, {})
    assert finish(liar, clock).person == "ada"
    (asked,) = liar.asked
    assert asked["path"] == "/token"
    assert asked["code_verifier"] == ["v" * 43]
    assert asked["redirect_uri"] == ["http://127.0.0.1/cb"]
    assert asked["authorization"].startswith("Basic ")
    assert "client_secret" not in asked


@pytest.mark.parametrize(
    "says",
    [
        {"issuer": "https://evil.example"},
        {"issuer": ...},
        {"token_endpoint": "http://evil.example/token"},
        {"token_endpoint": "file:///etc/passwd"},
        {"token_endpoint": ...},
        {"token_endpoint": ["x"]},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": ...},
    ],
)
def test_an_issuer_that_describes_another_or_leads_astray_is_not_used(
    liar: Liar, clock: Ticking, says: dict[str, Any]
) -> None:
    liar.says = says
    begun = Begun("s", "n", "v" * 43, "b")
    assert why(lambda: liar.provider(clock).address(begun, "http://127.0.0.1/cb")) == "identity.issuer-unavailable"
    assert why(lambda: finish(liar, clock)) == "identity.issuer-unavailable"
    with pytest.raises(Unreachable):
        describe(liar.url, SystemClock())
    assert liar.asked == []


def test_an_answer_of_another_issuer_gives_this_one_no_code(liar: Liar, clock: Ticking) -> None:
    """The mix-up (RFC 9700 §4.4): the code is not sent to whom it was not meant for."""
    assert why(lambda: finish(liar, clock, iss="https://honest.example")) == "identity.sign-in-lost"
    assert why(lambda: finish(liar, clock, iss="")) == "identity.sign-in-lost"
    assert liar.asked == []


def test_an_issuer_that_does_not_say_who_answers_is_used_only_where_it_is_alone(liar: Liar, clock: Ticking) -> None:
    liar.says = {"authorization_response_iss_parameter_supported": False}
    liar.token = (200, {"access_token": "a", "token_type": "Bearer", "id_token": id_token(told(iss=liar.url))}, {})
    assert finish(liar, clock, iss="").person == "ada"
    begun = Begun("s", "n", "v" * 43, "b")
    among_others = liar.provider(clock, alone=False)
    assert why(lambda: among_others.address(begun, "http://127.0.0.1/cb")) == "identity.issuer-unavailable"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ((400, {"error": "invalid_grant"}, {}), "identity.sign-in-refused"),
        ((401, {"error": "invalid_client"}, {}), "identity.sign-in-refused"),
        ((200, {"access_token": "a", "token_type": "Bearer"}, {}), "identity.sign-in-refused"),
        ((200, {"access_token": "a", "token_type": "Bearer", "id_token": 7}, {}), "identity.sign-in-refused"),
        ((200, ["no object"], {}), "identity.issuer-unavailable"),
        ((500, {"error": "server_error"}, {}), "identity.issuer-unavailable"),
        ((302, {}, {"Location": "/elsewhere"}), "identity.sign-in-refused"),
    ],
)
def test_a_token_endpoint_that_does_not_answer_as_it_should_signs_nobody_in(
    liar: Liar, clock: Ticking, answer: tuple[int, Any, dict[str, str]], expected: str
) -> None:
    liar.token = answer
    assert why(lambda: finish(liar, clock)) == expected
    assert [one["path"] for one in liar.asked] == ["/token"], "secret and code go nowhere else"


def test_beginning_without_end_asks_the_issuer_once(liar: Liar, clock: Ticking) -> None:
    provider = liar.provider(clock)
    for _ in range(20):
        provider.address(Begun("s", "n", "v" * 43, "b"), "http://127.0.0.1/cb")
    assert liar.described == 1
