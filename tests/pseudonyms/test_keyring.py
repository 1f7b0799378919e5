"""The keyring opens only whole, only under its master key, and only where nobody else can read it."""

import json
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tre.base.reasons import Refused
from tre.pseudonyms import add_epoch, create_keyring
from tre.pseudonyms.keyring import KEYRING, MASTER, open_keyring


class Stopped:
    def now(self) -> datetime:
        return datetime(2026, 5, 4, tzinfo=UTC)

    def monotonic(self) -> float:
        return 0.0

    def sleep(self, seconds: float) -> None:
        raise AssertionError


CLOCK = Stopped()
FORMAT = b"tre pseudonym keyring 1"


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    create_keyring(tmp_path, CLOCK)
    return tmp_path


def refused(keys: Path) -> str:
    with pytest.raises(Refused) as caught:
        open_keyring(keys)
    return caught.value.refusals[0].reason.code


def test_a_keyring_begins_with_one_epoch_in_two_files_that_only_their_owner_reads(keys):
    assert open_keyring(keys).newest == 1
    assert {path.name: path.stat().st_mode & 0o777 for path in keys.iterdir()} == {KEYRING: 0o600, MASTER: 0o600}


def test_no_secret_lies_open_in_the_keyring(keys):
    secret = open_keyring(keys).secret(1)
    written = (keys / KEYRING).read_bytes()
    assert len(secret) == 32
    assert secret not in written
    assert secret.hex().encode() not in written
    assert secret.hex() not in repr(open_keyring(keys))


def test_a_keyring_is_never_made_over_another(keys):
    before = open_keyring(keys).secret(1)
    with pytest.raises(FileExistsError):
        create_keyring(keys, CLOCK)
    assert open_keyring(keys).secret(1) == before


def test_rotation_adds_an_epoch_and_keeps_those_before(keys):
    first = open_keyring(keys).secret(1)
    assert [add_epoch(keys, CLOCK), add_epoch(keys, CLOCK)] == [2, 3]
    ring = open_keyring(keys)
    assert ring.newest == 3
    assert ring.secret(1) == first
    assert len({ring.secret(epoch) for epoch in (1, 2, 3)}) == 3
    assert {path.name: path.stat().st_mode & 0o777 for path in keys.iterdir()} == {KEYRING: 0o600, MASTER: 0o600}


def test_racing_rotations_each_keep_their_epoch(keys):
    added: list[int] = []
    racers = [threading.Thread(target=lambda: added.append(add_epoch(keys, CLOCK))) for _ in range(8)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    assert sorted(added) == list(range(2, 10))
    assert sorted(open_keyring(keys).secrets) == list(range(1, 10))


def test_a_rotation_that_was_cut_off_leaves_the_keyring_and_can_be_repeated(keys):
    (keys / f"{KEYRING}.new").write_bytes(b"half")
    assert open_keyring(keys).newest == 1
    assert add_epoch(keys, CLOCK) == 2


def test_an_unknown_epoch_is_refused(keys):
    with pytest.raises(Refused) as caught:
        open_keyring(keys).secret(2)
    assert caught.value.refusals[0].reason.code == "pseudonyms.epoch-unknown"


@pytest.mark.parametrize("name", [KEYRING, MASTER])
def test_a_missing_or_readable_file_opens_nothing(keys, name):
    for mode in (0o640, 0o604, 0o620):
        (keys / name).chmod(mode)
        assert refused(keys) == "pseudonyms.keyring-exposed"
    (keys / name).unlink()
    assert refused(keys) == "pseudonyms.keyring-missing"
    with pytest.raises(Refused):
        add_epoch(keys, CLOCK)


def test_another_master_key_opens_nothing(keys):
    (keys / MASTER).write_bytes(bytes(32))
    assert refused(keys) == "pseudonyms.keyring-damaged"
    (keys / MASTER).write_bytes(bytes(31))
    assert refused(keys) == "pseudonyms.keyring-damaged"


def _moved(content):
    one, two = content["epochs"]
    one["wrapped"], two["wrapped"] = two["wrapped"], one["wrapped"]


def _renumbered(content):
    content["epochs"][1]["epoch"] = 3


def _flipped(content):
    wrapped = content["epochs"][0]["wrapped"]
    content["epochs"][0]["wrapped"] = wrapped[:-1] + format(int(wrapped[-1], 16) ^ 1, "x")


def _redated(content):
    content["epochs"][0]["created"] = "2020-01-01T00:00:00.000Z"


def _emptied(content):
    content["epochs"] = []


def _foreign(content):
    content["format"] = "another"


def _shortened(content):
    content["epochs"][0]["wrapped"] = "00"


@pytest.mark.parametrize("damage", [_moved, _renumbered, _flipped, _redated, _emptied, _foreign, _shortened])
def test_an_altered_keyring_opens_nothing_and_is_not_rotated(keys, damage):
    add_epoch(keys, CLOCK)
    content = json.loads((keys / KEYRING).read_bytes())
    damage(content)
    (keys / KEYRING).write_text(json.dumps(content))
    assert refused(keys) == "pseudonyms.keyring-damaged"
    before = (keys / KEYRING).read_bytes()
    with pytest.raises(Refused):
        add_epoch(keys, CLOCK)
    assert (keys / KEYRING).read_bytes() == before


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b"\xff", b'{"format": "tre pseudonym keyring 1", "epochs": [1]}']
)
def test_what_is_no_keyring_opens_nothing(keys, content):
    (keys / KEYRING).write_bytes(content)
    assert refused(keys) == "pseudonyms.keyring-damaged"
