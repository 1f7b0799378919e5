"""Signing in at a real OpenID provider, and every way of turning its answer against a browser or the house."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from sqlalchemy import func, select

from tests.signin import providers
from tests.signin.browsers import HERE, Browser
from tests.signin.conftest import Town
from tre.base.clock import SystemClock
from tre.identity import link_subject, pending
from tre.store.tables import sign_ins

CALLBACK = f"{HERE}/sign-in/callback"


@dataclass
class House:
    """A house whose people sign in at the provider on `port`."""

    town: Town
    port: int

    @property
    def name(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def link(self, subject: str, person: str = "ada") -> None:
        self.town.house.act("operator", lambda tx, trail: link_subject(tx, trail, person, self.name, subject))

    def begin(self, browser: Browser, to: str = "/projects") -> str:
        """Press the button; return the address of the provider."""
        answer = browser.get(f"/sign-in/with/0?{urlencode({'to': to})}", Sec_Fetch_Site="same-origin")
        assert answer.status_code == 303, answer.text
        return str(answer.headers["Location"])

    def come_back(self, browser: Browser, address: str) -> tuple[int, str]:
        """Follow the provider's redirect; return status and what was said: the next page, or the reason."""
        assert address.startswith(CALLBACK)
        answer = browser.get(address.removeprefix(HERE), Sec_Fetch_Site="cross-site")
        return answer.status_code, answer.headers.get("Location") or answer.text


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    port = providers.free_port()
    with providers.running(port, CALLBACK):
        yield port


@pytest.fixture
def house(build: Callable[..., Town], port: int) -> House:
    town = build(more=providers.issuer_settings(port))
    (town.house.home.keys / "provider.secret").write_text(providers.SECRET + "\n")
    town.clock.at = SystemClock().now()  # the provider's clock cannot be moved
    return House(town, port)


def changed(address: str, **changes: str | None) -> str:
    """Return the address with parameters replaced, or taken out."""
    parts = urlsplit(address)
    found = {name: values[0] for name, values in parse_qs(parts.query).items()} | changes
    query = urlencode({name: value for name, value in found.items() if value is not None})
    return parts._replace(query=query).geturl()


def test_people_sign_in_at_their_provider_and_land_on_the_page_they_asked_for(house: House) -> None:
    house.link("ada.l@northfield")
    browser = house.town.browser()
    assert "Sign in with Northfield" in browser.get("/sign-in").text
    back = providers.walk(house.begin(browser, "/projects/p1"), "ada.l@northfield")
    assert house.come_back(browser, back) == (303, "/projects/p1")
    assert browser.who() == "ada"
    (entry,) = house.town.entries("signin-succeeded")
    assert (entry["actor"], entry["issuer"], entry["acr"]) == ("ada", house.name, "password")


def test_how_they_were_recognised_there_becomes_a_word_of_the_policies(house: House) -> None:
    house.link("ada+otp")
    browser = house.town.browser()
    house.come_back(browser, providers.walk(house.begin(browser), "ada+otp"))
    assert [one["acr"] for one in house.town.entries("signin-succeeded")] == ["mfa"]


def test_a_subject_that_was_not_linked_is_nobody_even_by_a_persons_id(house: House) -> None:
    browser = house.town.browser()
    status, said = house.come_back(browser, providers.walk(house.begin(browser), "ada"))
    assert (status, "identity.person-unknown" in said) == (401, True)
    assert browser.secret is None


def test_what_is_sent_to_the_provider_shows_no_secret_and_asks_for_a_code_with_pkce(house: House) -> None:
    sent = parse_qs(urlsplit(house.begin(house.town.browser())).query)
    assert sent["response_type"] == ["code"]
    assert sent["code_challenge_method"] == ["S256"]
    assert sent["redirect_uri"] == [CALLBACK]
    assert set(sent) == {
        "response_type", "client_id", "redirect_uri", "scope", "state", "nonce", "code_challenge",
        "code_challenge_method",
    }  # fmt: skip
    with house.town.house.store.reading() as tx:
        (row,) = tx.execute(select(sign_ins)).all()
    assert row.verifier not in str(sent)
    assert sent["state"][0] not in str(row)
    assert sent["nonce"][0] not in str(row)


@pytest.mark.parametrize("to", ["//evil.example", "https://evil.example", "/\\evil.example"])
def test_signing_in_at_a_provider_leads_to_no_other_site(house: House, to: str) -> None:
    house.link("ada.l")
    browser = house.town.browser()
    assert house.come_back(browser, providers.walk(house.begin(browser, to), "ada.l")) == (303, "/")


# --- attacks


def refused(house: House, browser: Browser, address: str, reason: str = "identity.sign-in-lost") -> None:
    status, said = house.come_back(browser, address)
    assert (status, reason in said) == (401, True), said
    assert browser.secret is None


def test_an_answer_belongs_to_the_browser_that_began(house: House) -> None:
    """Login CSRF and stolen answers: an attacker's own code and state, brought to somebody else's browser."""
    house.link("mallory", "bob")
    mallory, victim = house.town.browser(), house.town.browser()
    back = providers.walk(house.begin(mallory), "mallory")
    refused(house, victim, back)
    house.begin(victim)
    refused(house, victim, back)
    assert house.come_back(mallory, back)[0] == 303


