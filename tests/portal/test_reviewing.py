"""Reviewers take the record with them: every form of it is a button for whoever may have it, and for nobody else."""

from __future__ import annotations

import json
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.browser import DESK, PHONE, Person
from tests.portal.conftest import Sit
from tests.portal.test_researcher import answered, check

PROJECT = "/oversight/projects/study"


def taken(person: Person, words: str) -> Path:
    with person.page.expect_download() as started:
        person.page.get_by_role("link", name=words).click()
    return Path(started.value.path())


@pytest.mark.parametrize("width", [DESK, PHONE])
def test_a_board_member_takes_a_projects_record_in_every_form(width: int, sit: Sit) -> None:
    with sit("board", width=width) as person:
        person.go(PROJECT)
        with ZipFile(taken(person, "Research object (RO-Crate) with receipts")) as crate:
            names = set(crate.namelist())
            described = json.loads(crate.read("ro-crate-metadata.json"))
        assert {"entries.jsonl", "checkpoint", "log.vkey"} <= names
        assert any(name.startswith("receipts/") for name in names)
        assert described["@graph"]
        resources = [json.loads(line) for line in taken(person, "as FHIR audit events").read_text().splitlines()]
        assert {one["resourceType"] for one in resources} == {"AuditEvent"}
        lines = [json.loads(line) for line in taken(person, "as JSON Lines").read_text().splitlines()]
        assert {one["entry"]["project"] for one in lines} == {"study"}
        assert taken(person, "as CSV").read_text().startswith("index,time,event,")


def test_whoever_may_not_read_the_log_finds_no_button_and_gets_no_file(sit: Sit) -> None:
    for role in ("controller", "researcher", "operator"):
        with sit(role) as person:
            for path in (f"{PROJECT}/crate", "/oversight/entries.fhir?project=study", "/oversight/entries.csv"):
                person.go(path, 404)
    with sit("controller") as person:
        person.go(PROJECT)
        assert person.page.get_by_role("link", name="Research object").count() == 0
    with sit("board") as person:
        person.go("/oversight/projects/nothing/crate", 404)


@pytest.mark.parametrize("width", [DESK, PHONE])
def test_one_person_asks_for_an_erasure_and_another_finds_the_button_that_agrees(width: int, sit: Sit) -> None:
    with sit("researcher") as person:
        check(person, "SELECT COUNT(*) AS n FROM person", "0.1")
        person.page.locator("#run").click()
        answered(person)
    with sit("board", width=width) as person:
        person.go(PROJECT)
        person.page.get_by_role("link", name="Erase what was typed").click()
        if person.page.get_by_role("button", name="Ask for the erasure").count():
            person.press("Ask for the erasure")
        assert "You have asked for it" in person.page.inner_text("#step")
        assert person.page.locator("#step button").count() == 0
        assert person.violations() == []
        assert person.overflow() <= 0
    with sit("controller", width=width) as person:
        person.go(f"{PROJECT}/erasure")
        assert "lindqvist has asked for it" in person.page.inner_text("#step")
        assert person.page.get_by_role("button", name="Agree, and erase for good").count() == 1
        assert person.violations() == []
        assert person.overflow() <= 0
    with sit("auditor", width=width) as person:
        person.go(PROJECT)
        assert person.page.get_by_role("link", name="Erase what was typed").count() == 0
