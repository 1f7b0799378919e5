"""The operations, each as a caller sees it."""

import json
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.web.fake import FakeService, principal
from tre.privacy.accuracy import Accuracy
from tre.web import create_app
from tre.web.service import RefinementRequest

ADA = {"Authorization": "Bearer ada"}


@pytest.fixture
def service() -> FakeService:
    return FakeService()


@pytest.fixture
def web(service: FakeService) -> FlaskClient:
    return create_app(service, principal).test_client()


def post(web: FlaskClient, path: str, body: Mapping[str, Any], **headers: str) -> TestResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return web.post(path, json=body, headers=ADA | named)


def ask(**changes: Any) -> dict[str, Any]:
    return {"project": "p1", "sql": "SELECT COUNT(*) AS n FROM person"} | changes


def test_a_check_tells_price_error_and_gates(web: FlaskClient) -> None:
    answer = post(web, "/api/v1/checks", ask())
    decision = answer.get_json()
    assert (answer.status_code, decision["allowed"]) == (200, True)
    assert decision["price"] == {"epsilon": 0.5, "rho": "0.012", "delta": "0.0000001", "share": 0.1}
    assert decision["error"] == [{"output": "n", "half_width": 12.5, "note": ""}]


def test_a_check_explains_its_plan_where_that_is_asked_for_and_there_is_one(web: FlaskClient) -> None:
    def plan(**changes: Any) -> Any:
        return post(web, "/api/v1/checks", ask(**changes)).get_json()["explanation"]

    assert plan() is None
    assert plan(explain=True, sql="SELECT nhs_number FROM person") is None
    (step,) = plan(explain=True)["steps"]
    assert step["new_draw"] == {"unit": "rho", "amount": "0.012", "delta": "0"}
    assert step["rows"][0]["status"] == "unit-keyed"
    assert post(web, "/api/v1/queries", ask(explain=True)).status_code == 400


def test_a_denied_check_is_an_answer_with_gate_sentence_remedy_and_caret(web: FlaskClient) -> None:
    answer = post(web, "/api/v1/checks", ask(sql="SELECT nhs_number FROM person"))
    (reason,) = answer.get_json()["reasons"]
    assert answer.status_code == 200
    assert (reason["gate"], reason["place"]["column"]) == ("data", 8)


@pytest.mark.parametrize(
    ("sent", "exact"),
    [
        ("0.1", Fraction(1, 10)),
        ('"0.1"', Fraction(1, 10)),
        ("1", Fraction(1)),
        ("1e-3", Fraction(1, 1000)),
        ("1e-30", Fraction(1, 10**30)),
        ("1E+30", Fraction(10**30)),
        ("1.2345678901234567e-20", Fraction(12345678901234567, 10**36)),
    ],
)
def test_an_epsilon_is_exactly_the_decimal_that_was_sent(
    web: FlaskClient, service: FakeService, sent: str, exact: Fraction
) -> None:
    body = f'{{"project":"p1","sql":"SELECT 1","epsilon":{sent},"bounds":{{"groups":3,"totals":{{"s":[0.1,"9.5"]}}}}}}'
    assert web.post("/api/v1/checks", data=body, content_type="application/json", headers=ADA).status_code == 200
    (asked,) = service.asked
    assert (asked.epsilon, asked.groups) == (exact, 3)
    assert asked.totals == {"s": (Fraction(1, 10), Fraction(19, 2))}


def test_a_finished_query_is_answered_at_once_with_intervals_cost_and_receipt(web: FlaskClient) -> None:
    answer = post(web, "/api/v1/queries", ask(), Prefer="wait=10", Idempotency_Key="k-1")
    view = answer.get_json()
    assert (answer.status_code, view["state"]) == (200, "committed")
    assert answer.headers["Preference-Applied"] == "wait=10"
    assert [column["name"] for column in view["result"]["columns"]][:4] == ["sex", "n", "n_low", "n_high"]
    assert view["result"]["rows"][1][1] == {"marker": "suppressed"}
    receipt = web.get(view["result"]["receipt"], headers=ADA)
    assert (receipt.status_code, receipt.mimetype) == (200, "text/plain")


