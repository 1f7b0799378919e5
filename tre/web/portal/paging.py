"""Which part of a long list an address asks for."""

from __future__ import annotations

from werkzeug.datastructures import MultiDict

from tre.base.reasons import Refused
from tre.base.reasons.web import QUERY_PARAMETER
from tre.journal.search import Page

_LONGEST_NUMBER = 15


def span(asked: MultiDict[str, str], limit: int = 50) -> Page:
    """Return which page is asked for. Raises Refused (web.query-parameter)."""
    before = asked.get("before")
    return Page(None if before is None else whole(before, "before"), limit)


def whole(text: str, name: str) -> int:
    """Return a whole number of an address. Raises Refused (web.query-parameter)."""
    if not (text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER):
        raise Refused.because(QUERY_PARAMETER, name=f"“{name}”")
    return int(text)
