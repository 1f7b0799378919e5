"""Keys that an issuer publishes: fetched within bounds, kept for a while, and nothing accepted without them."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from tests.identity.outside import Ticking, claims, public, signed
from tests.identity.outside import issuer as trusted
from tre.base.clock import SystemClock
from tre.base.reasons import Refused
from tre.identity import PublishedKeys, Unreachable, fetch_json, is_fit, verify
from tre.identity.fetching import MOST_BYTES

SET = {"keys": [public("ES256")]}


class Published:
    """A set that a test changes, and how often it was read."""

    def __init__(self) -> None:
        self.shown: Any = SET
        self.times = 0

    def read(self) -> Any:
        self.times += 1
        if isinstance(self.shown, Exception):
            raise self.shown
        return self.shown


@pytest.fixture
def clock() -> Ticking:
    return Ticking()


@pytest.fixture
def published() -> Published:
    return Published()


@pytest.fixture
def keys(published: Published, clock: Ticking) -> PublishedKeys:
    return PublishedKeys(published.read, ["ES256"], clock, 60)


def unavailable(keys: PublishedKeys, kid: str = "k1") -> bool:
    try:
        keys.get(kid)
    except Refused as refused:
        return refused.refusals[0].reason.code == "identity.issuer-unavailable"
    return False


def test_keys_are_read_once_and_kept(keys: PublishedKeys, published: Published, clock: Ticking) -> None:
    assert all(keys.get("k1") for _ in range(5))
    clock.sleep(3599)
    assert keys.get("k1")
    assert published.times == 1


def test_made_up_key_ids_cause_one_reading_in_a_pause(
    keys: PublishedKeys, published: Published, clock: Ticking
) -> None:
    assert [keys.get(f"made-up-{number}") for number in range(50)] == [None] * 50
    assert published.times == 1
    clock.sleep(60)
    assert [keys.get(f"made-up-{number}") for number in range(50)] == [None] * 50
    assert published.times == 2


def test_a_new_key_is_found_and_one_that_went_is_gone(
    keys: PublishedKeys, published: Published, clock: Ticking
) -> None:
    assert keys.get("k1")
    published.shown = {"keys": [public("ES256", kid="k2")]}
    clock.sleep(60)
    assert keys.get("k2")
    assert keys.get("k1") is None


def test_a_withdrawn_key_is_not_taken_for_longer_than_an_hour(
    keys: PublishedKeys, published: Published, clock: Ticking
) -> None:
    assert keys.get("k1")
    published.shown = {"keys": [public("ES256", kid="k2")]}
    clock.sleep(3600)
    assert keys.get("k1") is None


@pytest.mark.parametrize(
    "shown",
    [
        Unreachable("down"),
        {},
        {"keys": "k1"},
        {"keys": ["k1"]},
        {"keys": [public("ES256"), public("ES256")]},
        {"keys": [public("ES256"), {"kty": "oct", "k": "AAAA", "kid": "s", "alg": "HS256"}]},
        {"keys": [public("ES256", d="AAAA")]},
    ],
    ids=["down", "no set", "text", "texts", "one id twice", "a shared secret", "a private key"],
)
def test_without_a_set_that_may_be_used_nothing_is_accepted(
    keys: PublishedKeys, published: Published, clock: Ticking, shown: Any
) -> None:
    published.shown = shown
    assert unavailable(keys)
    assert unavailable(keys), "within the pause, without another reading"
    assert published.times == 1
    clock.sleep(60)
    published.shown = SET
    assert keys.get("k1")


def test_while_the_issuer_is_down_known_keys_last_for_their_hour_and_no_longer(
    keys: PublishedKeys, published: Published, clock: Ticking
) -> None:
    assert keys.get("k1")
    published.shown = Unreachable("down")
    clock.sleep(1800)
    assert unavailable(keys, "k2")
    assert keys.get("k1")
    clock.sleep(1800)
    assert unavailable(keys)


def test_a_token_cannot_be_verified_while_the_keys_cannot_be_had(published: Published, clock: Ticking) -> None:
    published.shown = Unreachable("down")
    found = trusted(clock)
    object.__setattr__(found, "keys", PublishedKeys(published.read, ["ES256"], clock, 60))
    with pytest.raises(Refused, match=r"identity\.issuer-unavailable"):
        verify(signed(claims()), [found], clock)


# --- fetching


def answer(
    status: int = 200, body: bytes = b"{}", headers: dict[str, str] | None = None
) -> Callable[[BaseHTTPRequestHandler], None]:
    def send(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in (headers or {}).items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    return send


def dribbled(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    for _ in range(100):
        time.sleep(0.05)
        handler.wfile.write(b" " * 10)
        handler.wfile.flush()


@contextmanager
def server(send: Callable[[BaseHTTPRequestHandler], None]) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """Serve one answer on loopback; yield the address and the headers that were sent."""
    asked: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append({"path": self.path, **dict(self.headers)})
            try:
                send(self)
            except OSError:
                self.close_connection = True  # the other side has had enough

        def log_message(self, *_: object) -> None:
            return

    serving = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=serving.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{serving.server_port}/keys", asked
    finally:
        serving.shutdown()
        thread.join()
        serving.server_close()


def test_a_set_is_fetched_without_what_the_machine_knows_of_the_host(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login operator password hunter2\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with server(answer(body=json.dumps(SET).encode())) as (url, asked):
        assert fetch_json(url, SystemClock()) == SET
    assert "Authorization" not in asked[0]


@pytest.mark.parametrize(
    "send",
    [
        answer(404),
        answer(204),
        answer(500),
        answer(302, headers={"Location": "/elsewhere"}),
        answer(body=b"[]"),
        answer(body=b'{"keys": [], "keys": [1]}'),
        answer(body=b"\xff"),
        answer(body=b"{" + b" " * (MOST_BYTES + 1) + b"}"),
        answer(body=gzip.compress(b" " * 100 * MOST_BYTES), headers={"Content-Encoding": "gzip"}),
    ],
    ids=["404", "204", "500", "redirect", "list", "duplicate", "binary", "large", "compressed"],
)
def test_what_is_no_small_json_object_at_that_very_address_is_not_read(send: Any) -> None:
    with server(send) as (url, asked), pytest.raises(Unreachable):
        fetch_json(url, SystemClock())
    assert [one["path"] for one in asked] == ["/keys"]


def test_an_answer_that_does_not_end_is_left() -> None:
    class Hasty(SystemClock):
        """Five seconds pass at every look."""

        def __init__(self) -> None:
            self.at = 0.0

        def monotonic(self) -> float:
            self.at += 5
            return self.at

    with server(dribbled) as (url, _), pytest.raises(Unreachable):
        fetch_json(url, Hasty())


def test_nobody_listening_is_unreachable() -> None:
    with server(answer()) as (url, _):
        pass
    with pytest.raises(Unreachable):
        fetch_json(url, SystemClock())


@pytest.mark.parametrize(
    ("url", "fit"),
    [
        ("https://id.example.org/realms/staff/certs", True),
        ("https://id.example.org:8443", True),
        ("http://127.0.0.1:4000/jwks", True),
        ("http://localhost/jwks", True),
        ("http://[::1]:4000/jwks", True),
        ("http://id.example.org/jwks", False),
        ("http://127.0.0.1.evil.example/", False),
        ("http://127.0.0.1@evil.example/", False),
        ("https://user:password@id.example.org/", False),
        ("https://id.example.org/#x", False),
        ("https://id.example.org/a b", False),
        ("file:///etc/passwd", False),
        ("ftp://id.example.org/", False),
        ("//id.example.org/", False),
        ("", False),
        (None, False),
        ("https://id.example.org/" + "a" * 3000, False),
    ],
)
def test_only_https_and_this_machine_are_asked(url: object, fit: bool) -> None:
    assert is_fit(url) is fit
    if not fit and isinstance(url, str):
        with pytest.raises(Unreachable):
            fetch_json(url, SystemClock())
