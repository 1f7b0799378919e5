"""The tutorials and the README's demonstration are run as they stand, over a real server."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.conftest import BIN, SECONDS, Demonstration, served
from tests.docs.manual import DOCS, ROOT, blocks, typed
from tests.support import require
from tre.app import open_admin
from tre.client import connect

TUTORIALS = DOCS / "tutorials"
ADDRESS = "127.0.0.1:8321"


def script(page: Path, address: str) -> list[str]:
    """Return the page as shell commands: the server's are left to the test, Python goes to an interpreter."""
    lines: list[str] = []
    for number, (language, block) in enumerate(blocks(page)):
        if language == "console":
            lines += [command for command in typed(block) if not command.startswith(("make ", "tre serve"))]
        elif language == "python":
            lines.append(f"python - <<'END_{number}'\n{block}END_{number}")
    return [line.replace(ADDRESS, address) for line in lines]


def run(lines: list[str], folder: Path, **environment: str) -> dict[str, str]:
    """Run lines one after the other in one shell; return what each said, with its exit code as the last line."""
    mark = "=== end of a command: "
    text = "".join(f"{line}\necho '{mark}'$?\n" for line in lines)
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TRE_")}
    found = subprocess.run(
        ["sh", "-s"],
        input=text,
        cwd=folder,
        env={**kept, "PATH": path, "PYTHONPATH": str(ROOT), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
    )
    said = found.stdout.split(mark)
    codes = [part.partition("\n")[0] for part in said[1:]]
    texts = [said[0], *(part.partition("\n")[2] for part in said[1:-1])]
    return {line: f"{text}\n{code}" for line, text, code in zip(lines, texts, codes, strict=True)}


def refused(said: dict[str, str]) -> dict[str, str]:
    return {line: text for line, text in said.items() if not text.endswith("\n0")}


def test_the_researchers_tutorial_is_answered_and_its_one_refusal_is_refused(
    demonstration: Demonstration, address: str
) -> None:
    said = run(script(TUTORIALS / "researcher.md", address), demonstration.folder)
    (line, text), *others = refused(said).items()
    assert not others, others
    assert line.startswith("tre query")
    assert "private.row-level-output" in text or "private.unit-key-leaves" in text
    assert text.endswith("\n3")
    python = next(text for line, text in said.items() if line.startswith("python - "))
    assert "people_low" in python
    assert "left, read as epsilon" in python
    assert any("RECEIPT VERIFIED" in text for text in said.values())
    first, again = (text for line, text in said.items() if line.startswith("tre query --epsilon 0.25"))
    assert numbers(first) == numbers(again) != []
    assert "cost: epsilon 0, 0.00%" in again


def test_the_errors_that_the_how_to_names_are_those_of_a_check(demonstration: Demonstration, address: str) -> None:
    page = (DOCS / "howto" / "ask-well.md").read_text(encoding="utf-8")
    named = re.findall(r"^\| `(SELECT .*)` \| ±(\d+) \|$", page, re.MULTILINE)
    assert len(named) == 4
    token = open_admin(demonstration.folder / ".demo").token("okafor", "diabetes", 10)
    connection = connect(f"http://{address}", token=token, project="diabetes")
    for sql, width in named:
        assert connection.check(sql, epsilon="0.25").error["n"] == pytest.approx(int(width), rel=0.01)


def numbers(text: str) -> list[list[str]]:
    """Return the cells of the rows of a printed table."""
    return [line.split() for line in text.splitlines() if re.fullmatch(r"[\d\s-]*\d[\d\s-]*|.*suppressed.*", line)][:-1]


def test_a_board_member_verifies_from_inside_and_from_outside(demonstration: Demonstration, address: str) -> None:
    said = run(script(TUTORIALS / "board.md", address), demonstration.folder)
    assert not refused(said), refused(said)
    assert sum("VERIFIED" in text for text in said.values()) == 3


def test_a_controller_sees_what_is_wrong_and_what_a_bound_does(tmp_path: Path) -> None:
    lines = script(TUTORIALS / "controller.md", ADDRESS)
    shutil.copytree(ROOT / "policies", tmp_path / "policies")
    commands = [line.replace("policies/omop.yaml", str(ROOT / "policies" / "omop.yaml")) for line in lines]
    start = next(number for number, line in enumerate(commands) if line.startswith("export TRE_URL"))
    first = run(commands[:start], tmp_path)
    wrong = refused(first)
    assert list(wrong) == ["tre policy lint wrong.yaml", "tre policy lint more.yaml"]
    assert "policy.value" in wrong["tre policy lint wrong.yaml"]
    assert "opt-out" in wrong["tre policy lint more.yaml"]
    with served(tmp_path / "hospital") as address:
        second = _numbered([line.replace(ADDRESS, address) for line in commands[start:]])
        said = run(second, tmp_path, TRE_HOME="hospital")
    assert not refused(said), refused(said)
    before, after = (error_of(text) for line, text in said.items() if line.startswith("tre check"))
    assert 4.5 < before / after < 5.5


def _numbered(lines: list[str]) -> list[str]:
    """Make equal commands differ, by a comment that the shell passes over."""
    return [f"{line} # {number}" for number, line in enumerate(lines)]


def error_of(text: str) -> float:
    line = next(line for line in text.splitlines() if line.startswith("error of charged"))
    return float(line.partition("±")[2])


def test_the_readme_shows_what_the_demonstration_says(demonstration: Demonstration) -> None:
    import demo_block

    assert demo_block.outline(demo_block.shown()) == demo_block.outline(demonstration.said)


def test_the_page_for_r_is_answered_in_r(demonstration: Demonstration, address: str) -> None:
    has_r = (
        shutil.which("Rscript")
        and subprocess.run(["Rscript", "-e", "library(httr2); library(jsonlite)"], capture_output=True).returncode == 0
    )
    require(has_r, "R with httr2: apt-get install r-base-core r-cran-httr2 r-cran-jsonlite")
    page = "\n".join(block for language, block in blocks(DOCS / "howto" / "r.md") if language == "r")
    found = subprocess.run(
        ["Rscript", "-"],
        input=page,
        cwd=demonstration.folder,
        env={
            **os.environ,
            "TRE_URL": f"http://{address}",
            "TRE_PROJECT": "diabetes",
            "TRE_TOKEN": open_admin(demonstration.folder / ".demo").token("okafor", "diabetes", 10),
        },
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert found.returncode == 0, found.stderr
    assert "allowed: TRUE" in found.stdout
    assert re.search(r"^epsilon: 0\.\d+  error: \d+", found.stdout, re.MULTILINE), found.stdout
    assert re.search(r"^\d 8507 +-?\d+ +-?\d+ +-?\d+$", found.stdout, re.MULTILINE), found.stdout
    assert "private." in found.stdout
    key = demonstration.folder / ".demo" / "log.vkey"
    command = ["-m", "audit", "receipt", "people-r.tlog-proof", "--key", str(key)]
    proved = subprocess.run(
        [sys.executable, *command],
        cwd=demonstration.folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert "RECEIPT VERIFIED" in proved.stdout, proved.stderr
