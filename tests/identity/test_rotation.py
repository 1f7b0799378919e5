"""The issuer's key is rotated: tokens in use are taken until they expire, or refused at once where it was stolen."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tre.base.reasons import Refused
from tre.identity import EmbeddedIssuer, create_key, load_key, load_retired, new_key, replace_key, state_of, verify
from tre.identity.keys import KEY_FILE, RETIRED_FILE

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@dataclass
class Clock:
    at: datetime = START

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()

    def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def issuer(tmp_path: Path, clock: Clock) -> EmbeddedIssuer:
    return EmbeddedIssuer("tre.example", "tre", create_key(tmp_path), clock)


def rotated(folder: Path, issuer: EmbeddedIssuer) -> EmbeddedIssuer:
    key = new_key()
    replace_key(folder, key, issuer.retired_by(key))
    return replace(issuer, key=load_key(folder), retired=load_retired(folder))


def taken(token: str, issuer: EmbeddedIssuer, clock: Clock) -> bool:
    try:
        return verify(token, [issuer.trusted()], clock).person == "ada"
    except Refused:
        return False


def test_tokens_in_use_are_taken_until_the_longest_has_expired(
    tmp_path: Path, issuer: EmbeddedIssuer, clock: Clock
) -> None:
    old = issuer.issue("ada", None, 24 * 60)
    after = rotated(tmp_path, issuer)
    assert after.key.kid != issuer.key.kid
    assert taken(old, after, clock)
    assert taken(after.issue("ada", None, 5), after, clock)
    assert not taken(after.issue("ada", None, 5), issuer, clock), "the new key is another one"
    clock.at = START + DAY - timedelta(minutes=1)
    assert taken(old, after, clock)
    clock.at = START + DAY + timedelta(minutes=3)
    assert after.retiring() == ()
    assert issuer.key.kid not in after.trusted().keys


def test_keys_retired_twice_are_all_kept_until_their_day(tmp_path: Path, issuer: EmbeddedIssuer, clock: Clock) -> None:
    first = issuer.issue("ada", None, 24 * 60)
    once = rotated(tmp_path, issuer)
    second = once.issue("ada", None, 24 * 60)
    clock.at += DAY / 2
    twice = rotated(tmp_path, once)
    assert taken(first, twice, clock)
    assert taken(second, twice, clock)
    clock.at = START + DAY + timedelta(minutes=3)
    assert len(rotated(tmp_path, twice).retired) == 2, "the first one has ended and is dropped"


def test_a_stolen_key_is_trusted_no_more(tmp_path: Path, issuer: EmbeddedIssuer, clock: Clock) -> None:
    old = issuer.issue("ada", None, 24 * 60)
    replace_key(tmp_path, new_key(), ())
    after = replace(issuer, key=load_key(tmp_path), retired=load_retired(tmp_path))
    assert not taken(old, after, clock)


def test_what_stands_beside_the_key_is_public_and_its_owners_alone(tmp_path: Path, issuer: EmbeddedIssuer) -> None:
    before = state_of(tmp_path)
    rotated(tmp_path, issuer)
    assert state_of(tmp_path) != before
    (kept,) = json.loads((tmp_path / RETIRED_FILE).read_text())["keys"]
    assert "d" not in kept, "the private half is gone"
    assert (kept["kid"], kept["key_ops"]) == (issuer.key.kid, ["verify"])
    assert all((tmp_path / name).stat().st_mode & 0o777 == 0o600 for name in (KEY_FILE, RETIRED_FILE))


@pytest.mark.parametrize("text", ["", "{}", '{"keys": 1}', '{"keys": [{"kid": "x"}]}', '{"keys": ["x"]}'])
def test_a_damaged_set_of_retired_keys_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / RETIRED_FILE).write_text(text)
    (tmp_path / RETIRED_FILE).chmod(0o600)
    with pytest.raises(Refused, match=r"^identity\.key-unsafe$"):
        load_retired(tmp_path)


def test_a_set_that_others_may_write_is_refused(tmp_path: Path, issuer: EmbeddedIssuer) -> None:
    rotated(tmp_path, issuer)
    (tmp_path / RETIRED_FILE).chmod(0o644)
    with pytest.raises(Refused):
        load_retired(tmp_path)
