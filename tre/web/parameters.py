"""Query parameters: each declared with its form, sent at most once, read into its type."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from tre.base.clock import parse_stamp
from tre.base.reasons import Refused
from tre.base.reasons.web import QUERY_PARAMETER

_MOST = 32


@dataclass(frozen=True, slots=True)
class Parameter:
    """One optional query parameter.

    `pattern` must match the whole text; `read` makes its value, a ValueError of it refuses; `schema` describes it.
    """

    description: str
    pattern: str
    read: Callable[[str], Any]
    schema: Mapping[str, Any]


def text(description: str, pattern: str) -> Parameter:
    """Declare a text by its pattern."""
    return Parameter(description, pattern, str, {"type": "string", "pattern": f"^{pattern.strip('^$')}$"})


def choice(description: str, *words: str) -> Parameter:
    """Declare one of a few words."""
    return Parameter(description, "|".join(map(re.escape, words)), str, {"type": "string", "enum": list(words)})


def whole(description: str, least: int, most: int) -> Parameter:
    """Declare a whole number of 0 or more, written without sign or leading zero."""

    def read(sent: str) -> int:
        if not least <= int(sent) <= most:
            raise ValueError("out of range")
        return int(sent)

    return Parameter(description, r"0|[1-9]\d{0,18}", read, {"type": "integer", "minimum": least, "maximum": most})


def moment(description: str) -> Parameter:
    """Declare a time as the surface writes it: RFC 3339, UTC, with Z."""
    pattern = r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?Z"

    def read(sent: str) -> datetime:
        return parse_stamp(sent)

    return Parameter(description, pattern, read, {"type": "string", "format": "date-time", "pattern": f"^{pattern}$"})


def read_query(declared: Mapping[str, Parameter], sent: bytes) -> dict[str, Any]:
    """Return what a query string says. Refused (web.query-parameter): unknown, repeated, of a wrong form."""
    found: dict[str, Any] = {}
    for name, value in _pairs(sent):
        parameter = declared.get(name)
        if parameter is None or name in found or not re.fullmatch(parameter.pattern, value, re.ASCII):
            raise _refused(name)
        try:
            found[name] = parameter.read(value)
        except ValueError:
            raise _refused(name) from None
    return found


def _pairs(sent: bytes) -> list[tuple[str, str]]:
    if not sent:
        return []
    try:
        return parse_qsl(
            sent.decode("ascii"), keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=_MOST
        )
    except ValueError:
        raise _refused("") from None


def _refused(name: str) -> Refused:
    return Refused.because(QUERY_PARAMETER, name=f"“{name[:80]}”")
