"""A person at a browser: pages that are watched for faults, checked by axe, and walked by keyboard."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response, sync_playwright

from tests.npm import package
from tests.support import require

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-color-profile=srgb",
]
DESK, PHONE = 1280, 390
AXE = "axe-core@4.11.0"
_STATUS = re.compile(r"Failed to load resource: the server responded with a status of (\d{3})")
_RUN_AXE = """async () => (await axe.run({resultTypes: ['violations']})).violations
    .map(one => one.id + ': ' + one.nodes.map(node => node.target.join(' ')).join(', '))"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium without a window."""
    require(Path(CHROMIUM).exists(), f"{CHROMIUM} is missing: apt-get install chromium")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield opened
        opened.close()


def axe() -> str:
    """The text of axe-core, which finds faults of accessibility; npm brings it into a folder outside of the tree."""
    found = package(AXE) / "node_modules" / "axe-core" / "axe.min.js"
    return found.read_text(encoding="utf-8")


@dataclass
class Person:
    """Somebody at a page. `faults` collects what a browser complains of; a page's own refusals are expected by `go`."""

    page: Page
    url: str
    faults: list[str] = field(default_factory=list)
    _refused: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.faults.append(f"script: {error}"))
        self.page.on("requestfailed", self._failed)
        self.page.on("response", self._answered)

    def go(self, path: str, status: int = 200) -> Response:
        """Go to a page, which must answer with this status."""
        self.expect(status)
        response = self.page.goto(self.url + path)
        assert response is not None
        assert response.status == status, f"{path}: {response.status}\n{self.page.inner_text('body')}"
        return response

    def expect(self, status: int) -> None:
        """Take this status of a page for no fault from now on, if it is a refusal."""
        self._refused = {status} if status >= 400 else set()

    def press(self, name: str, *, expecting: int = 200) -> None:
        """Press a button or link by its words."""
        self.expect(expecting)
        button, link = (self.page.get_by_role(role, name=name, exact=True) for role in ("button", "link"))
        button.or_(link).first.click()
        self.page.wait_for_load_state()

    def tab_to(self, selector: str, most: int = 80) -> None:
        """Press Tab until the element has the focus, as somebody without a mouse does; the focus must be visible."""
        for _ in range(most):
            self.page.keyboard.press("Tab")
            if self.page.evaluate("selector => document.activeElement.matches(selector)", selector):
                width = self.page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
                assert width != "0px", f"the focus of {selector} cannot be seen"
                return
        raise AssertionError(f"{selector} is not reached by the keyboard")

    def violations(self) -> list[str]:
        """What axe finds on the page."""
        self.page.evaluate(axe())
        return list(self.page.evaluate(_RUN_AXE))

    def overflow(self) -> int:
        """How many pixels the page is wider than the window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - innerWidth"))

    def _said(self, message: ConsoleMessage) -> None:
        status = _STATUS.match(message.text)
        if message.type in ("error", "warning") and not (status and int(status[1]) in self._refused):
            self.faults.append(f"console: {message.text}")

    def _failed(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # a download ends the navigation that began it
            self.faults.append(f"request: {request.url} {request.failure}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400 and response.status not in self._refused:
            self.faults.append(f"answer: {response.url} {response.status}")


@contextmanager
def at_browser(
    browser: Browser, url: str, *, width: int = DESK, cookies: Any = None, **context: Any
) -> Iterator[Person]:
    """Let somebody sit down with a browser of their own; nothing may have gone wrong when they leave."""
    opened = browser.new_context(viewport={"width": width, "height": 900}, locale="en-GB", **context)
    opened.set_default_timeout(20_000)
    if cookies:
        opened.add_cookies(cookies)
    person = Person(opened.new_page(), url)
    try:
        yield person
        assert not person.faults, json.dumps(person.faults, indent=1)
    finally:
        opened.close()
