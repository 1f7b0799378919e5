"""What a researcher keeps proves the answer offline: to anybody who has the log's key, and not after an edit."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.service import entries
from tre.client import TreUnproven, connect, load
from tre.client.results import Result, result_from

BY_SEX = "SELECT gender_concept_id AS sex, COUNT(*) AS n FROM person GROUP BY gender_concept_id"


@pytest.fixture(scope="module")
def answer(service, token):
    return connect(service.url, token=token, project="study").query(BY_SEX, epsilon="0.5")


@pytest.fixture(scope="module")
def other(service, token):
    return connect(service.url, token=token, project="study").query("SELECT COUNT(*) AS n FROM person", epsilon="0.5")


@pytest.fixture(scope="module")
def key(town):
    return (town / "log.vkey").read_text()


def test_an_answer_and_its_receipt_prove_themselves(answer, key, town):
    proof = answer.receipt.verify(key)
    assert (proof.origin, proof.entry["request"]) == ("test.example/log", answer.query)
    assert 0 <= proof.index < proof.size
    assert answer.receipt.verify(town / "log.vkey") == answer.receipt.verify(str(town / "log.vkey")) == proof


def test_the_entry_holds_a_commitment_and_no_cell_of_the_answer(answer, key):
    entry = answer.receipt.verify(key).entry
    assert len(entry["result_commitment"]) == 64
    assert "salt" not in json.dumps(dict(entry))


def test_a_saved_answer_proves_itself_long_after(answer, key, tmp_path):
    answer.save(tmp_path / "table2.json")
    kept = load(tmp_path / "table2.json")
    assert kept == answer
    assert kept.receipt.verify(key).entry["request"] == answer.query


def tampered(answer: Result, change: Callable[[dict[str, Any]], None]) -> Result:
    """Return the answer as it would be read after somebody edited the file."""
    document = copy.deepcopy(dict(answer.document))
    change(document)
    return result_from(document, str(answer.receipt))


@pytest.mark.parametrize(
    "change",
    [
        lambda found: found["rows"][0].__setitem__(1, (found["rows"][0][1] or 0) + 1 if found["rows"][0][1] else 1),
        lambda found: found["rows"][0].__setitem__(1, {"marker": "suppressed"} if found["rows"][0][1] == 0 else 0),
        lambda found: found["rows"].pop(),
        lambda found: found["rows"].reverse(),
        lambda found: found["columns"][1].__setitem__("name", "patients"),
        lambda found: found.__setitem__("salt", "00" * 32),
    ],
)
def test_an_edited_answer_is_told(answer, key, change):
    with pytest.raises(TreUnproven, match="changed since"):
        tampered(answer, change).receipt.verify(key)


def test_the_receipt_of_another_query_proves_nothing_of_this_one(answer, other, key):
    with pytest.raises(TreUnproven, match="another query"):
        result_from(answer.document, str(other.receipt)).receipt.verify(key)


def test_a_receipt_with_any_line_changed_does_not_hold(answer, key):
    lines = str(answer.receipt).splitlines(keepends=True)
    for place, line in enumerate(lines):
        if len(line) < 4:
            continue
        middle = len(line) // 2
        swapped = "A" if line[middle] != "A" else "B"
        edited = [*lines[:place], line[:middle] + swapped + line[middle + 1 :], *lines[place + 1 :]]
        with pytest.raises(TreUnproven):
            result_from(answer.document, "".join(edited)).receipt.verify(key)


def test_another_key_or_none_at_all_proves_nothing(answer, key, tmp_path):
    from audit import Ed25519Signer

    stranger = str(Ed25519Signer("test.example/log", b"7" * 32).verifier)
    for wrong in (stranger, "no key", "a+b+c", str(tmp_path / "gone.vkey")):
        with pytest.raises(TreUnproven):
            answer.receipt.verify(wrong)


def test_a_receipt_without_its_entry_says_so(answer, key):
    bare = "".join(line for line in str(answer.receipt).splitlines(keepends=True) if not line.startswith("extra "))
    with pytest.raises(TreUnproven, match="carry its entry"):
        result_from(answer.document, bare).receipt.verify(key)


def test_a_receipts_entry_is_what_the_log_holds(answer, key, town):
    proof = answer.receipt.verify(key)
    assert entries(town)[proof.index] == proof.entry
