"""What one request leaves in an engine process never meets another request's."""

from __future__ import annotations

import duckdb
import pytest

from tre.base.statement import Statement
from tre.engines import DuckDBEngine, EngineFailed, EngineLimits


def test_a_failed_statement_ends_its_process(tmp_path):
    """Its memory and its half-registered inputs may depend on the person who made it fail."""
    with duckdb.connect(str(tmp_path / "data.duckdb")) as connection:
        connection.execute("CREATE TABLE person AS SELECT 1 AS person_id")
    engine = DuckDBEngine(EngineLimits(memory=256 * 1024**2, threads=1), tmp_path / "spill")
    fails = Statement("SELECT error('x') FROM person", (), "duckdb", ("person",), ())
    works = Statement("SELECT count(*) AS n FROM person", (), "duckdb", ("person",), ())
    try:
        with engine.slot(tmp_path / "data.duckdb", 30) as slot:
            with pytest.raises(EngineFailed):
                slot.partials(fails, {}, 10)
            with pytest.raises(EngineFailed):
                slot.partials(works, {}, 10)
        with engine.slot(tmp_path / "data.duckdb", 30) as slot:
            slot.partials(works, {}, 10)
    finally:
        engine.close()
