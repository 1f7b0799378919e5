"""The page of operations, as shipped, under its policy: a token is given, an operation tried, nothing complained of."""

import gzip
import re
from pathlib import Path

import pytest
import requests

from tests.browser import at_browser
from tests.e2e.conftest import token_for
from tests.house import PROJECT
from tre.web import docs
from tre.web.docs import DOCS

STATIC = Path(docs.__file__).parent / "static"
VIOLATIONS = """window.violations = [];
document.addEventListener('securitypolicyviolation', event => violations.push(event.violatedDirective))"""


def test_operations_are_listed_and_tried_with_a_token_under_the_strict_policy(browser, service, town):
    described = service.call("GET", "/api/v1/openapi.json", None).json()["paths"]
    with at_browser(browser, service.url) as person:
        page = person.page
        page.add_init_script(VIOLATIONS)
        policy = person.go(DOCS).headers["content-security-policy"]
        assert {"default-src 'none'", "require-trusted-types-for 'script'"} <= set(policy.split("; "))
        assert "unsafe" not in policy
        page.locator(".opblock").first.wait_for()
        assert page.locator(".opblock").count() == sum(map(len, described.values()))
        _authorize(page, token_for(town, "okafor"))
        assert PROJECT in _try(page, "listProjects")
        assert f'"project": "{PROJECT}"' in _try(page, "submitQuery"), "the example is a question that is taken"
        while (closed := page.locator(".opblock:not(.is-open) .opblock-summary-control")).count():
            closed.first.click()  # each with its parameters, bodies and descriptions
        assert page.evaluate("violations") == []
        assert page.evaluate("localStorage.length + sessionStorage.length") == 0, "the token is kept nowhere"


def _authorize(page, token):
    page.get_by_role("button", name="Authorize").first.click()
    page.locator(".auth-container input").fill(token)
    page.locator(".auth-container").get_by_role("button", name="Apply credentials").click()
    page.locator(".close-modal").click()


def _try(page, operation):
    """Try an operation with what the page proposes; return what the page shows of the answer."""
    block = page.locator(f".opblock[id$='-{operation}']")
    block.locator(".opblock-summary-control").click()
    block.get_by_role("button", name="Try it out").click()
    block.get_by_role("button", name="Execute").click()
    answer = block.locator(".live-responses-table .response")
    answer.wait_for()
    assert answer.locator(".response-col_status").inner_text().startswith("20"), answer.inner_text()
    return answer.inner_text()


@pytest.mark.parametrize("root", ["/api", "/api/", "/api/v1", "/api/v1/"])
def test_the_root_of_the_surface_leads_to_the_page(service, root):
    answer = requests.get(service.url + root, timeout=20)
    assert (answer.status_code, answer.url) == (200, service.url + DOCS)


def test_its_files_are_kept_by_browsers_under_the_name_of_their_content(service):
    names = re.findall(rf'"({DOCS}/[^"]+)"', requests.get(service.url + DOCS, timeout=20).text)
    assert len(names) == 3
    for name in names:
        packed, plain = (
            requests.get(service.url + name, headers={"Accept-Encoding": coding}, timeout=20)
            for coding in ("gzip", "identity")
        )
        assert packed.content == plain.content
        assert (packed.headers.get("Content-Encoding"), plain.headers.get("Content-Encoding")) == ("gzip", None)
        assert packed.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    other = re.sub(r"\.[0-9a-f]{12}\.", ".000000000000.", names[0])
    assert requests.get(service.url + other, timeout=20).status_code == 404


def test_what_is_shipped_says_its_licence_and_is_small():
    assert "Apache License" in (STATIC / "LICENSE").read_text()
    assert sum(file.stat().st_size for file in STATIC.iterdir()) < 1_600_000
    assert (
        b"swagger-ui-bundle.js.LICENSE.txt" in gzip.decompress((STATIC / "swagger-ui-bundle.js.gz").read_bytes())[:99]
    )
