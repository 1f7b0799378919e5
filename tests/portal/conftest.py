"""The demonstration as people meet it: a furnished home, served, with somebody of every role."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.browser import Person, at_browser
from tests.e2e.service import Service, served
from tests.house import DATASET, furnish
from tre.app.admin import open_admin
from tre.base.home import Home
from tre.cli.admin import NewPerson

PEOPLE = {
    "controller": NewPerson("mensah", "Ms E. Mensah", ("controller",), controls=(DATASET,)),
    "auditor": NewPerson("auditor", "Mr F. Auditor", ("auditor",)),
    "operator": NewPerson("operative", "Ms G. Operator", ("operator",)),
    "board": NewPerson("lindqvist", "Prof H. Lindqvist", ("board",)),  # last: nobody is added once a board exists
}
IDS = {"researcher": "okafor", "stranger": "stranger", **{role: one.id for role, one in PEOPLE.items()}}
Sit = Callable[..., AbstractContextManager[Person]]


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home that says that it is a demonstration: whoever sits at this machine may choose who they are."""
    root = tmp_path_factory.mktemp("portal") / "home"
    furnish(root, 1000, release_every="250 ms")
    admin = open_admin(root)
    for person in PEOPLE.values():
        admin.person_add(person)
    admin.house.close()
    home = Home(root)
    home.demonstration.touch()
    text = home.config.read_text(encoding="utf-8")
    home.config.write_text(text.replace("demonstration = false", "demonstration = true"), encoding="utf-8")
    return root


@pytest.fixture(scope="session")
def service(town: Path) -> Iterator[Service]:
    with served(town) as found:
        yield found


@pytest.fixture(scope="session")
def signed_in(browser: Browser, service: Service) -> Callable[[str], Any]:
    """The cookies of somebody of a role, who signed in once."""
    known: dict[str, Any] = {}

    def cookies(role: str) -> Any:
        if role not in known:
            with at_browser(browser, service.url) as person:
                person.go("/sign-in")
                person.page.locator(f"button[value={IDS[role]}]").click()
                person.page.wait_for_url(f"{service.url}/")
                known[role] = person.page.context.cookies()
        return known[role]

    return cookies


@pytest.fixture
def sit(browser: Browser, service: Service, signed_in: Callable[[str], Any]) -> Sit:
    """Sit down as somebody of a role, or as nobody."""

    def down(role: str | None = None, **how: Any) -> AbstractContextManager[Person]:
        return at_browser(browser, service.url, cookies=signed_in(role) if role else None, **how)

    return down
