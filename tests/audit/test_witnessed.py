"""What a verifier that believes witnesses asks of a log and of a receipt, and when it is not satisfied."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from audit import export
from audit.__main__ import main
from audit.cosignatures import ED25519, ML_DSA_44, Cosigner
from audit.cosigned import keep
from audit.notes import parse_note, sign_note
from tests.audit.samples import ORIGIN, SIGNER, new_log, open_log, story

AT = 1_800_000_000
W1 = Cosigner("one.example/w", ED25519, b"\x01" * 32, lambda: AT)
AGAIN = Cosigner("one.example/w", ML_DSA_44, b"\x02" * 32, lambda: AT)
W2 = Cosigner("two.example/w", ML_DSA_44, b"\x03" * 32, lambda: 1 << 62)
STRANGER = Cosigner("three.example/w", ED25519, b"\x04" * 32)
SECOND = Cosigner(ORIGIN, ML_DSA_44, b"\x05" * 32, lambda: AT)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A log of 40 entries of which 30 are cosigned by two witnesses and the log's second key."""
    entries = list(story(40))
    with new_log(tmp_path) as log:
        log.append(entries[:30])
        note = sign_note(parse_note(log.checkpoint().encode()).text, [SIGNER, W1, AGAIN, W2, SECOND])
        keep(tmp_path / "log" / "cosigned", str(note).encode())
        log.append(entries[30:])
        export(log, tmp_path / "tree")
        (tmp_path / "first").write_text(log.inclusion(3, with_entry=True))
        (tmp_path / "last").write_text(log.inclusion(39, with_entry=True))
    (tmp_path / "log.vkey").write_text(f"{SIGNER.verifier}\n")
    (tmp_path / "w1.vkey").write_text(f"{W1.verifier}\n")
    return tmp_path


def run(home: Path, capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    command, *rest = map(str, arguments)
    code = main([command, "--key", str(home / "log.vkey"), *rest])
    return code, capsys.readouterr().out


def named(*cosigners: Cosigner) -> list[str]:
    return [word for one in cosigners for word in ("--witness", str(one.verifier))]


@pytest.mark.parametrize("form", ["log", "tree"])
def test_the_page_says_who_cosigned_how_much_and_when(
    home: Path, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    code, out = run(home, capsys, "verify", "--log", home / form, "--witness", home / "w1.vkey", *named(W2, SECOND))
    assert code == 0, out
    assert "one.example/w cosigned 30 entries at 2027-01-15T08:00:00Z" in out
    assert "two.example/w cosigned 30 entries at 9999-12-31T23:59:59Z" in out
    code, out = run(home, capsys, "verify", "--log", home / form, *named(W1), "--json")
    report = json.loads(out)
    assert (code, report["verified"], report["size"]) == (0, True, 40)
    assert report["cosignatures"] == [{"witness": W1.name, "size": 30, "time": "2027-01-15T08:00:00Z"}]


def test_a_quorum_counts_witnesses_not_keys_and_never_the_log_itself(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def code(*arguments: str) -> int:
        return run(home, capsys, "verify", "--log", home / "tree", *arguments)[0]

    assert code(*named(W1, W2)) == 0
    assert code(*named(W1, STRANGER)) == 5, "all of them, where no quorum is named"
    assert code(*named(W1, STRANGER), "--quorum", "1") == 0
    assert code(*named(W1, W2, STRANGER), "--quorum", "2") == 0
    assert code(*named(W1, AGAIN, STRANGER), "--quorum", "2") == 5
    assert code(*named(W1, SECOND, STRANGER), "--quorum", "2") == 5
    assert code(*named(SECOND)) == 0
    for quorum in ("0", "2", "-1"):
        assert code(*named(W1, AGAIN, SECOND), "--quorum", quorum) == 2
    assert code("--quorum", "1") == 2
    assert code("--witness", str(SIGNER.verifier)) == 2


def test_what_was_cosigned_must_be_there_be_true_and_be_contained(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = home / "tree" / "cosigned"
    good = place.read_bytes()

    def page(*more: object) -> tuple[int, str]:
        return run(home, capsys, "verify", "--log", home / "tree", *named(W1), *more)

    place.write_bytes(good.replace(b"\n30\n", b"\n31\n"))
    assert (page()[0], "a false signature" in page()[1]) == (5, True)
    place.unlink()
    assert (page()[0], "cosigned by 0 of the witnesses named, and 1 are asked for" in page()[1]) == (5, True)
    kept = home / "kept"
    kept.write_bytes(good)
    assert page("--cosigned", kept)[0] == 0
    assert run(home, capsys, "verify", "--log", home / "tree", "--cosigned", kept)[0] == 2
    without = parse_note(good)
    kept.write_text(str(sign_note(without.text, [SIGNER, W1])))
    assert run(home, capsys, "verify", "--log", home / "tree", "--cosigned", kept, *named(W1, SECOND))[0] == 5


def test_a_fork_with_the_real_key_fails_against_the_head_that_a_witness_signed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    entries = list(story(20))
    with new_log(tmp_path / "true") as log:
        log.append(entries[:10])
        shutil.copytree(tmp_path / "true", tmp_path / "fork")
        log.append(entries[10:15])
        cosigned = str(sign_note(parse_note(log.checkpoint().encode()).text, [SIGNER, W1]))
    with open_log(tmp_path / "fork") as fork:
        fork.append(entries[15:])
        fork.append(entries[10:15])
        export(fork, tmp_path / "tree")
    (tmp_path / "log.vkey").write_text(f"{SIGNER.verifier}\n")
    (tmp_path / "tree" / "cosigned").write_text(cosigned)
    code, out = run(tmp_path, capsys, "verify", "--log", tmp_path / "tree", *named(W1))
    assert code == 5
    assert "the cosigned head has another history than this log up to entry 15" in out


def test_a_receipt_is_held_to_the_quorum_too(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out = run(home, capsys, "receipt", home / "first", *named(W1, W2))
    assert (code, "two.example/w cosigned 30 entries at" in out) == (0, True)
    code, out = run(home, capsys, "receipt", home / "first", *named(W1, STRANGER))
    assert (code, "RECEIPT REFUSED: cosigned by 1 of the witnesses named, and 2 are asked for" in out) == (5, True)
    assert run(home, capsys, "receipt", home / "first", *named(W1, STRANGER), "--quorum", "1")[0] == 0
    assert run(home, capsys, "receipt", home / "last", *named(W1))[0] == 5, "its head is not cosigned yet"
    assert run(home, capsys, "receipt", home / "last")[0] == 0
