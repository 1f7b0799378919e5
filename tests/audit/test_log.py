"""The writer: what `append` returned is durable, in order, under a signed head, whatever fails."""

import errno
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit import (
    Demands,
    Log,
    LogError,
    LogReader,
    LogStoppedError,
    Receipt,
    TileError,
    create_log,
    open_checkpoint,
    verify_folder,
)
from audit.merkle import ProofError, verify_consistency
from audit.records import START, encode_record
from audit.tiles import decode_bundle
from tests.audit.disks import FailOn, MemoryDisk, PowerLossError, SlowFlush, WatchedFiles
from tests.audit.samples import SIGNER, new_log, open_log, story, whole_records
from tests.audit.served import ServedLog


def check_whole(home: Path) -> None:
    report = verify_folder(home / "log", SIGNER.verifier, Demands(), head_folder=home / "head", sleep=lambda _: None)
    relevant = report.sections[:5]
    assert not any(section.problems for section in relevant), relevant


def test_entries_get_consecutive_indexes_and_survive_a_restart(tmp_path: Path) -> None:
    log = new_log(tmp_path)
    assert log.size == 0
    assert log.append([b"a", b"b"]) == [0, 1]
    assert log.append([]) == []
    assert log.append([b"c"]) == [2]
    head = log.checkpoint()
    log.close()
    with open_log(tmp_path) as log:
        assert log.checkpoint() == head
        assert [log.entry(i) for i in range(3)] == [b"a", b"b", b"c"]
        assert list(log.scan(1)) == [(1, b"b"), (2, b"c")]
        assert list(log.scan(3)) == []
        assert log.append([b"d"]) == [3]
    check_whole(tmp_path)


def test_an_empty_log_has_a_signed_head(tmp_path: Path) -> None:
    new_log(tmp_path).close()
    with LogReader(tmp_path / "log") as reader:
        assert open_checkpoint(reader.checkpoint().encode(), SIGNER.verifier).size == 0
        assert list(reader.scan()) == []
        for index in (-1, 0):
            with pytest.raises(IndexError):
                reader.entry(index)
            with pytest.raises(ProofError):
                reader.inclusion(index)


def test_receipts_and_consistency_hold_over_tile_borders(tmp_path: Path) -> None:
    entries = list(story(700))
    with new_log(tmp_path) as log:
        log.append(entries[:300])
        old = open_checkpoint(log.checkpoint().encode(), SIGNER.verifier)
        for start in range(300, 700, 7):
            log.append(entries[start : start + 7])
        new = open_checkpoint(log.checkpoint().encode(), SIGNER.verifier)
        verify_consistency(old.size, new.size, log.consistency(old.size), old.root, new.root)
        for index in (0, 255, 256, 299, 300, 511, 512, 699):
            assert log.entry(index) == entries[index]
            receipt = Receipt.parse(log.inclusion(index, with_entry=True).encode())
            assert receipt.verify(entries[index], SIGNER.verifier) == new
            assert receipt.extra == entries[index]


def test_resources_are_those_of_the_tree_s_size(tmp_path: Path) -> None:
    entries = list(story(300))
    with new_log(tmp_path) as log:
        log.append(entries)
        assert log.resource("checkpoint").decode() == log.checkpoint()
        assert decode_bundle(log.resource("tile/entries/001.p/44"), 44) == entries[256:]
        assert decode_bundle(log.resource("tile/entries/000"), 256) == entries[:256]
        assert len(log.resource("tile/0/001.p/7")) == 7 * 32
        assert len(log.resource("tile/1/000.p/1")) == 32
        for path in ("tile/0/001", "tile/0/001.p/45", "tile/1/000.p/2", "tile/2/000", "index", "../head/checkpoint"):
            with pytest.raises(TileError):
                log.resource(path)


def test_an_entry_that_is_too_long_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    with new_log(tmp_path) as log:
        with pytest.raises(ValueError, match="65535"):
            log.append([b"fine", bytes(65_536)])
        with pytest.raises(ValueError, match="one call"):
            log.append([bytes(65_535)] * 300)
        assert log.append([bytes(65_535)] * 200) == list(range(200))
        assert log.entry(199) == bytes(65_535)
        assert log.append([b""]) == [200]
    check_whole(tmp_path)


