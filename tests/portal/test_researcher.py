"""The researcher's way from a question to its receipt, in a real browser over the real service."""

from __future__ import annotations

import csv
import re
from pathlib import Path

from tests.browser import Person
from tests.e2e.service import Service, audit
from tests.portal.conftest import Sit

ASK = "/projects/study/ask"
BY_DECADE = (
    "SELECT p.year_of_birth / 10 * 10 AS born, COUNT(DISTINCT p.person_id) AS people\n"
    "FROM person p JOIN condition_occurrence co ON co.person_id = p.person_id\n"
    "WHERE co.condition_concept_id = 320128\nGROUP BY 1 ORDER BY 1"
)


def check(person: Person, sql: str, epsilon: str = "0.25") -> None:
    person.go(ASK)
    person.page.fill("#sql", sql)
    person.page.fill("#epsilon", epsilon)
    person.press("Check")


def answered(person: Person) -> None:
    person.page.get_by_role("heading", name="Answer", exact=True).wait_for()
    person.page.wait_for_load_state("networkidle")


def test_a_question_is_checked_priced_run_awaited_answered_charted_and_kept(
    sit: Sit, service: Service, tmp_path: Path
) -> None:
    with sit("researcher", accept_downloads=True) as person:
        check(person, BY_DECADE.replace("320128", "201826"))  # asked by nobody else: what was measured is free
        verdict = person.page.locator("#verdict").inner_text()
        assert verdict.count("allowed") == 5
        assert re.search(r"Error of people\s+±\d+", person.page.inner_text("main"))
        person.page.locator("summary", has_text="Result 1:").click()
        plan = person.page.locator("section", has=person.page.locator("#plan")).inner_text()
        assert "the same person on both sides" in plan
        assert re.search(r"Noise on people\s+discrete Gaussian", plan)
        run = person.page.locator("#run")
        assert re.fullmatch(r"Run and spend 0\.\d\d% of the budget", run.inner_text())
        run.click()
        answered(person)
        assert re.search(r"\d+ to \d+", person.page.inner_text("table"))
        picture = person.page.locator(".chart img")
        assert picture.evaluate("one => one.complete && one.naturalWidth") > 300
        assert "noisy" in (picture.get_attribute("alt") or "")
        for words, kind in (("CSV", "csv"), ("Receipt", "tlog-proof")):
            with person.page.expect_download() as started:
                person.page.get_by_role("link", name=words, exact=True).click()
            started.value.save_as(tmp_path / f"answer.{kind}")
        person.press("History")
        assert "COUNT(DISTINCT p.person_id)" in person.page.inner_text("main")
    rows = list(csv.reader((tmp_path / "answer.csv").read_text(encoding="utf-8").splitlines()))
    assert rows[0] == ["born", "people", "people_low", "people_high"]
    assert audit("receipt", tmp_path / "answer.tlog-proof", "--key", service.home / "log.vkey").code == 0


def test_the_same_question_again_costs_nothing_and_the_button_says_so(sit: Sit) -> None:
    with sit("researcher") as person:
        for _ in range(2):
            check(person, "SELECT COUNT(*) AS n FROM person", "0.05")
            person.page.locator("#run").click()
            answered(person)
        check(person, "SELECT COUNT(*) AS anything FROM person", "0.05")
        assert person.page.locator("#run").inner_text() == "Run, at no cost"


def test_a_refusal_shows_the_place_the_reason_and_what_to_do(sit: Sit) -> None:
    with sit("researcher") as person:
        check(person, "SELECT p.person_id\nFROM person p")
        said = person.page.locator("#verdict").inner_text()
        assert "This would be refused" in said
        assert "The query would return rows of single persons." in said
        assert "^" in said
        assert "Ask for COUNT, SUM or AVG" in said
        assert person.page.locator("#run").count() == 0


def test_changing_the_text_after_its_check_shows_a_new_price_before_anything_runs(sit: Sit) -> None:
    with sit("researcher") as person:
        check(person, "SELECT COUNT(*) AS n FROM visit_occurrence")
        person.page.fill("#epsilon", "0.9")
        person.page.locator("#run").click()
        person.page.wait_for_load_state()
        assert "has not run" in person.page.locator("#verdict").inner_text()
        assert re.search(r"spend \d\.\d+%", person.page.locator("#run").inner_text())


