"""The client against the real application behind a real socket."""

import ast
import sys
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
import requests

import tre.client
from tests.web.fake import FakeService
from tests.web.live import serving
from tre.client import SUPPRESSED, Connection, TreError, TreRefused, TreUnreachable, connect
from tre.client.http import Wire

COUNT = "SELECT COUNT(*) AS n FROM person"


@pytest.fixture(scope="module")
def service() -> FakeService:
    return FakeService()


@pytest.fixture(scope="module")
def url(service: FakeService) -> Iterator[str]:
    with serving(service) as address:
        yield address


@pytest.fixture
def c(url: str) -> Connection:
    return connect(url, token="ada", project="p1")


def test_a_check_tells_price_and_error_at_no_cost(c: Connection) -> None:
    d = c.check(COUNT, epsilon=0.5)
    assert d
    assert d.allowed
    assert d.price is not None
    assert (d.price.epsilon, d.price.rho, d.price.share) == (0.5, Decimal("0.012"), 0.1)
    assert d.error == {"n": 12.5}
    assert d.gates == {"people": True, "data": True}


def test_a_plan_is_text_to_read_and_a_document_to_use(c: Connection) -> None:
    assert c.check(COUNT).explain is None
    assert c.check("SELECT nhs_number FROM person", explain=True).explain is None
    plan = c.check(COUNT, explain=True).explain
    assert plan is not None
    assert "Price: a measurement of rho 0.012 beside 0 stored measurements" in str(plan)
    assert plan.document["steps"][0]["noise"][0]["distribution"] == "discrete Gaussian"
    assert plan._repr_html_().startswith("<pre>Result 1")


def test_a_denied_check_is_a_decision_with_reasons_and_carets(c: Connection) -> None:
    d = c.check("SELECT nhs_number FROM person")
    (reason,) = d.reasons
    assert not d
    assert "^^^^" in str(reason)
    assert reason.remedy == "Leave it out."


@pytest.mark.parametrize(
    ("epsilon", "exact"), [(0.1, "1/10"), ("0.25", "1/4"), (Fraction(1, 8), "1/8"), (Decimal("1E-7"), "1/10000000")]
)
def test_an_epsilon_arrives_as_the_decimal_that_was_meant(
    c: Connection, service: FakeService, epsilon: float, exact: str
) -> None:
    c.check(COUNT, epsilon=epsilon, groups=2, rows=3, totals={"s": (0, 9.5)}, dialect="tsql")
    asked = service.asked[-1]
    assert (asked.epsilon, asked.groups, asked.rows, asked.dialect) == (Fraction(exact), 2, 3, "tsql")
    assert asked.totals == {"s": (Fraction(0), Fraction(19, 2))}


def test_an_answer_has_values_intervals_markers_and_a_receipt(c: Connection) -> None:
    r = c.query(COUNT, epsilon=0.5)
    first, second = list(r)
    assert (first["n"], first["n_low"], first["n_high"]) == (5021, 5008, 5034)
    assert (first["mean_cost"], first["day"]) == (Decimal("12.50"), date(2026, 1, 1))
    assert second["n"] is SUPPRESSED
    assert r.receipt.startswith("c2sp.org/tlog-proof@v1")
    assert r.clipped == 0.02
    assert len(r) == 2


def test_an_answer_is_a_frame_with_true_types_and_nulls_where_cells_are_withheld(c: Connection) -> None:
    r = c.query(COUNT)
    pandas = r.to_pandas()
    assert [str(kind) for kind in pandas.dtypes][1:4] == ["Int64", "Int64", "Int64"]
    assert (pandas["n"][0], bool(pandas["n"].isna()[1])) == (5021, True)
    assert str(pandas["day"].dtype).startswith("datetime64")
    polars = r.to_polars()
    assert polars["n"].to_list() == [5021, None]
    assert polars["mean_cost"].to_list() == [Decimal("12.50"), None]
    arrow = r.to_arrow()
    assert arrow.column("day").to_pylist() == [date(2026, 1, 1), None]
    assert str(arrow.schema.field("mean_cost").type) == "decimal128(38, 2)"


def test_a_slow_query_is_waited_for_with_progress(url: str, service: FakeService) -> None:
    service.polls = 4
    seen: list[str] = []
    r = connect(url, token="ada", project="p1").query("slow", progress=lambda seconds, state: seen.append(state))
    assert len(r) == 2
    assert (seen[0], seen[-1]) == ("queued", "committed")


def test_a_wait_ends_at_its_timeout_and_names_the_query(c: Connection, service: FakeService) -> None:
    service.polls = 10**6
    with pytest.raises(TreError, match="goes on as q_"):
        c.query("slow", timeout=0.2)


def test_a_refusal_is_an_exception_that_carries_the_problem(c: Connection) -> None:
    with pytest.raises(TreRefused) as refused:
        c.query("SELECT nhs_number FROM person")
    assert refused.value.code == "web.field-invalid"
    assert refused.value.reasons[0].gate == "data"
    assert refused.value.query is not None
    assert "Leave it out." in str(refused.value)


