"""Witnesses: what continues is cosigned, what forks or goes back never; the operator sees who says otherwise."""

import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from textwrap import dedent

import pytest

from audit import Ed25519Signer, Log, LogError, LogReader, Receipt, cosigned, create_log, export, open_checkpoint
from audit.cosignatures import ED25519, ML_DSA_44, CosignatureVerifier, Cosigner, time_of
from audit.head import HeadError
from audit.notes import Checkpoint, Note, NoteError, Signature, parse_note, sign_note, verify_note
from audit.pushing import Told, Word, posting, push
from audit.witness import Request, Witness, serve
from tests.audit.disks import FailOn, WatchedFiles
from tests.audit.samples import SIGNER, new_log, open_log, story
from tests.support import ROOT

OTHER = Ed25519Signer("other.example/log", b"\x09" * 32)
W1 = Cosigner("witness.example/w1", ED25519, b"\x01" * 32, lambda: 1_800_000_000)
W2 = Cosigner("witness.example/w1", ML_DSA_44, b"\x02" * 32, lambda: 1_800_000_001)
TEXT = Checkpoint(SIGNER.name, 7, bytes(range(32))).text.encode()


# --- Cosignatures


def test_the_signed_messages_are_those_of_the_specification_byte_for_byte() -> None:
    """https://c2sp.org/tlog-cosignature, "Ed25519 signed message" and "ML-DSA-44 signed message"."""
    signed = W1.sign(TEXT)
    assert time_of(signed) == 1_800_000_000
    message = b"cosignature/v1\ntime 1800000000\n" + TEXT
    W1.verifier._key.verify(signed[8:], message)
    both = b"subtree/v1\n\0" + bytes([18]) + b"witness.example/w1" + (1_800_000_001).to_bytes(8, "big")
    both += bytes([21]) + b"audit.example.org/tre" + bytes(8) + (7).to_bytes(8, "big") + bytes(range(32))
    W2.verifier._key.verify(W2.sign(TEXT)[8:], both)


@pytest.mark.parametrize("cosigner", [W1, W2])
def test_a_cosignature_holds_for_its_head_its_time_and_its_key_alone(cosigner: Cosigner) -> None:
    verifier, signed = cosigner.verifier, cosigner.sign(TEXT)
    assert verifier.verify(TEXT, signed)
    assert not verifier.verify(TEXT.replace(b"\n7\n", b"\n8\n"), signed)
    for at in (0, 7, 8, len(signed) - 1):
        assert not verifier.verify(TEXT, signed[:at] + bytes([signed[at] ^ 1]) + signed[at + 1 :])
    assert not verifier.verify(TEXT, signed[:8])
    assert not verifier.verify(TEXT, b"\xff" + signed[1:])
    assert CosignatureVerifier.parse(f"{verifier}\n").public == verifier.public
    assert Cosigner.parse(cosigner.private_text()).verifier.key_id == verifier.key_id
    with pytest.raises(NoteError):
        CosignatureVerifier.parse(str(SIGNER.verifier))
    with pytest.raises(NoteError):
        Cosigner.parse(SIGNER.private_text())


def test_a_head_carries_cosignatures_of_both_kinds_beside_the_log_s_own() -> None:
    note = str(sign_note(TEXT.decode(), [SIGNER, W1, W2])).encode()
    assert open_checkpoint(note, SIGNER.verifier, [W1.verifier, W2.verifier]).size == 7
    false = note.replace(b"\n7\n", b"\n8\n")
    with pytest.raises(NoteError):
        open_checkpoint(false, SIGNER.verifier)


# --- The witness


@pytest.fixture
def witness(tmp_path: Path) -> Iterator[Witness]:
    one = Witness(tmp_path / "memory", [W1, W2], [SIGNER.verifier])
    yield one
    with suppress(OSError):
        one.close()


def request(log: Log, old: int, size: int | None = None) -> bytes:
    proof = log.consistency(old, size) if old else []
    return bytes(Request(old, tuple(proof), log.checkpoint().encode()))


