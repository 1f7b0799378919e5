"""What reviewers take away: entries as FHIR, and a project's as a crate that proves itself without the house."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.oversight.conftest import ASKED, Reviewed
from tests.oversight.test_reading import reads
from tests.support import ROOT
from tre.cli.entry import main
from tre.governance import oversight


@pytest.fixture
def crate(reviewed: Reviewed, tmp_path: Path) -> Path:
    answer = reviewed.get("aud", "projects/study/crate")
    assert answer.mimetype == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        assert archive.testzip() is None
        assert len(archive.namelist()) == len(set(archive.namelist()))
        archive.extractall(tmp_path)
    return tmp_path


def _lines(crate: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (crate / "entries.jsonl").read_text().splitlines()]


def _verified(crate: Path) -> subprocess.CompletedProcess[str]:
    """Run the line that the crate's own README gives."""
    readme = (crate / "README.md").read_text()
    (line,) = [one.strip() for one in readme.splitlines() if one.strip().startswith("python -m audit receipt")]
    line = line.replace("python", sys.executable, 1)
    return subprocess.run(
        line, shell=True, cwd=crate, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=120
    )


def test_a_crate_proves_itself_offline(reviewed: Reviewed, crate: Path) -> None:
    found = _verified(crate)
    assert found.returncode == 0, found.stdout + found.stderr
    lines = _lines(crate)
    assert found.stdout.count("RECEIPT VERIFIED") == len(lines) > 3
    assert {one["entry"]["project"] for one in lines} == {"study"}
    assert (crate / "log.vkey").read_bytes() == reviewed.house.home.vkey.read_bytes()


@pytest.mark.parametrize(
    "change", ["an entry altered", "an entry more", "a receipt lost", "a receipt of another entry"]
)
def test_a_crate_that_was_changed_proves_nothing(crate: Path, change: str) -> None:
    lines, receipts = _lines(crate), sorted((crate / "receipts").iterdir())
    if change == "an entry altered":
        lines[0]["entry"]["actor"] = "somebody"
    elif change == "an entry more":
        lines.append({"index": 10**6, "entry": lines[0]["entry"]})
    elif change == "a receipt lost":
        receipts[0].unlink()
    else:
        receipts[0].write_bytes(receipts[1].read_bytes())
    (crate / "entries.jsonl").write_text("".join(json.dumps(one) + "\n" for one in lines))
    assert _verified(crate).returncode == 5


def test_a_crate_describes_itself(crate: Path) -> None:
    metadata = json.loads((crate / "ro-crate-metadata.json").read_text())
    graph = {one["@id"]: one for one in metadata["@graph"]}
    assert len(graph) == len(metadata["@graph"]), "an id comes twice"
    assert graph["ro-crate-metadata.json"]["conformsTo"] == {"@id": "https://w3id.org/ro/crate/1.1"}
    root = graph["./"]
    assert {"name", "description", "datePublished", "license"} <= root.keys()
    assert root["sourceOrganization"] == {"@id": "#project-study"}
    for one in root["hasPart"]:
        assert (crate / one["@id"]).exists()
    named = [value["@id"] for one in graph.values() for value in _values(one) if value.keys() == {"@id"}]
    assert {one for one in named if not one.startswith("https://w3id.org/ro/crate")} <= graph.keys()
    of = Counter(one["@type"] for one in graph.values())
    lines = [one["entry"] for one in _lines(crate)]
    events = Counter(one["event"] for one in lines)
    assert of["AssessAction"] == events["query-intent"] + events["query-decision"] > 1
    answered = [one for one in graph.values() if one["@type"] == "CreateAction"]
    assert len(answered) == events["query-intent"]
    assert {one["actionStatus"] for one in answered} == {"http://schema.org/CompletedActionStatus"}
    assert ASKED not in json.dumps(metadata)


def _values(one: dict[str, Any]) -> list[dict[str, Any]]:
    found = [part for value in one.values() for part in (value if isinstance(value, list) else [value])]
    return [value for value in found if isinstance(value, dict)]


def test_a_project_without_entries_has_an_empty_crate(reviewed: Reviewed) -> None:
    answer = reviewed.get("aud", "projects/none/crate")
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        assert archive.read("entries.jsonl") == b""
        assert "receipts/" not in "".join(archive.namelist())


def test_taking_away_is_on_the_record(reviewed: Reviewed) -> None:
    token = reviewed.fresh("bea")
    for _ in range(2):
        for path in ("log/entries.fhir", "projects/study/crate"):
            assert reviewed.get("bea", path, token).status_code == 200
    assert reads(reviewed, token) == {"log": 1, "export": 1, "crate/study": 1}


def test_the_logs_name_is_all_that_stands_before_its_key() -> None:
    """A key in base64 may hold a plus as well: every other one does."""
    assert oversight.origin("test.example/log+c3add27d+AQ+/+x4=") == "test.example/log"


def test_fhir_has_a_resource_for_each_entry(reviewed: Reviewed) -> None:
    answer = reviewed.get("aud", "log/entries.fhir?project=study")
    assert answer.mimetype == "application/fhir+ndjson"
    found = [json.loads(line) for line in answer.text.splitlines()]
    lines = [json.loads(line) for line in reviewed.get("aud", "log/entries.jsonl?project=study").text.splitlines()]
    assert [one["id"] for one in found] == [one["entry"]["event_id"] for one in lines]
    assert {one["source"]["site"] for one in found} == {reviewed.house.settings.log.origin}


def test_commands_at_the_home_read_what_their_reader_may_and_leave_an_entry(
    reviewed: Reviewed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TRE_HOME", str(reviewed.house.home.root))
    asked = ["--by", "bea", "--project", "study"]
    assert main(["audit", "search", *asked, "--event", "query-intent", "--format", "csv"]) == 0
    found = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert {(one["event"], one["project"]) for one in found} == {("query-intent", "study")}
    for form, start in (("jsonl", b'{"entry"'), ("csv", b"index,"), ("fhir", b"{")):
        assert main(["audit", "export-events", *asked, "--format", form, str(tmp_path / form)]) == 0
        assert (tmp_path / form).read_bytes().startswith(start)
        assert (tmp_path / form).stat().st_mode & 0o077 == 0
    assert main(["audit", "export-events", *asked, "--format", "ro-crate", str(tmp_path / "crate")]) == 0
    assert _verified(tmp_path / "crate").returncode == 0
    assert main(["audit", "export-events", *asked, str(tmp_path / "csv")]) == 2, "nothing is overwritten"
    told = reviewed.get("aud", "log/entries?event=audit-read&person=bea&limit=200").get_json()["entries"]
    runs = Counter(one["fields"]["subject"] for one in told if one["fields"]["session"].startswith("run_"))
    assert runs == {"log": 5, "export": 3, "crate/study": 1}
    for nobody in ("carl", "okafor", "nobody"):
        assert main(["audit", "search", "--by", nobody]) == 3
        assert main(["audit", "export-events", "--by", nobody, str(tmp_path / nobody)]) == 3
        assert not (tmp_path / nobody).exists()
