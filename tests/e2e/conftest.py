"""One town for the session: neighbouring data sets, two paces, people and projects; served by one `tre serve`."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from tests.e2e.service import Service, served
from tests.e2e.sources import fast, neighbours
from tests.house import POLICY
from tre.app.admin import HomeAdmin, open_admin
from tre.cli.admin import NewPerson, NewProject

# project → its data sets, its epsilon
PROJECTS = {
    "study": (("small",), "5"),
    "other": (("small",), "5"),
    "poor": (("small",), "0.5"),
    "with": (("small",), "80"),
    "without": (("less",), "80"),
    "paced": (("calm",), "5"),
    "paced-less": (("calm-less",), "5"),
}


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A furnished home. `less` lacks one person of `small`; `calm` and `calm-less` are under the shipped policy."""
    folder = tmp_path_factory.mktemp("town")
    whole, less = neighbours(folder, people=300)
    quick = fast(POLICY.read_text(), folder / "fast.yaml")
    home = folder / "home"
    admin = open_admin(home)
    admin.init(home, "test.example/log")
    for name, source, policy in (
        ("small", whole, quick),
        ("less", less, quick),
        ("calm", whole, POLICY),
        ("calm-less", less, POLICY),
    ):
        admin.dataset_add(name, source, policy, lambda _step, _fraction: None)
    _people(admin)
    admin.house.close()
    config = home / "config.toml"  # attacks ask more often than a person may
    config.write_text(config.read_text().replace("questions = 120 ", "questions = 100000 "))
    shutil.copytree(home, folder / "pristine")
    return home


@pytest.fixture(scope="module")
def spare(town: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the home as it was before anyone was served, for one module."""
    copy = tmp_path_factory.mktemp("spare") / "home"
    shutil.copytree(town.parent / "pristine", copy)
    return copy


def _people(admin: HomeAdmin) -> None:
    admin.person_add(NewPerson("okafor", "Dr A. Okafor", ("researcher",)))
    admin.person_add(NewPerson("stranger", "Dr B. Stranger", ("researcher",)))
    admin.person_add(NewPerson("lapsed", "Dr C. Lapsed", ("researcher",), (("accreditation", None),)))
    for project, (datasets, epsilon) in PROJECTS.items():
        new = NewProject(
            project, datasets, ("okafor", "lapsed"), ("DUO:0000006",), Decimal(epsilon), Decimal("1e-6"), None
        )
        admin.project_add(new)


@pytest.fixture(scope="session")
def service(town: Path) -> Iterator[Service]:
    """The town, served."""
    with served(town) as found:
        yield found


@pytest.fixture(scope="session")
def token(town: Path) -> str:
    """A token of Dr Okafor's for every project."""
    return token_for(town, "okafor")


def token_for(home: Path, person: str, project: str | None = None, minutes: int = 60) -> str:
    """Issue a token in process, without the wait of a command."""
    admin = open_admin(home)
    try:
        return admin.house.issuer.issue(person, project, minutes)
    finally:
        admin.house.close()