def test_an_unfinished_query_is_accepted_and_found_again(web: FlaskClient, service: FakeService) -> None:
    answer = post(web, "/api/v1/queries", ask(sql="slow"))
    assert (answer.status_code, answer.headers["Retry-After"]) == (202, "1")
    here = answer.headers["Location"]
    assert web.get(f"{here}/result", headers=ADA).get_json()["code"] == "web.query-not-finished"
    states = [web.get(here, headers=ADA).get_json()["state"] for _ in range(2)]
    assert states == ["queued", "committed"]
    assert web.get(f"{here}/result", headers=ADA).get_json()["rows"][0][1] == 5021
    assert service.waited == []


@pytest.mark.parametrize(
    ("prefer", "waited"),
    [
        ("wait=5", [5]),
        ("wait=9999", [60]),
        ("respond-async, wait=7", [7]),
        ('wait="8"', [8]),
        ("wait=0", []),
        ("wait=x", []),
        ("handling=lenient", []),
    ],
)
def test_a_preferred_wait_is_honoured_up_to_a_minute(
    web: FlaskClient, service: FakeService, prefer: str, waited: list[int]
) -> None:
    post(web, "/api/v1/queries", ask(sql="slow"), Prefer=prefer)
    assert service.waited == waited


def test_a_denied_query_is_a_problem_with_every_reason(web: FlaskClient) -> None:
    answer = post(web, "/api/v1/queries", ask(sql="SELECT nhs_number FROM person"))
    found = answer.get_json()
    assert (answer.status_code, answer.mimetype) == (400, "application/problem+json")
    assert found["reasons"][0]["gate"] == "data"
    assert found["query"].startswith("q_")


def test_a_burned_query_answers_with_the_one_fixed_text(web: FlaskClient) -> None:
    answer = post(web, "/api/v1/queries", ask(sql="burn"))
    assert (answer.status_code, answer.get_json()["code"]) == (500, "fault.engine")


def test_another_persons_query_does_not_exist(web: FlaskClient) -> None:
    here = post(web, "/api/v1/queries", ask()).headers["Location"]
    for path in (here, f"{here}/result", f"{here}/receipt"):
        answer = web.get(path, headers={"Authorization": "Bearer bob"})
        assert (answer.status_code, answer.get_json()["code"]) == (404, "web.unknown-query")


def test_a_refinement_is_a_query_of_its_own_at_an_epsilon_or_for_an_accuracy(
    web: FlaskClient, service: FakeService
) -> None:
    here = post(web, "/api/v1/queries", ask()).headers["Location"]
    refined = post(web, f"{here}/refinements", {"epsilon": "0.1"}, Idempotency_Key="k")
    assert refined.status_code == 200
    assert refined.headers["Location"] != here
    assert here.endswith(refined.get_json()["refines"])
    assert service.keys[-1] == "k"
    assert post(web, f"{here}/refinements", {"accuracy": "±2%"}).status_code == 200
    assert service.refined == [
        RefinementRequest(Fraction("0.1")),
        RefinementRequest(None, Accuracy(Fraction(2, 100), relative=True)),
    ]
    for wrong in ({}, {"epsilon": 0}, {"epsilon": "0.1", "accuracy": "±2"}, {"epsilon": None}, {"groups": 3}):
        assert post(web, f"{here}/refinements", wrong).status_code == 400
    slow = post(web, "/api/v1/queries", ask(sql="slow"), Prefer="wait=0").headers["Location"]
    answer = post(web, f"{slow}/refinements", {"epsilon": 1})
    assert (answer.status_code, answer.get_json()["code"]) == (409, "request.not-answered")
    assert post(web, "/api/v1/queries/q_none/refinements", {"epsilon": 1}).status_code == 404


def test_an_accuracy_is_read_where_its_meaning_is_plain_and_refused_where_not(
    web: FlaskClient, service: FakeService
) -> None:
    assert post(web, "/api/v1/checks", ask(accuracy="±20@99 all")).status_code == 200
    assert service.asked[-1].accuracy == Accuracy(Fraction(20), Fraction(99, 100), everywhere=True)
    for wrong in ("", "20@", "±0", "±20@100", "±20@49", "±20 @95", "-20", "±1e3", "±20@95 ALL", "±٢٠", 20, None):
        answer = post(web, "/api/v1/checks", ask(accuracy=wrong))
        assert answer.status_code == (200 if wrong is None else 400), wrong