def test_a_head_that_continues_the_last_one_is_cosigned_and_remembered(tmp_path: Path, witness: Witness) -> None:
    with new_log(tmp_path) as log:
        assert witness.add_checkpoint(request(log, 0)).status == 200
        for old, entries in ((0, 3), (3, 300), (303, 1)):
            log.append(list(story(entries, seed=entries)))
            reply = witness.add_checkpoint(request(log, old))
            assert reply.status == 200, reply
            note = (log.checkpoint() + reply.body).encode()
            assert open_checkpoint(note, SIGNER.verifier, [W1.verifier, W2.verifier]).size == log.size
            known = witness.known(SIGNER.verifier)
            assert known is not None
            assert known.size == log.size
        assert witness.add_checkpoint(request(log, 304)).status == 200, "the same head again"


def test_a_witness_that_is_started_again_remembers(tmp_path: Path, witness: Witness) -> None:
    with new_log(tmp_path) as log:
        log.append([b"a"])
        assert witness.add_checkpoint(request(log, 0)).status == 200
        witness.close()
        again = Witness(tmp_path / "memory", [W1], [SIGNER.verifier])
        assert again.add_checkpoint(request(log, 0)).status == 409
        assert again.add_checkpoint(request(log, 1)).status == 200
        with pytest.raises(LogError, match="another process"):
            Witness(tmp_path / "memory", [W1], [SIGNER.verifier])
        again.close()


def test_each_refusal_has_the_status_of_the_protocol(tmp_path: Path, witness: Witness) -> None:
    with new_log(tmp_path) as log:
        log.append([b"a", b"b", b"c"])
        good = request(log, 0)
        note = log.checkpoint()
        stranger = str(sign_note(Checkpoint("stranger", 1, bytes(32)).text, [Ed25519Signer("stranger", bytes(32))]))
        unsigned = str(sign_note(parse_note(note.encode()).text, [OTHER]))
        statuses = {
            b"": 400,
            b"old 0\n\n": 400,
            b"old 00\n\n" + note.encode(): 400,
            b"old x\n\n" + note.encode(): 400,
            b"old 0\nnot base64\n\n" + note.encode(): 400,
            b"old 0\n" + b"A" * 43 + b"=\n" + note.encode(): 400,
            b"old 0\n" + (b"A" * 43 + b"=\n") * 64 + b"\n" + note.encode(): 400,
            b"old 4\n\n" + note.encode(): 400,
            b"old 0\n\n" + stranger.encode(): 404,
            b"old 0\n\n" + unsigned.encode(): 403,
            b"old 0\n\n" + note.replace("\n3\n", "\n2\n").encode(): 403,
            b"old 0\n" + b"A" * 43 + b"=\n\n" + note.encode(): 422,
        }
        for body, status in statuses.items():
            assert witness.add_checkpoint(body).status == status, body
        assert witness.known(SIGNER.verifier) is None
        assert witness.add_checkpoint(good).status == 200
        log.append([b"d"])
        for old in (0, 1, 2, 4):
            reply = witness.add_checkpoint(request(log, old))
            assert (reply.status, reply.body, reply.kind) == (409, "3\n", "text/x.tlog.size")
        assert witness.add_checkpoint(b"old 3\n\n" + log.checkpoint().encode()).status == 422


def test_a_fork_and_a_roll_back_signed_with_the_real_key_are_not_cosigned(tmp_path: Path, witness: Witness) -> None:
    with new_log(tmp_path / "one") as log:
        log.append([b"a", b"b"])
        shutil.copytree(tmp_path / "one", tmp_path / "two")
        log.append([b"c"])
        assert witness.add_checkpoint(request(log, 0)).status == 200
        with open_log(tmp_path / "two") as fork:
            assert witness.add_checkpoint(request(fork, 2)).status == 409, "shorter than what was cosigned"
            fork.append([b"x"])
            assert witness.add_checkpoint(request(fork, 3)).status == 409, "as long, and another"
            fork.append([b"y"])
            assert witness.add_checkpoint(request(fork, 3)).status == 422, "longer, and not a continuation"
        log.append([b"d"])
        assert witness.add_checkpoint(request(log, 3)).status == 200


def test_of_racing_heads_none_is_cosigned_behind_a_longer_one(tmp_path: Path, witness: Witness) -> None:
    with new_log(tmp_path) as log:
        bodies = []
        for number in range(20):
            log.append([b"%d" % number])
            bodies.append(bytes(Request(0, (), log.checkpoint().encode())))
        got: list[int] = []

        def show(body: bytes) -> None:
            got.append(witness.add_checkpoint(body).status)

        threads = [threading.Thread(target=show, args=(body,)) for body in bodies]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(got) == [200] + [409] * 19


