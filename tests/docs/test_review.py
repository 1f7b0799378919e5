"""The reviewers' page is run as it stands: on a copy of the demonstration, whose bootstrap it ends."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tests.docs.conftest import Demonstration, served
from tests.docs.manual import DOCS, ROOT
from tests.docs.test_tutorials import refused, run, script


def test_reviewers_see_what_the_page_says(demonstration: Demonstration, tmp_path: Path) -> None:
    shutil.copytree(demonstration.folder / ".demo", tmp_path / ".demo", copy_function=shutil.copy2)
    shutil.copytree(ROOT / "policies", tmp_path / "policies")
    with served(tmp_path / ".demo") as address:
        said = run(script(DOCS / "howto" / "review.md", address), tmp_path)
    assert not refused(said), refused(said)

    def answer(of: str) -> str:
        return next(text for line, text in said.items() if of in line)

    decisions = json.loads(answer("/decisions").rpartition("\n")[0])["decisions"]
    assert {one["allowed"] for one in decisions} == {True, False}
    assert {one["sql"] for one in decisions} == {None}
    requests = json.loads(answer("/requests").rpartition("\n")[0])["decisions"]
    assert all("SELECT" in one["sql"] for one in requests)
    assert "RECEIPT VERIFIED" in answer("audit receipt")
    assert "every answered request has its intent and its outcome" in answer("audit verify")
    assert "the cosigned head has the signatures that were asked for (1)" in answer("--witness .demo/log-ml-dsa.vkey")
    assert '"valid":true' in answer("--data @draft.json")
    assert "governance.not-locked" in answer("/unlocking")
    assert "query-decision" in answer("audit search")
    assert "RECEIPT VERIFIED" in answer("receipts/*")
    assert "can be searched" in answer("audit reindex")
    assert (tmp_path / "lindqvist.header").stat().st_mode & 0o077 == 0
