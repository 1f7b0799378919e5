"""The contract: each way in which a request can be less than strict, and what it is told."""

from collections.abc import Mapping
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from tests.web.fake import FakeService, principal
from tre.base.reasons import Refused, every_reason
from tre.base.reasons.web import TOO_MANY
from tre.web import WebSettings, create_app
from tre.web.problems import problem
from tre.web.views import ReasonView

ADA = {"Authorization": "Bearer ada"}
GOOD = '{"project":"p1","sql":"SELECT 1"}'


ANY = create_app(FakeService(), principal).test_client()


@pytest.fixture
def service() -> FakeService:
    return FakeService()


@pytest.fixture
def web(service: FakeService) -> FlaskClient:
    return create_app(service, principal).test_client()


def send(
    web: FlaskClient,
    body: bytes | str,
    kind: str | None = "application/json",
    path: str = "/api/v1/checks",
    headers: Mapping[str, str] = ADA,
) -> TestResponse:
    return web.post(path, data=body, content_type=kind, headers=headers)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "null",
        "[]",
        '"{\\"project\\":\\"p1\\",\\"sql\\":\\"SELECT 1\\"}"',
        GOOD + "x",
        GOOD + GOOD,
        "\ufeff" + GOOD,
        GOOD[:-1],
        GOOD[:-1] + ",}",
        "{'sql': 1}",
        '{"project":"p1","sql":"SELECT 1","sql":"SELECT 2"}',
        '{"project":"p1","sql":"S","bounds":{"rows":1,"rows":2}}',
        '{"project":"p1","sql":"S","epsilon":NaN}',
        '{"project":"p1","sql":"S","epsilon":Infinity}',
        '{"project":"p1","sql":"S","epsilon":' + "1" * 5000 + "}",
        '{"project":"p1","sql":"S","epsilon":0.' + "1" * 5000 + "}",
        '{"project":"p1","sql":"S","epsilon":1e9999999999999999999}',
        '{"project":"p1","sql":"S","epsilon":1e-9999999999999999999}',
        '{"project":"p1","sql":"\\ud800"}',
        '{"project":"p1","\\ud800":"x"}',
        b'{"project":"p1","sql":"\xff"}',
        GOOD.encode("utf-16"),
        "[" * 100_000,
        '{"a":' * 20_000,
    ],
)
def test_a_body_is_one_strict_json_object(web: FlaskClient, service: FakeService, body: bytes | str) -> None:
    answer = send(web, body)
    expected = {"web.body-json", "web.body-length"} if not body else {"web.body-json"}
    assert (answer.status_code, answer.get_json()["code"] in expected) == (400, True)
    assert service.asked == []


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ('{"project":"p1"}', "web.field-missing", "sql"),
        ('{"project":"p1","sql":"S","nonsense":1}', "web.field-unknown", "nonsense"),
        ('{"project":"p1","sql":"S","bounds":{"more":1}}', "web.field-unknown", "bounds.more"),
        ('{"project":"p1","sql":7}', "web.field-invalid", "sql"),
        ('{"project":"p1","sql":""}', "web.field-invalid", "sql"),
        ('{"project":"../p1","sql":"S"}', "web.field-invalid", "project"),
        ('{"project":"p1","sql":"S","bounds":{"rows":"1"}}', "web.field-invalid", "bounds.rows"),
        ('{"project":"p1","sql":"S","bounds":{"rows":1.0}}', "web.field-invalid", "bounds.rows"),
        ('{"project":"p1","sql":"S","bounds":{"rows":true}}', "web.field-invalid", "bounds.rows"),
        ('{"project":"p1","sql":"S","bounds":{"rows":0}}', "web.field-invalid", "bounds.rows"),
        ('{"project":"p1","sql":"S","bounds":"{\\"rows\\":1}"}', "web.field-invalid", "bounds"),
        ('{"project":"p1","sql":"S","bounds":[]}', "web.field-invalid", "bounds"),
        ('{"project":"p1","sql":"S","bounds":{"totals":{"s":[1]}}}', "web.field-invalid", "bounds.totals.s"),
        ('{"project":"p1","sql":"S","bounds":{"totals":{"s":[2,"1.5"]}}}', "web.field-invalid", "bounds.totals.s"),
        ('{"project":"p1","sql":"S","epsilon":true}', "web.field-invalid", "epsilon"),
        ('{"project":"p1","sql":"S","epsilon":0}', "web.field-invalid", "epsilon"),
        ('{"project":"p1","sql":"S","epsilon":-1}', "web.field-invalid", "epsilon"),
        ('{"project":"p1","sql":"S","epsilon":"1e5"}', "web.field-invalid", "epsilon"),
        ('{"project":"p1","sql":"S","epsilon":"１"}', "web.field-invalid", "epsilon"),
        ('{"project":"p1","sql":"S","epsilon":"1\\n"}', "web.field-invalid", "epsilon"),
        ('{"project":"p1","sql":"S","epsilon":1e999999}', "web.field-invalid", "epsilon"),
        ('{"project":"p1","sql":"S","epsilon":1e-999999}', "web.field-invalid", "epsilon"),
        ('{"project":"p1","sql":"S","epsilon":1.1e30}', "web.field-invalid", "epsilon"),
        ('{"project":"p1","sql":"S","epsilon":9e-31}', "web.field-invalid", "epsilon"),
        ('{"project":"p1","sql":"S","epsilon":"NaN"}', "web.field-invalid", "epsilon"),
        ('{"project":"p1","sql":"S","epsilon":[1]}', "web.field-invalid", "epsilon"),
        ('{"project":"p1","sql":"S","dialect":"tsql; --"}', "web.field-invalid", "dialect"),
    ],
)
def test_fields_are_taken_as_they_were_sent(web: FlaskClient, body: str, code: str, field: str) -> None:
    answer = send(web, body)
    found = answer.get_json()
    assert (answer.status_code, found["code"]) == (400, code)
    assert f"“{field}" in found["detail"]


