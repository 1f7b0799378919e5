"""A small house with people and no data, its clock in the test's hand, and browsers that visit it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, Response

from audit import LogReader, decode_entry
from tests.signin.browsers import Browser
from tests.web.fake import FakeService, principal
from tests.web.fake_oversight import FakeOversight
from tre import governance
from tre.app.admin import open_admin
from tre.app.compose import House
from tre.app.failures import FailedSignIns
from tre.app.signing_in import SigningIn
from tre.base.home import Home
from tre.identity import issue_code
from tre.policy.context import Role
from tre.store.tables import people
from tre.web import create_app
from tre.web.portal import Known, Portal, add_portal
from tre.web.signin import add_sign_in
from tre.web.visitors import Visitors

START = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


class Moved:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.at = START

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()

    def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@dataclass
class Town:
    """The house and what a test does with it."""

    house: House
    clock: Moved
    failures: FailedSignIns
    desk: SigningIn
    app: Flask = field(init=False)

    def __post_init__(self) -> None:
        self.app = create_app(FakeService(), principal)
        self.visitors = Visitors(self.desk.principal, self.house.settings.portal.url)
        add_sign_in(self.app, self.visitors, self.desk)
        add_portal(
            self.app,
            Portal(FakeService(), FakeOversight(), self.visitors, lambda one: Known(one.person, ()), self.clock),
        )
        self.app.add_url_rule("/api/whoami", view_func=lambda: Response(self.visitors.principal().person))

    def browser(self) -> Browser:
        return Browser(self.app)

    def code(self, person: str = "ada", minutes: int = 10) -> str:
        made: list[str] = []
        self.house.act("operator", lambda tx, trail: made.append(issue_code(tx, trail, person, minutes)))
        return made[0]

    def signed_in(self, person: str = "ada") -> Browser:
        browser = self.browser()
        assert browser.post("/sign-in", {"code": self.code(person)}).status_code == 303
        return browser

    def leave(self, person: str) -> None:
        with self.house.store.transaction() as tx:
            tx.execute(people.update().where(people.c.id == person).values(ended="2026-03-01T09:00:00.000Z"))

    def entries(self, *events: str) -> list[dict[str, Any]]:
        with LogReader(self.house.home.log) as log:
            found = [dict(decode_entry(entry)) for _, entry in log.scan()]
        return [entry for entry in found if not events or entry["event"] in events]


@pytest.fixture
def build(tmp_path: Path) -> Iterator[Callable[..., Town]]:
    """Return what makes the house, its settings changed by replacing text."""
    made: list[House] = []

    def town(*changes: tuple[str, str], more: str = "", demonstration: bool = False) -> Town:
        home = Home(tmp_path / f"home-{len(made)}")
        open_admin(home.root).init(home.root, "test.example/log")
        text = home.config.read_text()
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        home.config.write_text(text + more)
        if demonstration:
            home.demonstration.touch()
        house, clock = House(home), Moved()
        house.__dict__["clock"] = clock
        made.append(house)
        house.act("operator", _people)
        failures = FailedSignIns(house)
        return Town(house, clock, failures, SigningIn(house, failures))

    yield town
    for house in made:
        house.close()


def _people(tx: Any, trail: Any) -> None:
    governance.add_person(tx, trail, "ada", "Ada Lovelace", [Role.RESEARCHER], {})
    governance.add_person(tx, trail, "bob", "Bob <b>Babbage</b>", [Role.RESEARCHER], {})


@pytest.fixture
def town(build: Callable[..., Town]) -> Town:
    return build()
