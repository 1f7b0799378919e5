"""The verifier: an untouched log verifies, and no way of tampering with one does."""

import io
import json
import os
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit import (
    Demands,
    Ed25519Signer,
    Log,
    LogReader,
    OldHead,
    Receipt,
    ReceiptError,
    Report,
    create_log,
    encode_entry,
    export,
    from_folder,
    open_checkpoint,
    verify_folder,
    verify_tree,
)
from audit.__main__ import main
from audit.files import OsFiles
from audit.history import History
from audit.merkle import leaf_hash
from audit.notes import sign_note
from audit.records import HEADER, START, encode_record, scan
from tests.audit.samples import ORIGIN, SIGNER, Story, new_log, story, whole_records

STORY = list(story(600))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log of 600 entries in many commits, its static tree, its key, and the head it had at 300."""
    home = tmp_path_factory.mktemp("home")
    with new_log(home) as log:
        for start in range(0, 600, 20):
            log.append(STORY[start : start + 20])
            if start == 280:
                (home / "old").write_text(log.checkpoint())
        export(log, home / "tree")
    (home / "log.vkey").write_text(f"{SIGNER.verifier}\n")
    return home


def folder_report(home: Path, *, with_head: bool = True, demands: Demands | None = None) -> Report:
    return verify_folder(
        home / "log",
        SIGNER.verifier,
        demands or Demands(),
        head_folder=home / "head" if with_head else None,
        sleep=lambda _: None,
    )


def tree_report(home: Path) -> Report:
    return verify_tree(from_folder(home / "tree"), SIGNER.verifier, Demands())


def copy(home: Path, to: Path) -> Path:
    return Path(shutil.copytree(home, to / "copy"))


def test_an_untouched_log_verifies_in_all_three_forms(home: Path) -> None:
    for report in (folder_report(home), tree_report(home)):
        assert report.ok, report
        assert report.size == 600
        assert not any(section.notes for section in report.sections)
    assert folder_report(home).root == tree_report(home).root


def test_an_empty_log_verifies(tmp_path: Path) -> None:
    with new_log(tmp_path) as log:
        export(log, tmp_path / "tree")
        assert folder_report(tmp_path).ok
    assert tree_report(tmp_path).ok


@pytest.fixture(autouse=True)
def no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRE_TOKEN", raising=False)


# --- The tamper matrix: bits


FILES = ["log/records", "log/index", "log/tile/0", "log/tile/1", "head/checkpoint"]


def test_the_bits_are_those_of_every_file_that_says_something(home: Path) -> None:
    found = [path for name in ("log", "head") for path in (home / name).rglob("*") if path.is_file()]
    assert {str(path.relative_to(home)) for path in found if path.stat().st_size} == set(FILES)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_any_bit_of_any_file_of_the_folder(home: Path, data: st.DataObject) -> None:
    path = home / data.draw(st.sampled_from(FILES))
    # Beyond the last record, the zeros written ahead must stay zeros.
    end = len(whole_records(home)) + 1000 if path.name == "records" else path.stat().st_size
    with flipped(path, data.draw(st.integers(0, end * 8 - 1))):
        assert not folder_report(home).ok
        if path.name != "checkpoint":
            assert not folder_report(home, with_head=False).ok


@given(st.data())
@settings(max_examples=80, deadline=None)
def test_any_bit_of_any_file_of_the_tree(home: Path, data: st.DataObject) -> None:
    files = sorted(path for path in (home / "tree").rglob("*") if path.is_file())
    path = data.draw(st.sampled_from(files))
    with flipped(path, data.draw(st.integers(0, path.stat().st_size * 8 - 1))):
        assert not tree_report(home).ok


@given(st.integers(0, 599), st.data())
@settings(max_examples=60, deadline=None)
def test_any_bit_of_a_receipt(home: Path, index: int, data: st.DataObject) -> None:
    with LogReader(home / "log") as reader:
        text, entry = bytearray(reader.inclusion(index).encode()), reader.entry(index)
    Receipt.parse(bytes(text)).verify(entry, SIGNER.verifier)
    bit = data.draw(st.integers(0, len(text) * 8 - 1))
    text[bit // 8] ^= 1 << bit % 8
    with pytest.raises(ReceiptError):
        Receipt.parse(bytes(text)).verify(entry, SIGNER.verifier)


class flipped:  # noqa: N801
    """One bit of a file, changed for the time of a with-block."""

    def __init__(self, path: Path, bit: int) -> None:
        self.path, self.bit = path, bit

    def flip(self) -> None:
        with self.path.open("r+b") as file:
            file.seek(self.bit // 8)
            byte = file.read(1)[0]
            file.seek(self.bit // 8)
            file.write(bytes([byte ^ 1 << self.bit % 8]))

    def __enter__(self) -> None:
        self.flip()

    def __exit__(self, *_: object) -> None:
        self.flip()


# --- The tamper matrix: entries, by an attacker without the key who mends every checksum and hash


Change = Callable[[list[bytes]], list[bytes]]
CHANGES: dict[str, Change] = {
    "drop": lambda entries: entries[:100] + entries[101:],
    "drop the last": lambda entries: entries[:-1],
    "insert": lambda entries: [*entries[:100], encoded_signin(), *entries[100:]],
    "append": lambda entries: [*entries, encoded_signin()],
    "reorder": lambda entries: [*entries[:100], entries[101], entries[100], *entries[102:]],
    "swap bundles": lambda entries: entries[256:512] + entries[:256] + entries[512:],
    "replace": lambda entries: [*entries[:100], encoded_signin(), *entries[101:]],
}


def encoded_signin() -> bytes:
    return encode_entry(Story(99).signin())


def rewritten(home: Path, change: Change, signer: Ed25519Signer) -> None:
    """Put a log in place whose entries were changed, whole in itself, in both forms."""
    for name in ("log", "head", "tree"):
        shutil.rmtree(home / name)
    other = home / "other"
    other.mkdir()
    create_log(other / "log", other / "head", signer)
    with Log(other / "log", other / "head", signer) as log:
        log.append(change(STORY))
        export(log, home / "tree")
    for name in ("log", "head"):
        (other / name).rename(home / name)


@pytest.mark.parametrize("name", CHANGES)
def test_changed_entries_under_another_key_are_refused(home: Path, tmp_path: Path, name: str) -> None:
    forged = copy(home, tmp_path)
    rewritten(forged, CHANGES[name], Ed25519Signer(ORIGIN, b"\x66" * 32))
    assert not folder_report(forged).ok
    assert not tree_report(forged).ok


@pytest.mark.parametrize("name", CHANGES)
def test_changed_entries_under_the_old_checkpoint_are_refused(home: Path, tmp_path: Path, name: str) -> None:
    forged = copy(home, tmp_path)
    checkpoint = (forged / "tree" / "checkpoint").read_bytes()
    rewritten(forged, CHANGES[name], SIGNER)
    (forged / "tree" / "checkpoint").write_bytes(checkpoint)
    assert not tree_report(forged).ok


@pytest.mark.parametrize("name", CHANGES)
def test_a_fork_signed_with_the_real_key_is_caught_by_an_older_head(home: Path, tmp_path: Path, name: str) -> None:
    forged = copy(home, tmp_path)
    newest = open_head(home / "tree" / "checkpoint")
    rewritten(forged, CHANGES[name], SIGNER)
    demands = Demands(older=(newest,))
    appended = name == "append"
    assert folder_report(forged, demands=demands).ok is appended
    tree = verify_tree(from_folder(forged / "tree"), SIGNER.verifier, demands)
    heads = verify_tree(from_folder(forged / "tree"), SIGNER.verifier, demands, entries=False)
    assert tree.ok is heads.ok is appended


def problems(report: Report) -> list[str]:
    return [text for section in report.sections for text in section.problems]


def open_head(path: Path) -> Any:
    checkpoint = open_checkpoint(path.read_bytes(), SIGNER.verifier)
    return OldHead(path.name, checkpoint.size, checkpoint.root)


def test_a_roll_back_signed_with_the_real_key_is_caught_by_the_second_place(home: Path, tmp_path: Path) -> None:
    forged = copy(home, tmp_path)
    head = (forged / "head" / "checkpoint").read_bytes()
    rewritten(forged, lambda entries: entries[:-100], SIGNER)
    (forged / "head" / "checkpoint").write_bytes(head)
    assert any("second place" in text for text in problems(folder_report(forged)))


def test_a_roll_back_to_an_older_whole_copy_is_caught(home: Path, tmp_path: Path) -> None:
    forged = copy(home, tmp_path)
    records = forged / "log" / "records"
    last = list(scan(OsFiles().open(records, "read")))[-1]
    records.write_bytes(records.read_bytes()[: last.position])
    assert not folder_report(forged).ok
    assert any("index has 600" in text for text in problems(folder_report(forged, with_head=False)))
    size = last.first
    index, tile = forged / "log" / "index", forged / "log" / "tile" / "0"
    index.write_bytes(index.read_bytes()[: 16 * size])
    tile.write_bytes(tile.read_bytes()[: 32 * size])
    report = folder_report(forged)
    assert problems(report) == [f"the second place knows of 600 entries, this log of {size}: it was shortened"]


@pytest.mark.parametrize("cut", [1, 31, 32, 500, 5_000])
def test_a_truncated_record_file_is_refused(home: Path, tmp_path: Path, cut: int) -> None:
    forged = copy(home, tmp_path)
    records = forged / "log" / "records"
    records.write_bytes(whole_records(home)[:-cut])
    assert not folder_report(forged).ok
    assert not folder_report(forged, with_head=False).ok


def test_a_kept_head_that_was_replaced_is_refused_although_checksums_fit(home: Path, tmp_path: Path) -> None:
    forged = copy(home, tmp_path)
    path = forged / "log" / "records"
    with_other_head(path, lambda note: note.replace(b"\n300\n", b"\n301\n"))
    assert any("kept at size 300 is another" in text for text in problems(folder_report(forged)))
    with_other_head(home_records(home, path), lambda note: note[:-10] + b"A" * 8 + b"=\n")
    assert any("kept at size 300" in text for text in problems(folder_report(forged)))


HEADS: dict[str, Callable[[bytes], bytes]] = {
    "signature stripped": lambda note: note[: note.index(b"\n\n") + 2],
    "signature of another key": lambda note: str(
        sign_note(note.decode().split("\n\n")[0] + "\n", [Ed25519Signer(ORIGIN, b"\x66" * 32)])
    ).encode(),
    "size": lambda note: note.replace(b"\n600\n", b"\n599\n"),
    "root": lambda note: note.replace(b"\n600\n", b"\n600\nA"),
    "origin": lambda note: note.replace(ORIGIN.encode(), b"audit.example.org/tra"),
}


@pytest.mark.parametrize("name", HEADS)
def test_an_edited_newest_head_is_refused_although_checksums_fit(home: Path, tmp_path: Path, name: str) -> None:
    forged = copy(home, tmp_path)
    with_other_head(forged / "log" / "records", HEADS[name], 600)
    assert not folder_report(forged).ok
    assert not folder_report(forged, with_head=False).ok


def home_records(home: Path, path: Path) -> Path:
    shutil.copy(home / "log" / "records", path)
    return path


def with_other_head(path: Path, change: Callable[[bytes], bytes], size: int = 300) -> None:
    """Write the record file anew, all checksums right, with the head at `size` changed."""
    data, previous = b"", START
    for record in scan(OsFiles().open(path, "read")):
        note = change(record.checkpoint) if record.size == size else record.checkpoint
        one = encode_record(previous, record.first, record.entries, note)
        data, previous = data + one, one[-32:]
    assert len(data) > HEADER.size
    path.write_bytes(data)


# --- The tamper matrix: the static tree's files


def edit_checkpoint(change: Callable[[str], str]) -> Callable[[Path], None]:
    def edit(tree: Path) -> None:
        path = tree / "checkpoint"
        path.write_text(change(path.read_text()))

    return edit


def swap(one: str, other: str) -> Callable[[Path], None]:
    def edit(tree: Path) -> None:
        (tree / one).rename(tree / "spare")
        (tree / other).rename(tree / one)
        (tree / "spare").rename(tree / other)

    return edit


def resign(tree: Path) -> None:
    text = (tree / "checkpoint").read_text().split("\n\n")[0] + "\n"
    (tree / "checkpoint").write_text(str(sign_note(text, [Ed25519Signer(ORIGIN, b"\x66" * 32)])))


EDITS: dict[str, Callable[[Path], None]] = {
    "size": edit_checkpoint(lambda text: text.replace("\n600\n", "\n599\n")),
    "root": edit_checkpoint(lambda text: text.replace("\n600\n", "\n600\nA")),
    "origin": edit_checkpoint(lambda text: text.replace(ORIGIN, "audit.example.org/tra")),
    "signature stripped": edit_checkpoint(lambda text: text.split("—")[0]),
    "signature of another key": resign,
    "no checkpoint": lambda tree: (tree / "checkpoint").unlink(),
    "bundle lost": lambda tree: (tree / "tile/entries/001").unlink(),
    "tile lost": lambda tree: (tree / "tile/0/001").unlink(),
    "last tile lost": lambda tree: (tree / "tile/1/000.p/2").unlink(),
    "bundles swapped": swap("tile/entries/000", "tile/entries/001"),
    "tiles swapped": swap("tile/0/000", "tile/0/001"),
    "bundle longer": lambda tree: append_to(tree / "tile/entries/000", b"\0\0"),
    "tile longer": lambda tree: append_to(tree / "tile/0/000", bytes(32)),
    "bundle shorter": lambda tree: os.truncate(tree / "tile/entries/000", 100),
    "tile shorter": lambda tree: os.truncate(tree / "tile/0/000", 8_160),
}


def append_to(path: Path, data: bytes) -> None:
    path.write_bytes(path.read_bytes() + data)


@pytest.mark.parametrize("name", EDITS)
def test_an_edited_tree_is_refused(home: Path, tmp_path: Path, name: str) -> None:
    forged = copy(home, tmp_path)
    EDITS[name](forged / "tree")
    assert not tree_report(forged).ok


# --- While it runs, and after a crash


def test_a_log_verifies_while_it_is_written(tmp_path: Path) -> None:
    entries = list(story(1_000))
    with new_log(tmp_path) as log:
        thread = threading.Thread(target=lambda: [log.append([entry]) for entry in entries])
        thread.start()
        sizes = []
        while thread.is_alive():
            report = verify_folder(tmp_path / "log", SIGNER.verifier, Demands(), head_folder=tmp_path / "head")
            assert report.ok, problems(report)
            sizes.append(report.size)
        thread.join()
        assert folder_report(tmp_path).size == 1_000
    assert sizes == sorted(sizes)


def test_whole_records_of_a_killed_writer_are_verified_too(home: Path, tmp_path: Path) -> None:
    crashed = copy(home, tmp_path)
    os.truncate(crashed / "log" / "index", 16 * 580)
    report = folder_report(crashed)
    assert report.ok, problems(report)
    assert report.size == 600
    os.truncate(crashed / "log" / "index", 0)
    shutil.rmtree(crashed / "head")
    report = folder_report(crashed, with_head=False)
    assert (report.ok, report.size) == (True, 600)
    assert any("600 entries are not yet" in note for section in report.sections for note in section.notes)


# --- The command line


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    code = main([str(one) for one in arguments])
    return code, capsys.readouterr().out


def test_verify_says_so_by_exit_code_and_page(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    common = ("verify", "--key", home / "log.vkey", "--since", home / "old")
    for where in ("log", "tree"):
        code, out = run(capsys, *common, "--log", home / where)
        assert code == 0
        assert "VERIFIED" in out
        code, out = run(capsys, *common, "--json", "--log", home / where)
        report = json.loads(out)
        assert (code, report["verified"], report["size"]) == (0, True, 600)
        since = f"600:{report['root']}"
        assert run(capsys, *common, "--since", since, "--log", home / where)[0] == 0
        assert run(capsys, *common, "--since", since.replace("600", "599"), "--log", home / where)[0] == 5
        code, out = run(capsys, *common, "--since", since.replace("600", "601"), "--log", home / where)
        assert code == 5
        assert "VERIFICATION FAILED" in out


def test_an_older_head_of_another_log_fails(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    foreign = tmp_path / "foreign"
    foreign.write_text(
        str(sign_note((home / "old").read_text().split("\n\n")[0] + "\n", [Ed25519Signer("x", bytes(32))]))
    )
    assert run(capsys, "verify", "--key", home / "log.vkey", "--log", home / "log", "--since", foreign)[0] == 5


def test_verify_compares_the_ledger_file(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ledgers = {}
    history = folder_history(home)
    for name, state in history.items():
        ledgers[name] = {
            "measure": state.measure,
            "seq": state.seq,
            "spent": {"amount": str(state.spent.amount), "delta": "0"},
            "reserved": {"amount": str(state.reserved.amount), "delta": "0"},
        }
    file = tmp_path / "ledgers.json"
    common = ("verify", "--key", home / "log.vkey", "--log", home / "tree", "--ledger", file)
    file.write_text(json.dumps({"ledgers": ledgers}))
    assert run(capsys, *common)[0] == 0
    ledgers["dataset:omop"]["spent"] = {"amount": "1", "delta": "0"}
    file.write_text(json.dumps({"ledgers": ledgers}))
    code, out = run(capsys, *common)
    assert code == 5
    assert "ledger dataset:omop: spent" in out
    file.write_text("{}")
    assert run(capsys, *common)[0] == 2


def folder_history(home: Path) -> Any:
    history = History()
    with LogReader(home / "log") as reader:
        for _, entry in reader.scan():
            history.feed(entry)
    return history.ledgers


def test_faults_and_usage_have_codes_of_their_own(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key = home / "log.vkey"
    (tmp_path / "bad.vkey").write_text("nothing")
    token = token_file(tmp_path, "x")
    assert run(capsys, "verify", "--key", key, "--log", "https://x/", "--token-file", token_file(tmp_path, ""))[0] == 2
    token.write_text("x")
    assert run(capsys, "verify", "--key", key, "--log", tmp_path)[0] == 2
    assert run(capsys, "verify", "--key", tmp_path / "bad.vkey", "--log", home / "log")[0] == 2
    assert run(capsys, "verify", "--key", tmp_path / "none", "--log", home / "log")[0] == 1
    assert run(capsys, "verify", "--key", key, "--log", home / "log", "--since", tmp_path / "none")[0] == 1
    assert run(capsys, "verify", "--key", key, "--log", "http://127.0.0.1:1/")[0] == 1
    assert run(capsys, "verify", "--key", key, "--log", "http://example.org/", "--token-file", token)[0] == 2
    assert run(capsys, "export", "--log", tmp_path, tmp_path / "out")[0] == 1
    with pytest.raises(SystemExit) as caught:
        main(["verify"])
    assert caught.value.code == 2


def test_export_brings_a_tree_up_to_date(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with new_log(tmp_path) as log:
        for entries in (STORY[:300], STORY[300:]):
            log.append(entries)
            assert run(capsys, "export", "--log", tmp_path / "log", tmp_path / "tree")[0] == 0
            assert tree_report(tmp_path).ok


def test_receipts_on_the_command_line(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with LogReader(home / "log") as reader:
        (tmp_path / "bare").write_text(reader.inclusion(7))
        (tmp_path / "full").write_text(reader.inclusion(7, with_entry=True))
        (tmp_path / "entry").write_bytes(reader.entry(7))
        (tmp_path / "other").write_bytes(reader.entry(8))
    key = ("--key", home / "log.vkey")
    assert run(capsys, "receipt", tmp_path / "full", *key)[0] == 0
    code, out = run(capsys, "receipt", tmp_path / "bare", *key, "--entry", tmp_path / "entry")
    assert (code, "entry 7 of the log" in out) == (0, True)
    assert run(capsys, "receipt", tmp_path / "bare", *key, "--entry", tmp_path / "other")[0] == 5
    assert run(capsys, "receipt", tmp_path / "bare", *key)[0] == 2
    assert run(capsys, "receipt", tmp_path / "entry", *key)[0] == 5


def test_receipts_of_exported_entries_are_verified_together(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines, files = tmp_path / "entries.jsonl", []
    with LogReader(home / "log") as reader:
        for index in (3, 7, 599):
            files.append(tmp_path / f"{index}.tlog-proof")
            files[-1].write_text(reader.inclusion(index))
        exported = [{"index": index, "entry": json.loads(reader.entry(index))} for index in (3, 7, 599)]
    common = ("receipt", "--key", home / "log.vkey", "--entries", lines)
    lines.write_text("".join(json.dumps(one) + "\n" for one in exported))
    code, out = run(capsys, *common, *files)
    assert (code, out.count("RECEIPT VERIFIED")) == (0, 3)
    code, out = run(capsys, *common, *files[:2])
    assert (code, "RECEIPT MISSING: entry 599" in out) == (5, True)
    exported[1]["entry"]["actor"] = "p_bob"
    lines.write_text("".join(json.dumps(one) + "\n" for one in exported))
    code, out = run(capsys, *common, *files)
    assert (code, out.count("RECEIPT REFUSED"), out.count("RECEIPT VERIFIED")) == (5, 1, 2)
    for bad in ("{}", json.dumps(exported[0]) + "\n" + json.dumps(exported[0]), "[" * 100_000):
        lines.write_text(bad)
        assert run(capsys, *common, *files)[0] == 2


REPORT = {"form", "origin", "verified", "size", "root", "checkpoint", "cosignatures", "checks"}
CHECK = {"check", "count", "problems", "unlisted_problems", "notes"}


def test_the_report_for_machines_has_the_form_that_the_guide_describes(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    guide = (Path(__file__).parents[2] / "audit" / "README.md").read_text()
    described = set(re.findall(r"^\| `(\w+)` \|", guide, re.MULTILINE))
    assert described == REPORT | CHECK
    for where, code in ((home / "log", 0), (edited(home, tmp_path) / "tree", 5)):
        found, out = run(capsys, "verify", "--json", "--key", home / "log.vkey", "--log", where)
        report = json.loads(out)
        assert (found, report["verified"], report["form"]) == (code, code == 0, "audit-report/1")
        assert set(report) == REPORT
        assert {frozenset(one) for one in report["checks"]} == {frozenset(CHECK)}
        assert any(one["problems"] for one in report["checks"]) == (code == 5)


def edited(home: Path, tmp_path: Path) -> Path:
    forged = copy(home, tmp_path)
    EDITS["bundles swapped"](forged / "tree")
    return forged


# --- By URL


@pytest.fixture
def server(home: Path) -> Iterator[tuple[str, list[str]]]:
    """The exported tree over HTTP; entries only for the bearer of a token. Yields its URL and what was asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            allowed = self.headers["Authorization"] == "Bearer good" or "/entries/" not in self.path
            path = home / "tree" / self.path.removeprefix("/log/")
            if self.path.startswith("/moved/"):
                self.send_response(302)
                self.send_header("Location", "/log/checkpoint")
                self.end_headers()
                return
            self.send_response(200 if allowed and path.is_file() else 404 if allowed else 403)
            self.end_headers()
            if allowed and path.is_file():
                self.wfile.write(path.read_bytes())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{http.server_port}/log", asked
        http.shutdown()
        thread.join()


