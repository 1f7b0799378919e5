"""The client's types hold for whoever writes a typed program against it."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def test_a_typed_program_is_accepted_as_a_user_writes_it(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", "--cache-dir", str(tmp_path)]
    found = subprocess.run([*command, "tests/client/typed.py"], cwd=ROOT, capture_output=True, text=True)
    assert found.returncode == 0, found.stdout
