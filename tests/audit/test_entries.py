"""Entries: one byte form, known events and fields alone, no room for a sentence."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit import Event, MalformedError, decode_entry, encode_entry
from audit.entries import FIELDS, fields_of
from tests.audit.samples import Story

INTENT = Story().intent()
TOLD = Story(2)
SAMPLES = [TOLD.signin(), TOLD.denied(), INTENT, TOLD.outcome(INTENT, 0, "committed")]


@pytest.mark.parametrize("fields", SAMPLES, ids=lambda fields: fields["event"])
def test_entries_come_back_as_they_were_written(fields: dict[str, Any]) -> None:
    entry = encode_entry(fields)
    assert decode_entry(entry) == fields
    assert entry == json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()


def test_events_are_alphabetised_and_each_has_a_form() -> None:
    assert list(Event) == sorted(Event)
    assert [one.name for one in Event] == [one.replace("-", "_").upper() for one in Event]
    for event in Event:
        must, may = fields_of(event)
        assert must <= may <= FIELDS.keys()


def test_every_field_is_used_by_some_event() -> None:
    assert set().union(*(fields_of(event)[1] for event in Event)) == FIELDS.keys()


@pytest.mark.parametrize("name", sorted(fields_of(Event.QUERY_INTENT)[0]))
def test_a_missing_field_is_refused(name: str) -> None:
    with pytest.raises(MalformedError):
        encode_entry({key: value for key, value in INTENT.items() if key != name})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("actor", "Ann Smith"),
        ("actor", ""),
        ("actor", "p_ann\n"),
        ("actor", "p_änn"),
        ("actor", 'p"ann'),
        ("actor", None),
        ("event", "query-guess"),
        ("event", ["query-intent"]),
        ("event_id", "0" * 31),
        ("event_id", "A" * 32),
        ("time", "2026-02-30T00:00:00+00:00"),
        ("time", "2026-01-01 00:00:00Z"),
        ("time", "2026-13-01T00:00:00Z"),
        ("time", "2026-01-01T24:00:00Z"),
        ("purpose", "DUO:0000006"),
        ("purpose", ["DUO:0000006", 1]),
        ("columns", ["person.name; drop"]),
        ("policy_digest", "ab" * 31),
        ("gates", [{"gate": "data", "verdict": "maybe", "reasons": []}]),
        ("gates", [{"gate": "data", "verdict": "allow"}]),
        ("gates", [{"gate": "data", "verdict": "allow", "reasons": [], "why": "x"}]),
        ("cost", {"amount": 5, "delta": "0"}),
        ("cost", {"amount": "05", "delta": "0"}),
        ("cost", {"amount": "-5", "delta": "0"}),
        ("cost", {"amount": "5.0", "delta": "0"}),
        ("measure", "renyi"),
        ("state", "committed"),
        ("text", "SELECT 1"),
    ],
)
def test_a_malformed_field_is_refused(name: str, value: object) -> None:
    with pytest.raises(MalformedError) as caught:
        encode_entry({**INTENT, name: value})
    if isinstance(value, str) and len(value) > 3 and name not in ("event",):
        assert value not in str(caught.value)


@pytest.mark.parametrize("seq", [0, -1, 1.0, True, "1", 2**53])
def test_a_ledger_sequence_is_a_positive_integer(seq: object) -> None:
    movement = {**INTENT["ledgers"][0], "ledger_seq": seq}
    with pytest.raises(MalformedError):
        encode_entry({**INTENT, "ledgers": [movement]})


def test_a_day_that_does_not_exist_is_refused_by_the_reader() -> None:
    entry = encode_entry({**INTENT, "time": "2026-02-28T00:00:00Z"}).replace(b"2026-02-28", b"2026-02-30")
    with pytest.raises(MalformedError):
        decode_entry(entry)


@pytest.mark.parametrize(
    "entry",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"[" * 60_000,
        b'{"a":' * 10_000,
        b"\xff",
        b'{"event":"release"}',
        encode_entry(INTENT) + b" ",
        encode_entry(INTENT).replace(b":", b": ", 1),
        encode_entry(INTENT).replace(b'"p_ann"', b'"p\\u005fann"'),
        encode_entry(INTENT).replace(b'"actor":"p_ann",', b'"actor":"p_ann","actor":"p_ann",'),
        encode_entry(INTENT).replace(b'"ledger_seq":1', b'"ledger_seq":1.0', 1),
        encode_entry(INTENT).replace(b'"ledger_seq":1', b'"ledger_seq":1e0', 1),
        encode_entry(INTENT).replace(b'"ledger_seq":1', b'"ledger_seq":NaN', 1),
        encode_entry(INTENT).replace(b'"ledger_seq":1', b'"ledger_seq":1e999', 1),
    ],
    ids=range(16),
)
def test_other_bytes_are_refused(entry: bytes) -> None:
    with pytest.raises(MalformedError):
        decode_entry(entry)


@given(st.data())
def test_no_change_of_a_byte_yields_another_spelling_of_the_same_entry(data: st.DataObject) -> None:
    entry = bytearray(encode_entry(data.draw(st.sampled_from(SAMPLES))))
    at = data.draw(st.integers(0, len(entry) - 1))
    entry[at] = data.draw(st.integers(0, 255).filter(lambda value: value != entry[at]))
    try:
        fields = decode_entry(bytes(entry))
    except MalformedError:
        return
    assert encode_entry(fields) == entry


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=6,
    ),
    st.sampled_from(sorted(FIELDS)),
)
def test_no_value_makes_the_writer_fail_otherwise(value: object, name: str) -> None:
    try:
        entry = encode_entry({**INTENT, name: value})
    except MalformedError:
        return
    assert encode_entry(decode_entry(entry)) == entry


def test_an_entry_that_is_too_long_is_refused() -> None:
    columns = [f"measurement.{'c' * 100}{i}" for i in range(600)]
    with pytest.raises(MalformedError):
        encode_entry({**INTENT, "columns": columns})
