"""The pictures of the manual: `TRE_PICTURES=1 pytest tests/portal/test_pictures.py` takes them anew."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.browser import Person
from tests.portal.conftest import Sit
from tests.portal.test_researcher import BY_DECADE, answered, check
from tests.support import ROOT

FOLDER = ROOT / "docs" / "portal"
MOST_BYTES = 150_000


def checked(person: Person) -> None:
    check(person, BY_DECADE, "0.5")


def answer(person: Person) -> None:
    checked(person)
    person.page.locator("#run").click()
    answered(person)


def verification(person: Person) -> None:
    person.go("/oversight/verification")
    while person.page.get_by_role("status").count():
        person.page.wait_for_timeout(500)
        person.go("/oversight/verification")


def policy(person: Person) -> None:
    person.go("/controller/check")
    person.page.fill("#text", (ROOT / "policies" / "omop.yaml").read_text().replace("250 ms", "250"))
    person.press("Check")


# name → who takes it, on which way, how much of the page from its top.
PICTURES: dict[str, tuple[str, Callable[[Person], None], int]] = {
    "check": ("researcher", checked, 1090),
    "answer": ("researcher", answer, 700),
    "verification": ("board", verification, 620),
    "policy": ("controller", policy, 620),
}


@pytest.mark.parametrize("name", PICTURES)
def test_the_manuals_pictures_can_be_taken_and_are_small(name: str, sit: Sit, tmp_path: Path) -> None:
    folder = FOLDER if os.environ.get("TRE_PICTURES") else tmp_path
    role, walk, height = PICTURES[name]
    with sit(role, width=1060) as person:
        walk(person)
        taken = folder / f"{name}.png"
        clip = {"x": 0, "y": 0, "width": 1060, "height": height}
        person.page.screenshot(path=taken, full_page=True, clip=clip)
    assert taken.stat().st_size < MOST_BYTES


def test_the_manual_shows_these_pictures_and_no_other() -> None:
    page = (ROOT / "docs" / "tutorials" / "portal.md").read_text(encoding="utf-8")
    named = set(re.findall(r"\(\.\./portal/(\w+)\.png\)", page))
    assert named == set(PICTURES) == {path.stem for path in FOLDER.glob("*.png")}
