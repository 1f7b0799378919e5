"""The portal over services that answer from memory, and visitors named by a header: for tests without a browser."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Flask, request

from tests.web.fake import FakeService, principal
from tests.web.fake_oversight import FakeOversight
from tre.base.clock import SystemClock
from tre.base.reasons import Refused
from tre.base.reasons.identity import TOKEN_MISSING
from tre.identity import Principal
from tre.web import create_app
from tre.web.limits import Limits
from tre.web.portal import Brand, Known, Portal, add_portal

ROLES = {"ada": ("researcher", "board", "controller"), "bob": ("operator",), "eve": ("researcher",)}


class Visitors:
    """Whoever the header As names; `guarded` counts the requests that were asked where they come from."""

    def __init__(self) -> None:
        self.guarded = 0

    def principal(self) -> Principal:
        person = request.headers.get("As")
        if person is None:
            raise Refused.because(TOKEN_MISSING)
        return Principal(person, "tre.example", "local", (), None, "s_1", datetime(2030, 1, 1, tzinfo=UTC))

    def guard(self) -> None:
        self.guarded += 1


def known(person: Principal) -> Known:
    return Known(f"Dr {person.person.title()} <b>Example</b>", ROLES.get(person.person, ()))


def portal(
    service: FakeService | None = None,
    visitors: Visitors | None = None,
    counting: Limits | None = None,
    oversight: FakeOversight | None = None,
) -> Flask:
    """Return an application with every page."""
    service = service or FakeService()
    app = create_app(service, principal)
    brand = Brand("Northfield", "#12436d")
    add_portal(
        app,
        Portal(service, oversight or FakeOversight(), visitors or Visitors(), known, SystemClock(), brand, counting),
    )
    return app
