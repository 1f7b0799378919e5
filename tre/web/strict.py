"""Strict JSON: each name once, numbers exact, nothing beside one object (RFC 8259, I-JSON RFC 7493 §2)."""

from __future__ import annotations

import json
from decimal import Decimal, InvalidOperation
from typing import Any

from tre.base.reasons import Refused
from tre.base.reasons.web import BODY_JSON

_LONGEST_NUMBER = 64


def strict_json(body: bytes) -> dict[str, Any]:
    """Return the JSON object in `body`, fractions as Decimal, never through a float; refused as web.body-json."""
    try:
        value = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_each_once,
            parse_float=_decimal,
            parse_int=_integer,
            parse_constant=_constant,
        )
        json.dumps(value, ensure_ascii=False, default=str).encode()
    except UnicodeError:
        raise Refused.because(BODY_JSON, problem="it is not UTF-8 text") from None
    except RecursionError:
        raise Refused.because(BODY_JSON, problem="it is nested too deeply") from None
    except json.JSONDecodeError as broken:
        where = f"line {broken.lineno}, column {broken.colno}"
        raise Refused.because(BODY_JSON, problem=f"it breaks off or goes wrong at {where}") from None
    except _Unstrict as unstrict:
        raise Refused.because(BODY_JSON, problem=str(unstrict)) from None
    if not isinstance(value, dict):
        raise Refused.because(BODY_JSON, problem="it is not an object")
    return value


class _Unstrict(Exception):  # noqa: N818 - the cause, in words
    """JSON that some readers take and others do not."""


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Unstrict("a name appears twice in one object")
    return found


def _decimal(text: str) -> Decimal:
    if len(text) > _LONGEST_NUMBER:
        raise _Unstrict("a number is too long")
    try:
        return Decimal(text)
    except InvalidOperation:
        raise _Unstrict("a number has an exponent beyond all bounds") from None


def _integer(text: str) -> int:
    if len(text) > _LONGEST_NUMBER:
        raise _Unstrict("a number is too long")
    return int(text)


def _constant(name: str) -> None:
    raise _Unstrict(f"{name} is not a JSON number")
