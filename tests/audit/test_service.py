"""The writer as a process of its own: the same promises as inside one process, for many, over a socket."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from audit import (
    LogError,
    LogReader,
    LogStoppedError,
    Receipt,
    RemoteLog,
    create_key,
    create_log,
    open_checkpoint,
)
from audit.files import OsFiles
from audit.merkle import verify_consistency
from audit.records import scan
from audit.service import listen
from audit.wire import DONE, GREETING, REFUSED, REPLY, REQUEST, connect, encode_request
from tests.audit.samples import SIGNER, new_log, story
from tests.audit.test_log import check_whole
from tests.support import ROOT, require


@contextmanager
def service(home: Path, fail_at: int = 0, limit: float = 10.0) -> Iterator[subprocess.Popen[str]]:
    """A writer's process that is ready; killed in the end where it still runs."""
    command = [sys.executable, "-m", "tests.audit.service", str(home), str(fail_at), str(limit)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n", process.communicate()[1]
        yield process
    finally:
        process.kill()
        process.communicate()


def ended(process: subprocess.Popen[str], number: int = signal.SIGTERM) -> int:
    """Tell a process to end and return its exit code."""
    process.send_signal(number)
    return process.wait(20)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    new_log(tmp_path).close()
    return tmp_path


def handle(home: Path, patience: float = 20.0) -> RemoteLog:
    return RemoteLog(home / "log", home / "s", patience=patience)


def spawn(home: Path, name: str, seconds: float, *more: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.audit.caller", str(home), name, str(seconds), *more]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)


def acknowledged(callers: list[subprocess.Popen[bytes]]) -> list[tuple[int, bytes]]:
    found = []
    for caller in callers:
        out, _ = caller.communicate(timeout=90)
        assert caller.returncode == 0
        for line in out.splitlines():
            index, _, entry = line.partition(b" ")
            found.append((int(index), entry))
    return found


def test_the_handle_appends_reads_and_proves_as_the_embedded_writer_does(home: Path) -> None:
    entries = list(story(700))
    with service(home), handle(home) as log:
        assert log.size == 0
        assert log.append([]) == []
        assert log.append(entries[:1]) == [0]
        assert log.append(entries[1:]) == list(range(1, 700))
        assert list(log.scan(698)) == [(698, entries[698]), (699, entries[699])]
        receipt = Receipt.parse(log.inclusion(511, with_entry=True).encode())
        assert receipt.verify(entries[511], SIGNER.verifier).size == log.size == 700
        with pytest.raises(ValueError, match="65535"):
            log.append([bytes(65_536)])
        assert log.append([bytes(65_535)] * 255) == list(range(700, 955))
    check_whole(home)


def test_what_stands_already_is_not_appended_again_and_its_index_is_returned(home: Path) -> None:
    with service(home), handle(home) as one, handle(home) as other:
        assert one.append([b"a", b"b"], 0) == [0, 1]
        assert other.append([b"b", b"c", b"c"], 0) == [1, 2, 2]
        assert one.append([b"a", b"d", b"c"], 0) == [0, 3, 2]
        assert one.size == 4


def test_a_log_in_this_process_drops_what_stands_already_too(tmp_path: Path) -> None:
    with new_log(tmp_path) as log:
        assert log.append([b"a", b"b"]) == [0, 1]
        assert log.append([b"b", b"c"], 1) == [1, 2]
        assert log.append([b"a"], 1) == [3], "the caller knows that it does not stand before"
        assert log.append([b"a"]) == [4]
        assert log.append([b"c", b"a"], 0) == [2, 4]
    check_whole(tmp_path)


def test_processes_that_race_with_the_same_entries_write_each_once(home: Path) -> None:
    with service(home):
        got = acknowledged([spawn(home, str(number), 1.0, "same") for number in range(3)])
        with LogReader(home / "log") as log:
            kept = dict(log.scan())
    assert max(Counter(kept.values()).values()) == 1
    assert len(got) > len(kept) > 50
    assert all(kept[index] == entry for index, entry in got)
    check_whole(home)


def test_callers_of_several_processes_share_flushes(home: Path) -> None:
    with service(home):
        got = acknowledged([spawn(home, str(number), 1.0) for number in range(3)])
    file = OsFiles().open(home / "log" / "records", "read")
    commits = [record for record in scan(file) if record.entries]
    file.close()
    calls = len({entry.rsplit(b".", 2)[0] for _, entry in got})
    assert len(commits) < calls / 2
    assert sum(len(record.entries) for record in commits) == len(got)


def test_readers_prove_inclusion_and_consistency_while_processes_write_and_the_writer_is_killed(home: Path) -> None:
    callers = [spawn(home, str(number), 2.0) for number in range(2)]
    old, checked = None, 0
    with LogReader(home / "log") as reader:
        for _ in range(3):
            with service(home) as writer:
                end = time.monotonic() + 0.7
                while time.monotonic() < end:
                    new = open_checkpoint(reader.checkpoint().encode(), SIGNER.verifier)
                    if old is not None:
                        verify_consistency(
                            old.size, new.size, reader.consistency(old.size, new.size), old.root, new.root
                        )
                    if new.size:
                        index = new.size * 2 // 3
                        receipt = Receipt.parse(reader.inclusion(index, with_entry=True).encode())
                        assert receipt.verify(reader.entry(index), SIGNER.verifier).size >= new.size
                        old, checked = new, checked + 1
                writer.kill()
                writer.wait()
        with service(home):
            acknowledged(callers)
    assert checked > 20


def test_a_writer_killed_under_load_loses_nothing_and_repeats_nothing(home: Path) -> None:
    callers = [spawn(home, str(number), 4.0) for number in range(2)]
    for wait in (0.5, 0.2, 0.8, 0.05):
        with service(home) as writer:
            time.sleep(wait)
            writer.kill()
            writer.wait()
    with service(home):
        got = acknowledged(callers)
        with LogReader(home / "log") as log:
            kept = dict(log.scan())
    assert len({index for index, _ in got}) == len(got), "an index was issued twice"
    assert {index: kept[index] for index, _ in got} == dict(got)
    assert max(Counter(kept.values()).values()) == 1, "an entry was written twice"
    assert len(got) > 50
    check_whole(home)


def test_a_caller_that_dies_in_the_middle_of_a_request_disturbs_nobody(home: Path) -> None:
    request = encode_request(0, [b"half", b"sent"])
    with service(home), handle(home) as log:
        for cut in (3, REQUEST.size, len(request) - 1):
            with connect(home / "s", 5) as dying:
                dying.sendall(request[:cut])
        assert log.append([b"whole"]) == [0]
        with connect(home / "s", 5) as dying:
            assert dying.recv(len(GREETING), socket.MSG_WAITALL) == GREETING
            dying.sendall(request)
        until(lambda: log.size == 3)
        assert log.append([b"half", b"sent"], 0) == [1, 2]


def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_an_answer_that_got_lost_is_asked_for_again_and_the_entry_stands_once(home: Path) -> None:
    with service(home), handle(home) as log:
        log.append([b"before"])
        real = log._receive

        def lost(connection: socket.socket, count: int) -> bytes:
            log._receive = real  # type: ignore[method-assign]
            real(connection, count)
            raise ConnectionResetError

        log._receive = lost  # type: ignore[method-assign]
        assert log.append([b"a", b"b"]) == [1, 2]
        assert log.size == 3


@pytest.mark.parametrize("nth", [1, 2, 3, 4, 5])
def test_after_a_failed_write_or_flush_every_caller_is_refused_and_the_process_ends(home: Path, nth: int) -> None:
    refused: list[str] = []
    with service(home, fail_at=nth) as writer:

        def call() -> None:
            with suppress(LogError), handle(home) as log:
                while True:
                    log.append([os.urandom(16)])
            refused.append("")

        threads = [threading.Thread(target=call, daemon=True) for _ in range(4)]
        for thread in threads:
            thread.start()
        assert writer.wait(20) == 1
        for thread in threads:
            thread.join(20)
            assert not thread.is_alive()
        assert writer.stderr is not None
        assert "injected" in writer.stderr.read()
    assert not (home / "s").exists()
    with pytest.raises(LogError, match="no writer of the log answers"):
        handle(home)
    with service(home), handle(home) as log:
        log.append([b"again"])
    check_whole(home)


def test_a_writer_that_does_not_answer_is_not_waited_for_longer_than_the_patience(home: Path) -> None:
    with service(home) as writer, handle(home, patience=0.3) as log:
        writer.send_signal(signal.SIGSTOP)
        with pytest.raises(LogStoppedError, match="in time"):
            log.append([b"a"])
        writer.send_signal(signal.SIGCONT)
        assert log.append([b"a"], 0) == [0]
        assert log.size == 1


def test_a_request_that_is_too_large_empty_or_malformed_is_refused_and_the_next_caller_served(home: Path) -> None:
    bad = [
        REQUEST.pack(1 << 25, 1, 0),
        REQUEST.pack(0, 0, 0),
        REQUEST.pack(4, 1, 0) + b"\xff\xff..",
        REQUEST.pack(4, 1 << 31, 0),
    ]
    with service(home), handle(home) as log:
        for request in bad:
            with connect(home / "s", 5) as caller:
                caller.sendall(request)
                answer = b"".join(iter(lambda: caller.recv(4096), b""))
                code, size = REPLY.unpack_from(answer, len(GREETING))
                assert code == REFUSED
                assert len(answer) == len(GREETING) + REPLY.size + size
        assert log.append([b"a"]) == [0]


def test_a_caller_that_is_gone_before_it_can_be_refused_or_answered_disturbs_nobody(home: Path) -> None:
    with service(home) as writer, handle(home) as log:
        for request in (REQUEST.pack(1 << 25, 1, 0), encode_request(None, [b"gone"])):
            with connect(home / "s", 5) as gone:
                assert gone.recv(len(GREETING), socket.MSG_WAITALL) == GREETING
                writer.send_signal(signal.SIGSTOP)
                gone.sendall(request)
            writer.send_signal(signal.SIGCONT)
        assert log.append([b"a"], 0) == [1]


def test_a_caller_that_dawdles_is_cut_off_and_one_that_does_not_read_its_answers_too(home: Path) -> None:
    with service(home, limit=0.3), handle(home) as log:
        with connect(home / "s", 10) as slow:
            slow.sendall(b"\x00")
            assert b"".join(iter(lambda: slow.recv(64), b"")) == GREETING
        with connect(home / "s", 10) as deaf, pytest.raises(ConnectionError):
            _ask_for_ever(deaf)
        with connect(home / "s", 10) as idle:
            time.sleep(0.6)
            idle.sendall(encode_request(0, [b"late"]))
            assert idle.recv(len(GREETING), socket.MSG_WAITALL) == GREETING
            assert REPLY.unpack(idle.recv(REPLY.size, socket.MSG_WAITALL))[0] == DONE
        assert log.append([b"late"], 0)[0] < log.size


def _ask_for_ever(connection: socket.socket) -> None:
    request = encode_request(0, [b"%d" % number for number in range(4000)])
    while True:
        connection.sendall(request)


def test_a_writer_that_is_told_to_end_answers_first_and_leaves_no_socket(home: Path) -> None:
    with service(home) as writer, handle(home) as log:
        log.append([b"a"])
        assert ended(writer) == 0
        assert not (home / "s").exists()
        with pytest.raises(LogStoppedError):
            log.append([b"b"])
    with service(home), handle(home) as log:
        assert log.append([b"b"], 0) == [1]


def test_a_second_writer_of_the_folder_is_refused_and_a_killed_one_s_socket_replaced(home: Path) -> None:
    with service(home) as first, handle(home) as log:
        second = subprocess.run(
            [sys.executable, "-m", "tests.audit.service", str(home), "0", "1"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert second.returncode != 0
        assert "another process writes the log" in second.stderr
        assert log.append([b"a"]) == [0]
        ended(first, signal.SIGKILL)
        assert (home / "s").exists()
        with service(home):
            assert log.append([b"b"], 1) == [1], "the handle comes back to a new writer"


def test_the_socket_of_another_log_s_writer_and_what_is_no_socket_are_left_alone(home: Path) -> None:
    with service(home), handle(home) as log:
        with pytest.raises(LogError, match="another writer answers"):
            listen(home / "s")
        assert log.append([b"a"]) == [0]
    (home / "file").write_text("kept")
    with pytest.raises(LogError, match="no socket"):
        listen(home / "file")
    assert (home / "file").read_text() == "kept"


KEPT_OUT, REFUSED_BY_THE_WRITER, GREETED = 0, 1, 2


def _greeting_of_nobody(path: str) -> int:
    """What another user gets at a socket."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    found = 9
    try:
        os.setuid(65534)
        with socket.socket(socket.AF_UNIX) as caller:
            caller.settimeout(10)
            caller.connect(path)
            found = GREETED if caller.recv(64) else REFUSED_BY_THE_WRITER
    except PermissionError:
        found = KEPT_OUT
    except ConnectionError:
        found = REFUSED_BY_THE_WRITER
    finally:
        os._exit(found)


def test_the_socket_is_its_owner_s_alone_and_other_users_are_refused_whatever_its_mode() -> None:
    require(os.geteuid() == 0, "root, to become another user")
    with TemporaryDirectory() as folder:
        home = Path(folder)
        home.chmod(0o755)
        new_log(home).close()
        with service(home), handle(home) as log:
            assert (home / "s").stat().st_mode & 0o777 == 0o600
            assert _greeting_of_nobody(f"{home}/s") == KEPT_OUT
            (home / "s").chmod(0o666)
            assert _greeting_of_nobody(f"{home}/s") == REFUSED_BY_THE_WRITER
            assert log.append([b"a"]) == [0]


def test_what_listens_and_is_no_writer_is_refused(home: Path) -> None:
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(home / "s"))
        other.listen()

        def answer() -> None:
            with other.accept()[0] as caller:
                caller.sendall(b"SSH-2.0-something else\n")

        threading.Thread(target=answer, daemon=True).start()
        with pytest.raises(LogError, match="no writer of this release"):
            handle(home)


def test_a_forked_copy_of_the_handle_does_not_write(home: Path) -> None:
    with service(home), handle(home) as log:
        child = os.fork()
        if child == 0:
            try:
                log.append([b"x"])
            except LogStoppedError:
                os._exit(0)
            os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert log.append([b"a"]) == [0]


def test_a_path_that_is_longer_than_a_socket_s_may_be_is_served(tmp_path: Path) -> None:
    home = tmp_path / ("deep" * 20) / ("er" * 40)
    home.mkdir(parents=True)
    new_log(home).close()
    with service(home), handle(home) as log:
        assert log.append([b"a"]) == [0]


def test_the_command_serves_a_log_for_the_users_and_the_group_that_are_named(tmp_path: Path) -> None:
    signer = create_key("log.test", bytes(32), tmp_path / "log.key", tmp_path / "log.vkey")
    create_log(tmp_path / "log", tmp_path / "head", signer)
    command = [sys.executable, "-m", "audit", "serve", "--log", tmp_path / "log", "--head", tmp_path / "head"]
    command += ["--key", tmp_path / "log.key", "--socket", tmp_path / "s"]

    def refused(*more: object) -> tuple[int, str]:
        done = subprocess.run([*command, *more], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
        return done.returncode, done.stderr

    for option, word in (("--user", "user"), ("--group", "group")):
        assert refused(option, "nobody-of-this-name") == (2, f"audit: there is no {word} nobody-of-this-name\n")
    assert refused("--key", tmp_path / "log.vkey")[0] == 2
    import grp
    import pwd

    me, mine = pwd.getpwuid(os.geteuid()).pw_name, grp.getgrgid(os.getegid()).gr_name
    named = [*command, "--user", me, "--group", mine]
    with subprocess.Popen(named, cwd=ROOT, stdout=subprocess.PIPE, text=True) as writer:
        try:
            assert writer.stdout is not None
            said = writer.stdout.readline()
            assert said == f"the log log.test with 0 entries is written at {tmp_path}/s\n"
            with handle(tmp_path) as log:
                assert log.append([b"a"]) == [0]
            assert (tmp_path / "s").stat().st_mode & 0o777 == 0o660
            assert (tmp_path / "log" / "index").stat().st_mode & 0o777 == 0o640
        finally:
            assert ended(writer) == 0
