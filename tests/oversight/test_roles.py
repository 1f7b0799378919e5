"""Each role sees what GOVERNANCE §1's table says, and nothing else; what is not theirs does not exist for them."""

from __future__ import annotations

import pytest

from tests.house import COUNT, DATASET
from tests.oversight.conftest import ASKED, DENIED, DENIED_LITERAL, ELSEWHERE, LITERAL, OTHER, REVIEWERS, Reviewed
from tre import governance

EVERYBODY = ("okafor", "lead", "colleague", "stranger", *REVIEWERS)
GOVERNING = {"bea", "aud", "carl"}
CONTROLLING = {"aud", "carl"}
LOGGING = {"bea", "aud"}

READS = {
    "oversight/projects/study": GOVERNING,
    "oversight/projects/elsewhere": {"bea", "aud", "cora"},
    "oversight/projects/both": {"bea", "aud", "carl", "cora"},
    "projects/study/decisions": GOVERNING,
    "projects/elsewhere/decisions": {"bea", "aud", "cora"},
    f"oversight/datasets/{DATASET}": CONTROLLING,
    f"oversight/datasets/{OTHER}": {"aud", "cora"},
    f"datasets/{DATASET}/requests": CONTROLLING,
    f"datasets/{DATASET}/policies": CONTROLLING,
    f"datasets/{DATASET}/policies/1": CONTROLLING,
    f"datasets/{DATASET}/policies/1/changes/1": CONTROLLING,
    f"datasets/{OTHER}/requests": {"aud", "cora"},
    "log/entries": LOGGING,
    "log/entries/0": LOGGING,
    "log/entries/0/receipt": LOGGING,
    "log/entries.jsonl": LOGGING,
    "log/entries.csv": LOGGING,
    "log/entries.fhir": LOGGING,
    "projects/study/crate": LOGGING,
    "log/tile/entries/000.p/3": LOGGING,
    "log/verification": {"bea", "aud", "carl", "cora", "otto"},
}
LISTS = {
    "oversight/projects": {
        "bea": ["both", "elsewhere", "study"],
        "aud": ["both", "elsewhere", "study"],
        "carl": ["both", "study"],
        "cora": ["both", "elsewhere"],
    },
    "oversight/datasets": {"aud": [OTHER, DATASET], "carl": [DATASET], "cora": [OTHER]},
}


@pytest.mark.parametrize("person", EVERYBODY)
@pytest.mark.parametrize("path", READS)
def test_each_role_reads_what_is_theirs_and_nothing_else(reviewed: Reviewed, path: str, person: str) -> None:
    expected = 200 if person in READS[path] else 404
    assert reviewed.get(person, path).status_code == expected


@pytest.mark.parametrize("person", EVERYBODY)
@pytest.mark.parametrize("path", LISTS)
def test_lists_hold_what_is_theirs_and_nothing_else(reviewed: Reviewed, path: str, person: str) -> None:
    found = reviewed.get(person, path)
    assert found.status_code == 200
    (rows,) = found.get_json().values()
    assert [row.get("id", row.get("name")) for row in rows] == LISTS[path].get(person, [])


@pytest.mark.parametrize("person", EVERYBODY)
def test_policies_are_looked_over_for_controllers_and_auditors(reviewed: Reviewed, person: str) -> None:
    found = reviewed.post(person, "policy-lint", {"text": "policy: x"})
    assert found.status_code == (200 if person in ("carl", "cora", "aud") else 404)


@pytest.mark.parametrize("person", EVERYBODY)
@pytest.mark.parametrize("what", ["", "/result", "/receipt"])
def test_no_reviewer_sees_an_answer(reviewed: Reviewed, person: str, what: str) -> None:
    found = reviewed.get(person, f"queries/{reviewed.asked['okafor']}{what}")
    assert found.status_code == (200 if person in ("okafor", "lead") else 404)


@pytest.mark.parametrize(
    ("person", "existing", "unknown"),
    [
        ("cora", "oversight/projects/study", "oversight/projects/none"),
        ("okafor", "projects/study/decisions", "projects/none/decisions"),
        ("cora", f"datasets/{DATASET}/requests", "datasets/none/requests"),
        ("carl", f"datasets/{OTHER}/policies/1", "datasets/none/policies/1"),
        ("carl", "log/entries/0", "log/entries/999999"),
        ("otto", "log/tile/entries/000.p/1", "log/tile/entries/x001/000"),
    ],
)
def test_what_is_forbidden_answers_like_what_is_unknown(
    reviewed: Reviewed, person: str, existing: str, unknown: str
) -> None:
    answers = [reviewed.get(person, path).get_json() for path in (existing, unknown)]
    for answer in answers:
        del answer["request_id"]
    assert answers[0] == answers[1]


def test_a_token_made_for_one_project_opens_nothing(reviewed: Reviewed) -> None:
    token = reviewed.fresh("aud", "study")
    assert {reviewed.get("aud", path, token).status_code for path in READS} == {404}
    assert reviewed.get("aud", "oversight/projects", token).get_json() == {"projects": []}
    assert reviewed.get("aud", "incidents", token).get_json() == {"incidents": [], "next": None}


