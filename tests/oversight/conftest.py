"""One house with two data sets, a person of every role, and questions asked: reviewed through its own HTTP surface."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.house import DATASET, furnish
from tre.app.admin import open_admin
from tre.app.compose import House
from tre.app.serving import Running
from tre.base.home import Home
from tre.cli.admin import NewPerson, NewProject

OTHER = "other"
LITERAL, DENIED_LITERAL = "87654321", "9434765919"
ASKED = f"SELECT COUNT(*) AS n FROM person WHERE year_of_birth <> {LITERAL}"
DENIED = f"SELECT COUNT(*) AS n FROM person WHERE nhs_number = '{DENIED_LITERAL}'"
ELSEWHERE = "SELECT COUNT(*) AS n FROM person WHERE year_of_birth <> 12345678"
REVIEWERS = {
    "carl": (("controller",), (DATASET,)),
    "cora": (("controller",), (OTHER,)),
    "aud": (("auditor",), ()),
    "otto": (("operator",), ()),
    "chad": (("checker",), ()),
    "bea": (("board",), ()),
}


@dataclass
class Reviewed:
    """The service, with a token of everybody; `asked` are the queries by who asked them."""

    running: Running
    house: House
    web: FlaskClient
    asked: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)

    def token(self, person: str) -> str:
        """Return the token of a person's one session in these tests."""
        return self.tokens.setdefault(person, self.fresh(person))

    def fresh(self, person: str, project: str | None = None) -> str:
        """Return a token of its own."""
        return self.house.issuer.issue(person, project, 60)

    def get(self, person: str, path: str, token: str | None = None) -> TestResponse:
        """Read `path` below /api/v1 as a person."""
        headers = {"Authorization": f"Bearer {token or self.token(person)}"}
        return self.web.get(f"/api/v1/{path}", headers=headers)

    def post(self, person: str, path: str, body: dict[str, Any], **headers: str) -> TestResponse:
        """Send `body` to `path` below /api/v1 as a person."""
        sent = {"Authorization": f"Bearer {self.token(person)}", **headers}
        return self.web.post(f"/api/v1/{path}", json=body, headers=sent)

    def ask(self, person: str, project: str, sql: str) -> TestResponse:
        """Ask a question and wait for its answer."""
        body = {"sql": sql, "project": project, "epsilon": 0.1}
        return self.post(person, "queries", body, Prefer="wait=30")


def _furnished(root: Path) -> None:
    furnish(root, 200)
    admin = open_admin(root)
    admin.dataset_add(
        OTHER, root.parent / f"{root.name}-source", root.parent / f"{root.name}-policy.yaml", lambda *_: None
    )
    purposes = ("DUO:0000006",)
    admin.project_add(NewProject("elsewhere", (OTHER,), ("stranger",), purposes, Decimal(5), Decimal("1e-6")))
    both = NewProject("both", (DATASET, OTHER), ("okafor",), purposes, Decimal(5), Decimal("1e-6"))
    admin.project_add(both)
    for person, (roles, controls) in REVIEWERS.items():  # the board last: it ends the bootstrap
        admin.person_add(NewPerson(person, person.title(), roles, (), controls))
    admin.house.close()


@pytest.fixture(scope="session")
def reviewed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reviewed]:
    root = tmp_path_factory.mktemp("reviewed") / "home"
    _furnished(root)
    house = House(Home(root))
    running = Running(house)
    found = Reviewed(running, house, running.app().test_client())
    answers = [found.ask("okafor", "study", ASKED), found.ask("stranger", "elsewhere", ELSEWHERE)]
    found.asked = {"okafor": answers[0].get_json()["id"], "stranger": answers[1].get_json()["id"]}
    assert found.ask("okafor", "study", DENIED).status_code == 422
    assert found.ask("stranger", "study", ASKED).status_code == 404
    yield found
    running.stop()
