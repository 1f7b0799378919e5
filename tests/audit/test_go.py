"""Go's golang.org/x/mod `note` and `tlog`, which this project did not write, accept the log and refuse changed ones."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from audit import export
from tests.audit.samples import SIGNER, new_log, story
from tests.support import require

GOPATH = Path("/usr/share/gocode")
SOURCE = Path(__file__).parent / "goverify"


@pytest.fixture(scope="module")
def goverify(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's small Go program, built from Debian's packaged sources."""
    present = shutil.which("go") and (GOPATH / "src/golang.org/x/mod/sumdb/tlog").exists()
    require(present, "Go and its x/mod: apt-get install golang-go golang-golang-x-mod-dev")
    out = tmp_path_factory.mktemp("go")
    environment = {**os.environ, "GO111MODULE": "off", "GOPATH": str(GOPATH), "GOCACHE": str(out / "cache")}
    subprocess.run(["go", "build", "-o", out / "goverify", "."], cwd=SOURCE, env=environment, check=True, timeout=240)
    return out / "goverify"


def test_go_accepts_a_log_of_70_000_entries_and_refuses_changed_ones(goverify: Path, tmp_path: Path) -> None:
    entries = list(story(70_000))
    with new_log(tmp_path) as log:
        for start in range(0, 70_000, 1_000):
            log.append(entries[start : start + 1_000])
            if log.size == 40_000:
                (tmp_path / "old").write_text(log.checkpoint())
        export(log, tmp_path / "tree")
    (tmp_path / "log.vkey").write_text(f"{SIGNER.verifier}\n")

    def run() -> tuple[int, str]:
        command = [goverify, tmp_path / "tree", tmp_path / "log.vkey", tmp_path / "old"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        return done.returncode, done.stdout

    assert run() == (0, "verified 70000\n")
    for name in ("checkpoint", "tile/0/100", "tile/1/000", "tile/2/000.p/1", "tile/entries/200"):
        path = tmp_path / "tree" / name
        data = path.read_bytes()
        path.write_bytes(data[:20] + bytes([data[20] ^ 1]) + data[21:])
        assert run()[0] == 5, name
        path.write_bytes(data)
    assert run()[0] == 0
