"""A browser as far as signing in needs one: a cookie jar of its own and the headers that no script can forge."""

from __future__ import annotations

from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from tre.web.signin.pages import BEGUN
from tre.web.visitors import COOKIE

HERE = "http://127.0.0.1:8321"


class Browser:
    """One browser on the machine that serves."""

    def __init__(self, app: Flask, origin: str = HERE) -> None:
        self.origin = origin
        self._client = app.test_client()

    def get(self, path: str, **headers: str) -> TestResponse:
        """Go to a page, as by its address."""
        return self._client.get(path, base_url=self.origin, headers={"Sec-Fetch-Site": "none"} | _named(headers))

    def post(self, path: str, form: dict[str, str] | None = None, **headers: str) -> TestResponse:
        """Press a button of the portal's own page."""
        own = {"Sec-Fetch-Site": "same-origin", "Origin": self.origin} | _named(headers)
        return self._client.post(path, base_url=self.origin, data=form or {}, headers=own)

    @property
    def secret(self) -> str | None:
        """The secret of its session's cookie."""
        cookie = self._client.get_cookie(COOKIE, "127.0.0.1")
        return cookie.value if cookie else None

    @secret.setter
    def secret(self, value: str) -> None:
        self._client.set_cookie(COOKIE, value, domain="127.0.0.1")

    @property
    def begun(self) -> str | None:
        """The secret of the sign-in that it has begun at a provider."""
        cookie = self._client.get_cookie(BEGUN, "127.0.0.1")
        return cookie.value if cookie else None

    @begun.setter
    def begun(self, value: str) -> None:
        self._client.set_cookie(BEGUN, value, domain="127.0.0.1")

    def who(self) -> Any:
        """Whom the house takes it for."""
        return self.get("/api/whoami").get_data(as_text=True)


def _named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}
