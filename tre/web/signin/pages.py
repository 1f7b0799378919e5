"""Signing in and out over HTTP: forms, redirects and cookies, and no rule of their own."""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import ip_address

from flask import Blueprint, Flask, Response, redirect, render_template, request

from tre.base.reasons import Refused
from tre.base.reasons.identity import DEMONSTRATION_ONLY
from tre.base.reasons.web import FOREIGN_ORIGIN
from tre.identity import Principal
from tre.web.portal.rendering import framed
from tre.web.signin.desk import Desk
from tre.web.visitors import Visitors, drop_secret, set_secret

_FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Via")
_OWN_PAGE = re.compile(r"/(?![/\\])[A-Za-z0-9._~!$&'()*+,;=:@/?%-]{0,500}", re.ASCII)
_SEE_OTHER = 303
_LONGEST = 600

CALLBACK = "/sign-in/callback"
BEGUN = "__Host-tre-sign-in"
"""The cookie of a browser that has gone to an issuer: an answer is taken from the browser that asked alone."""


def add_sign_in(app: Flask, visitors: Visitors, desk: Desk) -> None:
    """Add /sign-in, /sign-out and /sign-out-everywhere to `app`."""
    pages = Blueprint("sign_in", __name__, template_folder="templates")
    handlers = _Pages(visitors, desk)
    pages.before_request(visitors.guard)
    pages.after_request(framed)
    pages.register_error_handler(Refused, handlers.refused)
    for path, method, handle in (
        ("/sign-in", "GET", handlers.show),
        ("/sign-in", "POST", handlers.with_code),
        ("/sign-in/with/<int:provider>", "GET", handlers.begin),
        (CALLBACK, "GET", handlers.finish),
        ("/sign-in/demonstration", "POST", handlers.as_person),
        ("/sign-out", "POST", handlers.sign_out),
        ("/sign-out-everywhere", "POST", handlers.sign_out_everywhere),
    ):
        pages.add_url_rule(path, handle.__name__, handle, methods=[method], provide_automatic_options=False)
    app.register_blueprint(pages)


class _Pages:
    def __init__(self, visitors: Visitors, desk: Desk) -> None:
        self._visitors, self._desk = visitors, desk

    def show(self) -> str:
        """Show the ways of signing in, or who is signed in."""
        self._visitors.origin()
        return self._page(_own_page(request.args.get("to", "")))

    def with_code(self) -> Response:
        """Sign in with a one-time code."""
        secret = self._desk.with_code(request.form.get("code", ""), self._visitors.secret())
        return _signed_in(secret, _own_page(request.form.get("to", "")))

    def begin(self, provider: int) -> Response:
        """Go to an issuer. A link will do, since nothing is changed but this browser; not one on another site."""
        if request.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none"):
            raise Refused.because(FOREIGN_ORIGIN)
        target = _own_page(request.args.get("to", ""))
        address, browser = self._desk.begin(provider, target, self._callback())
        response = _see(address)
        set_secret(response, browser, BEGUN, _LONGEST)
        return response

    def finish(self) -> Response:
        """Come back from an issuer: its page sent the browser here, so the request comes from another site."""
        answer = {name: values[0] for name, values in request.args.lists() if len(values) == 1}
        begun = request.cookies.get(BEGUN) if len(answer) == len(request.args) else None
        secret, target = self._desk.finish(begun, answer, self._callback(), self._visitors.secret())
        response = _signed_in(secret, target)
        drop_secret(response, BEGUN)
        return response

    def as_person(self) -> Response:
        """Sign in as one of the demonstration's people, at the machine that serves it."""
        if not self._is_here():
            raise Refused.because(DEMONSTRATION_ONLY)
        secret = self._desk.as_person(request.form.get("person", ""), self._visitors.secret())
        return _signed_in(secret, _own_page(request.form.get("to", "")))

    def sign_out(self) -> Response:
        """End this browser's session."""
        return self._signed_out(self._desk.sign_out)

    def sign_out_everywhere(self) -> Response:
        """End all sessions and tokens of the person."""
        return self._signed_out(self._desk.sign_out_everywhere)

    def refused(self, error: Refused) -> tuple[str, int]:
        """Say why, beside the ways of signing in."""
        return self._page(_own_page(request.values.get("to", "")), error), error.refusals[0].reason.kind.status

    def _signed_out(self, end: Callable[[str], None]) -> Response:
        secret = self._visitors.secret()
        if secret is not None:
            end(secret)
        response = _see("/sign-in")
        drop_secret(response)
        return response

    def _callback(self) -> str:
        return self._visitors.origin() + CALLBACK

    def _page(self, target: str, error: Refused | None = None) -> str:
        return render_template(
            "signin/sign_in.html",
            target=target,
            visitor=self._visitor(),
            providers=self._desk.providers(),
            people=self._desk.people() if self._is_here() else (),
            refusals=error.refusals if error else (),
        )

    def _visitor(self) -> Principal | None:
        try:
            return self._visitors.principal()
        except Refused:
            return None

    def _is_here(self) -> bool:
        """Whether the browser runs on the machine that serves; what a proxy passed on does not count."""
        here = request.remote_addr is not None and ip_address(request.remote_addr).is_loopback
        return here and self._visitors.is_loopback() and not any(name in request.headers for name in _FORWARDED)


def _own_page(asked: str) -> str:
    """Return the page of the portal that was asked for; everything else, other sites above all, is the first page."""
    return asked if _OWN_PAGE.fullmatch(asked) else "/"


def _signed_in(secret: str, target: str) -> Response:
    response = _see(target)
    set_secret(response, secret)
    return response


def _see(target: str) -> Response:
    response = redirect(target, _SEE_OTHER)
    assert isinstance(response, Response)
    return response
