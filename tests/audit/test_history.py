"""What entries must add up to: unique events, answered requests, chained ledgers, an equal ledger file."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from audit import encode_entry
from audit.history import GRACE, History, LedgerState, Total
from audit.ledgers import LedgerFileError, compare_ledgers, parse_ledgers
from tests.audit.samples import LEDGERS, Story, story


def judged(entries: list[dict[str, Any]], grace: timedelta = GRACE) -> History:
    history = History()
    for fields in entries:
        history.feed(encode_entry(fields))
    history.finish(grace)
    return history


def problems(history: History) -> list[str]:
    sections = (history.entries, history.events, history.requests, history.movements)
    return [text for section in sections for text in section.problems]


def answered(state: str = "committed") -> tuple[Story, list[dict[str, Any]]]:
    told = Story()
    intent = told.intent()
    return told, [intent, told.outcome(intent, 0, state)]


def test_a_long_ordinary_history_is_in_order() -> None:
    history = History()
    for entry in story(2_000):
        history.feed(entry)
    history.finish()
    assert problems(history) == []
    assert history.entries.count == history.events.count == 2_000
    assert history.ledgers.keys() == set(LEDGERS)


@pytest.mark.parametrize(("state", "spent"), [("committed", 500_000), ("burned", 500_000), ("voided", 0)])
def test_what_each_outcome_leaves_spent(state: str, spent: int) -> None:
    history = judged(answered(state)[1])
    assert problems(history) == []
    for ledger in history.ledgers.values():
        assert (ledger.spent, ledger.reserved) == (Total(spent, 0), Total(0, 0))


def test_an_open_intent_is_reserved_and_pending_until_the_grace_period_is_over() -> None:
    told = Story()
    entries = [told.intent(), told.signin()]
    history = judged(entries)
    assert problems(history) == []
    assert history.requests.notes == ["1 pending at the end of the log"]
    assert {ledger.reserved for ledger in history.ledgers.values()} == {Total(500_000, 0)}
    assert "without an outcome" in problems(judged(entries, grace=timedelta(0)))[0]


def changed(entries: list[dict[str, Any]], at: int, **more: Any) -> list[dict[str, Any]]:
    return [*entries[:at], {**entries[at], **more}, *entries[at + 1 :]]


def moved(entries: list[dict[str, Any]], at: int, **more: Any) -> list[dict[str, Any]]:
    first, *others = entries[at]["ledgers"]
    return changed(entries, at, ledgers=[{**first, **more}, *others])


def amounts(amount: int, delta: int = 0) -> dict[str, str]:
    return {"amount": str(amount), "delta": str(delta)}


Edit = Callable[[Story, list[dict[str, Any]]], list[dict[str, Any]]]

EDITS: dict[str, tuple[Edit, str]] = {
    "event twice": (lambda t, e: [*e, {**t.signin(), "event_id": e[0]["event_id"]}], "twice"),
    "outcome twice": (lambda t, e: [*e, {**e[1], "event_id": "1" * 32}], "no open intent"),
    "outcome without intent": (lambda t, e: e[1:], "no open intent"),
    "outcome of another request": (lambda t, e: changed(e, 1, request="q_other"), "another request"),
    "outcome of another project": (lambda t, e: changed(e, 1, project="other"), "another request"),
    "outcome at another index": (
        lambda t, e: changed(e, 1, answers={"event_id": e[0]["event_id"], "index": 5}),
        "another index",
    ),
    "intent of a denied request": (
        lambda t, e: changed(e, 0, gates=[{"gate": "data", "verdict": "deny", "reasons": ["x"]}]),
        "denied",
    ),
    "sequence with a gap": (lambda t, e: moved(e, 0, ledger_seq=2), "from movement 0 to 2"),
    "sequence that stands still": (
        lambda t, e: [*e, moved([t.intent()], 0, ledger_seq=1)[0]],
        "from movement 1 to 1",
    ),
    "before is not the last after": (lambda t, e: moved(e, 0, before=amounts(1)), "does not begin"),
    "delta before is not the last after": (lambda t, e: moved(e, 0, before=amounts(0, 1)), "does not begin"),
    "first before is not zero": (
        lambda t, e: moved(e, 0, before=amounts(5), after=amounts(9)),
        "does not begin",
    ),
    "another measure": (lambda t, e: [*e, moved([t.intent()], 0, measure="pure")[0]], "measure"),
    "a ledger moved twice in one entry": (
        lambda t, e: changed(e, 0, ledgers=[*e[0]["ledgers"], e[0]["ledgers"][0]]),
        "twice",
    ),
    "an intent that gives budget back": (
        lambda t, e: [*e, moved([t.intent()], 0, after=amounts(1))[0]],
        "lowered",
    ),
    "an onboarding that gives budget back": (
        lambda t, e: [
            *e,
            t.fields(
                "dataset-version-added",
                dataset="omop",
                version="v_1",
                version_commitment="ab" * 32,
                policy_digest="ab" * 32,
                ledgers=t.move(-1),
            ),
        ],
        "lowered",
    ),
    "a committed request that moves a ledger": (lambda t, e: changed(e, 1, ledgers=t.move(-5)), "another amount"),
    "a voided request that gives nothing back": (lambda t, e: changed(e, 1, state="voided"), "another amount"),
    "a voided request that gives another amount back": (
        lambda t, e: changed(e, 1, state="voided", ledgers=t.move(-499_999)),
        "another amount",
    ),
    "a release of nothing": (
        lambda t, e: [*e, t.fields("release", project="heart", answers={"event_id": "1" * 32, "index": 1})],
        "release",
    ),
    "a release of an intent": (
        lambda t, e: [
            *e,
            t.fields("release", project="heart", answers={"event_id": e[0]["event_id"], "index": 0}),
        ],
        "release",
    ),
}


@pytest.mark.parametrize("name", EDITS)
def test_a_history_that_does_not_add_up_is_found_out(name: str) -> None:
    edit, word = EDITS[name]
    found = problems(judged(edit(*answered())))
    assert any(word in text for text in found), found


def test_a_release_answers_a_committed_outcome() -> None:
    told, entries = answered()
    release = told.fields("release", project="heart", answers={"event_id": entries[1]["event_id"], "index": 1})
    assert problems(judged([*entries, release])) == []
    told, entries = answered("burned")
    release = told.fields("release", project="heart", answers={"event_id": entries[1]["event_id"], "index": 1})
    assert "release" in problems(judged([*entries, release]))[0]


def test_a_malformed_entry_is_reported_by_its_index_and_its_content_is_not() -> None:
    history = History()
    history.feed(encode_entry(Story().signin()))
    history.feed(b'{"event":"secret"}')
    assert history.entries.problems == ["entry 1: an unknown event"]


def test_problems_are_listed_up_to_twenty_and_counted_beyond() -> None:
    history = History()
    for _ in range(25):
        history.feed(b"x")
    assert (len(history.entries.problems), history.entries.unlisted) == (20, 5)


# --- The ledger file


def export(**more: Any) -> dict[str, Any]:
    ledger = {"measure": "zcdp", "seq": 1, "spent": amounts(500_000), "reserved": amounts(0), **more}
    return {"ledgers": dict.fromkeys(LEDGERS, ledger)}


def test_a_ledger_file_that_equals_the_log() -> None:
    logged = judged(answered()[1]).ledgers
    file = export(limit=amounts(9))
    file["ledgers"]["project:unused"] = {**export()["ledgers"][LEDGERS[0]], "seq": 0, "spent": amounts(0)}
    assert compare_ledgers(logged, parse_ledgers(json.dumps(file).encode())).problems == []


@pytest.mark.parametrize(
    "more",
    [
        {"measure": "pure"},
        {"seq": 2},
        {"spent": amounts(499_999)},
        {"spent": amounts(500_000, 1)},
        {"spent": amounts(499_999), "reserved": amounts(1)},
    ],
)
def test_a_ledger_file_that_differs(more: dict[str, Any]) -> None:
    logged = judged(answered()[1]).ledgers
    section = compare_ledgers(logged, parse_ledgers(json.dumps(export(**more)).encode()))
    assert len(section.problems) == 2


def test_a_ledger_on_one_side_alone_is_a_difference() -> None:
    moved_once = LedgerState("zcdp", 1, Total(1, 0))
    assert compare_ledgers({"a": moved_once}, {}).problems == ["ledger a is only in the log"]
    assert compare_ledgers({}, {"a": moved_once}).problems == ["ledger a is only in the file"]


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"ledgers":[]}', b'{"ledgers":{"a":{}}}', b"[" * 99_999])
def test_a_malformed_ledger_file_is_said_to_be_one(data: bytes) -> None:
    with pytest.raises(LedgerFileError):
        parse_ledgers(data)


def test_a_clock_that_goes_back_is_remarked_and_breaks_nothing() -> None:
    told = Story()
    told.seconds = 2 * 86_400
    entries = [told.signin(), told.intent()]
    told.seconds = 10
    entries += [told.signin(), told.outcome(entries[1], 1)]
    history = judged(entries)
    assert problems(history) == []
    assert history.entries.notes == ["the clock was put back before entry 2; the order is that of the log"]
    assert problems(judged([*entries, told.intent()])) == [], "not late by what was wrong before"
    told.seconds = 2 * 86_400 - 200
    assert judged([*entries[:1], told.signin()]).entries.notes == [], "counted by the minute, and written later"
