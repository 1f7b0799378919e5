"""Every page, as everybody, at two widths: who sees it, what axe finds, what a browser complains of."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.browser import DESK, PHONE, Person, at_browser
from tests.e2e.service import Service
from tests.portal.conftest import IDS, Sit
from tests.portal.house import portal
from tests.portal.test_researcher import answered, check

EVERYBODY = ("researcher", "stranger", "controller", "auditor", "operator", "board", None)
REVIEWERS = {"controller", "auditor", "board"}
OWNERS = {"controller", "auditor"}
READERS = {"auditor", "board"}
ERASERS = {"controller", "board"}

# name of the page → its address here, and who is shown it; None: everybody.
PAGES: dict[str, tuple[str, set[str] | None]] = {
    "start": ("/", None),
    "recorded": ("/recorded", None),
    "accessibility": ("/accessibility", None),
    "log": ("/log", None),
    "reason": ("/problems/private.row-level-output", None),
    "projects": ("/projects", set(IDS)),
    "project": ("/projects/study", {"researcher"}),
    "budget": ("/projects/study/budget", {"researcher"}),
    "history": ("/projects/study/history", {"researcher"}),
    "ask": ("/projects/study/ask", {"researcher"}),
    "datasets": ("/datasets", set(IDS)),
    "dataset": ("/datasets/small?name=birth", {"researcher"}),
    "query": ("/queries/ANSWERED", {"researcher"}),
    "overseen-projects": ("/oversight/projects", set(IDS)),
    "overseen-project": ("/oversight/projects/study", REVIEWERS),
    "erasure": ("/oversight/projects/study/erasure", ERASERS),
    "entries": ("/oversight/log", READERS),
    "entry": ("/oversight/log/3", READERS),
    "verification": ("/oversight/verification", REVIEWERS | {"operator"}),
    "incidents": ("/oversight/incidents", set(IDS)),
    "own-datasets": ("/controller/datasets", set(IDS)),
    "own-dataset": ("/controller/datasets/small", OWNERS),
    "own-requests": ("/controller/datasets/small/questions", OWNERS),
    "own-policy": ("/controller/datasets/small/policies/1", OWNERS),
    "own-diff": ("/controller/datasets/small/changes?old=1&new=1&whole", OWNERS),
    "policy-check": ("/controller/check", set(IDS)),
    "sign-in": ("/sign-in", None),
}
FILES = {"chart", "answer-csv", "answer-json", "receipt", "entries-file", "entry-receipt", "crate", "static-file"}


@pytest.fixture(scope="module")
def addresses(browser: Browser, service: Service, signed_in: Callable[[str], Any]) -> dict[str, str]:
    """Where each page is; one question has been answered by the researcher, and one refused."""
    with at_browser(browser, service.url, cookies=signed_in("researcher")) as person:
        check(person, "SELECT gender_concept_id, COUNT(*) AS n FROM person GROUP BY 1", "0.1")
        person.page.locator("#run").click()
        answered(person)
        query = person.page.url.rpartition("/")[2]
        check(person, "SELECT person_id FROM person")
    return {name: path.replace("ANSWERED", query) for name, (path, _) in PAGES.items()}


def test_no_page_goes_without_this_test() -> None:
    rules = portal().url_map.iter_rules()
    pages = {rule.endpoint.removeprefix("portal.") for rule in rules if rule.endpoint.startswith("portal.")}
    posts = {"ask-sent", "unlock", "erasing", "policy-checked", "cancellation", "refinement"}
    assert pages - FILES - posts == set(PAGES) - {"sign-in"}


@pytest.mark.parametrize("role", EVERYBODY, ids=str)
def test_a_page_is_shown_to_whom_it_is_for_and_refused_to_everybody_else(
    role: str | None, sit: Sit, addresses: dict[str, str]
) -> None:
    with sit(role) as person:
        for name, path in addresses.items():
            whom = PAGES[name][1]
            expected = 200 if whom is None or role in whom else 401 if role is None else 404
            person.go(path, expected)
            sound(person, path)
            if expected != 200:
                assert "What you can do" in person.page.inner_text("main")


@pytest.mark.parametrize("width", [DESK, PHONE])
@pytest.mark.parametrize("role", ["researcher", "controller", "board", "operator"])
def test_axe_finds_nothing_and_nothing_runs_out_of_the_window(
    role: str, width: int, sit: Sit, addresses: dict[str, str]
) -> None:
    with sit(role, width=width) as person:
        for name, path in addresses.items():
            whom = PAGES[name][1]
            if whom is None or role in whom:
                person.go(path)
                assert person.violations() == [], path
                assert person.overflow() <= 0, path
        person.go("/nothing", 404)
        assert person.violations() == []


@pytest.mark.parametrize("width", [DESK, PHONE])
def test_what_forms_answer_is_as_accessible_as_what_they_show_first(width: int, sit: Sit) -> None:
    with sit("researcher", width=width) as person:
        check(person, "SELECT AVG(total_charge) AS mean FROM cost", "0.25")
        accessible(person)
        check(person, "SELECT p.person_id FROM person p")
        accessible(person)
        person.press("Lay out beside")
        accessible(person)
        person.page.fill("#epsilon", "much")
        person.press("Check", expecting=400)
        accessible(person)
        assert person.page.evaluate("document.activeElement.className") == "card mistakes"
        person.page.get_by_role("link", name=re.compile("epsilon")).click()
        assert person.page.evaluate("document.activeElement.id") == "epsilon"


def test_a_policy_is_checked_line_by_line(sit: Sit) -> None:
    with sit("controller") as person:
        person.go("/controller/check")
        person.page.fill("#text", "policy: mine\nunit: {table: person}\n")
        person.press("Check")
        assert "Not in order" in person.page.inner_text("main")
        accessible(person)


def sound(person: Person, path: str) -> None:
    """Every page has one heading, one main landmark, a title of its own, and a language."""
    assert person.page.locator("h1").count() == 1, path
    assert person.page.locator("main").count() == 1, path
    assert person.page.title().partition(" – ")[0], path
    assert person.page.get_attribute("html", "lang") == "en"


def accessible(person: Person) -> None:
    assert person.violations() == []
    assert person.overflow() <= 0
