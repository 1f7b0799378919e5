"""Visitors of the portal: who they are, by their cookie, and whether a request comes from the portal's own pages.

Cross-site requests are told apart by what browsers say of them and scripts cannot forge (`Sec-Fetch-Site`, `Origin`),
not by tokens in forms. The cookie is `SameSite=Lax` besides. Pages must not send `Referrer-Policy: no-referrer`:
browsers then put `null` in the place of their origin; `same-origin` is the one to send.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from flask import Response, request

from tre.base.reasons import Refused
from tre.base.reasons.identity import SESSION_MISSING
from tre.base.reasons.web import FOREIGN_ORIGIN, UNKNOWN_HOST
from tre.identity import Principal

COOKIE = "__Host-tre"
"""The prefix makes browsers hold it to HTTPS (or this machine), this host alone and the path / (RFC 6265bis §4.1.3)."""

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_LOOPBACK = re.compile(r"(?:127\.0\.0\.1|localhost|\[::1\])(?::[0-9]{1,5})?", re.ASCII)


class Visitors:
    """Tells visitors apart. Its methods are called within a request."""

    def __init__(self, opened: Callable[[str], Principal], url: str = "") -> None:
        """Take `opened`, which turns a cookie's secret into a Principal or raises Refused.

        :param url: the portal's address in people's browsers, such as https://tre.example.org; empty where it is only
            for the machine that serves it.
        """
        self._opened = opened
        self._url = url

    def principal(self) -> Principal:
        """Return who visits. Raises Refused (identity.session-missing, identity.session-ended, web.unknown-host)."""
        self.origin()
        secret = self.secret()
        if secret is None:
            raise Refused.because(SESSION_MISSING)
        return self._opened(secret)

    def secret(self) -> str | None:
        """Return the secret of this browser's cookie, if it has one."""
        return request.cookies.get(COOKIE)

    def guard(self) -> None:
        """Refuse an unsafe method that comes from another site's page (web.foreign-origin)."""
        if request.method not in _SAFE and not self.is_own():
            raise Refused.because(FOREIGN_ORIGIN)

    def is_own(self) -> bool:
        """Return whether the browser says that the request comes from the portal's own pages."""
        site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
        if site is None and origin is None:
            return False
        return site in (None, "same-origin") and origin in (None, self.origin())

    def is_loopback(self) -> bool:
        """Return whether the portal was asked for under a name of the machine that serves it."""
        return _LOOPBACK.fullmatch(request.host) is not None

    def origin(self) -> str:
        """Return the portal's own origin. Raises Refused (web.unknown-host)."""
        if self._url:
            return self._url
        if not self.is_loopback():
            raise Refused.because(UNKNOWN_HOST)
        return f"http://{request.host}"


def set_secret(response: Response, secret: str, name: str = COOKIE, longest: int | None = None) -> None:
    """Give the browser a cookie that only this host reads, and no script."""
    response.set_cookie(name, secret, max_age=longest, path="/", secure=True, httponly=True, samesite="Lax")


def drop_secret(response: Response, name: str = COOKIE) -> None:
    """Take the cookie back."""
    response.delete_cookie(name, path="/", secure=True, httponly=True, samesite="Lax")