@pytest.mark.parametrize("nth", range(1, 12))
def test_nothing_is_cosigned_that_was_not_remembered_first(tmp_path: Path, nth: int) -> None:
    failing = FailOn(None)
    with new_log(tmp_path) as log:
        log.append([b"a"])
        witness = Witness(tmp_path / "memory", [W1], [SIGNER.verifier], WatchedFiles(failing))
        failing.count, failing.nth = 0, nth
        cosigned = 0
        for old in (0, 1, 2):
            with suppress(OSError, HeadError):
                if witness.add_checkpoint(request(log, old)).status == 200:
                    cosigned = log.size
            log.append([b"more"])
        witness.close()
        again = Witness(tmp_path / "memory", [W1], [SIGNER.verifier])
        remembered = 0
        with suppress(HeadError):
            known = again.known(SIGNER.verifier)
            remembered = known.size if known else 0
        assert remembered >= cosigned
        again.close()


# --- The log's side


@contextmanager
def serving(folder: Path, cosigner: Cosigner, log: Ed25519Signer, told: list[str]) -> Iterator[str]:
    witness = Witness(folder, [cosigner], [log.verifier])
    server = serve(witness, "127.0.0.1", 0, told.append)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        witness.close()


def test_two_houses_witness_each_other_and_the_fork_of_one_is_caught(tmp_path: Path) -> None:
    mine, theirs = Cosigner("mine/w", ED25519, b"\x0a" * 32), Cosigner("theirs/w", ED25519, b"\x0b" * 32)
    create_log(tmp_path / "other" / "log", tmp_path / "other" / "head", OTHER)
    told: list[str] = []
    with (
        new_log(tmp_path / "one") as log,
        Log(tmp_path / "other" / "log", tmp_path / "other" / "head", OTHER) as other,
        serving(tmp_path / "mine", mine, OTHER, told) as my_witness,
        serving(tmp_path / "theirs", theirs, SIGNER, told) as their_witness,
    ):
        for _ in range(3):
            log.append([b"a"] * 5)
            other.append([b"b"] * 7)
            assert push(log, [(theirs.verifier, posting(their_witness))], tmp_path / "one.head")[0].signatures
            assert push(other, [(mine.verifier, posting(my_witness))], tmp_path / "other.head")[0].signatures
        kept = (tmp_path / "one.head").read_bytes()
        assert open_checkpoint(kept, SIGNER.verifier, [theirs.verifier]).size == 15
        assert any(one.name == "theirs/w" for one in parse_note(kept).signatures)
        shutil.copytree(tmp_path / "one", tmp_path / "fork")
        log.append([b"true"])
        assert push(log, [(theirs.verifier, posting(their_witness))], tmp_path / "one.head")[0].signatures
        with open_log(tmp_path / "fork") as fork:
            for entries, sentence in (
                ([], "shortened"),
                ([b"false"], "another history"),
                ([b"more"], "another history"),
            ):
                fork.append(entries)
                (found,) = push(fork, [(theirs.verifier, posting(their_witness))], tmp_path / "fork.head")
                assert found.word is Word.CONTRADICTS
                assert sentence in found.sentence
                assert found.signatures == ()
        assert not (tmp_path / "fork.head").exists()
    (heard,) = (line for line in told if "refused with 422" in line and "\n    17\n" in line)
    evidence = parse_note(dedent(heard.partition("\n")[2]).encode())
    assert verify_note(evidence, [SIGNER.verifier]), "the witness's own operator gets the head that the log signed"


