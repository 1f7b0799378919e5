"""SIGKILL in a loop under load, with garbage behind the last record: nothing acknowledged is lost or moved."""

import subprocess
import sys
import threading
import time
from pathlib import Path
from random import Random

import pytest

from audit import Demands, LogError, LogReader, verify_folder
from tests.audit.samples import SIGNER, new_log, open_log, whole_records
from tests.support import ROOT


def start(home: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.audit.writer", str(home)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)


def lines_until_killed(writer: subprocess.Popen[bytes], seconds: float) -> list[bytes]:
    """Read the writer's output from its first line on; kill it `seconds` later; return the whole lines."""
    assert writer.stdout is not None
    lines = [writer.stdout.readline()]
    timer = threading.Timer(seconds, writer.kill)
    timer.start()
    lines += writer.stdout.readlines()
    timer.join()
    writer.wait()
    writer.stdout.close()
    return [line for line in lines if line.endswith(b"\n")]


def test_killed_writers_lose_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    new_log(tmp_path).close()
    random = Random(5)
    acknowledged: dict[int, bytes] = {}
    records = tmp_path / "log" / "records"
    for _ in range(5):
        for line in lines_until_killed(start(tmp_path), random.uniform(0.05, 0.3)):
            index, entry = line[:-1].split(b" ")
            assert int(index) not in acknowledged, "an index was issued twice"
            acknowledged[int(index)] = entry
        whole = whole_records(tmp_path)
        with records.open("r+b") as file:
            file.seek(len(whole) + random.randrange(2))
            file.write(random.choice([b"", random.randbytes(300), whole[-700:], whole[:5_000]]))
    with open_log(tmp_path) as log:
        kept = dict(log.scan())
    assert {index: kept[index] for index in acknowledged} == acknowledged
    assert len(acknowledged) > 100
    report = verify_folder(tmp_path / "log", SIGNER.verifier, Demands(), head_folder=tmp_path / "head")
    assert not any(section.problems for section in report.sections[:5])


def test_a_second_process_is_refused_and_a_reader_is_not(tmp_path: Path) -> None:
    new_log(tmp_path).close()
    writer = start(tmp_path)
    try:
        assert writer.stdout is not None
        index, entry = writer.stdout.readline()[:-1].split(b" ")
        with pytest.raises(LogError, match="another process"):
            open_log(tmp_path)
        deadline = time.monotonic() + 10
        with LogReader(tmp_path / "log") as reader:
            while reader.size <= int(index):
                assert time.monotonic() < deadline
            assert reader.entry(int(index)) == entry
    finally:
        writer.kill()
        writer.communicate()
