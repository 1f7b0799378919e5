"""What a server's own process need not hold: the arbiter, which all workers are forked from, stays small."""

from __future__ import annotations

import json
import subprocess
import sys

SEEN = "import sys, json, tre.app.serving; print(json.dumps(sorted(sys.modules)))"
HEAVY = {"duckdb", "numpy", "opendp", "pandas", "polars", "pyarrow", "fhir", "vl_convert", "alembic", "IPython"}


def test_a_server_loads_no_engine_no_numbers_and_no_charts_before_its_workers_do() -> None:
    found = subprocess.run([sys.executable, "-c", SEEN], capture_output=True, text=True, check=True)
    assert not HEAVY & {name.partition(".")[0] for name in json.loads(found.stdout)}


def test_a_process_that_serves_makes_arrays_without_the_frames_that_happen_to_be_installed() -> None:
    made = "import pyarrow as pa, tre.base.lean as lean; lean.leave_frames_out(); pa.array([0]); import opendp.prelude"
    said = "import sys, json; print(json.dumps([name for name in sys.modules if name in ('pandas', 'polars')]))"
    found = subprocess.run([sys.executable, "-c", f"{made}\n{said}"], capture_output=True, text=True, check=True)
    assert json.loads(found.stdout) == []
