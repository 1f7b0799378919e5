"""Two houses witness each other: what both publish, what a fork with the real key comes to, who is told."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest

from audit import load_verifier, open_checkpoint
from audit.cosignatures import ED25519, ML_DSA_44, CosignatureVerifier, Cosigner, time_of
from audit.notes import Note, NoteError, Signature, parse_checkpoint, parse_note
from tests.e2e.service import SECONDS, Service, audit, served, surroundings, tre
from tests.support import ROOT
from tre.app.publishing import judge_of
from tre.app.settings import Settings, read_settings, settings_text
from tre.base.home import Home
from tre.base.reasons import Refused

T = TypeVar("T")


@dataclass(frozen=True)
class House:
    """A home, and the witness that its people run for others."""

    home: Path
    port: int

    @property
    def key(self) -> Path:
        return self.home / "witness.vkey"

    @property
    def other_said(self) -> Path:
        return self.home / "witness.log"


def make(folder: Path, name: str) -> House:
    home = folder / name
    assert tre("init", home, "--origin", f"{name}.example/tre").code == 0
    made = tre(
        *("witness", "key", "--name", f"{name}.example/w1"),
        *("--key", home / "witness.key", "--public", home / "witness.vkey"),
    )
    assert made.code == 0, made.said
    return House(home, free_port())


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def trust(house: House, other: House, address: str | None = None) -> None:
    """Name the other's witness in the settings of a house."""
    config = house.home / "config.toml"
    url = address or f"http://127.0.0.1:{other.port}"
    one = f'{{key = "{other.key.read_text().strip()}", url = "{url}"}}'
    text = config.read_text()
    assert "witnesses = []" in text
    text = text.replace("witnesses = []", f"witnesses = [{one}]").replace("every = 60", "every = 1")
    text = text.replace("refresh = 3600", "refresh = 1")
    config.write_text(text)


@contextmanager
def witnessing(house: House, other: House) -> Iterator[None]:
    """Run the witness of `house` over the log of `other`."""
    command = ["witness", "serve", "--state", house.home / "memory", "--key", house.home / "witness.key"]
    command += ["--trust", other.home / "log.vkey", "--port", house.port]
    with house.other_said.open("ab") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "tre.cli", *map(str, command)],
            cwd=ROOT,
            env=surroundings(None),
            stdout=subprocess.PIPE,
            stderr=said,
        )
    try:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(b"witnessing at http://127.0.0.1:")
        yield
    finally:
        process.terminate()
        process.communicate(timeout=SECONDS)


def until(found: Callable[[], T | None], what: str) -> T:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        if (value := found()) is not None:
            return value
        time.sleep(0.1)
    raise AssertionError(f"{what} did not come")


def lines(house: Path, code: str) -> list[dict[str, Any]]:
    """Return what the operator of a house was told under a code."""
    said = (house / "serve.log").read_text().splitlines()
    told = [json.loads(line) for line in said if line.startswith("{")]
    return [one for one in told if one.get("code") == code]


def write(service: Service, name: str) -> None:
    """Add an entry to a served log, by command."""
    assert tre("person", "add", name, "--name", "N.", "--role", "operator", home=service.home).code == 0


def size_of(service: Service, path: str) -> int:
    answer = service.call("GET", f"/api/v1/log/{path}", None)
    return int(answer.text.split("\n")[1]) if answer.ok else -1


def all_cosigned(service: Service) -> int:
    """Wait until the newest head is cosigned; return its size."""
    return until(
        lambda: size if (size := size_of(service, "checkpoint")) == size_of(service, "cosigned") else None,
        "a cosigned head",
    )


KEY = str(Cosigner("w.example/1", ED25519, bytes(32)).verifier)
SECOND = str(Cosigner("w.example/1", ML_DSA_44, bytes(32)).verifier)
OWN = str(Cosigner("test.example/log", ED25519, bytes(32)).verifier)


def settings_with(folder: Path, witnesses: str, quorum: int = 1) -> Settings:
    text = settings_text("test.example/log").replace("witnesses = []", f"witnesses = [{witnesses}]")
    (folder / "config.toml").write_text(text.replace("quorum = 1", f"quorum = {quorum}"))
    return read_settings(Home(folder))


def test_witnesses_are_named_by_whole_keys_at_addresses_that_may_be_asked(tmp_path: Path) -> None:
    def one(key: str = KEY, url: str = "https://w.example", more: str = "") -> str:
        return f'{{key = "{key}", url = "{url}"{more}}}'

    good = settings_with(tmp_path, f"{one()}, {one(SECOND, 'http://127.0.0.1:8322')}")
    assert [witness.name for witness in good.log.witnesses] == ["w.example/1", "w.example/1"]
    refused = [
        one(url="http://w.example"),
        one(url="ftp://w.example"),
        one(key=KEY[:-2] + "AA"),
        one(key="w.example/1"),
        one(key=OWN),
        one(more=', note = ""'),
        '{key = "w"}',
        f"{one()}, {one()}",
    ]
    for witnesses in refused:
        with pytest.raises(Refused) as found:
            settings_with(tmp_path, witnesses)
        assert found.value.refusals[0].reason.code == "app.settings", witnesses
    with pytest.raises(Refused):
        settings_with(tmp_path, f"{one()}, {one(SECOND)}", quorum=2)


@pytest.fixture(scope="module")
def houses(tmp_path_factory: pytest.TempPathFactory) -> tuple[House, House]:
    folder = tmp_path_factory.mktemp("houses")
    north, south = make(folder, "north"), make(folder, "south")
    trust(north, south)
    trust(south, north)
    return north, south


