"""Requests that change something come from the portal's own pages, as browsers tell it."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.signin.conftest import Town
from tre.base.reasons import Refused
from tre.identity import Principal
from tre.web.visitors import Visitors

OWN = "https://tre.example.org"
HERE = "http://127.0.0.1:8321"


def nobody(_secret: str) -> Principal:
    raise AssertionError("nobody asks for the session")


# method, Sec-Fetch-Site, Origin, whether it is taken
CASES = [
    ("POST", "same-origin", OWN, True),
    ("POST", "same-origin", None, True),
    ("POST", None, OWN, True),
    ("POST", None, None, False),
    ("POST", "none", OWN, False),
    ("POST", "same-site", OWN, False),
    ("POST", "cross-site", OWN, False),
    ("POST", "cross-site", None, False),
    ("POST", "", OWN, False),
    ("POST", "same-origin, cross-site", OWN, False),
    ("POST", "Same-Origin", OWN, False),
    ("POST", "same-origin", "null", False),
    ("POST", None, "null", False),
    ("POST", "same-origin", "https://evil.example", False),
    ("POST", None, "https://tre.example.org.evil.example", False),
    ("POST", None, "https://evil.example/https://tre.example.org", False),
    ("POST", None, "http://tre.example.org", False),
    ("POST", None, "https://tre.example.org:8443", False),
    ("POST", None, "https://TRE.example.org", False),
    ("POST", None, "", False),
    ("PUT", "cross-site", None, False),
    ("DELETE", None, None, False),
    ("PATCH", "same-site", OWN, False),
    ("PURGE", None, None, False),
    ("GET", "cross-site", "https://evil.example", True),
    ("HEAD", "cross-site", None, True),
    ("OPTIONS", "cross-site", "https://evil.example", True),
]


@pytest.mark.parametrize(("method", "site", "origin", "taken"), CASES)
def test_only_the_portals_own_pages_change_anything(
    method: str, site: str | None, origin: str | None, taken: bool
) -> None:
    given = {"Sec-Fetch-Site": site, "Origin": origin}
    headers = {name: value for name, value in given.items() if value is not None}
    with Flask("test").test_request_context("/x", method=method, headers=headers, base_url=OWN):
        visitors = Visitors(nobody, OWN)
        if taken:
            visitors.guard()
            return
        with pytest.raises(Refused, match=r"web\.foreign-origin"):
            visitors.guard()


@pytest.mark.parametrize("host", ["127.0.0.1:8321", "localhost:8321", "[::1]:8321", "localhost"])
def test_without_an_address_of_its_own_the_portal_is_for_this_machine(host: str) -> None:
    with Flask("test").test_request_context(
        "/x", method="POST", base_url=f"http://{host}", headers={"Origin": f"http://{host}"}
    ):
        Visitors(nobody).guard()


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "192.0.2.7:8321", "localhost.evil.example", "evil.example:80@127.0.0.1"],
)
def test_a_rebound_name_is_not_the_portals(host: str) -> None:
    with Flask("test").test_request_context("/x", method="POST", headers={"Host": host, "Origin": f"http://{host}"}):
        with pytest.raises(Refused, match=r"web\.unknown-host"):
            Visitors(nobody).guard()
        with pytest.raises(Refused, match=r"web\.unknown-host"):
            Visitors(nobody).principal()


@pytest.mark.parametrize("path", ["/sign-in", "/sign-in/demonstration", "/sign-out", "/sign-out-everywhere"])
def test_every_page_of_signing_in_and_out_is_guarded(town: Town, path: str) -> None:
    browser = town.signed_in("ada")
    answer = browser.post(path, {"code": town.code("bob")}, Sec_Fetch_Site="cross-site", Origin="https://evil.example")
    assert (answer.status_code, "web.foreign-origin" in answer.text) == (403, True)
    assert browser.who() == "ada"
