"""The engine process answers what it is handed, reaches nothing else, and dies when it must."""

import threading
import time
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from tre.base.passage import decode_partials
from tre.base.statement import Statement
from tre.engines import DuckDBEngine, EngineFailed, EngineLimits, sweep

SLOW = "SELECT count(*) AS n FROM range(1000000000) a, range(100000) b"


@pytest.fixture
def version(tmp_path: Path) -> Path:
    path = tmp_path / "data.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE person AS SELECT range AS person_id, range % 3 AS sex FROM range(100)")
        connection.execute("CREATE TABLE secret AS SELECT 1 AS x")
    return path


@pytest.fixture
def engine(tmp_path: Path):
    engine = DuckDBEngine(EngineLimits(memory=256 * 1024**2, spill=64 * 1024**2, threads=1), tmp_path / "spill")
    yield engine
    engine.close()


def statement(sql: str, *tables: str, parameters: tuple[str, ...] = ()) -> Statement:
    return Statement(sql=sql, parameters=parameters, dialect="duckdb", columns=(), tables=tables)


def test_partials_cross_the_pipe_and_show_nothing(engine, version):
    with engine.slot(version, 30) as slot:
        found = slot.partials(
            statement("SELECT sex, count(*) AS n FROM person GROUP BY 1 ORDER BY 1", "person"), {}, 10
        )
    assert repr(found) == "<Partials>"
    assert decode_partials(found).to_pylist() == [{"sex": 0, "n": 34}, {"sex": 1, "n": 33}, {"sex": 2, "n": 33}]


def test_parameters_are_bound_by_name_and_only_those_that_the_statement_expects(engine, version):
    with engine.slot(version, 30) as slot:
        asked = statement("SELECT count(*) AS n FROM person WHERE person_id < $most", "person", parameters=("most",))
        found = slot.partials(asked, {"most": 7, "unused": 1}, 10)
    assert decode_partials(found).to_pylist() == [{"n": 7}]


def test_released_values_are_handed_in_as_tables_and_forgotten(engine, version):
    with engine.slot(version, 30) as slot:
        rows = slot.public(
            statement(
                "SELECT sum(x) AS s FROM block",
            ),
            {"block": pa.table({"x": [1, 2]})},
            10,
        )
        assert rows.to_pylist() == [{"s": 3}]
        with pytest.raises(EngineFailed):
            slot.public(statement("SELECT * FROM block", "block"), {}, 10)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM secret",
        "SELECT * FROM query('SELECT * FROM secret')",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "SELECT content FROM read_text('/etc/passwd')",
        "SELECT getenv('HOME')",
        "SET threads = 8",
        "RESET enable_external_access",
        "ATTACH '/tmp/x.duckdb'",
        "INSTALL httpfs",
        "COPY person TO '/tmp/out.csv'",
        "CREATE TABLE t AS SELECT 1",
        "SELECT error('x')",
        "EXPORT DATABASE '/tmp/out'",
    ],
)
def test_the_lock_down_holds_even_when_the_gate_is_gone(engine, version, sql):
    with pytest.raises(EngineFailed) as failure, engine.slot(version, 30) as slot:
        slot.partials(statement(sql, "person"), {}, 10)
    assert str(failure.value) == ""


def test_a_statement_is_killed_at_its_limit_and_the_next_one_is_answered(engine, version):
    with pytest.raises(EngineFailed), engine.slot(version, 30) as slot:
        slot.partials(statement(SLOW), {}, 0.3)
    with engine.slot(version, 30) as slot:
        found = slot.partials(statement("SELECT count(*) AS n FROM person", "person"), {}, 10)
    assert decode_partials(found).to_pylist() == [{"n": 100}]


def test_cancelling_from_another_thread_ends_the_statement(engine, version):
    with engine.slot(version, 30) as slot:
        threading.Timer(0.3, slot.cancel).start()
        with pytest.raises(EngineFailed):
            slot.partials(statement(SLOW), {}, 60)


def test_a_slot_that_never_comes_free_is_a_failure_and_not_a_wait_for_ever(engine, version):
    with engine.slot(version, 30):
        began = time.monotonic()
        with pytest.raises(EngineFailed), engine.slot(version, 0.2):
            pass
        assert time.monotonic() - began < 10


def test_a_damaged_version_is_a_failure(engine, tmp_path):
    path = tmp_path / "broken.duckdb"
    path.write_bytes(b"not a database")
    with pytest.raises(EngineFailed), engine.slot(path, 30):
        pass


def test_nothing_is_left_when_the_engine_closes(tmp_path, version):
    engine = DuckDBEngine(EngineLimits(threads=1), tmp_path / "spill")
    with engine.slot(version, 30) as slot:
        process = slot._process
    engine.close()
    assert process.poll() is not None
    assert list((tmp_path / "spill").iterdir()) == []


def test_an_answer_too_large_for_the_broker_is_a_failure(engine, version, monkeypatch):
    monkeypatch.setattr("tre.engines.pool._MOST_REPLY", 10_000)
    with pytest.raises(EngineFailed), engine.slot(version, 30) as slot:
        slot.partials(statement("SELECT * FROM range(100000)"), {}, 10)


WIDE = "SELECT count(*) AS n, max(m) AS m FROM (SELECT range AS k, max(range) AS m FROM range(6000000) GROUP BY 1)"
"""Groups of more than twice the memory that is allowed, of which nothing but a line leaves."""
MOST_MEMORY = 64 * 1024**2


def test_a_question_that_needs_more_than_its_memory_spills_and_stays_under_the_limit(tmp_path, version):
    engine = DuckDBEngine(EngineLimits(memory=MOST_MEMORY, spill=2 * 1024**3, threads=1), tmp_path / "spill")
    try:
        with engine.slot(version, 30) as slot:
            before = most_resident(slot._process.pid)
            found = slot.partials(statement(WIDE), {}, 300)
            used = most_resident(slot._process.pid) - before
    finally:
        engine.close()
    assert decode_partials(found).to_pylist() == [{"n": 6_000_000, "m": 5_999_999}]
    assert used < 3 * MOST_MEMORY  # and what the allocator keeps beside it
    assert list((tmp_path / "spill").iterdir()) == []


def test_a_question_that_would_spill_more_than_its_limit_is_a_failure_that_says_nothing(tmp_path, version):
    engine = DuckDBEngine(EngineLimits(memory=MOST_MEMORY, spill=1024**2, threads=1), tmp_path / "spill")
    try:
        with pytest.raises(EngineFailed) as failed, engine.slot(version, 30) as slot:
            slot.partials(statement(WIDE), {}, 300)
    finally:
        engine.close()
    assert not failed.value.args
    assert list((tmp_path / "spill").iterdir()) == []


def most_resident(process: int) -> int:
    """Return the bytes that a process ever held resident."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


def test_what_a_killed_server_left_in_the_spill_folder_is_swept(tmp_path):
    left = tmp_path / "engine-abc" / "spill"
    left.mkdir(parents=True)
    (left / "rows.tmp").write_bytes(b"private")
    sweep(tmp_path)
    assert list(tmp_path.iterdir()) == []
