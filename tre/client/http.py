"""HTTP underneath the client: one session, bounded retries, no token in any text."""

from __future__ import annotations

import random
import time
import warnings
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import requests

from tre.client.errors import TreError, TreUnreachable, refusal_from

_TRIES = 4
_LONGEST_PAUSE = 30.0
_AGAIN = (429, 503)


class Wire:
    """The connection to one environment. The token stands in a header alone."""

    def __init__(self, url: str, token: str, timeout: float, sleep: Callable[[float], None] = time.sleep) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
            raise TreError("The address must look like https://tre.example, without a name or token in it.")
        if parts.scheme == "http" and not _is_loopback(parts.hostname):
            warnings.warn("The token travels unencrypted: use https.", stacklevel=3)
        self.url = url.rstrip("/")
        self._token = token
        self.timeout = timeout
        self._sleep = sleep
        self._session = requests.Session()

    def __repr__(self) -> str:
        return f"<Wire {self.url}>"

    def get(self, path: str) -> Any:
        """Return the JSON under `path`."""
        return _json(self.call("GET", path))

    def text(self, path: str) -> str:
        """Return the text under `path`."""
        return self.call("GET", path).text

    def post(self, path: str, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Any:
        """Send `body` as JSON and return the JSON of the answer."""
        return _json(self.call("POST", path, body, headers or {}))

    def call(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
    ) -> requests.Response:
        """Return the answer to one request; TreRefused for a problem, TreUnreachable for none.

        Asks again after 429 and 503, as long as `Retry-After` says and at most three times.
        """
        for tried in range(1, _TRIES + 1):
            answer = self._once(method, path, body, headers or {})
            if answer.status_code < 300:
                return answer
            refusal = refusal_from(answer.status_code, _problem(answer))
            if answer.status_code not in _AGAIN or tried == _TRIES:
                raise refusal
            self._sleep(_pause(answer, tried))
        raise AssertionError("unreachable")

    def _once(
        self, method: str, path: str, body: Mapping[str, Any] | None, headers: Mapping[str, str]
    ) -> requests.Response:
        try:
            return self._session.request(
                method,
                self.url + path,
                json=body,
                headers={"Accept": "application/json, text/plain, application/problem+json", **headers},
                auth=self._authorize,
                timeout=self.timeout,
                allow_redirects=False,
            )
        except requests.Timeout:
            raise TreUnreachable(f"{self.url} did not answer within {self.timeout:g} seconds.") from None
        except requests.exceptions.SSLError:
            raise TreUnreachable(f"The certificate of {self.url} cannot be trusted.") from None
        except requests.RequestException:
            raise TreUnreachable(f"{self.url} cannot be reached.") from None

    def _authorize(self, prepared: requests.PreparedRequest) -> requests.PreparedRequest:
        prepared.headers["Authorization"] = f"Bearer {self._token}"
        return prepared


def _is_loopback(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")


def _json(answer: requests.Response) -> Any:
    try:
        found = answer.json()
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise TreError("What answered is no trusted research environment; check the address.")
    return found


def _problem(answer: requests.Response) -> Mapping[str, Any]:
    try:
        found = answer.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _pause(answer: requests.Response, tried: int) -> float:
    asked = answer.headers.get("Retry-After", "")
    seconds = float(asked) if asked.isascii() and asked.isdigit() else 2.0 ** (tried - 1)
    return min(_LONGEST_PAUSE, seconds + random.random() / 4)  # noqa: S311 - spreads callers, keeps no secret
