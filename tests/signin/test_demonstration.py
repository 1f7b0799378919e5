"""Choosing who one is: in the demonstration alone, and there at the machine that serves it alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.signin.browsers import Browser
from tests.signin.conftest import Town

ON = ("demonstration = false", "demonstration = true")
CHOICE = {"person": "ada"}


def test_in_the_demonstration_one_may_choose_who_one_is(build: Callable[..., Town]) -> None:
    browser = build(ON, demonstration=True).browser()
    assert "Ada Lovelace" in browser.get("/sign-in").text
    assert browser.post("/sign-in/demonstration", CHOICE).status_code == 303
    assert browser.who() == "ada"


@pytest.mark.parametrize("person", ["", "nobody", "ada'--"])
def test_only_its_people_may_be_chosen(build: Callable[..., Town], person: str) -> None:
    browser = build(ON, demonstration=True).browser()
    assert browser.post("/sign-in/demonstration", {"person": person}).status_code == 403


@pytest.mark.parametrize(("changes", "demonstration"), [((), True), ((ON,), False), ((), False)])
def test_a_house_is_a_demonstration_by_its_settings_and_by_who_made_it(
    build: Callable[..., Town], changes: tuple[tuple[str, str], ...], demonstration: bool
) -> None:
    browser = build(*changes, demonstration=demonstration).browser()
    assert "Ada Lovelace" not in browser.get("/sign-in").text
    assert browser.post("/sign-in/demonstration", CHOICE).status_code == 403
    assert browser.secret is None


@pytest.mark.parametrize("header", ["X_Forwarded_For", "Forwarded", "Via", "X_Real_IP"])
def test_nobody_chooses_through_a_proxy(build: Callable[..., Town], header: str) -> None:
    browser = build(ON, demonstration=True).browser()
    assert "Ada Lovelace" not in browser.get("/sign-in", **{header: "for=192.0.2.7"}).text
    assert browser.post("/sign-in/demonstration", CHOICE, **{header: "192.0.2.7"}).status_code == 403


def test_nobody_chooses_from_another_machine_or_under_a_rebound_name(build: Callable[..., Town]) -> None:
    town = build(ON, demonstration=True)
    client = town.app.test_client()
    own = {"Sec-Fetch-Site": "same-origin"}
    far = client.post("/sign-in/demonstration", data=CHOICE, headers=own, environ_base={"REMOTE_ADDR": "192.0.2.7"})
    rebound = Browser(town.app, "http://evil.example:8321").post("/sign-in/demonstration", CHOICE)
    assert (far.status_code, rebound.status_code) == (403, 403)


def test_nobody_chooses_under_the_portals_public_address(build: Callable[..., Town]) -> None:
    town = build(ON, ('url = ""', 'url = "https://tre.example.org"'), demonstration=True)
    browser = Browser(town.app, "https://tre.example.org")
    assert "Ada Lovelace" not in browser.get("/sign-in").text
    assert browser.post("/sign-in/demonstration", CHOICE).status_code == 403