def test_an_absent_a_silent_and_a_lying_witness_hold_nothing_up_and_are_named(tmp_path: Path) -> None:
    told: list[str] = []
    liar = Cosigner("witness.example/liar", ED25519, b"\x0d" * 32)
    with (
        new_log(tmp_path) as log,
        serving(tmp_path / "w", W1, SIGNER, told) as url,
        serving(tmp_path / "l", Cosigner("witness.example/liar", ED25519, b"\x0e" * 32), SIGNER, told) as lies,
    ):
        log.append([b"a"])
        witnesses = [
            (liar.verifier, posting("http://127.0.0.1:1")),
            (liar.verifier, posting(lies)),
            (W1.verifier, posting(url)),
        ]
        absent, lying, good = push(log, witnesses, tmp_path / "out")
    assert "does not answer" in absent.sentence
    assert "no cosignature of its key" in lying.sentence
    assert good == Told(W1.name, Word.COSIGNED, "cosigned 1 entries at 2027-01-15T08:00:00Z", good.signatures)
    note = parse_note((tmp_path / "out").read_bytes())
    assert [one.name for one in note.signatures] == [SIGNER.name, W1.name]


def test_a_witness_that_drips_holds_up_neither_the_others_nor_the_next_head(tmp_path: Path) -> None:
    asked, let_go = threading.Event(), threading.Event()

    class Dripping(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.set()
            let_go.wait(20)
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Dripping)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        with new_log(tmp_path) as log, serving(tmp_path / "w", W1, SIGNER, []) as url:
            drip = posting(f"http://127.0.0.1:{server.server_port}")
            for sentence in ("does not answer in time", "has not finished its answer to the last head"):
                log.append([b"a"])
                slow, good = push(log, [(W2.verifier, drip), (W1.verifier, posting(url))], tmp_path / "out", patience=5)
                assert (slow.word, good.word) == (Word.ABSENT, Word.COSIGNED)
                assert sentence in slow.sentence
                assert asked.wait(5)
            assert open_checkpoint((tmp_path / "out").read_bytes(), SIGNER.verifier, [W1.verifier]).size == log.size
    finally:
        let_go.set()
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_head_that_too_few_signed_is_not_kept_and_two_keys_are_one_witness(tmp_path: Path) -> None:
    other = Cosigner("witness.example/w2", ED25519, b"\x0f" * 32)
    out = tmp_path / "out"
    with (
        new_log(tmp_path) as log,
        serving(tmp_path / "a", W1, SIGNER, []) as first,
        serving(tmp_path / "b", W2, SIGNER, []) as its_second,
        serving(tmp_path / "c", other, SIGNER, []) as another,
    ):
        same = [(W1.verifier, posting(first)), (W2.verifier, posting(its_second))]
        log.append([b"a"])
        assert all(one.signatures for one in push(log, same, out, quorum=2))
        assert not out.exists()
        push(log, [*same, (other.verifier, posting(another))], out, quorum=2)
        kept = out.read_bytes()
        log.append([b"b"])
        push(log, same, out, quorum=2)
        assert out.read_bytes() == kept
        known = [one for one in parse_note(kept).signatures if one.name == other.name]
        assert len(known) == 1


# --- What readers do with the kept head


def test_a_receipt_stands_under_the_newest_cosigned_head_that_has_its_entry(tmp_path: Path) -> None:
    with new_log(tmp_path) as log, serving(tmp_path / "w", W1, SIGNER, []) as url:
        entries = list(story(20))
        log.append(entries[:12])
        assert log.cosigned() is None
        (told,) = push(log, [(W1.verifier, posting(url))], tmp_path / "log" / "cosigned", [W2])
        log.append(entries[12:])
        with LogReader(tmp_path / "log") as reader:
            for index, entry in enumerate(entries):
                receipt = Receipt.parse(reader.inclusion(index).encode())
                head = receipt.verify(entry, SIGNER.verifier, [W1.verifier, W2.verifier])
                names = [one.key_id for one in parse_note(receipt.checkpoint).signatures]
                if index < 12:
                    assert (head.size, names) == (12, [SIGNER.key_id, W1.key_id, W2.key_id])
                else:
                    assert (head.size, names) == (20, [SIGNER.key_id])
            export(reader, tmp_path / "tree")
        assert (tmp_path / "tree" / "cosigned").read_bytes() == (tmp_path / "log" / "cosigned").read_bytes()
    assert told.word is Word.COSIGNED


