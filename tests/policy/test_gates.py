"""Safe people, projects and settings: default deny, the strictest wins, every reason at once, doubt is a deny."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.policy.people import ADA, ASKING, NOW, PROJECT, YEAR, as_person, codes, credential, in_project, policy
from tre.base.reasons import every_reason
from tre.policy import gates
from tre.policy.actions import Action, Answer, DataSet, House
from tre.policy.context import Context, Person, Role, Status
from tre.policy.core import BROKEN, Core
from tre.policy.facts import SAYINGS
from tre.policy.shipped import policies_folder

POLICY = policy()
RULES = (policies_folder() / "core.cedar").read_text()
SCHEMA = (policies_folder() / "core.cedarschema").read_text()


def all_gates(context: Context, core: Core | None = None) -> list[str]:
    return codes(*gates.asking(context, POLICY, core))


def test_who_has_everything_passes_every_gate():
    assert all_gates(ASKING) == []
    assert all(verdict.allowed for verdict in gates.asking(ASKING, POLICY))


@pytest.mark.parametrize(
    ("context", "code"),
    [
        (as_person(credentials=()), "people.credential-missing"),
        (as_person(credentials=(credential("accreditation"),)), "people.credential-missing"),
        (
            as_person(credentials=(credential("accreditation"), credential("ig-training", expires=NOW))),
            "people.credential-expired",
        ),
        (
            as_person(credentials=(credential("accreditation"), credential("ig-training", issued=NOW + YEAR))),
            "people.credential-not-yet",
        ),
        (as_person(roles=frozenset({Role.RESEARCHER, Role.AUDITOR})), "people.watches-only"),
        (as_person(id="bob"), "project.not-a-member"),
        (replace(ASKING, project=None), "project.not-a-member"),
        (in_project(members={"ada": Role.CHECKER}), "project.not-a-member"),
        (in_project(starts=NOW + timedelta(microseconds=1)), "project.not-started"),
        (in_project(expires=NOW), "project.expired"),
        (in_project(status=Status.EXPIRED), "project.expired"),
        (in_project(status=Status.SUSPENDED), "project.suspended"),
        (in_project(status=Status.LOCKED), "project.locked"),
        (in_project(status=Status.APPROVED), "project.not-active"),
        (in_project(status=Status.CLOSED), "project.not-active"),
        (in_project(datasets=frozenset({"eastmoor"})), "project.data-set-not-granted"),
        (in_project(purposes=frozenset({"DUO:0000011"})), "project.purpose-not-admitted"),
        (in_project(purposes=frozenset()), "project.purpose-not-admitted"),
        (in_project(purposes=frozenset({"DUO:0000037"})), "project.purpose-undecided"),
        (replace(ASKING, acr="password"), "settings.acr-too-weak"),
    ],
)
def test_each_fault_closes_its_gate_and_only_that(context, code):
    assert set(all_gates(context)) == {code}


def test_all_reasons_are_told_at_once():
    worst = replace(
        in_project(expires=NOW, datasets=frozenset(), purposes=frozenset({"insurance"})),
        person=replace(ADA, credentials=(credential("accreditation", expires=NOW - YEAR),)),
        acr="none",
    )
    assert all_gates(worst) == [
        "people.credential-expired",
        "people.credential-missing",
        "project.data-set-not-granted",
        "project.expired",
        "project.purpose-not-admitted",
        "settings.acr-too-weak",
    ]


def test_a_stranger_learns_nothing_of_a_project_and_still_hears_of_their_own_faults():
    stranger = replace(in_project(status=Status.SUSPENDED), person=Person("eve"), acr="none")
    unknown = replace(stranger, project=None)
    assert all_gates(stranger) == all_gates(unknown)
    assert "project.suspended" not in all_gates(stranger)
    assert {"people.credential-missing", "project.not-a-member", "settings.acr-too-weak"} == set(all_gates(unknown))


def test_what_codes_leave_open_needs_a_recorded_look_at_this_data_set():
    open_purpose = in_project(purposes=frozenset({"DUO:0000037"}), looked=frozenset({"elsewhere"}))
    assert all_gates(open_purpose) == ["project.purpose-undecided"]
    looked = in_project(purposes=frozenset({"DUO:0000037"}), looked=frozenset({"northfield"}))
    assert all_gates(looked) == []
    refused = in_project(purposes=frozenset({"insurance"}), looked=frozenset({"northfield"}))
    assert all_gates(refused) == ["project.purpose-not-admitted"]


def test_every_refusal_can_be_said():
    for context in (as_person(credentials=()), in_project(expires=NOW), in_project(purposes=frozenset())):
        for verdict in gates.asking(context, POLICY):
            for refusal in verdict.refusals:
                assert "{" not in refusal.sentence + refusal.remedy


# ---- The core rules

BAD_RULE = '@id("project.locked") forbid (principal, action == Action::"query:run", resource is Project) when { %s };'


def test_every_forbid_of_the_core_has_a_reason_and_something_to_say():
    forbids = set(re.findall(r'@id\("([^"]+)"\)\s*forbid', RULES))
    assert forbids == SAYINGS.keys()
    assert forbids <= {reason.code for reason in every_reason()}
    assert len(re.findall(r"@id\(", RULES)) == len(re.findall(r"^(permit|forbid) ", RULES, re.MULTILINE))


def test_the_schema_knows_exactly_the_actions():
    assert set(re.findall(r'"([a-z]+:[a-z]+)"', SCHEMA)) == {str(action) for action in Action}
    assert set(re.findall(r'Action::"([^"]+)"', RULES)) == {str(action) for action in Action}


def test_rules_that_do_not_validate_are_not_loaded():
    with pytest.raises(ValueError, match="nonsense"):
        Core(RULES + BAD_RULE % "resource.nonsense", SCHEMA)


def test_a_rule_that_fails_while_deciding_denies_at_every_gate():
    overflow = Core(RULES + BAD_RULE % "context.now * 9223372036854775807 > 0", SCHEMA)
    for verdict in gates.asking(ASKING, POLICY, overflow):
        assert codes(verdict) == ["people.rules-failed"]


def test_facts_that_do_not_fit_the_schema_deny():
    principal = {"uid": {"type": "Person", "id": "ada"}, "attrs": {"roles": [], "controls": []}, "parents": []}
    house = {"uid": {"type": "House", "id": "house"}, "attrs": {}, "parents": []}
    core = Core(RULES, SCHEMA)
    assert core.rule(principal, "log:read", house, {"now": "noon"}) == BROKEN
    assert core.rule(principal, "nonsense:do", house, {}) == BROKEN
    assert core.rule({**principal, "uid": None}, "log:read", house, {}) == BROKEN


def test_an_exception_inside_the_engine_denies(monkeypatch):
    core = Core(RULES, SCHEMA)
    monkeypatch.setattr("tre.policy.core.cedarpy.is_authorized", lambda *_, **__: 1 / 0)
    assert {one.reason.code for verdict in gates.asking(ASKING, POLICY, core) for one in verdict.refusals} == {
        "people.rules-failed"
    }


def test_a_forbid_without_a_reason_denies_and_says_that_the_rules_failed():
    nameless = Core(RULES + BAD_RULE.replace('@id("project.locked") ', "") % "true", SCHEMA)
    unknown = Core(RULES + BAD_RULE.replace("project.locked", "project.moonlight") % "true", SCHEMA)
    for core in (nameless, unknown):
        *_, sign_in = gates.asking(ASKING, POLICY, core)
        assert codes(sign_in) == ["people.rules-failed"]
        assert "people.rules-failed" in all_gates(in_project(status=Status.SUSPENDED), core), (
            "beside a reason that is known"
        )


CONDITIONS = [
    "true",
    "false",
    'context.acr == "local"',
    "context.now > 0",
    'resource.status == "active"',
    'principal.roles.contains("board")',
    "context.now * 9223372036854775807 > 0",
    "resource.members.contains(principal)",
]


@settings(max_examples=60, deadline=None)
@given(
    condition=st.sampled_from(CONDITIONS),
    word=st.sampled_from(["when", "unless"]),
    acr=st.sampled_from(["local", "none"]),
    status=st.sampled_from(list(Status)),
    roles=st.frozensets(st.sampled_from(list(Role)), max_size=3),
)
def test_one_more_forbid_never_turns_a_deny_into_an_allow(condition, word, acr, status, roles):
    rule = f'@id("project.locked") forbid (principal, action == Action::"query:run", resource is Project) {word} '
    more = Core(f"{RULES}\n{rule}{{ {condition} }};", SCHEMA)
    context = replace(in_project(status=status), acr=acr, person=replace(ADA, roles=roles))
    if not gates.may(Action.QUERY, context, context.project, POLICY).allowed:
        assert not gates.may(Action.QUERY, context, context.project, POLICY, more).allowed


@settings(max_examples=60, deadline=None)
@given(
    need=st.frozensets(st.sampled_from(["accreditation", "ig-training", "visa"])),
    held=st.frozensets(st.sampled_from(["accreditation", "ig-training", "visa"])),
)
def test_who_passes_holds_everything_that_the_policy_asks_for(need, held):
    asked = replace(POLICY.people[Role.RESEARCHER], needs=need)
    stricter = replace(POLICY, people={Role.RESEARCHER: asked})
    context = as_person(credentials=tuple(credential(kind) for kind in held))
    person, *_ = gates.asking(context, stricter)
    assert person.allowed == (need <= held)


# ---- Who may do what (GOVERNANCE §1)

HOUSE, DATA = House(), DataSet("northfield")
ANSWER = Answer("r_1", "ada", PROJECT)
OWN_BOARD = Person("ada", frozenset({Role.BOARD}))


def who(*roles: Role, name: str = "someone", **more) -> Context:
    return Context(Person(name, frozenset(roles), **more), "local", NOW)


@pytest.mark.parametrize(
    ("action", "context", "resource", "allowed"),
    [
        (Action.BUDGET_READ, ASKING, PROJECT, True),
        (Action.PROJECT_READ, ASKING, PROJECT, True),
        (Action.OUTPUT_REQUEST, ASKING, PROJECT, False),
        (Action.OUTPUT_REQUEST, who(name="lead"), PROJECT, True),
        (Action.DECISION_READ, ASKING, PROJECT, False),
        (Action.AUDIT_READ, ASKING, HOUSE, False),
        (Action.DATASET_READ, ASKING, DATA, True),
        (Action.DATASET_READ, ASKING, DataSet("eastmoor"), False),
        (Action.DATASET_LIST, ASKING, HOUSE, True),
        (Action.BUDGET_READ, who(name="eve"), PROJECT, False),
        (Action.DECISION_READ, who(Role.BOARD), PROJECT, True),
        (Action.AUDIT_READ, who(Role.BOARD), HOUSE, True),
        (Action.REQUEST_READ, who(Role.BOARD), DATA, False),
        (Action.VOTE, who(Role.BOARD), PROJECT, True),
        (Action.VOTE, replace(ASKING, person=OWN_BOARD), PROJECT, False),
        (Action.PROJECT_UNLOCK, who(Role.BOARD), PROJECT, True),
        (Action.PROJECT_UNLOCK, replace(ASKING, person=OWN_BOARD), PROJECT, False),
        (Action.PROJECT_UNLOCK, who(Role.OPERATOR), PROJECT, True),
        (Action.CREDENTIAL_ATTEST, who(Role.BOARD), HOUSE, True),
        (Action.CREDENTIAL_ATTEST, who(Role.CONTROLLER), HOUSE, True),
        (Action.CREDENTIAL_ATTEST, who(Role.OPERATOR), HOUSE, False),
        (Action.CREDENTIAL_REVOKE, who(Role.OPERATOR), HOUSE, True),
        (Action.CREDENTIAL_REVOKE, ASKING, HOUSE, False),
        (Action.TEXT_ERASE, who(Role.BOARD), HOUSE, True),
        (Action.TEXT_ERASE, who(Role.CONTROLLER), HOUSE, True),
        (Action.TEXT_ERASE, who(Role.OPERATOR), HOUSE, False),
        (Action.PERSON_END, who(Role.OPERATOR), HOUSE, True),
        (Action.PERSON_END, who(Role.AUDITOR), HOUSE, False),
        (Action.INCIDENT_READ, who(Role.OPERATOR), PROJECT, True),
        (Action.DECISION_READ, who(Role.OPERATOR), PROJECT, False),
        (Action.DECISION_READ, who(Role.CONTROLLER, controls=frozenset({"northfield"})), PROJECT, True),
        (Action.PROJECT_UNLOCK, who(Role.CONTROLLER, controls=frozenset({"northfield"})), PROJECT, True),
        (Action.PROJECT_UNLOCK, who(Role.CONTROLLER, controls=frozenset({"eastmoor"})), PROJECT, False),
        (Action.PROJECT_READ, who(Role.CONTROLLER, controls=frozenset({"eastmoor"})), PROJECT, False),
        (Action.PROJECT_READ, who(controls=frozenset({"northfield"})), PROJECT, False),
        (Action.OUTPUT_REVIEW, who(Role.CHECKER), PROJECT, True),
        (Action.OUTPUT_REVIEW, who(Role.CHECKER, name="ada"), PROJECT, False),
        (Action.POLICY_READ, who(Role.CONTROLLER, controls=frozenset({"northfield"})), DATA, True),
        (Action.POLICY_READ, who(Role.CONTROLLER, controls=frozenset({"eastmoor"})), DATA, False),
        (Action.POLICY_PROPOSE, who(Role.AUDITOR), DATA, False),
        (Action.POLICY_READ, who(Role.AUDITOR), DATA, True),
        (Action.AUDIT_READ, who(Role.AUDITOR), HOUSE, True),
        (Action.AUDIT_READ, who(Role.OPERATOR), HOUSE, False),
        (Action.HEALTH_READ, who(Role.OPERATOR), HOUSE, True),
        (Action.DATASET_ADD, who(Role.OPERATOR), DATA, True),
        (Action.LOG_READ, who(), HOUSE, True),
        (Action.LOG_VERIFY, who(Role.OPERATOR), HOUSE, True),
        (Action.LOG_VERIFY, who(), HOUSE, False),
        (Action.POLICY_LINT, who(Role.CONTROLLER), HOUSE, True),
        (Action.POLICY_LINT, who(Role.OPERATOR), HOUSE, False),
        (Action.REGISTER_READ, who(), HOUSE, True),
        (Action.HEALTH_READ, who(), HOUSE, False),
    ],
)
def test_roles_may_what_they_are_for_and_nothing_else(action, context, resource, allowed):
    assert gates.may(action, context, resource).allowed is allowed


@pytest.mark.parametrize("action", [Action.ANSWER_READ, Action.RECEIPT_READ])
def test_an_answer_is_read_by_who_asked_and_by_the_lead(action):
    lead = replace(ASKING, person=replace(ADA, id="lead"))
    other = in_project(members={"ada": Role.RESEARCHER, "bob": Role.RESEARCHER})
    bob = replace(other, person=replace(ADA, id="bob"))
    assert gates.may(action, ASKING, ANSWER, POLICY).allowed
    assert gates.may(action, lead, ANSWER, POLICY).allowed
    assert not gates.may(action, bob, replace(ANSWER, project=bob.project), POLICY).allowed


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.BOARD, Role.CHECKER, Role.CONTROLLER, Role.OPERATOR])
def test_no_governing_role_reads_an_answer(role):
    somebody = who(role, controls=frozenset({"northfield"}))
    assert not gates.may(Action.ANSWER_READ, somebody, ANSWER, POLICY).allowed


def test_access_to_an_answer_ends_with_what_it_rests_on():
    def reads(context: Context) -> list[str]:
        return codes(gates.may(Action.ANSWER_READ, context, replace(ANSWER, project=context.project), POLICY))

    assert reads(in_project(expires=NOW)) == ["project.expired"]
    assert reads(in_project(status=Status.SUSPENDED)) == ["project.suspended"]
    assert reads(as_person(credentials=())) == ["people.credential-missing"] * 2
    assert codes(gates.may(Action.ANSWER_READ, ASKING, ANSWER)) == ["settings.acr-too-weak"], "without a policy"


def test_a_version_made_under_other_declarations_is_not_used():
    assert gates.version(POLICY.catalogue.digest, POLICY).allowed
    assert codes(gates.version("0" * 64, POLICY)) == ["data.version-of-another-policy"]
