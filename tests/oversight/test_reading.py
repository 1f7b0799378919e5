"""Whoever reads what others did is on the record before they see it, once; outsiders verify by URL."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
import threading
from collections import Counter
from typing import Any

import pytest
from werkzeug.serving import make_server

from audit import Receipt, load_verifier
from tests.house import DATASET
from tests.oversight.conftest import Reviewed
from tests.support import ROOT
from tre.base.reasons import Refused
from tre.base.reasons.faults import LOG_UNAVAILABLE


def reads(reviewed: Reviewed, token: str) -> Counter[str]:
    """Count the entries that tell of a token's reading, by what was read."""
    session = _claims(token)["jti"]
    lines = reviewed.get("aud", "log/entries.jsonl?event=audit-read").text.splitlines()
    found = [json.loads(line)["entry"] for line in lines]
    return Counter(one["subject"] for one in found if one.get("session") == session)


def _claims(token: str) -> dict[str, Any]:
    import base64

    part = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return claims


def test_reading_is_one_entry_for_each_token_and_what_is_read(reviewed: Reviewed) -> None:
    board, other, controller = (reviewed.fresh(person) for person in ("bea", "bea", "carl"))
    for _ in range(3):
        for path in ("log/entries", "log/entries/2", "projects/study/decisions", "log/tile/entries/000.p/2"):
            assert reviewed.get("bea", path, board).status_code == 200
        assert reviewed.get("carl", f"datasets/{DATASET}/requests", controller).status_code == 200
    assert reads(reviewed, board) == {"log": 1}
    assert reads(reviewed, other) == {}
    assert reads(reviewed, controller) == {"log": 1, f"requests/{DATASET}": 1}
    assert reviewed.get("bea", "log/entries.csv", board).status_code == 200
    assert reads(reviewed, board) == {"log": 1, "export": 1}


def test_racing_readers_of_one_token_make_one_entry(reviewed: Reviewed) -> None:
    token = reviewed.fresh("aud")
    headers = {"Authorization": f"Bearer {token}"}
    apps = [reviewed.running.app().test_client() for _ in range(6)]
    given = {"args": ("/api/v1/log/entries",), "kwargs": {"headers": headers}}
    racing = [threading.Thread(target=app.get, **given) for app in apps]
    for one in racing:
        one.start()
    for one in racing:
        one.join()
    assert reads(reviewed, token) == {"log": 1}


def test_the_entry_stands_in_the_log_before_anything_is_shown(
    reviewed: Reviewed, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = reviewed.fresh("bea")
    newest = reviewed.get("bea", "log/entries?limit=1", token).get_json()["entries"][0]["fields"]
    assert (newest["event"], newest["session"]) == ("audit-read", _claims(token)["jti"])

    def broken(*_: object) -> None:
        raise Refused.because(LOG_UNAVAILABLE)

    fresh = reviewed.fresh("aud")
    with monkeypatch.context() as patch:
        patch.setattr(reviewed.house.journal, "settle", broken)
        for path in ("log/entries", "projects/study/decisions", f"datasets/{DATASET}/requests", "oversight/projects"):
            answer = reviewed.get("aud", path, fresh)
            assert (answer.status_code, answer.get_json()["code"]) == (503, "fault.log-unavailable")
    assert reviewed.get("aud", "log/entries", fresh).status_code == 200
    assert reads(reviewed, fresh) == {"log": 1}


def test_who_sees_nothing_leaves_no_entry(reviewed: Reviewed) -> None:
    token = reviewed.fresh("okafor")
    for path in ("log/entries", "oversight/projects", "projects/study/decisions", "incidents"):
        reviewed.get("okafor", path, token)
    assert reads(reviewed, token) == {}


def test_entries_are_found_by_what_they_name(reviewed: Reviewed) -> None:
    def found(query: str) -> list[dict[str, Any]]:
        return [one["fields"] for one in reviewed.get("aud", f"log/entries?{query}").get_json()["entries"]]

    assert {one["project"] for one in found("project=study&event=query-intent")} == {"study"}
    assert {one["actor"] for one in found("person=stranger&event=query-intent")} == {"stranger"}
    assert {one["event"] for one in found("reason=names.unknown-column")} == {"query-decision"}
    assert found("table=person&event=query-decision") == []
    assert found("until=2020-01-01T00:00:00Z") == []
    assert reviewed.get("aud", "log/entries?event=nothing").status_code == 400


def test_a_receipt_of_an_entry_proves_it_offline(reviewed: Reviewed) -> None:
    key = load_verifier(reviewed.house.home.vkey)
    receipt = Receipt.parse(reviewed.get("bea", "log/entries/4/receipt").data)
    assert receipt.extra is not None
    receipt.verify(receipt.extra, key)
    assert json.loads(receipt.extra) == reviewed.get("bea", "log/entries/4").get_json()["fields"]


def test_both_files_hold_every_entry_in_its_order(reviewed: Reviewed) -> None:
    lines = [json.loads(line) for line in reviewed.get("aud", "log/entries.jsonl").text.splitlines()]
    assert [one["index"] for one in lines] == list(range(len(lines)))
    rows = list(csv.DictReader(io.StringIO(reviewed.get("aud", "log/entries.csv").text)))
    assert len(rows) >= len(lines)
    for row, line in zip(rows, lines, strict=False):
        assert (int(row["index"]), row["event"], row["actor"]) == (
            line["index"],
            line["entry"]["event"],
            line["entry"]["actor"],
        )
        assert not [cell for cell in row.values() if cell[:1] in ("=", "+", "-", "@", "\t")]


def test_an_outsider_who_is_entitled_verifies_by_url(reviewed: Reviewed) -> None:
    server = make_server("127.0.0.1", 0, reviewed.running.app(), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_port}/api/v1/log"
        entitled, stranger = (_verify(reviewed, url, reviewed.fresh(person)) for person in ("aud", "okafor"))
        heads = _verify(reviewed, url, None)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert (entitled.returncode, heads.returncode, stranger.returncode) == (0, 0, 5), entitled.stdout
    assert "VERIFIED" in entitled.stdout
    assert "entries were not read" in heads.stdout
    assert "every answered request" in entitled.stdout or "request" in entitled.stdout
    assert "HTTP 404" in stranger.stdout


def _verify(reviewed: Reviewed, url: str, token: str | None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "audit", "verify", "--log", url, "--key", str(reviewed.house.home.vkey)]
    more = ["--token-file", "-"] if token else []
    return subprocess.run([*command, *more], input=token, cwd=ROOT, capture_output=True, text=True, timeout=60)
