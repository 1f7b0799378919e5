"""HTTP underneath the client: one session, bounded retries, no token in any text."""

from __future__ import annotations

import random
import time
import uuid
import warnings
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import requests

from tre.client.errors import TreError, TreUnreachable, refusal_from

_TRIES = 4
_LONGEST_PAUSE = 30.0
_FIRST_PAUSE = 0.25
_AGAIN = (429, 503)


class Wire:
    """The connection to one environment. The token stands in a header alone."""

    def __init__(
        self,
        url: str,
        token: str,
        timeout: float,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
            raise TreError("The address must look like https://tre.example, without a name or token in it.")
        if parts.scheme == "http" and not _is_loopback(parts.hostname):
            warnings.warn("The token travels unencrypted: use https.", stacklevel=3)
        self.url = url.rstrip("/")
        self._token = token
        self.timeout = timeout
        self.sleep = sleep
        self.clock = clock
        self._session = requests.Session()

    def __repr__(self) -> str:
        return f"<Wire {self.url}>"

    def get(self, path: str) -> Any:
        """Return the JSON under `path`."""
        return _json(self.call("GET", path))

    def text(self, path: str) -> str:
        """Return the text under `path`."""
        return self.call("GET", path).text

    def post(self, path: str, body: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None) -> Any:
        """Send `body` as JSON (or none) and return the JSON of the answer.

        It carries an idempotency key, its own or the one in `headers`: sent again, it is the same request.
        """
        return _json(self.call("POST", path, body, {"Idempotency-Key": new_key(), **(headers or {})}))

    def call(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
    ) -> requests.Response:
        """Return the answer to one request; TreRefused for a problem, TreUnreachable for none.

        Asks again, at most three times: when the connection was lost, and after 429 and 503 as late as
        `Retry-After` says. A wait of more than 30 seconds is left to the caller.
        """
        for tried in range(1, _TRIES + 1):
            try:
                answer = self._once(method, path, body, headers or {})
            except _Lost as lost:
                if tried == _TRIES:
                    raise TreUnreachable(str(lost)) from None
                self.sleep(_FIRST_PAUSE * 2 ** (tried - 1))
                continue
            if answer.status_code < 300:
                return answer
            pause = _pause(answer, tried)
            if answer.status_code not in _AGAIN or tried == _TRIES or pause > _LONGEST_PAUSE:
                raise refusal_from(answer.status_code, _problem(answer), _asked(answer))
            self.sleep(pause + random.random() / 4)  # noqa: S311 - spreads callers, keeps no secret
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
        except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
            raise _Lost(f"{self.url} cannot be reached.") from None
        except requests.RequestException:
            raise TreUnreachable(f"{self.url} cannot be reached.") from None

    def _authorize(self, prepared: requests.PreparedRequest) -> requests.PreparedRequest:
        prepared.headers["Authorization"] = f"Bearer {self._token}"
        return prepared


class _Lost(Exception):  # noqa: N818 - named for what happened
    """The connection was refused or broke: the request may or may not have arrived."""


def new_key() -> str:
    """Return a new idempotency key."""
    return uuid.uuid4().hex


def _is_loopback(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")


def _json(answer: requests.Response) -> Any:
    found = _parsed(answer)
    if not isinstance(found, dict):
        raise TreError("What answered is no trusted research environment; check the address.")
    return found


def _problem(answer: requests.Response) -> Mapping[str, Any]:
    found = _parsed(answer)
    return found if isinstance(found, dict) else {}


def _parsed(answer: requests.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        return None


def _asked(answer: requests.Response) -> float | None:
    """Return the seconds that the answer asks to wait, where it says so as a number."""
    asked = answer.headers.get("Retry-After", "")
    return float(asked) if asked.isascii() and asked.isdigit() else None


def _pause(answer: requests.Response, tried: int) -> float:
    asked = _asked(answer)
    return 2.0 ** (tried - 1) if asked is None else asked