def test_a_kept_head_that_is_spoilt_or_of_another_log_is_as_none(tmp_path: Path) -> None:
    place = tmp_path / "log" / "cosigned"
    with new_log(tmp_path) as log:
        log.append([b"a", b"b"])
        good = log.checkpoint().encode()
        root = parse_note(good).text.split("\n")[2].encode()
        for spoilt in (b"", b"\xff", good[:-9], good.replace(b"\n2\n", b"\n3\n"), good.replace(root, b"A" * 43 + b"=")):
            place.write_bytes(spoilt)
            assert log.cosigned() is None
            assert Receipt.parse(log.inclusion(0).encode()).verify(b"a", SIGNER.verifier).size == 2
        place.write_bytes(good)
        found = log.cosigned()
        assert found is not None
        assert found.size == 2
        place.unlink()
        assert log.cosigned() is None


def test_a_kept_head_with_a_false_signature_is_as_none_to_whoever_has_the_keys(tmp_path: Path) -> None:
    place = tmp_path / "log" / "cosigned"

    def judge(note: bytes) -> None:
        open_checkpoint(note, SIGNER.verifier, [W1.verifier])

    with new_log(tmp_path) as log, LogReader(tmp_path / "log").judging(judge) as reader:
        log.append([b"a"])
        note = parse_note(log.checkpoint().encode())
        (true,) = sign_note(note.text, [W1]).signatures
        false = Signature(true.name, true.key_id, true.signature[:-1] + bytes([true.signature[-1] ^ 1]))
        for signatures in ((*note.signatures, false), (true,)):
            place.write_bytes(str(Note(note.text, signatures)).encode())
            assert reader.cosigned() is None
            assert len(parse_note(Receipt.parse(reader.inclusion(0).encode()).checkpoint).signatures) == 1
        place.write_bytes(str(Note(note.text, (*note.signatures, true))).encode())
        assert reader.cosigned() is not None


def test_a_witness_that_is_away_when_an_unchanged_head_is_shown_again_keeps_its_word_on_it(tmp_path: Path) -> None:
    out = tmp_path / "log" / "cosigned"
    with new_log(tmp_path) as log, serving(tmp_path / "w1", W1, SIGNER, []) as one:
        log.append([b"a"])
        with serving(tmp_path / "w2", W2, SIGNER, []) as two:
            both = [(W1.verifier, posting(one)), (W2.verifier, posting(two))]
            push(log, both, out)
        push(log, both, out)
        assert cosigned.signers(out).keys() >= {(W1.name, W1.key_id), (W2.name, W2.key_id)}
        open_checkpoint(out.read_bytes(), SIGNER.verifier, [W1.verifier, W2.verifier])
        log.append([b"b"])
        push(log, both, out)
        assert (W2.name, W2.key_id) not in cosigned.signers(out)


def test_the_commands_witness_and_push(tmp_path: Path) -> None:
    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "audit", *map(str, arguments)]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)

    with new_log(tmp_path) as log:
        log.append([b"a"])
        (tmp_path / "log.vkey").write_text(f"{SIGNER.verifier}\n")
        key, public = tmp_path / "w.key", tmp_path / "w.vkey"
        made = run("cosigner-key", "--name", "w.example/1", "--key", key, "--public", public)
        assert (made.returncode, made.stdout) == (0, public.read_text())
        assert key.stat().st_mode & 0o777 == 0o600
        second, its = tmp_path / "ml.key", tmp_path / "ml.vkey"
        assert run("cosigner-key", "--name", SIGNER.name, "--key", second, "--public", its, "--ml-dsa").returncode == 0
        command = [sys.executable, "-m", "audit", "witness", "--state", tmp_path / "state", "--key", key]
        command += ["--trust", tmp_path / "log.vkey", "--port", "0"]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as witness:
            try:
                assert witness.stdout is not None
                url = witness.stdout.readline().removeprefix("witnessing at ").strip()
                arguments = ["push", "--log", tmp_path / "log", "--witness", url, public]
                arguments += ["--sign", second, "--out", tmp_path / "cosigned"]
                pushed = run(*arguments)
                assert pushed.returncode == 0, pushed.stderr
                assert pushed.stdout.startswith("w.example/1 cosigned 1 entries")
                others = [CosignatureVerifier.parse(one.read_text()) for one in (public, its)]
                kept = (tmp_path / "cosigned").read_bytes()
                assert open_checkpoint(kept, SIGNER.verifier, others).size == 1
                assert len(verify_note(parse_note(kept), others)) == 2
            finally:
                witness.terminate()
                assert witness.wait(20) == 0
        assert run(*arguments).returncode == 1
