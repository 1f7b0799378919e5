"""A real browser: it keeps the cookies that it is given, sends what the guard reads, signs in at a real provider."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.service import Service, served, tre
from tests.signin import providers
from tre.app.admin import open_admin
from tre.base.home import Home
from tre.cli.admin import NewPerson
from tre.web.signin.pages import BEGUN
from tre.web.visitors import COOKIE


@pytest.fixture(scope="module")
def port() -> int:
    return providers.free_port()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, port: int) -> Iterator[Service]:
    home = tmp_path_factory.mktemp("signing-in") / "home"
    admin = open_admin(home)
    admin.init(home, "test.example/log")
    config = Home(home).config
    config.write_text(config.read_text() + providers.issuer_settings(port))
    (Home(home).keys / "provider.secret").write_text(providers.SECRET)
    admin.person_add(NewPerson("ada", "Ada Lovelace", ("researcher",), (("accreditation", None),)))
    admin.link("ada", f"http://127.0.0.1:{port}", "ada.l")
    admin.house.close()
    with served(home) as found, providers.running(port, f"{found.url}/sign-in/callback"):
        yield found


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    context = browser.new_context()
    yield context.new_page()
    context.close()


def cookies(page: Any) -> dict[str, Any]:
    return {cookie["name"]: cookie for cookie in page.context.cookies()}


def test_somebody_signs_in_at_their_provider_and_signs_out(page: Any, service: Service) -> None:
    page.goto(f"{service.url}/sign-in?to=/sign-in")
    page.get_by_role("link", name="Sign in with Northfield").click()
    page.locator("input[name=login]").fill("ada.l")
    page.locator("input[name=password]").fill("any")
    page.get_by_role("button", name="Sign-in").click()
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url(f"{service.url}/sign-in")
    assert "Signed in" in page.locator("h1").inner_text()
    kept = cookies(page)
    assert kept[COOKIE]["secure"]
    assert kept[COOKIE]["httpOnly"]
    assert kept[COOKIE]["sameSite"] == "Lax"
    assert BEGUN not in kept
    page.locator("main").get_by_role("button", name="Sign out", exact=True).click()
    page.wait_for_url(f"{service.url}/sign-in")
    assert COOKIE not in cookies(page)
    assert page.locator("input[name=code]").is_visible()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_code_signs_in_over_plain_http_on_this_machine(page: Any, service: Service, host: str) -> None:
    """Browsers take Secure cookies from loopback: no certificate is needed to try the house out."""
    url = service.url.replace("127.0.0.1", host)
    code = tre("sign-in-code", "--person", "ada", home=service.home).out.strip()
    page.goto(f"{url}/sign-in?to=/sign-in")
    page.locator("input[name=code]").fill(code)
    page.locator("main").get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{url}/sign-in")
    assert "ada" in page.locator("main").inner_text()
    assert code not in page.url
    assert re.fullmatch(r"[\w-]{43}", cookies(page)[COOKIE]["value"])


def test_a_page_of_another_site_can_neither_sign_out_nor_in(page: Any, service: Service) -> None:
    code = tre("sign-in-code", "--person", "ada", home=service.home).out.strip()
    page.goto(f"{service.url}/sign-in?to=/sign-in")
    page.locator("input[name=code]").fill(code)
    page.locator("main").get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{service.url}/sign-in")
    own = cookies(page)[COOKIE]["value"]
    form = f'<form method=post action="{service.url}/sign-out-everywhere"><button>Win a prize</button></form>'
    page.route("http://evil.example/", lambda route: route.fulfill(body=form, content_type="text/html"))
    page.goto("http://evil.example/")
    page.get_by_role("button").click()
    page.wait_for_url(f"{service.url}/sign-out-everywhere")
    assert "web.foreign-origin" in page.content()
    page.goto(f"{service.url}/sign-in")
    assert "Signed in" in page.locator("h1").inner_text()
    assert cookies(page)[COOKIE]["value"] == own
