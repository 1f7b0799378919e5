"""What people hold is given and taken back by others who are entitled, holds from the next request on, is on record."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from audit.entries import decode_entry
from audit.reader import LogReader
from tests.control import FakeClock, trail_at
from tre import governance as g
from tre.base.reasons import Refused
from tre.governance.people import find_person
from tre.journal import Journal
from tre.policy.context import Role
from tre.store import Store

NOW = FakeClock().now()
LATER = NOW + timedelta(days=200)
CAST = {
    "ada": Role.RESEARCHER,
    "bea": Role.BOARD,
    "carl": Role.CONTROLLER,
    "ola": Role.OPERATOR,
    "uma": Role.AUDITOR,
    "rex": Role.RESEARCHER,
}


@pytest.fixture
def people(home: Path, store: Store) -> None:
    with store.transaction() as tx:
        for person, role in sorted(CAST.items(), key=lambda one: one[1] is Role.BOARD):
            g.add_person(tx, trail_at(home), person, person.title(), {role}, {"ig-training": None})


def held(store: Store, person: str) -> list[str]:
    with store.reading() as tx:
        found = find_person(tx, person)
        return [one.kind for one in found.credentials] if found else []


def code(refused: pytest.ExceptionInfo[Refused]) -> str:
    return refused.value.refusals[0].reason.code


pytestmark = pytest.mark.usefixtures("people")


def test_a_credential_is_attested_and_taken_back_with_its_entries(home: Path, store: Store, journal: Journal) -> None:
    given, taken = trail_at(home, "carl"), trail_at(home, "ola")
    with store.transaction() as tx:
        credential = g.attest_credential(tx, given, "ada", "accreditation", LATER)
    assert (credential.issuer, credential.evidence) == ("carl", "attested")
    assert held(store, "ada") == ["accreditation", "ig-training"]
    with store.transaction() as tx:
        g.revoke_credential(tx, taken, "ada", "accreditation")
    assert held(store, "ada") == ["ig-training"]
    found = journal.settle([*given.events, *taken.events])
    with LogReader(home / "log") as log:
        entries = [decode_entry(log.entry(index)) for index in sorted(found.values())]
    assert [(one["actor"], one["change"], one["subject"]) for one in entries] == [
        ("carl", "attested", "ada"),
        ("ola", "revoked", "ada"),
    ]
    assert "revoked" in entries[1]["credential"]


def test_who_has_left_is_nobody_from_the_next_request_on(home: Path, store: Store, journal: Journal) -> None:
    trail = trail_at(home, "ola")
    with store.transaction() as tx:
        g.note_token(tx, trail_at(home), "t_1", "ada", None, NOW + timedelta(hours=1))
        g.end_person(tx, trail, "ada")
    with store.reading() as tx:
        assert find_person(tx, "ada") is None
        assert g.token_revoked(tx, "t_1")
        assert "ada" not in [one.id for one in g.list_people(tx)]
        assert g.context(tx, "ada", None, "local", NOW).person.roles == frozenset()
    journal.settle(trail.events)
    with LogReader(home / "log") as log:
        changes = [decode_entry(log.entry(index)).get("change") for index in range(log.size)][-2:]
    assert changes == ["ended", "token-revoked"]


def test_the_id_of_who_has_left_stays_taken(home: Path, store: Store) -> None:
    with store.transaction() as tx:
        g.end_person(tx, trail_at(home, "ola"), "bea")
        with pytest.raises(Refused) as refused:
            g.add_person(tx, trail_at(home), "new", "New", {Role.BOARD}, {})
    assert code(refused) == "governance.board-exists", "the bootstrap does not begin again"


@pytest.mark.parametrize("by", ["ada", "rex", "uma"])
def test_who_is_not_entitled_changes_nothing(home: Path, store: Store, by: str) -> None:
    other = "bea"
    for change in (
        lambda tx, trail: g.attest_credential(tx, trail, other, "accreditation", LATER),
        lambda tx, trail: g.revoke_credential(tx, trail, other, "ig-training"),
        lambda tx, trail: g.end_person(tx, trail, other),
    ):
        with pytest.raises(Refused) as refused, store.transaction() as tx:
            change(tx, trail_at(home, by))
        assert code(refused) == "governance.not-entitled"
    assert held(store, other) == ["ig-training"]


def test_an_operator_takes_back_and_does_not_attest(home: Path, store: Store) -> None:
    with pytest.raises(Refused) as refused, store.transaction() as tx:
        g.attest_credential(tx, trail_at(home, "ola"), "ada", "accreditation", LATER)
    assert code(refused) == "governance.not-entitled"


@pytest.mark.parametrize("by", ["bea", "carl", "ola"])
def test_nobody_changes_what_they_hold_themselves(home: Path, store: Store, by: str) -> None:
    for change in (
        lambda tx, trail: g.attest_credential(tx, trail, by, "accreditation", LATER),
        lambda tx, trail: g.revoke_credential(tx, trail, by, "ig-training"),
        lambda tx, trail: g.end_person(tx, trail, by),
    ):
        with pytest.raises(Refused) as refused, store.transaction() as tx:
            change(tx, trail_at(home, by))
        assert code(refused) == "governance.own-standing"


@pytest.mark.parametrize(("by", "person"), [("nobody", "ada"), ("bea", "nobody"), ("operator", "ada")])
def test_both_must_be_people_of_the_environment(home: Path, store: Store, by: str, person: str) -> None:
    with pytest.raises(Refused) as refused, store.transaction() as tx:
        g.end_person(tx, trail_at(home, by), person)
    assert code(refused) == "governance.unknown-person"


def test_what_is_not_held_is_not_taken_back_and_what_has_ended_is_not_attested(home: Path, store: Store) -> None:
    for kind, change in (
        ("governance.no-credential", lambda tx, trail: g.revoke_credential(tx, trail, "ada", "accreditation")),
        ("governance.bad-dates", lambda tx, trail: g.attest_credential(tx, trail, "ada", "accreditation", NOW)),
    ):
        with pytest.raises(Refused) as refused, store.transaction() as tx:
            change(tx, trail_at(home, "bea"))
        assert code(refused) == kind


def test_tokens_in_use_are_listed_by_their_ids(home: Path, store: Store) -> None:
    with store.transaction() as tx:
        for token, minutes in (("t_1", 5), ("t_2", 60), ("t_3", 60)):
            g.note_token(tx, trail_at(home), token, "ada", None, NOW + timedelta(minutes=minutes))
        g.revoke_token(tx, trail_at(home), "t_3")
    with store.reading() as tx:
        assert [one.token for one in g.list_tokens(tx, NOW)] == ["t_1", "t_2"]
        assert [one.token for one in g.list_tokens(tx, NOW + timedelta(minutes=5))] == ["t_2"]
