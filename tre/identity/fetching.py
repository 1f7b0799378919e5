"""Fetching what an issuer publishes: HTTPS, no redirects, little, and not for long.

Threats met here: an issuer's server, or who stands before it, that answers slowly, endlessly, compressed beyond
measure, or points elsewhere (RFC 9700 §4.11; server-side request forgery).
"""

from __future__ import annotations

import re
from typing import Any

import requests
from requests.auth import AuthBase

from tre.base.clock import Clock
from tre.identity.jws import LONGEST, Malformed, strict_object

MOST_BYTES = 32 * LONGEST
SECONDS = 5.0
_CHUNK = 16 * 1024
_FIT = re.compile(
    r"(?:https://[A-Za-z0-9.-]+|http://(?:127\.0\.0\.1|localhost|\[::1\]))(?::[0-9]{1,5})?(?:/[!-~]*)?", re.ASCII
)


class Unreachable(Exception):  # noqa: N818 - a verdict on what was answered
    """What an issuer publishes could not be had."""


def is_fit(url: object) -> bool:
    """Return whether `url` may be asked: HTTPS, or a server on this machine."""
    return isinstance(url, str) and len(url) <= 2048 and "#" not in url and _FIT.fullmatch(url) is not None


def fetch_json(url: str, clock: Clock) -> dict[str, Any]:
    """Return the JSON object at `url`. Raises Unreachable."""
    if not is_fit(url):
        raise Unreachable("an address that is not to be asked")
    try:
        with requests.get(
            url,
            timeout=SECONDS,
            stream=True,
            allow_redirects=False,
            auth=NoPassword(),
            headers={"Accept": "application/json", "Accept-Encoding": "identity"},
        ) as response:
            if response.status_code != 200:
                raise Unreachable("not answered with 200")
            return strict_object(_read(response, clock))
    except (requests.RequestException, Malformed) as failed:
        raise Unreachable("not answered with a JSON object") from failed


def _read(response: requests.Response, clock: Clock) -> bytes:
    end = clock.monotonic() + SECONDS
    body = b""
    for chunk in response.iter_content(_CHUNK):
        body += chunk
        if len(body) > MOST_BYTES or clock.monotonic() >= end:
            raise Unreachable("more than there should be, or too slow")
    return body


class NoPassword(AuthBase):
    """Keeps passwords that the machine's user has for a host (~/.netrc) out of a request."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Return the request as it is."""
        return request
