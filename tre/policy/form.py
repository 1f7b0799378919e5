"""From plain values to the model: what pydantic finds, said in the words of a policy."""

from __future__ import annotations

import typing
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from tre.base.reasons import Reason
from tre.base.reasons import policy as reasons
from tre.policy.findings import Fault
from tre.policy.model import Part, Policy
from tre.policy.text import Path

_NOT_YET: Mapping[str, Reason] = {
    **dict.fromkeys(("opt-out", "opt-outs", "opt-out list", "opt out", "opt out list"), reasons.OPT_OUT),
    **dict.fromkeys(("extract", "extracts", "extract rules", "pseudonyms"), reasons.EXTRACTS),
    **dict.fromkeys(
        ("disclosure", "disclosure profile", "outputs", "rounding", "secondary suppression"), reasons.DISCLOSURE
    ),
    "retention": reasons.RETENTION,
    **dict.fromkeys(("per researcher", "per person"), reasons.LEDGER),
}
_NOTHING = object()
_IDENTIFIER_TYPES = ("postcode", "name", "email")
_SAID: Mapping[str, str] = {
    "bool_type": "write true or false",
    "string_type": "a word or a text is wanted",
    "list_type": "a list is wanted, such as [a, b]",
    "dict_type": "keys with values are wanted",
    "model_type": "keys with values are wanted",
    "string_too_short": "it is empty",
    "too_short": "it has too few parts",
    "too_long": "it has too many parts",
}
_PATTERNS = (
    ("DUO", "a DUO code is wanted, such as DUO:0000006"),
    (r"\.\[a-z_]", "a target is written TABLE.COLUMN"),
    (r"\)\(", "an article is written as in 6(1)(e) or 9(2)(j)"),
    ("[a-z", "a name of small letters and digits is wanted"),
)


def validate(content: Any) -> tuple[Policy | None, list[Fault]]:
    """Return the model of `content`, or None with every fault of its form."""
    try:
        return Policy.model_validate(content), []
    except ValidationError as error:
        return None, [_fault(one, content) for one in error.errors(include_url=False)]


def _fault(error: ErrorDetails, content: Any) -> Fault:
    path = _written_path(error["loc"], content)
    last = str(error["loc"][-1]) if error["loc"] else "the document"
    if error["type"] == "missing":
        return Fault(path, reasons.MISSING, {"key": last, "where": _where(path)})
    if error["type"] == "extra_forbidden":
        return _unknown(path, last)
    given = error["input"]
    if last == "type" and given in _IDENTIFIER_TYPES:
        return Fault(path, reasons.IDENTIFIER_TYPE, {"type": str(given)}, of_key=False)
    key = str(next((step for step in reversed(path) if isinstance(step, str)), "the document"))
    return Fault(path, reasons.VALUE, {"key": key, "problem": _problem(error)}, of_key=last == "[key]")


def _unknown(path: Path, key: str) -> Fault:
    if key.lower() in _NOT_YET:
        return Fault(path, _NOT_YET[key.lower()], {"key": key})
    known = sorted(field.alias or name for name, field in _part_at(path[:-1]).model_fields.items())
    values = {"key": key, "where": _where(path[:-1]), "known": ", ".join(known)}
    return Fault(path, reasons.UNKNOWN_KEY, values)


def _problem(error: ErrorDetails) -> str:
    context = error.get("ctx", {})
    if error["type"] == "value_error":
        return str(context["error"])
    if error["type"] == "literal_error":
        return f"one of these is wanted: {context['expected']}"
    if error["type"] == "string_pattern_mismatch":
        return next((said for part, said in _PATTERNS if part in context["pattern"]), "it is not written like that")
    return _SAID.get(error["type"], error["msg"])


def _written_path(location: tuple[int | str, ...], content: Any) -> Path:
    """Return the part of pydantic's location that stands in the document."""
    path: list[str | int] = []
    for step in location:
        found = _step(content, step)
        if found is _NOTHING:
            break
        content = found
        path.append(step)
    return tuple(path)


def _step(content: Any, step: int | str) -> Any:
    if isinstance(content, dict):
        return content.get(step, _NOTHING)
    if isinstance(content, list) and isinstance(step, int) and step < len(content):
        return content[step]
    return _NOTHING


def _where(path: Path) -> str:
    return " → ".join(f"“{step}”" for step in path) if path else "the document"


def _part_at(path: Path) -> type[BaseModel]:
    """Return the model that describes the part of a policy at `path`."""
    found: Any = Policy
    for step in path:
        if isinstance(found, type) and issubclass(found, Part):
            fields = {field.alias or name: field for name, field in found.model_fields.items()}
            found = fields[str(step)].annotation
        else:
            found = typing.get_args(found)[-1]
        found = _without_none(found)
    return found if isinstance(found, type) and issubclass(found, Part) else Part


def _without_none(annotation: Any) -> Any:
    if typing.get_origin(annotation) in (dict, list):
        return annotation
    parts = [part for part in typing.get_args(annotation) if part is not type(None)]
    return parts[0] if parts else annotation
