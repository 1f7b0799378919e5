"""Sessions: what opens one, what ends one, and that the end holds from the next request on."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from sqlalchemy import select

from tests.signin.conftest import Town
from tre import governance
from tre.identity import verify
from tre.store.tables import metadata, sessions


def test_a_code_opens_a_session_once(town: Town) -> None:
    code = town.code("ada")
    browser, other = town.browser(), town.browser()
    answer = browser.post("/sign-in", {"code": code, "to": "/projects"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/projects")
    assert browser.who() == "ada"
    refused = other.post("/sign-in", {"code": code})
    assert refused.status_code == 401
    assert "identity.code-refused" in refused.text
    assert other.secret is None


def test_after_a_wrong_code_the_page_that_was_asked_for_is_still_known(town: Town) -> None:
    page = town.browser().post("/sign-in", {"code": "wrong", "to": "/projects"}).text
    assert '<input type="hidden" name="to" value="/projects">' in page


def test_a_code_may_be_typed_as_people_type(town: Town) -> None:
    code = town.code("ada")
    assert re.fullmatch(r"(?:[0-9A-HJKMNP-TV-Z]{5}-){3}[0-9A-HJKMNP-TV-Z]{5}", code)
    typed = code.lower().replace("-", " ").replace("0", "o").replace("1", "l")
    assert town.browser().post("/sign-in", {"code": f" {typed} "}).status_code == 303


def test_a_code_lasts_for_its_minutes(town: Town) -> None:
    code = town.code("ada", minutes=10)
    town.clock.at += timedelta(minutes=10)
    assert town.browser().post("/sign-in", {"code": code}).status_code == 401


def test_a_code_of_somebody_who_left_opens_nothing(town: Town) -> None:
    code = town.code("ada")
    town.leave("ada")
    assert town.browser().post("/sign-in", {"code": code}).status_code == 401
    with pytest.raises(Exception, match=r"governance\.unknown-person"):
        town.code("ada")


@pytest.mark.parametrize("minutes", [0, 61])
def test_no_code_lasts_longer_than_an_hour(town: Town, minutes: int) -> None:
    with pytest.raises(Exception, match=r"identity\.code-minutes"):
        town.code("ada", minutes)


@pytest.mark.parametrize("code", ["", "x" * 100_000, "\x00", "00000-00000-00000-00000", "é"])
def test_what_is_no_code_is_answered_like_a_used_one(town: Town, code: str) -> None:
    answer = town.browser().post("/sign-in", {"code": code})
    assert (answer.status_code, "identity.code-refused" in answer.text) == (401, True)


def test_the_database_holds_nothing_that_opens_a_session(town: Town) -> None:
    code = town.code("bob")
    browser = town.signed_in("ada")
    with town.house.store.reading() as tx:
        everything = repr([tx.execute(select(table)).all() for table in metadata.sorted_tables])
    assert browser.secret
    assert len(browser.secret) == 43
    assert browser.secret not in everything
    assert code not in everything
    assert code.replace("-", "") not in everything


def test_the_cookie_is_for_this_host_alone_and_no_script(town: Town) -> None:
    answer = town.browser().post("/sign-in", {"code": town.code()})
    cookie = answer.headers["Set-Cookie"]
    name, *attributes = cookie.split("; ")
    assert name.startswith("__Host-tre=")
    assert set(attributes) == {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"}


def test_every_sign_in_draws_a_new_secret_and_ends_the_session_before(town: Town) -> None:
    browser = town.signed_in("ada")
    before = browser.secret
    browser.post("/sign-in", {"code": town.code("ada")})
    assert browser.secret != before
    thief = town.browser()
    thief.secret = str(before)
    assert thief.get("/api/whoami").status_code == 401


def test_a_planted_cookie_opens_nothing_and_is_replaced(town: Town) -> None:
    browser = town.browser()
    browser.secret = "A" * 43
    assert browser.get("/api/whoami").status_code == 401
    browser.post("/sign-in", {"code": town.code("ada")})
    assert browser.secret != "A" * 43


def test_a_session_that_is_not_used_ends(town: Town) -> None:
    browser = town.signed_in("ada")
    for _ in range(4):
        town.clock.at += timedelta(seconds=1700)
        assert browser.who() == "ada"
    town.clock.at += timedelta(seconds=1800)
    assert browser.get("/api/whoami").get_json()["code"] == "identity.session-ended"


def test_no_session_lasts_longer_than_the_settings_say_however_it_is_used(town: Town) -> None:
    browser = town.signed_in("ada")
    for _ in range(43200 // 1440):
        assert browser.who() == "ada"
        town.clock.at += timedelta(seconds=1440)
    assert browser.get("/api/whoami").status_code == 401


def test_using_a_session_seldom_writes(town: Town) -> None:
    browser = town.signed_in("ada")

    def seen() -> str:
        with town.house.store.reading() as tx:
            return str(tx.execute(select(sessions.c.seen)).scalar_one())

    began = seen()
    town.clock.at += timedelta(seconds=80)
    assert browser.who() == "ada"
    assert seen() == began
    town.clock.at += timedelta(seconds=20)
    assert browser.who() == "ada"
    assert seen() > began


def test_signing_out_holds_from_the_next_request_on(town: Town) -> None:
    browser, thief = town.signed_in("ada"), town.browser()
    thief.secret = str(browser.secret)
    assert thief.who() == "ada"
    assert browser.post("/sign-out").headers["Location"] == "/sign-in"
    assert browser.secret is None
    assert thief.get("/api/whoami").status_code == 401


def test_a_person_who_leaves_has_no_session_any_more(town: Town) -> None:
    browser = town.signed_in("ada")
    town.leave("ada")
    assert browser.get("/api/whoami").status_code == 401


def test_signing_out_everywhere_ends_every_session_token_and_code_of_the_person_alone(town: Town) -> None:
    one, other, bob = town.signed_in("ada"), town.signed_in("ada"), town.signed_in("bob")
    code, token = town.code("ada"), _token(town, "ada")
    kept = _token(town, "bob")
    assert one.post("/sign-out-everywhere").status_code == 303
    assert one.get("/api/whoami").status_code == other.get("/api/whoami").status_code == 401
    assert town.browser().post("/sign-in", {"code": code}).status_code == 401
    with town.house.store.reading() as tx:
        assert governance.token_revoked(tx, token)
        assert not governance.token_revoked(tx, kept)
    assert bob.who() == "bob"
    assert town.signed_in("ada").who() == "ada"


def _token(town: Town, person: str) -> str:
    house = town.house
    found = verify(house.issuer.issue(person, None, 30), [house.issuer.trusted()], town.clock)
    house.act("operator", lambda tx, trail: governance.note_token(tx, trail, found.token, person, None, found.expires))
    return found.token


def test_only_who_is_signed_in_signs_out_everywhere(town: Town) -> None:
    ada, stranger = town.signed_in("ada"), town.browser()
    assert stranger.post("/sign-out-everywhere").status_code == 303
    stranger.secret = "B" * 43
    assert stranger.post("/sign-out-everywhere").status_code == 401
    assert ada.who() == "ada"


def test_beginning_and_ending_are_entries_that_name_the_session_and_open_nothing(town: Town) -> None:
    browser = town.signed_in("ada")
    secret = str(browser.secret)
    browser.post("/sign-out")
    issued, began, ended = town.entries("token-issued", "signin-succeeded", "session-ended")
    assert (began["actor"], began["acr"], began["issuer"]) == ("ada", "local", "test.example/log")
    assert began["token"] == issued["token"]
    assert began["until"] == "2026-03-01T21:00:00.000Z"
    assert (ended["subject"], ended["session"], ended["change"]) == ("ada", began["session"], "signed-out")
    assert secret not in repr(town.entries())


def test_failed_sign_ins_are_one_entry_a_minute(town: Town) -> None:
    for _ in range(5):
        town.browser().post("/sign-in", {"code": "wrong"})
    thief = town.browser()
    thief.secret = "C" * 43
    thief.get("/api/whoami")
    town.browser().get("/api/whoami")
    town.clock.at += timedelta(minutes=1)
    town.failures.flush_past()
    town.house.journal.drain_once()
    (entry,) = town.entries("signin-failed")
    assert entry["count"] == 6
    assert entry["reasons"] == ["identity.code-refused", "identity.session-ended"]


@pytest.mark.parametrize(
    "asked",
    [
        "//evil.example",
        "https://evil.example/",
        "/\\evil.example",
        "/a\nb",
        "javascript:alert(1)",
        "",
        "/" + "a" * 600,
        "\\/evil.example",
        "/é",
    ],
)
def test_signing_in_leads_to_no_other_site(town: Town, asked: str) -> None:
    answer = town.browser().post("/sign-in", {"code": town.code(), "to": asked})
    assert answer.headers["Location"] == "/"
    page = town.signed_in().get(f"/sign-in?{urlencode({'to': asked})}").text
    assert 'href="/">Go on' in page


def test_a_name_is_text_and_no_markup(build: Callable[..., Town]) -> None:
    town = build(("demonstration = false", "demonstration = true"), demonstration=True)
    page = town.browser().get("/sign-in").text
    assert "Bob &lt;b&gt;Babbage" in page
    assert "<b>" not in page


def test_pages_of_signing_in_run_no_inline_script_and_stand_in_no_frame(town: Town) -> None:
    answer = town.browser().get("/sign-in")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert "<script>" not in answer.text