def test_anybody_verifies_heads_by_url_without_reading_entries(
    home: Path, server: tuple[str, list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    url, asked = server
    common = ("verify", "--key", home / "log.vkey", "--log", url)
    code, out = run(capsys, *common, "--since", home / "old")
    assert (code, "entries were not read" in out) == (0, True)
    assert not any("entries" in path for path in asked)
    wrong = f"300:{report_root(home)}"
    assert run(capsys, *common, "--since", wrong)[0] == 5


def report_root(home: Path) -> str:
    return (home / "tree" / "checkpoint").read_text().split("\n")[2]


def test_who_may_read_entries_verifies_them_by_url(
    home: Path,
    server: tuple[str, list[str]],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url, asked = server
    common = ("verify", "--key", home / "log.vkey", "--log", url)
    code, out = run(capsys, *common, "--token-file", token_file(tmp_path, "good"))
    assert (code, "every event is in the log once (600)" in out) == (0, True)
    assert "/log/tile/entries/002.p/88" in asked
    code, out = run(capsys, *common, "--token-file", token_file(tmp_path, "bad"))
    assert (code, "HTTP 403" in out) == (5, True)
    monkeypatch.setenv("TRE_TOKEN", "good")
    assert run(capsys, *common)[0] == 0
    monkeypatch.setattr("sys.stdin", io.StringIO("A token for ann:\nbad\n"))
    assert "HTTP 403" in run(capsys, *common, "--token-file", "-")[1]


def test_a_token_is_no_argument(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Other users of the machine read the arguments of every process."""
    with pytest.raises(SystemExit) as caught:
        main(["verify", "--key", str(home / "log.vkey"), "--log", "https://x/", "--token=good"])
    assert caught.value.code == 2
    capsys.readouterr()


def token_file(folder: Path, text: str) -> Path:
    path = folder / "token"
    path.write_text(text)
    return path


def test_a_redirect_is_not_followed(
    home: Path, server: tuple[str, list[str]], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    url, asked = server
    moved = url.replace("/log", "/moved")
    code, out = run(
        capsys, "verify", "--key", home / "log.vkey", "--log", moved, "--token-file", token_file(tmp_path, "good")
    )
    assert (code, "redirects" in out) == (5, True)
    assert asked == ["/moved/checkpoint"]


def test_the_leaf_of_an_entry_is_public_and_the_entry_is_not_guessed_from_it() -> None:
    one, other = (Story(seed).signin() for seed in (1, 2))
    same = {key: value for key, value in one.items() if key != "event_id"}
    assert same == {key: value for key, value in other.items() if key != "event_id"}
    assert leaf_hash(json.dumps(one).encode()) != leaf_hash(json.dumps(other).encode())
