"""What every page keeps to, whoever comes: headers, escaping, guarded forms, refusals as pages."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from markupsafe import escape
from werkzeug.test import TestResponse

from tests.portal.house import Visitors, portal
from tests.web.fake import FakeService
from tests.web.fake_oversight import FakeOversight
from tre.base.reasons import Refused, every_reason
from tre.base.reasons.web import TOO_MANY
from tre.web.portal import csp, rendering

AS_ADA = {"As": "ada"}
TEMPLATES = Path(rendering.__file__).with_name("templates")
SQL = "SELECT COUNT(*) AS n FROM person"


@pytest.fixture
def service() -> FakeService:
    return FakeService()


@pytest.fixture
def visitors() -> Visitors:
    return Visitors()


@pytest.fixture
def web(service: FakeService, visitors: Visitors) -> FlaskClient:
    return portal(service, visitors).test_client()


def ask(web: FlaskClient, wish: str = "check", **fields: str) -> TestResponse:
    return web.post(
        "/projects/p1/ask", data={"sql": SQL, "wish": wish, "dataset": "northfield"} | fields, headers=AS_ADA
    )


def hidden(page: TestResponse, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]+)"', page.text)
    assert found, f"no hidden field {name}"
    return found[1]


def test_a_page_loads_only_what_this_server_ships_and_runs_nothing_inline() -> None:
    assert csp.header(csp.PAGE) == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )


def test_every_page_carries_the_policy_is_kept_by_nobody_and_escapes_what_it_shows(web: FlaskClient) -> None:
    for path in ("/", "/projects", "/projects/p1", "/projects/p1/ask", "/nothing", "/problems/fault.internal"):
        page = web.get(path, headers=AS_ADA)
        assert page.headers["Content-Security-Policy"] == csp.header(csp.PAGE)
        assert page.headers["Cache-Control"] == "no-store"
        assert page.headers["Referrer-Policy"] == "same-origin"
        assert "Dr Ada &lt;b&gt;Example&lt;/b&gt;" in page.text


def test_no_template_holds_a_script_a_style_or_an_event_of_its_own() -> None:
    for template in TEMPLATES.rglob("*.html"):
        text = template.read_text(encoding="utf-8")
        assert not re.search(r"<style|<script(?![^>]*\bsrc=)|\sstyle=|\son[a-z]+=|\|\s*safe|javascript:", text), (
            template
        )


def test_whoever_is_not_signed_in_is_shown_the_way_to_sign_in(web: FlaskClient) -> None:
    page = web.get("/projects/p1")
    assert page.status_code == 401
    assert 'href="/sign-in?to=/projects/p1"' in page.text


def test_programs_have_problems_as_json_where_people_have_pages(web: FlaskClient) -> None:
    assert web.get("/api/v1/nothing").mimetype == "application/problem+json"
    assert web.get("/nothing").mimetype == "text/html"


def test_a_problem_says_what_happened_and_what_to_do_next(web: FlaskClient) -> None:
    page = web.get("/projects/unknown", headers=AS_ADA)
    assert page.status_code == 404
    assert "There is no such project for you." in page.text
    assert "What you can do" in page.text
    assert page.headers["X-Request-Id"] in page.text


class Full:
    """Takes no more of anything."""

    def question(self, person: str) -> None:
        raise Refused.because(TOO_MANY, most="120", seconds="7")

    def anonymous(self, address: str) -> None:
        raise Refused.because(TOO_MANY, most="1200", seconds="7")

    def failure(self, address: str) -> None:
        raise AssertionError("sessions are not counted as tokens")


def test_questions_in_the_portal_are_counted_as_the_apis_are_and_so_is_whoever_is_not_signed_in() -> None:
    web = portal(counting=Full()).test_client()
    assert web.get("/projects", headers=AS_ADA).status_code == 200
    for page in (ask(web), web.get("/"), web.get("/projects")):
        assert (page.status_code, page.headers["Retry-After"]) == (429, "7")
        assert "more requests than this service takes" in page.text


def test_a_fault_tells_nothing_of_what_was_in_hand(web: FlaskClient) -> None:
    page = ask(web, sql="boom")
    assert page.status_code == 500
    assert "9434765919" not in page.text


def test_every_reason_has_a_page_for_everybody(web: FlaskClient) -> None:
    for reason in every_reason():
        page = web.get(f"/problems/{reason.code}")
        assert (page.status_code, page.mimetype) == (200, "text/html"), reason.code
        assert str(escape(reason.remedy)) in page.text
    assert web.get("/problems/identity.nothing").status_code == 404


def test_every_form_that_is_sent_is_asked_where_it_comes_from(web: FlaskClient, visitors: Visitors) -> None:
    ask(web)
    assert visitors.guarded == 1
    web.get("/projects/p1/ask", headers=AS_ADA)
    assert visitors.guarded == 1


def test_nothing_runs_that_was_not_checked_as_it_stands(web: FlaskClient, service: FakeService) -> None:
    checked = hidden(ask(web), "checked")
    again = ask(web, "run", sql=SQL + " ", checked=checked, key="k")
    assert "changed after its check" in again.text
    assert service.keys == []


def test_pressing_run_twice_is_one_request(web: FlaskClient, service: FakeService) -> None:
    page = ask(web)
    for _ in range(2):
        sent = ask(web, "run", checked=hidden(page, "checked"), key=hidden(page, "key"))
        assert (sent.status_code, sent.headers["Location"][:11]) == (303, "/queries/q_")
    first, second = service.keys
    assert first == second == hidden(page, "key")
    assert hidden(ask(web), "key") != first


def test_a_refused_question_shows_reason_place_and_remedy_and_no_way_to_run_it(web: FlaskClient) -> None:
    page = ask(web, sql="SELECT nhs_number FROM person").text
    assert "The column nhs_number is not known." in page
    assert "^^^^^^^^^^" in page
    assert "Leave it out." in page
    assert 'value="run"' not in page


def test_what_is_wrong_with_a_field_is_said_beside_it_and_in_a_list_that_leads_there(web: FlaskClient) -> None:
    page = ask(web, epsilon="much", groups="0")
    assert page.status_code == 400
    for field in ("epsilon", "groups"):
        assert f'<a href="#{field}">' in page.text
        assert f'id="{field}-error"' in page.text
        assert re.search(rf'id="{field}"[^>]*aria-invalid="true" aria-describedby="{field}-error', page.text)


def test_a_question_that_waits_can_be_taken_back(web: FlaskClient, service: FakeService) -> None:
    service.polls = 9
    page = ask(web, sql="SELECT slow")
    here = ask(web, "run", sql="SELECT slow", checked=hidden(page, "checked"), key="k").headers["Location"]
    waiting = web.get(here, headers=AS_ADA).text
    assert f'action="{here}/cancellation"' in waiting
    assert f'<meta http-equiv="refresh" content="2; url={here}">' in waiting
    back = web.post(f"{here}/cancellation", headers=AS_ADA)
    assert (back.status_code, back.headers["Location"]) == (303, here)
    assert "taken back, price returned" in web.get(here, headers=AS_ADA).text


def test_a_sharper_answer_is_asked_for_below_the_answer_and_names_the_one_before(
    web: FlaskClient, service: FakeService
) -> None:
    here = ask(web, "run", checked=hidden(ask(web), "checked"), key="k").headers["Location"]
    page = web.get(here, headers=AS_ADA)
    assert f'action="{here}/refinements"' in page.text
    sent = {"epsilon": "0.2", "key": hidden(page, "key")}
    sharper = web.post(f"{here}/refinements", data=sent, headers=AS_ADA)
    assert (sharper.status_code, service.refined[-1].epsilon) == (303, Fraction("0.2"))
    assert service.keys[-1] == sent["key"]
    assert f'<a href="{here}">' in web.get(sharper.headers["Location"], headers=AS_ADA).text
    assert web.post(f"{here}/refinements", data={"epsilon": "much"}, headers=AS_ADA).status_code == 400


def test_an_answer_says_where_bounds_come_from_and_what_half_the_error_would_be(web: FlaskClient) -> None:
    here = ask(web, "run", checked=hidden(ask(web), "checked"), key="k").headers["Location"]
    page = web.get(here, headers=AS_ADA).text
    assert "Bounds of <code>n</code>" in page
    assert "Rows of one person in a group" in page
    assert "(the policy: usual rows)" in page
    assert "<code>n</code> then</dt><dd>about ±6.25" in page


def test_the_dictionary_calls_sizes_noisy_and_says_within_what(web: FlaskClient) -> None:
    page = web.get("/datasets/northfield", headers=AS_ADA).text
    assert "Noisy size of this version: 1,203 rows (±9.5)" in page


def test_an_answer_says_in_words_what_it_hides(web: FlaskClient) -> None:
    page = ask(web)
    sent = ask(web, "run", checked=hidden(page, "checked"), key="k")
    answer = web.get(sent.headers["Location"], headers=AS_ADA).text
    assert "5,008 to 5,034" in answer
    assert '<td class="hidden flush">hidden</td>' in answer
    assert "It is not zero" in answer


def test_files_hold_what_was_released_and_nothing_in_the_place_of_what_is_hidden(web: FlaskClient) -> None:
    page = ask(web)
    here = ask(web, "run", checked=hidden(page, "checked"), key="k").headers["Location"]
    csv = web.get(f"{here}/answer.csv", headers=AS_ADA)
    assert csv.headers["Content-Disposition"].startswith("attachment")
    assert csv.text.splitlines()[2] == "M,suppressed,suppressed,suppressed,,"
    assert web.get(f"{here}/answer.json", headers=AS_ADA).get_json()["rows"][1][1] == {"marker": "suppressed"}
    assert web.get(f"{here}/receipt", headers=AS_ADA).text.startswith("c2sp.org/tlog-proof@v1")


def test_broken_sql_is_laid_out_and_sql_that_is_too_deep_is_not(web: FlaskClient) -> None:
    assert "FROM person" in ask(web, "lay out", sql="select count(*) from person where (").text
    assert "too deeply nested" in ask(web, "lay out", sql="SELECT " + "a+" * 8000).text


def test_erasing_says_what_it_destroys_and_what_stays_and_takes_a_second_person(web: FlaskClient) -> None:
    here = "/oversight/projects/p1/erasure"
    page = web.get(here, headers=AS_ADA).text
    assert "3 sealed texts" in page
    assert "as valid as before" in page
    assert page.count("<form") == 1 + web.get("/oversight/verification", headers=AS_ADA).text.count("<form")
    sent = web.post(here, data={"step": "ask"}, headers=AS_ADA)
    assert (sent.status_code, sent.headers["Location"]) == (303, here)
    page = web.get(here, headers=AS_ADA).text
    assert "You have asked for it" in page
    assert "Agree, and erase" not in page
    assert web.post(here, data={"step": "agree"}, headers=AS_ADA).status_code == 403
    assert web.get(here, headers={"As": "eve"}).status_code == 404


def test_whoever_agrees_to_an_erasure_is_told_who_asked() -> None:
    oversight = FakeOversight(asked="bea")
    web = portal(oversight=oversight).test_client()
    here = "/oversight/projects/p1/erasure"
    page = web.get(here, headers=AS_ADA).text
    assert "bea has asked for it" in page
    assert "Agree, and erase for good" in page
    web.post(here, data={"step": "agree"}, headers=AS_ADA)
    assert oversight.texts == 0
    assert "Nothing is sealed here" in web.get(here, headers=AS_ADA).text