def test_an_answer_is_taken_once(house: House) -> None:
    house.link("ada.l")
    browser = house.town.browser()
    back = providers.walk(house.begin(browser), "ada.l")
    cookie = browser.begun
    assert house.come_back(browser, back)[0] == 303
    again = house.town.browser()
    again.begun = str(cookie)
    refused(house, again, back)


def test_a_used_code_is_worth_nothing_under_a_new_state(house: House) -> None:
    house.link("ada.l")
    browser, other = house.town.browser(), house.town.browser()
    back = providers.walk(house.begin(browser), "ada.l")
    assert house.come_back(browser, back)[0] == 303
    state = parse_qs(urlsplit(house.begin(other)).query)["state"][0]
    refused(house, other, changed(back, state=state), "identity.sign-in-refused")


def test_a_code_of_another_browsers_sign_in_is_worth_nothing(house: House) -> None:
    """Code injection: PKCE ties the code to the browser that began, the nonce the token to it as well."""
    house.link("ada.l")
    victim, mallory = house.town.browser(), house.town.browser()
    stolen = providers.walk(house.begin(victim), "ada.l")
    state = parse_qs(urlsplit(house.begin(mallory)).query)["state"][0]
    refused(house, mallory, changed(stolen, state=state), "identity.sign-in-refused")


@pytest.mark.parametrize("issuer", ["https://evil.example", "", None])
def test_an_answer_in_another_issuers_name_is_not_taken(house: House, issuer: str | None) -> None:
    house.link("ada.l")
    browser = house.town.browser()
    back = providers.walk(house.begin(browser), "ada.l")
    refused(house, browser, changed(back, iss=issuer))


@pytest.mark.parametrize("changes", [{"state": "A" * 43}, {"state": None}, {"state": ""}])
def test_an_answer_without_a_state_that_was_sent_is_not_taken(house: House, changes: dict[str, str | None]) -> None:
    house.link("ada.l")
    browser = house.town.browser()
    refused(house, browser, changed(providers.walk(house.begin(browser), "ada.l"), **changes))


def test_an_answer_that_says_a_thing_twice_is_not_taken(house: House) -> None:
    browser = house.town.browser()
    back = providers.walk(house.begin(browser), "ada.l")
    refused(house, browser, back + "&code=another")


def test_an_answer_that_comes_after_ten_minutes_is_not_taken(house: House) -> None:
    house.link("ada.l")
    browser = house.town.browser()
    back = providers.walk(house.begin(browser), "ada.l")
    house.town.clock.at += timedelta(minutes=10)
    refused(house, browser, back)


@pytest.mark.parametrize("changes", [{"code": "made-up"}, {"code": None}, {"error": "access_denied", "code": None}])
def test_a_provider_that_did_not_sign_somebody_in_signs_nobody_in(house: House, changes: dict[str, str | None]) -> None:
    browser = house.town.browser()
    back = providers.walk(house.begin(browser), "ada.l")
    refused(house, browser, changed(back, **changes), "identity.sign-in-refused")


def test_nobody_is_sent_to_sign_in_by_another_site(house: House) -> None:
    answer = house.town.browser().get("/sign-in/with/0", Sec_Fetch_Site="cross-site")
    assert (answer.status_code, "web.foreign-origin" in answer.text) == (403, True)


def test_there_is_no_other_provider(house: House) -> None:
    assert house.town.browser().get("/sign-in/with/1").status_code == 404


def test_the_answer_is_for_the_portals_own_address(house: House) -> None:
    answer = Browser(house.town.app, "http://evil.example").get("/sign-in/with/0")
    assert (answer.status_code, "web.unknown-host" in answer.text) == (403, True)


def test_sign_ins_that_never_end_fill_no_disk(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pending, "MOST", 3)
    for _ in range(3):
        house.begin(house.town.browser())
    answer = house.town.browser().get("/sign-in/with/0")
    assert (answer.status_code, "identity.sign-in-busy" in answer.text) == (429, True)
    house.town.clock.at += timedelta(minutes=10)
    house.begin(house.town.browser())
    with house.town.house.store.reading() as tx:
        assert tx.execute(select(func.count()).select_from(sign_ins)).scalar_one() == 1


def test_without_its_secret_the_house_is_not_the_client(house: House) -> None:
    house.link("ada.l")
    secret = house.town.house.home.keys / "provider.secret"
    secret.write_text("not the secret")
    browser = house.town.browser()
    refused(house, browser, providers.walk(house.begin(browser), "ada.l"), "identity.sign-in-refused")
    secret.unlink()
    answer = house.town.browser().get("/sign-in/with/0")
    assert (answer.status_code, "app.secret-unreadable" in answer.text) == (503, True)


def test_a_provider_that_is_down_signs_nobody_in(build: Callable[..., Town]) -> None:
    town = build(more=providers.issuer_settings(providers.free_port()))
    (town.house.home.keys / "provider.secret").write_text(providers.SECRET)
    answer = town.browser().get("/sign-in/with/0")
    assert (answer.status_code, "identity.issuer-unavailable" in answer.text) == (503, True)


def test_signing_in_replaces_the_session_that_the_browser_had(house: House) -> None:
    house.link("ada.l")
    browser = house.town.signed_in("bob")
    before = browser.secret
    assert house.come_back(browser, providers.walk(house.begin(browser), "ada.l"))[0] == 303
    assert browser.who() == "ada"
    thief = house.town.browser()
    thief.secret = str(before)
    assert thief.get("/api/whoami").status_code == 401