def test_a_controller_sees_of_a_project_what_concerns_their_data(reviewed: Reviewed) -> None:
    assert reviewed.ask("okafor", "both", COUNT).get_json()["code"] == "request.which-data-set"
    body = {"sql": COUNT, "project": "both", "epsilon": 0.1}
    for name in (DATASET, OTHER):
        assert reviewed.post("okafor", "queries", body | {"dataset": name}, Prefer="wait=30").status_code == 200
    for person, names in (("carl", {DATASET}), ("cora", {OTHER}), ("bea", {DATASET, OTHER})):
        project = reviewed.get(person, "oversight/projects/both").get_json()
        assert set(project["datasets"]) == {one["dataset"] for one in project["budget"]} == names
        decided = reviewed.get(person, "projects/both/decisions").get_json()["decisions"]
        assert {one["dataset"] for one in decided if one["allowed"]} == names


def test_what_was_typed_is_read_by_controllers_and_auditors_alone(reviewed: Reviewed) -> None:
    for person in CONTROLLING:
        for path in (f"datasets/{DATASET}/requests", "projects/study/decisions"):
            found = {one["sql"] for one in reviewed.get(person, path).get_json()["decisions"]}
            assert {ASKED, DENIED} <= found
    assert {one["sql"] for one in reviewed.get("bea", "projects/study/decisions").get_json()["decisions"]} == {None}
    assert ELSEWHERE not in reviewed.get("carl", f"datasets/{DATASET}/requests").text


@pytest.mark.parametrize("person", sorted(set(EVERYBODY) - CONTROLLING - {"okafor", "lead"}))
def test_no_literal_reaches_who_may_not_see_it(reviewed: Reviewed, person: str) -> None:
    paths = [*READS, *LISTS, "incidents", "projects", f"queries/{reviewed.asked['okafor']}"]
    pages = [reviewed.get(person, path).data for path in paths]
    literals = [text.encode() for text in (LITERAL, DENIED_LITERAL)]
    assert not [path for path, page in zip(paths, pages, strict=True) if any(text in page for text in literals)]


def test_decisions_say_what_was_decided_and_what_became_of_it(reviewed: Reviewed) -> None:
    found = reviewed.get("bea", "projects/study/decisions").get_json()["decisions"]
    by_request = {one["request"]: one for one in found}
    answered = by_request[reviewed.asked["okafor"]]
    assert (answered["allowed"], answered["state"], answered["person"]) == (True, "committed", "okafor")
    assert answered["tables"] == ["person"]
    assert 0 < answered["price"]["epsilon"] <= 0.1
    receipt = reviewed.get("bea", f"log/entries/{answered['outcome_index']}").get_json()
    assert receipt["fields"]["request"] == answered["request"]
    denied = [one for one in found if not one["allowed"]]
    assert {one["state"] for one in denied} == {"denied"}
    reasons = {reason["code"] for one in denied for gate in one["gates"] for reason in gate["reasons"]}
    assert {"names.unknown-column", "web.unknown-project"} <= reasons
    texts = [reason["sentence"] for one in denied for gate in one["gates"] for reason in gate["reasons"]]
    assert "There is no column “…” here that you may query." in texts
    assert not [text for text in texts if "{" in text]


def test_decisions_come_in_pages(reviewed: Reviewed) -> None:
    whole = reviewed.get("bea", "projects/study/decisions").get_json()["decisions"]
    paged, before = [], ""
    while before is not None:
        page = reviewed.get("bea", f"projects/study/decisions?limit=1{before}").get_json()
        paged += page["decisions"]
        before = None if page["next"] is None else f"&before={page['next']}"
    assert paged == whole


@pytest.mark.parametrize("person", EVERYBODY)
def test_a_locked_project_is_unlocked_by_those_who_look_after_it(reviewed: Reviewed, person: str) -> None:
    _lock(reviewed)
    seen = {one["project"] for one in reviewed.get(person, "incidents").get_json()["incidents"]}
    looks = person in {"bea", "aud", "carl", "otto"}
    assert ("study" in seen) is looks
    answer = reviewed.post(person, "projects/study/unlocking", {"reason": f"looked at it: {LITERAL}"})
    expected = 200 if person in {"bea", "carl", "otto"} else 403 if person == "aud" else 404
    assert answer.status_code == expected
    _settle(reviewed)


def _lock(reviewed: Reviewed) -> None:
    trail = reviewed.house.trail("system")
    with reviewed.house.store.transaction() as tx:
        for _ in range(2):
            governance.record_incident(tx, trail, "study", "fault.engine")
    reviewed.house.journal.settle(trail.events)
    assert reviewed.get("bea", "oversight/projects/study").get_json()["state"] == "locked"


def _settle(reviewed: Reviewed) -> None:
    """Leave the project as it was, whoever unlocked it."""
    if reviewed.get("bea", "oversight/projects/study").get_json()["state"] == "locked":
        assert reviewed.post("bea", "projects/study/unlocking", {"reason": "a test"}).status_code == 200
    project = reviewed.get("bea", "oversight/projects/study").get_json()
    assert (project["state"], project["open_incidents"]) == ("active", 0)
