"""What browsers enforce for the pages, and what the pages do not let other sites do."""

from __future__ import annotations

import requests

from tests.e2e.service import Service
from tests.portal.conftest import Sit


def test_a_script_that_was_smuggled_into_a_page_does_not_run(sit: Sit) -> None:
    with sit("researcher") as person:
        person.go("/projects")
        attempt = """() => { const one = document.createElement('img'); try { WRITE; return 'done'; }
                     catch (error) { return error.name; } }"""
        for write in ("one.setAttribute('onerror', 'window.ran = 1')", "document.body.innerHTML = '<b>x</b>'"):
            assert person.page.evaluate(attempt.replace("WRITE", write)) == "TypeError"  # Trusted Types
        assert person.faults, "the browser reports what the policy stopped"
        person.faults.clear()


def test_another_sites_form_does_nothing(sit: Sit, service: Service) -> None:
    with sit("researcher") as person:
        cookies = {one["name"]: one["value"] for one in person.page.context.cookies()}
    sent = requests.post(
        f"{service.url}/projects/study/ask",
        data={"sql": "SELECT COUNT(*) FROM person", "wish": "check"},
        headers={
            "Origin": "https://evil.example",
            "Sec-Fetch-Site": "cross-site",
            "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
        },
        timeout=20,
    )
    assert sent.status_code == 403
    assert "another site" in sent.text


def test_a_page_is_not_there_any_more_after_signing_out_not_even_by_going_back(sit: Sit) -> None:
    with sit() as person:
        person.go("/sign-in")
        person.page.locator("button[value=stranger]").click()
        person.page.wait_for_url(f"{person.url}/")
        person.go("/projects")
        person.press("Sign out")
        person.page.wait_for_url("**/sign-in")
        person.expect(401)
        person.page.go_back()
        assert "Your projects" not in person.page.inner_text("body")