def test_many_callers_share_flushes_and_none_is_dropped(tmp_path: Path) -> None:
    create_log(tmp_path / "log", tmp_path / "head", SIGNER)
    slow = SlowFlush(0.002)
    got: dict[int, bytes] = {}
    with open_log(tmp_path, files=WatchedFiles(slow)) as log:
        slow.flushes = 0

        def call(caller: int) -> None:
            last = -1
            for turn in range(10):
                entries = [f"{caller}.{turn}.{part}".encode() for part in range(2)]
                indexes = log.append(entries)
                assert indexes[0] > last
                assert indexes[1] == indexes[0] + 1
                last = indexes[1]
                got.update(zip(indexes, entries, strict=True))

        threads = [threading.Thread(target=call, args=(n,)) for n in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(got) == list(range(320))
        assert dict(log.scan()) == got
        # 160 calls, two flushes a commit: a naive lock would need 320.
        assert slow.flushes < 160
    check_whole(tmp_path)


def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    with new_log(tmp_path) as log:
        with pytest.raises(LogError, match="another process"):
            open_log(tmp_path)
        assert log.append([b"a"]) == [0]
    open_log(tmp_path).close()


def test_a_log_is_not_made_twice(tmp_path: Path) -> None:
    with new_log(tmp_path) as log:
        log.append([b"a"])
    for folder, head in (("log", "head"), ("log", "elsewhere"), ("elsewhere", "head")):
        with pytest.raises(LogError, match="already"):
            create_log(tmp_path / folder, tmp_path / head, SIGNER)
    open_log(tmp_path).close()


def test_a_forked_copy_does_not_write(tmp_path: Path) -> None:
    with new_log(tmp_path) as log:
        child = os.fork()
        if child == 0:
            try:
                log.append([b"x"])
            except LogStoppedError:
                os._exit(0)
            os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert log.append([b"a"]) == [0]


def test_a_closed_log_answers_nobody(tmp_path: Path) -> None:
    log = new_log(tmp_path)
    log.append([b"a"])
    log.close()
    with pytest.raises(LogStoppedError):
        log.append([b"b"])
    with pytest.raises(OSError, match="Bad file"):
        log.entry(0)


# --- The second place


def test_a_log_shorter_than_the_second_place_refuses_to_start(tmp_path: Path) -> None:
    with new_log(tmp_path) as log:
        log.append([b"a"])
        backup = (tmp_path / "log" / "records").read_bytes()
        log.append([b"b"])
    (tmp_path / "log" / "records").write_bytes(backup)
    with pytest.raises(LogError, match="shortened"):
        open_log(tmp_path)


def test_a_log_whose_last_record_is_damaged_refuses_to_start_and_is_left_as_it_is(tmp_path: Path) -> None:
    with new_log(tmp_path) as log:
        log.append([b"a"])
        log.append([b"the last entry"])
    records = tmp_path / "log" / "records"
    damaged = records.read_bytes().replace(b"the last", b"the lost")
    records.write_bytes(damaged)
    with pytest.raises(LogError, match="shortened or damaged"):
        open_log(tmp_path)
    assert records.read_bytes() == damaged


def test_a_fork_signed_with_the_real_key_refuses_to_start(tmp_path: Path) -> None:
    for home, second in (("one", b"b"), ("two", b"c")):
        with new_log(tmp_path / home) as log:
            log.append([b"a"])
            log.append([second])
    with pytest.raises(LogError, match="entries were changed"):
        Log(tmp_path / "two" / "log", tmp_path / "one" / "head", SIGNER)


def test_a_lost_or_foreign_second_place_refuses_to_start_and_a_kept_checkpoint_restores_it(tmp_path: Path) -> None:
    with new_log(tmp_path) as log:
        log.append([b"a"])
        kept = log.checkpoint()
        log.append([b"b"])
    head = tmp_path / "head" / "checkpoint"
    for damage in (b"", b"nothing", bytes(16384), kept.replace("\n1\n", "\n9\n").encode()):
        head.write_bytes(damage)
        with pytest.raises(LogError, match="second place"):
            open_log(tmp_path)
    head.unlink()
    with pytest.raises(LogError, match="second place"):
        open_log(tmp_path)
    head.write_text(kept)
    with open_log(tmp_path) as log:
        assert log.size == 2
        assert log.append([b"c"]) == [2]
    check_whole(tmp_path)


def test_a_second_place_changed_under_the_writer_stops_it(tmp_path: Path) -> None:
    log = new_log(tmp_path)
    log.append([b"a"])
    before = (tmp_path / "head" / "checkpoint").read_bytes()
    log.append([b"b"])
    (tmp_path / "head" / "checkpoint").write_bytes(before)
    with pytest.raises(LogStoppedError):
        log.append([b"c"])
    with pytest.raises(LogStoppedError):
        log.append([b"d"])
    assert log.size == 2
    log.close()


def test_a_torn_slot_of_the_second_place_is_mended_at_start(tmp_path: Path) -> None:
    with new_log(tmp_path) as log:
        log.append([b"a"])
        log.append([b"b"])
    head = tmp_path / "head" / "checkpoint"
    data = bytearray(head.read_bytes())
    older = 0 if b"\n1\n" in data[:8192] else 8192
    data[older + 100] ^= 1
    head.write_bytes(data)
    open_log(tmp_path).close()
    assert head.read_bytes().count(b"\n2\n") == 2
    check_whole(tmp_path)


# --- Derived files


@pytest.mark.parametrize("name", ["index", "tile/0", "tile/1"])
@pytest.mark.parametrize("damage", [b"", b"\x55" * 100_000])
def test_damaged_derived_files_are_rebuilt_at_start(tmp_path: Path, name: str, damage: bytes) -> None:
    with new_log(tmp_path) as log:
        log.append(list(story(300)))
        good = {one: (tmp_path / "log" / one).read_bytes() for one in ("index", "tile/0", "tile/1")}
    (tmp_path / "log" / name).write_bytes(damage)
    (tmp_path / "log" / "tile" / "7").write_bytes(b"stray")
    with LogReader(tmp_path / "log") as reader, pytest.raises((LogError, ProofError)):
        reader.inclusion(299)
    open_log(tmp_path).close()
    assert good == {one: (tmp_path / "log" / one).read_bytes() for one in good}
    assert not (tmp_path / "log" / "tile" / "7").exists()


def test_readers_prove_inclusion_while_the_writer_runs(tmp_path: Path) -> None:
    entries = list(story(3_000))
    done = threading.Event()
    problems: list[BaseException] = []

    def read(seed: int) -> None:
        random = Random(seed)
        old = None
        try:
            with LogReader(tmp_path / "log") as reader:
                while not done.is_set() or old is None:
                    new = open_checkpoint(reader.checkpoint().encode(), SIGNER.verifier)
                    if new.size == 0:
                        continue
                    index = random.randrange(new.size)
                    receipt = Receipt.parse(reader.inclusion(index).encode())
                    assert receipt.verify(reader.entry(index), SIGNER.verifier).size >= new.size
                    assert reader.entry(index) == entries[index]
                    if old is not None and old.size < new.size:
                        head = open_checkpoint(reader.checkpoint().encode(), SIGNER.verifier)
                        proof = reader.consistency(old.size)
                        if reader.size == head.size:
                            verify_consistency(old.size, head.size, proof, old.root, head.root)
                    old = new
        except BaseException as error:
            problems.append(error)

    with new_log(tmp_path) as log:
        readers = [threading.Thread(target=read, args=(seed,)) for seed in range(3)]
        for reader in readers:
            reader.start()
        for start in range(0, len(entries), 7):
            log.append(entries[start : start + 7])
            if start % 700 == 0:
                check_whole(tmp_path)
        done.set()
        for reader in readers:
            reader.join()
    assert problems == []


# --- Faults


Opening = Callable[..., Log | ServedLog]
EITHER = pytest.mark.parametrize("opening", [open_log, ServedLog], ids=["embedded", "over-the-socket"])


def write_some(
    home: Path, disk: WatchedFiles | MemoryDisk, acknowledged: dict[int, bytes], turn: int, opening: Opening
) -> None:
    """Open (or make) the log and append, noting what was acknowledged."""
    if turn == 0:
        create_log(home / "log", home / "head", SIGNER, files=disk)
    log = opening(home, files=disk)
    try:
        for number in range(4):
            entries = [f"{turn}.{number}.{'x' * 3000}.{part}".encode() for part in range(number + 1)]
            indexes = log.append(entries)
            assert not acknowledged.keys() & set(indexes), "an index was issued twice"
            acknowledged.update(zip(indexes, entries, strict=True))
    finally:
        log.close()


@EITHER
@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC])
def test_an_error_on_any_write_or_flush_loses_nothing_and_is_never_retried(
    tmp_path: Path, code: int, opening: Opening
) -> None:
    counter = FailOn(None)
    write_some(tmp_path / "dry", WatchedFiles(counter), {}, 0, opening)
    for nth in range(1, counter.count + 1):
        home = tmp_path / str(nth)
        acknowledged: dict[int, bytes] = {}
        failing = FailOn(nth, code)
        with pytest.raises((OSError, LogError)):
            write_some(home, WatchedFiles(failing), acknowledged, 0, opening)
        assert failing.count == nth, "something was written after the failure"
        try:
            create_log(home / "log", home / "head", SIGNER)
        except LogError:
            pass
        else:
            assert not acknowledged
        with opening(home) as log:
            assert {index: log.entry(index) for index in acknowledged} == acknowledged
            assert log.append([b"again"]) == [log.size - 1]
        check_whole(home)