def test_every_wrong_field_is_named_at_once(web: FlaskClient) -> None:
    found = send(web, '{"project":1,"more":2}').get_json()
    assert [reason["code"] for reason in found["reasons"]] == [
        "web.field-invalid",
        "web.field-missing",
        "web.field-unknown",
    ]


@pytest.mark.parametrize(
    "kind",
    [None, "text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin-1", "application/jsonx"],
)
def test_another_media_type_is_refused(web: FlaskClient, kind: str | None) -> None:
    answer = send(web, GOOD, kind)
    assert (answer.status_code, answer.get_json()["code"]) == (415, "web.media-type")


def test_json_may_name_its_charset(web: FlaskClient) -> None:
    assert send(web, GOOD, "application/json; charset=UTF-8").status_code == 200


def test_a_body_is_measured_before_it_is_read(service: FakeService) -> None:
    web = create_app(service, principal, WebSettings(most_body=100)).test_client()
    answer = send(web, GOOD[:-1] + " " * 100 + "}")
    assert (answer.status_code, answer.get_json()["code"]) == (413, "web.body-too-large")
    lying = web.post(
        "/api/v1/checks",
        headers=ADA,
        content_type="application/json",
        environ_overrides={"CONTENT_LENGTH": "999999999"},
    )
    assert lying.status_code == 413


def test_a_body_of_unsaid_length_is_refused(web: FlaskClient) -> None:
    headers = ADA | {"Transfer-Encoding": "chunked"}
    assert send(web, GOOD, headers=headers).get_json()["code"] == "web.body-length"


def test_a_read_takes_no_body_and_no_unknown_or_repeated_parameter(web: FlaskClient) -> None:
    assert web.get("/api/v1/projects", data="x", headers=ADA).get_json()["code"] == "web.body-length"
    for query in ("?a=1", "?a=1&a=2", "?=", "?project=p1"):
        answer = web.get(f"/api/v1/projects{query}", headers=ADA)
        assert (answer.status_code, answer.get_json()["code"]) == (400, "web.query-parameter")


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (None, "identity.token-missing"),
        ("Basic YTpi", "identity.token-malformed"),
        ("Bearer", "identity.token-signature"),
        ("Bearer forged", "identity.token-signature"),
        ("ada", "identity.token-malformed"),
    ],
)
def test_without_a_good_token_nothing_is_read(
    web: FlaskClient, service: FakeService, header: str | None, code: str
) -> None:
    headers = {} if header is None else {"Authorization": header}
    answer = send(web, "not even json", "text/plain", headers=headers)
    assert (answer.status_code, answer.get_json()["code"]) == (401, code)
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert service.asked == []


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_another_method_is_refused_with_those_allowed(web: FlaskClient, method: str) -> None:
    answer = web.open("/api/v1/checks", method=method, headers=ADA)
    assert (answer.status_code, answer.get_json()["code"]) == (405, "web.method")
    assert answer.headers["Allow"] == "POST"


