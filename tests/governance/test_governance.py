"""People, projects, data sets, policies: every change is an entry, the bootstrap ends with the board."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from fractions import Fraction
from functools import cache
from pathlib import Path

import pytest

from audit.entries import decode_entry
from audit.reader import LogReader
from tests.control import ROOT_POLICY, FakeClock, trail_at
from tre import governance as g
from tre import ledger
from tre.base.cost import Cost
from tre.base.reasons import Refused
from tre.governance.people import find_person
from tre.journal import Journal, OnRecord, Sidecar, Trail
from tre.policy import CompiledPolicy, compile_policy, load_policy
from tre.policy.context import Role, Status
from tre.store import Store, Transaction

DATASET = "northfield"
NOW = FakeClock().now()


@cache
def policy(text: str = "") -> CompiledPolicy:
    return compile_policy(load_policy(text or ROOT_POLICY.read_text()), DATASET)


def changed(*changes: tuple[str, str]) -> CompiledPolicy:
    text = ROOT_POLICY.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return policy(text)


@pytest.fixture
def trail(home: Path, store: Store) -> Trail:
    trail = trail_at(home)
    with store.transaction() as tx:
        g.add_dataset(tx, trail, policy())
        g.add_person(tx, trail, "ada", "Ada Lovelace", [Role.RESEARCHER])
        g.add_person(tx, trail, "lea", "Lea Lead", [Role.LEAD])
        g.add_project(tx, trail, new_project())
    return trail


def new_project(**changes: object) -> g.NewProject:
    project = g.NewProject("P1", (DATASET,), ("ada", "lea"), ("DUO:0000006",), Fraction(2), Fraction(1, 10**6))
    return dataclasses.replace(project, **changes)  # type: ignore[arg-type]


def codes(refused: pytest.ExceptionInfo[Refused]) -> list[str]:
    return [one.reason.code for one in refused.value.refusals]


def logged(home: Path, journal: Journal, trail: Trail) -> list[dict[str, object]]:
    journal.settle(trail.events)
    with LogReader(home / "log") as log:
        return [decode_entry(entry) for _, entry in log.scan()]


def test_every_change_is_an_entry_in_the_order_in_which_it_was_made(home: Path, trail: Trail, journal: Journal) -> None:
    found = logged(home, journal, trail)
    assert [(one["event"], one.get("change")) for one in found] == [
        ("policy-activated", None),
        ("bootstrap", "person"),
        ("credential-changed", "attested"),
        ("credential-changed", "attested"),
        ("bootstrap", "person"),
        ("credential-changed", "attested"),
        ("credential-changed", "attested"),
        ("bootstrap", "member"),
        ("bootstrap", "member"),
        ("bootstrap", "project"),
    ]
    assert {one["actor"] for one in found} == {"operator"}


def test_the_credentials_that_policies_ask_for_are_attested_for_ninety_days(store: Store, trail: Trail) -> None:
    with store.reading() as tx:
        ada = find_person(tx, "ada")
    assert ada is not None
    assert {one.kind for one in ada.credentials} == {"accreditation", "ig-training"}
    for one in ada.credentials:
        assert (one.issuer, one.evidence) == ("operator", "bootstrap")
        assert one.expires - one.issued == timedelta(days=90)
        assert one.valid(NOW + timedelta(days=89))
        assert not one.valid(NOW + timedelta(days=90))


def test_credentials_given_by_hand_replace_those(store: Store, trail: Trail) -> None:
    until = NOW + timedelta(days=10)
    with store.transaction() as tx:
        bob = g.add_person(tx, trail, "bob", "Bob", [Role.RESEARCHER], {"accreditation": until, "dbs": None})
        carl = g.add_person(tx, trail, "carl", "Carl", [Role.RESEARCHER], {})
    assert {one.kind: one.expires for one in bob.credentials} == {
        "accreditation": until,
        "dbs": NOW + timedelta(days=90),
    }
    assert carl.credentials == ()


def test_a_name_is_kept_in_the_side_car_alone(home: Path, store: Store, trail: Trail) -> None:
    with store.reading() as tx:
        ada = find_person(tx, "ada")
        assert ada is not None
        assert ada.name(tx, Sidecar.open(home / "master"), OnRecord("a" * 32)) == "Ada Lovelace"
    everything = b"".join(file.read_bytes() for file in home.rglob("*") if file.is_file())
    assert b"Lovelace" not in everything


def test_the_bootstrap_ends_with_the_first_board_member(store: Store, trail: Trail) -> None:
    with store.transaction() as tx:
        g.add_person(tx, trail, "bea", "Bea Board", [Role.BOARD])
        with pytest.raises(Refused) as refused:
            g.add_person(tx, trail, "late", "Late", [Role.RESEARCHER])
        assert codes(refused) == ["governance.board-exists"]
        with pytest.raises(Refused) as refused:
            g.add_project(tx, trail, new_project(id="P2"))
        assert codes(refused) == ["governance.board-exists"]
        assert [one.id for one in g.list_people(tx)] == ["ada", "bea", "lea"]


@pytest.mark.parametrize("person", ["", "a b", "ä", "x" * 41, "../x", "a/b", "-x"])
def test_an_id_that_cannot_stand_in_an_entry_is_refused(store: Store, trail: Trail, person: str) -> None:
    with store.transaction() as tx, pytest.raises(Refused) as refused:
        g.add_person(tx, trail, person, "Somebody", [Role.RESEARCHER])
    assert codes(refused) == ["governance.bad-id"]


@pytest.mark.parametrize("name", ["", "  ", "x" * 201, "a\nb", "\x00"])
def test_a_name_that_cannot_be_shown_is_refused(store: Store, trail: Trail, name: str) -> None:
    with store.transaction() as tx, pytest.raises(Refused) as refused:
        g.add_person(tx, trail, "bob", name, [Role.RESEARCHER])
    assert codes(refused) == ["governance.bad-name"]


def test_a_second_person_or_project_of_one_id_is_refused(store: Store, trail: Trail) -> None:
    with store.transaction() as tx:
        with pytest.raises(Refused) as refused:
            g.add_project(tx, trail, new_project())
        assert codes(refused) == ["governance.project-exists"]

    def twice() -> None:
        with store.transaction() as tx:
            g.add_person(tx, trail, "ada", "Another", [Role.BOARD])

    with pytest.raises(Refused) as refused:
        twice()
    assert codes(refused) == ["governance.person-exists"]
    with store.reading() as tx:
        found = find_person(tx, "ada")
    assert found is not None
    assert found.roles == {Role.RESEARCHER}


def test_everything_that_is_wrong_with_a_project_is_said_at_once(store: Store, trail: Trail) -> None:
    bad = new_project(
        id="P 2", datasets=("none", DATASET), people=("nobody",), purposes=("fun and games",), epsilon=Fraction(0)
    )
    with store.transaction() as tx, pytest.raises(Refused) as refused:
        g.add_project(tx, trail, dataclasses.replace(bad, expires=NOW))
    assert sorted(codes(refused)) == [
        "governance.bad-budget",
        "governance.bad-dates",
        "governance.bad-id",
        "governance.bad-purpose",
        "governance.unknown-dataset",
        "governance.unknown-person",
    ]
    with store.transaction() as tx, pytest.raises(Refused) as refused:
        g.add_project(tx, trail, new_project(id="P2", datasets=(), people=(), purposes=()))
    assert sorted(codes(refused)) == ["governance.no-datasets", "governance.no-members", "governance.no-purpose"]


def test_only_those_who_ask_for_data_are_members(store: Store, trail: Trail) -> None:
    with store.transaction() as tx:
        g.add_person(tx, trail, "otto", "Otto", [Role.OPERATOR])
        with pytest.raises(Refused) as refused:
            g.add_project(tx, trail, new_project(id="P2", people=("otto",)))
    assert codes(refused) == ["governance.not-a-researcher"]


def limit_of(tx: Transaction, project: str = "P1") -> Cost:
    return ledger.balance(tx, ledger.LedgerId.of_project(project, DATASET)).limit


def test_of_project_and_policy_the_lesser_limit_holds(store: Store, trail: Trail) -> None:
    with store.transaction() as tx:
        g.add_project(tx, trail, new_project(id="P2", epsilon=Fraction(50)))
        own, capped = limit_of(tx), limit_of(tx, "P2")
        assert own.amount < capped.amount == policy().rules.per_project.amount
        assert own.delta == capped.delta
        found = g.find_project(tx, "P1")
        assert found is not None
        assert found.for_gates(tx).limits[DATASET] == own


def test_a_new_policy_ends_the_old_one_and_brings_the_limits_to_it(
    home: Path, store: Store, trail: Trail, journal: Journal
) -> None:
    tighter = changed(("per project: {epsilon: 5, delta: 1e-6}", "per project: {epsilon: 1, delta: 1e-6}"))
    with store.transaction() as tx:
        before = limit_of(tx)
        g.activate_policy(tx, trail, tighter)
        assert limit_of(tx) == tighter.rules.per_project
        assert limit_of(tx).amount < before.amount
        g.activate_policy(tx, trail, tighter)
        assert [one.status for one in g.list_policies(tx, DATASET)] == ["ended", "active"]
        active = g.active_policy(tx, DATASET)
        assert active is not None
        assert active.digest == tighter.digest
        in_force = g.policy_in_force(tx, DATASET)
        assert in_force is not None
        assert (in_force.digest, in_force.rules) == (tighter.digest, tighter.rules)
    last = logged(home, journal, trail)[-1]
    assert (last["event"], last["policy_digest"]) == ("policy-activated", tighter.digest)


def test_a_grant_without_meaning_under_a_new_policy_is_worth_nothing(store: Store, trail: Trail) -> None:
    with store.transaction() as tx:
        g.add_project(tx, trail, new_project(id="P2", delta=Fraction(2, 10**7)))
        wider = changed(("conversion: 1e-7", "conversion: 3e-7"), ("0.5, delta: 2e-7", "0.5, delta: 4e-7"))
        g.activate_policy(tx, trail, wider)
        assert limit_of(tx, "P2").amount == 0
        found = g.find_project(tx, "P2")
        assert found is not None
        assert found.for_gates(tx).limits[DATASET].amount == 0


def test_versions_are_counted_and_the_newest_is_current(store: Store, trail: Trail) -> None:
    with store.transaction() as tx:
        with pytest.raises(Refused) as refused:
            g.current_version(tx, DATASET)
        assert codes(refused) == ["governance.no-version"]
        for name in ("v_1", "v_2"):
            g.add_version(tx, trail, DATASET, name, "a" * 64, "b" * 64)
        assert (g.current_version(tx, DATASET).name, g.current_version(tx, DATASET).number) == ("v_2", 2)
        with pytest.raises(Refused) as refused:
            g.add_version(tx, trail, "none", "v_3", "a" * 64, "b" * 64)
        assert codes(refused) == ["governance.unknown-dataset"]


def test_the_second_incident_locks_the_project_until_governance_has_looked(
    home: Path, store: Store, trail: Trail, journal: Journal
) -> None:
    with store.transaction() as tx:
        g.add_person(tx, trail, "otto", "Otto", [Role.OPERATOR])
        assert not g.record_incident(tx, trail, "P1", "fault.engine", "q_1")
        assert status(tx) is Status.ACTIVE
        assert g.record_incident(tx, trail, "P1", "fault.engine", "q_2")
        assert g.record_incident(tx, trail, "P1", "fault.engine", "q_3")
        assert status(tx) is Status.LOCKED
    otto = trail_at(home, "otto")
    with store.transaction() as tx:
        g.unlock_project(tx, otto, "P1", "A disk was slow; seen with the operator.")
        assert status(tx) is Status.ACTIVE
        assert not g.record_incident(tx, trail, "P1", "fault.engine"), "counted anew"
        with pytest.raises(Refused) as refused:
            g.unlock_project(tx, otto, "P1", "again")
        assert codes(refused) == ["governance.not-locked"]
    events = [one["event"] for one in logged(home, journal, trail)]
    assert events[-6:] == [
        "incident",
        "incident",
        "project-changed",
        "incident",
        "project-unlocked",
        "incident",
    ]


def test_a_controller_answers_for_the_data_sets_that_they_were_given(
    home: Path, store: Store, trail: Trail, journal: Journal
) -> None:
    with store.transaction() as tx:
        with pytest.raises(Refused) as refused:
            g.add_person(tx, trail, "carl", "Carl", [Role.BOARD], controls=[DATASET, "none"])
        assert codes(refused) == ["governance.unknown-dataset", "governance.not-a-controller"]
        g.add_person(tx, trail, "carl", "Carl", [Role.CONTROLLER], controls=[DATASET])
        g.add_person(tx, trail, "cora", "Cora", [Role.CONTROLLER])
        assert g.context(tx, "carl", None, "local", NOW).person.controls == {DATASET}
        assert g.controllers_of(tx, DATASET) == ("carl",)
        for _ in range(2):
            g.record_incident(tx, trail, "P1", "fault.engine")
        with pytest.raises(Refused) as refused:
            g.unlock_project(tx, trail_at(home, "cora"), "P1", "seen")
        assert codes(refused) == ["governance.not-governance"]
        g.unlock_project(tx, trail_at(home, "carl"), "P1", "seen")
        assert status(tx) is Status.ACTIVE
    found = [one for one in logged(home, journal, trail) if one.get("change") == "controller"]
    assert [(one["subject"], one["dataset"], one["evidence"]) for one in found] == [("carl", DATASET, "bootstrap")]


@pytest.mark.parametrize(
    ("actor", "reason", "code"),
    [
        ("lea", "seen", "own-project"),
        ("zoe", "seen", "not-governance"),
        ("nobody", "seen", "unknown-person"),
        ("otto", "  ", "no-reason"),
    ],
)
def test_not_everybody_unlocks_a_project(
    home: Path, store: Store, trail: Trail, actor: str, reason: str, code: str
) -> None:
    with store.transaction() as tx:
        g.add_person(tx, trail, "zoe", "Zoe", [Role.RESEARCHER])
        g.add_person(tx, trail, "otto", "Otto", [Role.OPERATOR])
        for _ in range(2):
            g.record_incident(tx, trail, "P1", "fault.engine")
        with pytest.raises(Refused) as refused:
            g.unlock_project(tx, trail_at(home, actor), "P1", reason)
        assert codes(refused) == [f"governance.{code}"]
        assert status(tx) is Status.LOCKED


def status(tx: Transaction) -> Status:
    found = g.find_project(tx, "P1")
    assert found is not None
    return found.status


def test_the_context_holds_what_the_gates_decide_on(store: Store, trail: Trail) -> None:
    with store.reading() as tx:
        found = g.context(tx, "lea", "P1", "local", NOW)
        assert found.person.roles == {Role.LEAD}
        assert found.project is not None
        assert found.project.members == {"ada": Role.RESEARCHER, "lea": Role.LEAD}
        assert found.project.datasets == found.project.looked == {DATASET}
        assert found.project.expires == NOW + timedelta(days=365)
        assert [one.id for one in g.list_projects(tx, "ada")] == ["P1"]
        assert g.list_projects(tx, "nobody") == ()


def test_who_or_what_is_unknown_comes_without_rights(store: Store, trail: Trail) -> None:
    with store.reading() as tx:
        found = g.context(tx, "nobody", "no project", "local", NOW)
    assert (found.person.roles, found.person.credentials, found.project) == (frozenset(), (), None)


def test_a_revoked_token_is_known_from_the_next_request_on(store: Store, trail: Trail) -> None:
    with store.transaction() as tx:
        g.note_token(tx, trail, "t_1", "ada", "P1", NOW + timedelta(hours=1))
        assert not g.token_revoked(tx, "t_1")
        assert g.revoke_token(tx, trail, "t_1")
        assert not g.revoke_token(tx, trail, "t_1")
        assert g.token_revoked(tx, "t_1")
        assert not g.token_revoked(tx, "of another issuer")


def test_a_token_is_for_those_who_exist_and_their_own_projects(store: Store, trail: Trail) -> None:
    with store.transaction() as tx:
        for person, project, code in (("nobody", None, "unknown-person"), ("ada", "P2", "unknown-project")):
            with pytest.raises(Refused) as refused:
                g.note_token(tx, trail, "t_1", person, project, NOW)
            assert codes(refused) == [f"governance.{code}"]