def test_a_token_for_one_project_names_it_and_serves_no_other(web: FlaskClient, service: FakeService) -> None:
    only = {"Authorization": "Bearer ada@p1"}
    body = {"sql": "SELECT 1"}
    assert web.post("/api/v1/checks", json=body, headers=only).status_code == 200
    other = web.post("/api/v1/checks", json=ask(project="p2"), headers=only)
    assert other.get_json()["code"] == "identity.token-project"
    assert web.get("/api/v1/projects/p2/budget", headers=only).get_json()["code"] == "identity.token-project"
    assert post(web, "/api/v1/checks", body).get_json()["code"] == "web.project-missing"


def test_the_catalogue_of_data_sets_projects_and_budget_is_readable(web: FlaskClient) -> None:
    def get(path: str) -> Any:
        return web.get(f"/api/v1{path}", headers=ADA).get_json()

    assert get("/datasets")["datasets"][0]["name"] == "northfield"
    assert get("/datasets/northfield")["tables"][0]["columns"][0]["name"] == "year_of_birth"
    assert get("/projects")["projects"][0]["id"] == "p1"
    assert get("/projects/p1")["state"] == "active"
    assert get("/projects/p1/budget")["accounts"][0]["left"]["epsilon"] == 5.0
    assert get("/datasets/other")["code"] == "web.unknown-dataset"


def test_checkpoint_and_hash_tiles_are_public_and_entries_are_not(web: FlaskClient) -> None:
    assert web.get("/api/v1/log/checkpoint").data.startswith(b"tre.example\n8\n")
    assert web.get("/api/v1/log/tile/0/x001/234.p/7").status_code == 200
    assert web.get("/api/v1/log/tile/entries/000").status_code == 404
    assert web.get("/api/v1/log/tile/entries/000", headers=ADA).status_code == 200
    assert web.get("/api/v1/log/tile/entries/000", headers={"Authorization": "Bearer forged"}).status_code == 401


@pytest.mark.parametrize("path", ["0/../../keys", "0/1", "9999/000", "0/000.p/000", "0//000", "%2e%2e/000"])
def test_a_tiles_name_is_one_of_the_logs_or_unknown(web: FlaskClient, path: str) -> None:
    assert web.get(f"/api/v1/log/tile/{path}").status_code == 404


def test_health_needs_no_token(web: FlaskClient) -> None:
    assert web.get("/healthz").get_json() == {"status": "ok"}


def test_an_internal_failure_says_one_fixed_text_and_its_request_id(
    web: FlaskClient, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = post(web, "/api/v1/checks", ask(sql="boom"))
    found = answer.get_json()
    assert (answer.status_code, found["code"]) == (500, "fault.internal")
    assert found["request_id"] == answer.headers["X-Request-Id"]
    logged = capsys.readouterr()
    assert "RuntimeError" in logged.out + logged.err
    assert "9434765919" not in logged.out + logged.err + json.dumps(found)


def test_ones_queries_come_newest_first_a_page_at_a_time(web: FlaskClient) -> None:
    asked = [post(web, "/api/v1/queries", ask()).get_json()["id"] for _ in range(5)]
    found, before = [], ""
    while True:
        page = web.get(f"/api/v1/projects/p1/queries?limit=2{before}", headers=ADA).get_json()
        found += [query["id"] for query in page["queries"]]
        if page["next"] is None:
            break
        before = f"&before={page['next']}"
    assert found == asked[::-1]


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "before=0", "limit=2&limit=2", "after=2", "before=x"])
def test_a_page_that_cannot_be_is_refused(web: FlaskClient, query: str) -> None:
    answer = web.get(f"/api/v1/projects/p1/queries?{query}", headers=ADA)
    assert (answer.status_code, answer.get_json()["code"]) == (400, "web.query-parameter")


def test_metrics_are_for_who_watches(web: FlaskClient) -> None:
    answer = web.get("/metrics", headers=ADA)
    assert (answer.status_code, answer.mimetype) == (200, "text/plain")
    assert web.get("/metrics").status_code == 401
    other = web.get("/metrics", headers={"Authorization": "Bearer bob"})
    assert (other.status_code, other.get_json()["code"]) == (404, "web.unknown-path")


def test_every_answer_is_told_by_operation_and_status_alone() -> None:
    told: list[tuple[str, int]] = []
    web = create_app(FakeService(), principal, observe=lambda *one: told.append(one)).test_client()
    web.get("/api/v1/projects/p1", headers=ADA)
    web.get("/api/v1/projects/p1")
    web.get("/api/v1/9434765919", headers=ADA)
    assert told == [("getProject", 200), ("getProject", 401), ("none", 404)]