def test_a_double_click_on_run_is_one_question(sit: Sit) -> None:
    with sit("researcher") as person:
        person.go("/projects/study/history")
        before = person.page.locator("tbody tr").count()
        check(person, "SELECT COUNT(*) AS n FROM drug_exposure", "0.05")
        person.page.locator("#run").dblclick()
        answered(person)
        person.go("/projects/study/history")
        assert person.page.locator("tbody tr").count() == before + 1


def test_everything_works_without_scripts_the_wait_too(sit: Sit) -> None:
    with sit("researcher", java_script_enabled=False) as person:
        check(person, "SELECT COUNT(*) AS n FROM measurement", "0.05")
        person.page.locator("#run").click()
        answered(person)
        assert "UTC" in person.page.locator("time").first.inner_text()


def test_a_text_of_another_dialect_is_told_which_one_it_is_and_answered_in_it(sit: Sit) -> None:
    with sit("researcher") as person:
        check(person, "SELECT AVG(DATEDIFF(day, visit_start_date, visit_end_date)) AS days FROM visit_occurrence")
        assert "tsql" in person.page.inner_text("#verdict")
        person.page.select_option("#dialect", label="T-SQL, also OHDSI’s")
        person.press("Check")
        assert person.page.inner_text("#verdict").count("allowed") == 5
        person.page.locator("#run").click()
        answered(person)
        person.press("Change and ask again")
        assert person.page.input_value("#dialect") == "tsql"


def test_times_are_told_in_the_readers_zone_and_kept_in_utc(sit: Sit) -> None:
    with sit("researcher", timezone_id="Pacific/Auckland") as person:
        person.go("/projects/study/history")
        at = person.page.locator("tbody time").first
        assert (at.get_attribute("datetime") or "").endswith("Z")
        assert "UTC" in (at.get_attribute("title") or "")
        assert "UTC" not in at.inner_text()


def test_nothing_of_a_question_stands_in_an_address(sit: Sit) -> None:
    with sit("researcher") as person:
        seen: list[str] = []
        person.page.on("request", lambda request: seen.append(request.url))
        check(person, "SELECT COUNT(*) AS n FROM person WHERE year_of_birth = 1957")
        person.page.locator("#run").click()
        answered(person)
        person.press("Change and ask again")
        assert person.page.input_value("#sql").endswith("1957")
        assert not [url for url in seen if "1957" in url or "SELECT" in url]


def test_the_dictionary_is_narrowed_to_what_somebody_looks_for(sit: Sit) -> None:
    with sit("researcher") as person:
        person.go("/datasets/small")
        person.page.fill("#name", "year_of")
        person.press("Filter")
        assert "tables with “year_of”" in person.page.inner_text("main")
        assert set(person.page.locator("tbody th").all_inner_texts()) == {"year_of_birth"}


def test_the_whole_way_is_walked_by_keyboard_alone(sit: Sit) -> None:
    with sit("researcher") as person:
        person.go("/")
        keyboard = person.page.keyboard
        keyboard.press("Tab")
        assert person.page.evaluate("document.activeElement.className") == "skip"
        keyboard.press("Enter")
        assert person.page.evaluate("document.activeElement.id") == "main"
        person.tab_to("main a[href='/projects']")
        keyboard.press("Enter")
        person.page.wait_for_url("**/projects")
        person.tab_to("a[href='/projects/study/ask']")
        keyboard.press("Enter")
        person.page.wait_for_url("**/ask")
        person.tab_to("#sql")
        keyboard.type("SELECT COUNT(*) AS n FROM procedure_occurrence")
        person.tab_to("#epsilon")
        keyboard.type("0.05")
        keyboard.press("Enter")
        person.page.wait_for_selector("#run")
        person.tab_to("#run")
        keyboard.press("Enter")
        answered(person)
        person.tab_to("a[href$='answer.csv']")


def test_groups_that_a_first_step_tells_are_chosen_beside_the_number_and_shown_with_the_answer(sit: Sit) -> None:
    by_class = "SELECT visit_concept_id AS class, COUNT(DISTINCT person_id) AS people FROM visit_occurrence GROUP BY 1"
    with sit("researcher") as person:
        person.go(ASK)
        person.page.fill("#sql", by_class)
        person.page.fill("#epsilon", "0.5")
        person.page.fill("#groups", "automatic")
        person.press("Check")
        told = person.page.inner_text("main")
        assert re.search(r"Groups per person\s+as a first step will tell, whose price is part of this one", told)
        assert "is released first, at" in told
        person.page.locator("#run").click()
        answered(person)
        assert re.search(r"Groups per person\s+\d+, as the first step told", person.page.inner_text("main"))
