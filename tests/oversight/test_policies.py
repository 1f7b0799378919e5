"""Policies to their controllers: history, comparison, and a lint that no text can make fail."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.house import DATASET, POLICY
from tests.oversight.conftest import Reviewed
from tre import governance
from tre.policy import compile_policy, load_policy
from tre.web.adapter.comparing import line_by_line

N = 30_000
HOSTILE = {
    "nothing": "",
    "brackets": "[" * N,
    "braces": "{" * N,
    "questions": "? " * N,
    "dashes": "- " * N,
    "alias bomb": "a: &a [x,x,x,x,x,x]\n"
    + "".join(f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(9)),
    "an alias of itself": "a: &a [*a]",
    "a tag of Python": "!!python/object/apply:os.system ['true']",
    "a merge key": "<<: {policy: x}",
    "indented for ever": "".join(" " * depth + "a:\n" for depth in range(300)),
    "one long word": "policy: " + "x" * N,
    "a string without an end": 'policy: "' + "x" * N,
    "escapes": 'policy: "' + "\\x41" * 5000 + '"',
    "digits": "policy: " + "9" * N,
    "a number beyond all numbers": "budget: {per answer: {epsilon: 9e-99999999}}",
    "the same key again and again": "a: 1\n" * 2000,
    "keys that are lists": "? [a, b]\n: 1\n" * 1000,
    "documents": "---\n" * 3000,
    "directives": "%YAML 1.1\n---\na: 1\n",
    "tabs": "\t" * N,
    "line ends of every kind": "\r\n\x85\u2028\u2029" * 2000,
    "NUL": "policy: \0",
    "an escape of a terminal": "policy: \x1b[2J",
    "a byte order mark": "\ufeff" * 100,
    "a shipped one with a word wrong": POLICY.read_text().replace("private", "privat"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_lint_answers_every_text(reviewed: Reviewed, name: str) -> None:
    found = reviewed.post("carl", "policy-lint", {"text": HOSTILE[name]})
    assert found.status_code == 200
    view = found.get_json()
    assert view["valid"] is False
    assert 1 <= len(view["findings"]) <= 100
    assert all(one["level"] in ("error", "warning") and one["remedy"] for one in view["findings"])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(alphabet=st.sampled_from("abc:-?[]{}&*!|>'\"%@`#,\n\t \\0123e.~é\u2028"), max_size=80) | st.text())
def test_lint_answers_any_text_at_all(reviewed: Reviewed, text: str) -> None:
    answer = reviewed.post("carl", "policy-lint", {"text": text})
    assert answer.status_code in (200, 400), answer.text
    assert answer.status_code == 200 or answer.get_json()["code"] == "web.body-json"


def test_a_policy_in_order_has_its_digest_and_a_wrong_one_its_places(reviewed: Reviewed) -> None:
    text = POLICY.read_text()
    good = reviewed.post("carl", "policy-lint", {"text": text}).get_json()
    assert (good["valid"], good["digest"]) == (True, load_policy(text).digest)
    wrong = reviewed.post(
        "carl", "policy-lint", {"text": text.replace("access: private", "access: privat", 1)}
    ).get_json()
    line = 1 + text[: text.index("access: private")].count("\n")
    assert line in [one["place"]["line"] for one in wrong["findings"]]
    assert wrong["digest"] is None


def test_the_history_is_complete_and_compares(reviewed: Reviewed) -> None:
    before = reviewed.get("carl", f"datasets/{DATASET}/policies").get_json()["policies"]
    number = before[0]["number"]
    text = reviewed.get("carl", f"datasets/{DATASET}/policies/{number}").get_json()["text"]
    changed = text.replace("minimum group: 10", "minimum group: 11")
    assert changed != text
    trail = reviewed.house.trail("operator")
    with reviewed.house.store.transaction() as tx:
        governance.activate_policy(tx, trail, compile_policy(load_policy(changed), DATASET))
    reviewed.house.journal.settle(trail.events)
    history = reviewed.get("carl", f"datasets/{DATASET}/policies").get_json()["policies"]
    assert [one["number"] for one in history] == list(range(number + 1, 0, -1))
    assert [one["status"] for one in history[:2]] == ["active", "ended"]
    changes = reviewed.get("carl", f"datasets/{DATASET}/policies/{number}/changes/{number + 1}").get_json()["lines"]
    assert [(one["kind"], one["text"]) for one in changes if one["kind"] != "same"] == [
        ("removed", next(line for line in text.splitlines() if "minimum group: 10" in line)),
        ("added", next(line for line in changed.splitlines() if "minimum group: 11" in line)),
    ]
    assert reviewed.get("carl", f"datasets/{DATASET}/policies/{number + 2}").status_code == 404


LINES = st.lists(st.sampled_from(["a", "b", "c", ""]), max_size=12)


@given(old=LINES, new=LINES)
def test_a_comparison_holds_both_texts(old: list[str], new: list[str]) -> None:
    lines = line_by_line("".join(f"{line}\n" for line in old), "".join(f"{line}\n" for line in new))
    assert [(one.old, one.text) for one in lines if one.kind != "added"] == list(enumerate(old, 1))
    assert [(one.new, one.text) for one in lines if one.kind != "removed"] == list(enumerate(new, 1))
