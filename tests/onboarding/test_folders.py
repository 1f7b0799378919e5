"""Working folders hold private rows: after a SIGKILL the next onboarding, or the next server, removes them."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.onboarding.small import left_behind, make, rows, write_parquet
from tests.support import ROOT
from tre.onboarding import forgetting, sweep
from tre.onboarding.folders import PREFIX, working_folder

CHILD = """
import sys, time
from pathlib import Path
from tests.onboarding.small import make

def stop(step, part):
    if step == sys.argv[3]:
        print("there", flush=True)
        time.sleep(60)

make(Path(sys.argv[1]), Path(sys.argv[2]), progress=stop)
"""


nothing = forgetting(None)


def onboarding_child(source: Path, home: Path, until: str) -> subprocess.Popen[str]:
    """Start an onboarding in a process of its own; return once it stands in the step `until`."""
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(source), str(home), until], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "there\n"
    return child


def end(child: subprocess.Popen[str]) -> None:
    child.send_signal(signal.SIGKILL)
    child.communicate()


def test_private_rows_of_a_killed_onboarding_are_swept_and_those_of_a_living_one_are_not(tmp_path: Path) -> None:
    source = write_parquet(tmp_path / "source", rows())
    child = onboarding_child(source, tmp_path, "cluster")
    try:
        assert len(left_behind(tmp_path)) == 2
        assert sweep(tmp_path / "versions", tmp_path / "spill", forget=nothing) == 0
        version = make(source, tmp_path)
        assert len(left_behind(tmp_path)) == 3
    finally:
        end(child)
    assert len(left_behind(tmp_path)) == 3
    assert sweep(tmp_path / "versions", tmp_path / "spill", forget=nothing) == 2
    assert left_behind(tmp_path) == [version.name]


def test_every_onboarding_sweeps_first(tmp_path: Path) -> None:
    source = write_parquet(tmp_path / "source", rows())
    end(onboarding_child(source, tmp_path, "check"))
    assert len(left_behind(tmp_path)) == 2
    version = make(source, tmp_path)
    assert left_behind(tmp_path) == [version.name]


def test_a_sweep_touches_working_folders_alone(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").write_text("x")
    place = tmp_path / "versions"
    for name in ("v_1", f"{PREFIX}gone", "other"):
        (place / name).mkdir(parents=True)
    (place / f"{PREFIX}gone" / "data.duckdb").touch(0o400)
    assert sweep(place, tmp_path / "never made", forget=nothing) == 1
    assert sorted(path.name for path in place.iterdir()) == ["other", "v_1"]
    (place / f"{PREFIX}link").symlink_to(outside)
    with pytest.raises(OSError, match=r"link|director"):
        sweep(place, forget=nothing)
    assert (outside / "kept").exists()


def test_a_renamed_folder_is_kept_and_no_longer_swept(tmp_path: Path) -> None:
    with working_folder(tmp_path) as folder:
        assert folder.stat().st_mode & 0o777 == 0o700
        folder.rename(tmp_path / "v_1")
    assert sweep(tmp_path, forget=nothing) == 0
    assert (tmp_path / "v_1").is_dir()