@pytest.mark.parametrize(
    "path",
    [
        "/", "/api", "/api/v1", "/api/v1/checks/", "//api/v1/checks", "/api/v1/queries/a/b", "/api/v1/queries/a%2fb",
        "/api/v1/queries/é", "/api/v1/datasets/..", "/api/v1/projects/%00", "/static/x",
    ],
)  # fmt: skip
def test_an_unknown_address_is_a_problem_too(web: FlaskClient, path: str) -> None:
    answer = web.get(path, headers=ADA)
    assert (answer.status_code, answer.get_json()["code"]) == (404, "web.unknown-path")


def test_an_idempotency_key_is_passed_on_or_refused(web: FlaskClient, service: FakeService) -> None:
    for key, status in (("k-1", 200), ("", 400), ("two words", 400), ("x" * 129, 400)):
        headers = ADA | {"Idempotency-Key": key}
        assert send(web, GOOD, path="/api/v1/queries", headers=headers).status_code == status
    assert service.keys == ["k-1"]


def test_every_answer_carries_the_security_headers_and_none_opens_to_other_origins(web: FlaskClient) -> None:
    answers = [
        send(web, GOOD, headers=ADA | {"Origin": "https://evil.example"}),
        send(web, "boom"),
        web.get("/nothing"),
        web.get("/api/v1/log/checkpoint"),
    ]
    for answer in answers:
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Request-Id"].startswith("r_")
        assert not [name for name, _ in answer.headers if name.startswith("Access-Control")]
        assert "Set-Cookie" not in answer.headers


def test_a_refusal_out_of_the_flows_shows_its_caret(web: FlaskClient) -> None:
    (reason,) = send(web, '{"project":"p1","sql":"SELECT caret"}').get_json()["reasons"]
    assert reason["place"] == {"line": 1, "column": 8, "caret": "SELECT caret\n       ^^^^^"}


def test_every_reason_maps_to_a_problem() -> None:
    for reason in every_reason():
        view = problem((ReasonView(code=reason.code, sentence="s", remedy="r"),), "r_1")
        assert (view.type, view.status) == (f"/problems/{reason.code}", reason.kind.status)


@given(st.binary(max_size=200))
def test_no_body_whatever_fails_inside(body: bytes) -> None:
    assert send(ANY, body).status_code < 500


@given(st.text(max_size=60), st.sampled_from(["/api/v1/queries/", "/api/v1/log/tile/", "/"]))
def test_no_address_whatever_fails_inside(text: str, under: str) -> None:
    assert ANY.get(quote(under + text), headers=ADA).status_code < 500


class Counting:
    """Counts what it is told, and has had enough of the names given."""

    def __init__(self, *enough: str) -> None:
        self.counted: list[tuple[str, str]] = []
        self.enough = enough

    def _count(self, what: str, who: str) -> None:
        self.counted.append((what, who))
        if what in self.enough:
            raise Refused.because(TOO_MANY, seconds="37")

    def question(self, person: str) -> None:
        self._count("question", person)

    def anonymous(self, address: str) -> None:
        self._count("anonymous", address)

    def failure(self, address: str) -> None:
        self._count("failure", address)


@pytest.mark.parametrize(
    ("path", "headers", "kind"),
    [
        ("/api/v1/checks", ADA, "question"),
        ("/api/v1/queries", ADA, "question"),
        ("/api/v1/checks", {"Authorization": "Bearer forged"}, "failure"),
        ("/api/v1/checks", {}, "failure"),
        ("/api/v1/log/checkpoint", {}, "anonymous"),
        ("/api/v1/log/tile/0/000", {}, "anonymous"),
    ],
)
def test_too_many_are_told_when_to_come_again(
    service: FakeService, path: str, headers: Mapping[str, str], kind: str
) -> None:
    web = create_app(service, principal, counting=Counting(kind)).test_client()
    answer = web.get(path, headers=headers) if kind == "anonymous" else send(web, GOOD, path=path, headers=headers)
    assert (answer.status_code, answer.get_json()["code"]) == (429, "web.too-many")
    assert answer.headers["Retry-After"] == "37"
    assert service.asked == []


def test_reading_ones_answers_and_health_are_not_counted(service: FakeService) -> None:
    counting = Counting()
    web = create_app(service, principal, counting=counting).test_client()
    for path in ("/api/v1/projects", "/api/v1/datasets", "/healthz"):
        assert web.get(path, headers=ADA).status_code == 200
    assert counting.counted == []