def test_a_fork_with_the_real_key_is_caught_by_the_other_house_and_both_operators_are_told(
    houses: tuple[House, House],
) -> None:
    north, south = houses
    with witnessing(north, south), witnessing(south, north):
        with served(south.home) as theirs, served(north.home) as ours:
            assert ours.call("GET", "/api/v1/log/cosigned", None).status_code in (200, 404)
            write(ours, "one")
            write(theirs, "one")
            assert all_cosigned(theirs) >= 1
            before = all_cosigned(ours)
            judge_what_is_published(north, south, ours)
            judge_an_idle_log(south, ours)
            judge_a_false_word(north, south)
        fork = shutil.copytree(north.home, north.home.parent / "fork", ignore=shutil.ignore_patterns("*.sock"))
        with served(north.home) as ours:
            write(ours, "true")
            after = all_cosigned(ours)
            assert after > before
            kept = fork.parent / "kept"
            kept.write_bytes(ours.call("GET", "/api/v1/log/cosigned", None).content)
        assert lines(north.home, "witness.contradicts") == []
        with served(fork) as forked:
            (told, *more) = until(lambda: lines(fork, "witness.contradicts") or None, "word of a shortened log")
            assert "south.example/w1" in told["event"]
            assert "shortened" in told["event"]
            write(forked, "false")
            write(forked, "more")
            until(lambda: "refused with 422" in south.other_said.read_text() or None, "word at the witness")
            assert size_of(forked, "checkpoint") >= after > size_of(forked, "cosigned")
            assert len(lines(fork, "witness.contradicts")) == 1 + len(more) == 1, "told once"
            page = audit(
                *("verify", "--log", f"{forked.url}/api/v1/log", "--key", fork / "log.vkey", "--since", kept),
            )
            assert page.code == 5
            assert "has another history than this log" in page.out


def judge_what_is_published(north: House, south: House, ours: Service) -> None:
    log = load_verifier(north.home / "log.vkey")
    others = [CosignatureVerifier.parse(path.read_text()) for path in (south.key, north.home / "log-ml-dsa.vkey")]
    signed = [(log.name, log.key_id), *((one.name, one.key_id) for one in others)]
    for path in ("checkpoint", "cosigned"):
        note = ours.call("GET", f"/api/v1/log/{path}", None).content
        open_checkpoint(note, log, others)
        assert [(one.name, one.key_id) for one in parse_note(note).signatures] == signed
    named = ("--witness", south.key, "--witness", north.home / "log-ml-dsa.vkey")
    page = audit("verify", "--log", f"{ours.url}/api/v1/log", "--key", north.home / "log.vkey", *named)
    assert page.code == 0, page.said
    assert "south.example/w1 cosigned" in page.out
    more = ("--witness", north.key)
    refused = audit("verify", "--log", f"{ours.url}/api/v1/log", "--key", north.home / "log.vkey", *named, *more)
    assert refused.code == 5
    assert "cosigned by 1 of the witnesses named, and 2 are asked for" in refused.out


def judge_an_idle_log(south: House, ours: Service) -> None:
    """Nothing is written: the witness says again, later, what it said before."""
    key = CosignatureVerifier.parse(south.key.read_text())

    def said() -> tuple[int, int]:
        note = parse_note(ours.call("GET", "/api/v1/log/cosigned", None).content)
        (found,) = (one for one in note.signatures if one.key_id == key.key_id)
        return parse_checkpoint(note.text).size, time_of(found.signature)

    size, before = said()
    again, _ = until(lambda: now if (now := said())[1] > before else None, "a later cosignature")
    assert again == size


def judge_a_false_word(north: House, south: House) -> None:
    """What stands in the place of a kept head is published only where every signature on it is true."""
    settings = read_settings(Home(north.home))
    note = parse_note((north.home / "log" / "cosigned").read_bytes())
    judge = judge_of(Home(north.home), settings.log)
    judge(str(note).encode())
    for place, one in enumerate(note.signatures):
        false = Signature(one.name, one.key_id, one.signature[:-1] + bytes([one.signature[-1] ^ 1]))
        with pytest.raises(NoteError):
            judge(str(Note(note.text, (*note.signatures[:place], false, *note.signatures[place + 1 :]))).encode())
    key = CosignatureVerifier.parse(south.key.read_text())
    others = tuple(one for one in note.signatures if one.key_id != key.key_id)
    with pytest.raises(NoteError, match="cosigned by 0 of the witnesses"):
        judge(str(Note(note.text, others)).encode())


def test_an_absent_witness_holds_nothing_up_and_is_told_of_once(tmp_path: Path, houses: tuple[House, House]) -> None:
    south = houses[1]
    home = make(tmp_path, "alone")
    trust(home, south, f"http://127.0.0.1:{free_port()}")
    with served(home.home) as service:
        write(service, "one")
        until(lambda: lines(home.home, "witness.absent") or None, "word of an absent witness")
        write(service, "two")
        time.sleep(3)
        (told,) = lines(home.home, "witness.absent")
        assert "south.example/w1" in told["event"]
        assert service.call("GET", "/api/v1/log/cosigned", None).json()["reasons"][0]["code"] == "web.unknown-log-file"
        note = service.call("GET", "/api/v1/log/checkpoint", None).content
        second = CosignatureVerifier.parse((home.home / "log-ml-dsa.vkey").read_text())
        open_checkpoint(note, load_verifier(home.home / "log.vkey"), [second])
        assert [one.key_id for one in parse_note(note).signatures][1:] == [second.key_id]
