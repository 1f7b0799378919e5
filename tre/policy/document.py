"""Reading a policy document: text → form → meaning, with every fault that can be known at each step."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from tre.base.reasons import Refused
from tre.base.reasons import policy as reasons
from tre.policy.findings import DocumentRefused, Finding
from tre.policy.form import validate
from tre.policy.lint import check
from tre.policy.model import Policy
from tre.policy.text import Written, read_yaml


@dataclass(frozen=True, slots=True)
class PolicyDocument:
    """A valid document. `digest` is the SHA-256 of its canonical content: comments and layout do not change it."""

    name: str
    text: str
    model: Policy
    digest: str
    warnings: tuple[Finding, ...]


def load_policy(source: Path | str, name: str = "") -> PolicyDocument:
    """Return the document in the file or text `source`, called `name` in findings (default: the file's path).

    Raises DocumentRefused with everything that is wrong with it.
    """
    name = name or (str(source) if isinstance(source, Path) else "policy")
    text = _text(source, name)
    written, model, findings = _read(text, name)
    if written is None or model is None or any(not finding.warning for finding in findings):
        raise DocumentRefused(findings)
    return PolicyDocument(name, text, model, content_digest(written.content), tuple(findings))


def lint(source: Path | str, name: str = "") -> tuple[Finding, ...]:
    """Return what is to be said about the document, errors and warnings, in reading order; none: nothing."""
    try:
        return load_policy(source, name).warnings
    except DocumentRefused as refused:
        return refused.findings


def content_digest(content: Any) -> str:
    """Return the SHA-256 (hex) of plain content: keys sorted, exact numbers written one way."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=_number)
    return hashlib.sha256(text.encode()).hexdigest()


def _number(value: object) -> Any:
    """Numbers that are equal are written alike: 1e-7 and 0.0000001, 5.0 and 5."""
    if not isinstance(value, Decimal):
        raise TypeError(f"{type(value).__name__} has no canonical form; this is a bug, report it")
    return int(value) if value == value.to_integral_value() else {"number": format(value.normalize(), "f")}


def _text(source: Path | str, name: str) -> str:
    if isinstance(source, str):
        return source
    try:
        return source.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        why = Refused.because(reasons.ENCODING)
    except OSError:
        why = Refused.because(reasons.NO_FILE, name=name)
    raise DocumentRefused([Finding(name, why.refusals[0])])


def _read(text: str, name: str) -> tuple[Written | None, Policy | None, list[Finding]]:
    try:
        written = read_yaml(text)
    except Refused as refused:
        return None, None, [Finding(name, refusal) for refusal in refused.refusals]
    model, faults = validate(written.content)
    if model is not None:
        faults = list(check(model))
    return written, model, sorted((fault.found_in(written, name) for fault in faults), key=_line)


def _line(finding: Finding) -> tuple[int, int]:
    place = finding.refusal.place
    return (place.line, place.column) if place else (0, 0)