@pytest.mark.parametrize("nth", [1, 3, 5, 9, 12, 14, 16])
def test_every_caller_hears_of_a_failure_and_the_writer_stays_stopped(tmp_path: Path, nth: int) -> None:
    create_log(tmp_path / "log", tmp_path / "head", SIGNER)
    failing = FailOn(None)
    log = open_log(tmp_path, files=WatchedFiles(failing))
    failing.nth = failing.count + nth
    refused: list[Exception] = []

    def call() -> None:
        try:
            for _ in range(20):
                log.append([b"x"])
        except LogStoppedError as error:
            refused.append(error)

    threads = [threading.Thread(target=call, daemon=True) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=10)
        assert not thread.is_alive()
    assert len(refused) == 8
    count = failing.count
    with pytest.raises(LogStoppedError) as caught:
        log.append([b"z"])
    assert isinstance(caught.value.__cause__, OSError)
    assert failing.count == count
    log.close()


@EITHER
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), stops=st.lists(st.tuples(st.integers(1, 60), st.booleans()), min_size=1, max_size=4))
def test_a_loss_of_power_loses_nothing_acknowledged_and_issues_no_index_twice(
    tmp_path: Path, opening: Opening, seed: int, stops: list[tuple[int, bool]]
) -> None:
    home = tmp_path / "home"
    random = Random(seed)
    acknowledged: dict[int, bytes] = {}
    disk = MemoryDisk()
    write_some(home, disk, acknowledged, 0, opening)
    for turn, (stop, killed) in enumerate(stops, start=1):
        disk.stop_at, disk.operations = stop, 0
        with suppress(PowerLossError, LogStoppedError):
            write_some(home, disk, acknowledged, turn, opening)
        # A killed process leaves all that it wrote, durable or not; with the power goes what was not flushed.
        disk = disk if killed else MemoryDisk(disk.survivors(random))
    disk.stop_at = None
    with opening(home, files=disk) as log:
        assert {index: log.entry(index) for index in acknowledged} == acknowledged
        assert log.append([b"again"]) == [log.size - 1]