@pytest.mark.parametrize(("sql", "code", "status"), [("burn", "fault.engine", 500), ("boom", "fault.internal", 500)])
def test_a_failure_says_its_one_fixed_text(c: Connection, sql: str, code: str, status: int) -> None:
    with pytest.raises(TreRefused) as refused:
        c.query(sql)
    assert (refused.value.code, refused.value.status) == (code, status)
    assert refused.value.request_id is not None


def test_projects_data_sets_and_budget_are_readable(c: Connection) -> None:
    assert c.projects()[0].id == "p1"
    assert c.datasets()[0].name == "northfield"
    assert c.dataset("northfield").tables == ("person",)
    assert c.dataset("northfield").columns[0].bounds == (1900, 2026)
    assert c.budget().accounts[0].left.epsilon == 5.0
    assert c.budget().accounts[0].left.rho == Decimal("0.5")
    with pytest.raises(TreRefused, match=r"web\.unknown-path"):
        c.dataset("../x")


def test_the_surroundings_give_what_the_call_does_not(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TreError, match="TRE_URL"):
        connect()
    monkeypatch.setenv("TRE_URL", url)
    with pytest.raises(TreError, match="TRE_TOKEN"):
        connect()
    monkeypatch.setenv("TRE_TOKEN", "ada")
    monkeypatch.setenv("TRE_PROJECT", "p1")
    assert connect().check(COUNT).allowed


def test_the_token_is_in_no_text(url: str) -> None:
    secret = "secret-token"
    c = connect(url, token=secret)
    with pytest.raises(TreRefused) as refused:
        c.projects()
    assert secret not in repr(c) + repr(c._wire) + str(refused.value) + repr(refused.value)
    with pytest.raises(TreUnreachable) as gone:
        connect("http://127.0.0.1:9", token=secret).projects()
    assert secret not in str(gone.value)
    assert gone.value.__suppress_context__


def test_an_address_carries_no_credentials_and_plain_http_is_warned_of() -> None:
    for address in ("ftp://x", "https://name:pass@x", "tre.example", "https://x?token=1"):
        with pytest.raises(TreError):
            connect(address, token="t")
    with pytest.warns(UserWarning, match="unencrypted"):
        connect("http://tre.example", token="t")


class Busy(requests.adapters.BaseAdapter):
    """A server that is busy for a while."""

    def __init__(self, times: int, status: int, retry: str) -> None:
        super().__init__()
        self.times, self.status, self.retry = times, status, retry

    def send(self, request: requests.PreparedRequest, *arguments: object, **named: object) -> requests.Response:
        answer = requests.Response()
        self.times -= 1
        answer.status_code = 200 if self.times < 0 else self.status
        answer._content = b'{"projects": []}'
        answer.headers["Retry-After"] = self.retry
        answer.url = str(request.url)
        return answer

    def close(self) -> None:
        return None


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_is_asked_again_when_it_says_and_not_for_ever(status: int) -> None:
    pauses: list[float] = []
    wire = Wire("http://127.0.0.1:1", "t", 1, pauses.append)
    wire._session.mount("http://", Busy(2, status, "7"))
    assert wire.get("/x") == {"projects": []}
    assert [int(pause) for pause in pauses] == [7, 7]
    wire._session.mount("http://", Busy(99, status, "9999999"))
    with pytest.raises(TreRefused) as refused:
        wire.get("/x")
    assert getattr(refused.value, "retry_after", None) == (9999999 if status == 429 else None)
    assert len(pauses) == 2, "a wait that is longer than a person's patience is left to the caller"


def test_a_redirection_is_not_followed_with_the_token(url: str) -> None:
    class Moved(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(302)
            self.send_header("Location", f"{url}/api/v1/projects")
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            return None

    with HTTPServer(("127.0.0.1", 0), Moved) as server:
        thread = Thread(target=server.handle_request)
        thread.start()
        with pytest.raises(TreRefused, match=r"http\.302"):
            connect(f"http://127.0.0.1:{server.server_port}", token="ada").projects()
        thread.join()


def test_what_is_no_environment_is_said_to_be_none() -> None:
    wire = Wire("http://127.0.0.1:1", "t", 1)
    adapter = Busy(0, 200, "")
    wire._session.mount("http://", adapter)
    adapter.send = lambda *a, **k: _html()  # type: ignore[method-assign]
    with pytest.raises(TreError, match="no trusted research environment"):
        wire.get("/x")


def _html() -> requests.Response:
    answer = requests.Response()
    answer.status_code = 200
    answer._content = b"<html>"
    return answer


def test_certificates_are_verified(c: Connection) -> None:
    assert c._wire._session.verify is True


def test_the_picture_in_a_notebook_escapes_what_it_shows(c: Connection) -> None:
    html = c.query(COUNT)._repr_html_()
    assert ">n_low</th>" in html
    assert "suppressed" in html
    assert "<svg" in html


def test_the_client_imports_nothing_else_of_the_house() -> None:
    for file in Path(tre.client.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            assert all(not name.startswith("tre") or name.startswith("tre.client") for name in names)
    assert "tre" in sys.modules
