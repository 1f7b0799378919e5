"""Every constructor makes an entry that the verifier's package takes as well-formed."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from audit.entries import Event, MalformedError, decode_entry
from tests.control import QUESTION, FakeClock, zcdp
from tre.journal import Act, Entry, entries

ACT = Act.by("ada", FakeClock(), request="q_1", session="t_1")
UNTIL = datetime(2027, 1, 1, tzinfo=UTC)
GATES = [("safe-people", "deny", ["gate.credential"]), ("safe-data", "allow", [])]

EVERY: dict[str, Callable[[], Entry]] = {
    "person": lambda: entries.bootstrap_person(ACT, "bob", ["researcher", "lead"]),
    "project": lambda: entries.bootstrap_project(ACT, "P1", ["DUO:0000006"], "omop", UNTIL),
    "member": lambda: entries.bootstrap_member(ACT, "P1", "bob", "lead", UNTIL),
    "credential": lambda: entries.credential_attested(ACT, "bob", "ig-training", "operator", UNTIL, "bootstrap"),
    "token": lambda: entries.token_issued(ACT, "bob", "t_2", UNTIL, None),
    "token for a project": lambda: entries.token_issued(ACT, "bob", "t_2", UNTIL, "P1"),
    "token revoked": lambda: entries.token_revoked_early(ACT, "bob", "t_2"),
    "failed sign-ins": lambda: entries.signin_failed(ACT, 3, ["identity.token-expired", "identity.token-expired"]),
    "signed in": lambda: entries.signin_succeeded(ACT, "s_1", "https://id.example/realm", "mfa", UNTIL),
    "signed in with a code": lambda: entries.signin_succeeded(ACT, "s_1", "tre.example", "local", UNTIL, "code_1"),
    "session ended": lambda: entries.session_ended(ACT, "bob", "s_1", "everywhere"),
    "identity linked": lambda: entries.identity_changed(ACT, "bob", "identity-linked"),
    "denied": lambda: entries.query_denied(ACT, QUESTION, zcdp(5)),
    "denied unread": lambda: entries.request_denied(ACT, "P1", GATES),
    "intent": lambda: entries.query_intent(ACT, QUESTION, zcdp(5, 10**18), []),
    "outcome": lambda: entries.query_outcome(ACT, "P1", "committed", "c" * 32, [], result_commitment="d" * 64),
    "burned": lambda: entries.query_outcome(
        ACT, "P1", "burned", "c" * 32, [], answers_index=7, cost=zcdp(5), reasons=["fault.engine"]
    ),
    "key destroyed": lambda: entries.key_destroyed(ACT, "project/P1", "bob"),
    "audit read": lambda: entries.audit_read(ACT, 0, 10),
    "incident": lambda: entries.incident(ACT, "q_1", ["fault.engine"], project="P1"),
    "controller": lambda: entries.bootstrap_controller(ACT, "carl", "omop"),
    "unlocked": lambda: entries.project_unlocked(ACT, "P1"),
    "locked": lambda: entries.project_changed(ACT, "P1", "locked", ["fault.engine"]),
    "policy": lambda: entries.policy_activated(ACT, "omop", "a" * 64),
    "credential revoked": lambda: entries.credential_revoked(ACT, "bob", "ig-training", "ada", ACT.time, UNTIL),
    "left": lambda: entries.person_ended(ACT, "bob"),
    "backup": lambda: entries.exported(ACT, "backup"),
    "log": lambda: entries.exported(ACT, "log"),
    "key rotated": lambda: entries.key_rotated(ACT, "test.example/log", "issuer"),
    "pseudonyms": lambda: entries.pseudonyms_made(ACT, "P1", "omop", "v_1", "nhs-number", "k_1", 2),
    "bounds charged": lambda: entries.bounds_charged(ACT, "b_1", "omop", zcdp(5), [], version="v_1"),
    "bounds released": lambda: entries.bounds_released(
        ACT, "b_1", "omop", "v_1", "c" * 64, ["person"], ["person.year_of_birth"]
    ),
    "version": lambda: entries.version_added(ACT, "omop", "v_1", "b" * 64, "a" * 64),
}


def test_every_event_is_written_by_a_constructor_or_named_as_one_that_nothing_writes_yet() -> None:
    """AUDIT's enumeration is a contract: an event is neither forgotten nor claimed."""
    written = {Event(decode_entry(make().data)["event"]) for make in EVERY.values()}
    assert written | set(entries.AWAITED) == set(Event)
    assert not written & set(entries.AWAITED)


def test_every_constructor_is_in_the_table() -> None:
    named = set(re.findall(r"entries\.(\w+)\(", inspect.getsource(sys.modules[__name__])))
    made = {name for name, one in vars(entries).items() if getattr(one, "__annotations__", {}).get("return") == "Entry"}
    assert {name for name in made if name[0] != "_"} <= named


@pytest.mark.parametrize("kind", EVERY)
def test_every_kind_of_entry_is_well_formed(kind: str) -> None:
    entry = EVERY[kind]()
    fields = decode_entry(entry.data)
    assert (fields["event_id"], fields["actor"], fields["request"]) == (entry.event_id, "ada", "q_1")
    assert fields["time"] == "2026-03-01T12:00:00.000Z"


def test_a_sentence_cannot_be_put_into_an_entry() -> None:
    with pytest.raises(MalformedError):
        entries.incident(ACT, "q_1", ["patient 943 476 5919 was seen"], project="P1")


def test_equal_facts_make_unequal_entries() -> None:
    """The random event id: a public leaf hash confirms no guess (AUDIT "Entry")."""
    one, other = (entries.project_unlocked(Act.by("ada", FakeClock()), "P1") for _ in range(2))
    assert one.data != other.data