def test_a_record_that_outlived_a_killed_writer_is_durable_before_the_second_place_knows_of_it(tmp_path: Path) -> None:
    disk = MemoryDisk()
    create_log(tmp_path / "log", tmp_path / "head", SIGNER, files=disk)
    records = disk.files[tmp_path / "log" / "records"]
    log = open_log(tmp_path, files=disk)
    # The first flush of the commit: the record is written and not yet durable.
    disk.stop_at = disk.operations + 3
    with pytest.raises(PowerLossError):
        log.append([b"a"])
    assert records.dirty
    disk.stop_at = None
    with open_log(tmp_path, files=disk) as log:
        assert log.size == 1
    assert b"a" in records.durable
    assert not records.dirty


def test_a_record_planted_behind_the_last_one_is_not_taken_for_the_next(tmp_path: Path) -> None:
    with new_log(tmp_path) as log:
        log.append([b"a"])
        note = log.checkpoint().encode()
    whole = whole_records(tmp_path)
    planted = encode_record(START, 1, [b"planted"], note)
    (tmp_path / "log" / "records").write_bytes(whole + planted)
    with open_log(tmp_path) as log:
        assert log.size == 1
        assert log.append([b"b"]) == [1]
    assert b"planted" not in (tmp_path / "log" / "records").read_bytes()


def test_the_head_before_stays_whole_while_the_next_is_written(tmp_path: Path) -> None:
    with new_log(tmp_path) as log:
        for _ in range(3):
            before = log.checkpoint().encode()
            log.append([b"a"])
            stored = (tmp_path / "head" / "checkpoint").read_bytes()
            assert before in stored
            assert log.checkpoint().encode() in stored


@given(seed=st.integers(0, 2**32), stop=st.integers(1, 16))
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_loss_of_power_while_a_log_is_made_leaves_one_that_opens_or_can_be_made(
    tmp_path: Path, seed: int, stop: int
) -> None:
    home = tmp_path / "home"
    disk = MemoryDisk(stop_at=stop)
    with suppress(PowerLossError):
        create_log(home / "log", home / "head", SIGNER, files=disk)
    disk = MemoryDisk(disk.survivors(Random(seed)))
    with suppress(LogError):
        create_log(home / "log", home / "head", SIGNER, files=disk)
    with open_log(home, files=disk) as log:
        assert log.append([b"a"]) == [0]


@given(st.binary(max_size=200), st.data())
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_garbage_tail_is_cleared_even_when_it_looks_like_a_record(
    tmp_path: Path, garbage: bytes, data: st.DataObject
) -> None:
    home = tmp_path / "home"
    records = home / "log" / "records"
    if not home.exists():
        with new_log(home) as log:
            log.append([b"first"])
            log.append([b"second"])
    whole = whole_records(home)
    old = data.draw(st.sampled_from([b"", whole[:200], whole[-200:], whole]))
    records.write_bytes(whole + old + garbage)
    with open_log(home) as log:
        size = log.size
        assert log.append([b"more"]) == [size]
    check_whole(home)
