"""What a reader of a policy document is told: each fault with file, line, caret and remedy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from tre.base.reasons import Reason, Refusal, Refused
from tre.policy.text import Path, Written


@dataclass(frozen=True, slots=True)
class Fault:
    """A reason at a path of a document; a warning leaves the document valid."""

    path: Path
    reason: Reason
    values: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    warning: bool = False
    of_key: bool = True

    def found_in(self, written: Written, name: str) -> Finding:
        """Return the fault with its place in `written`, a document called `name`."""
        place = written.place(self.path, of_key=self.of_key)
        return Finding(name, Refusal(self.reason, self.values, place), self.warning)


@dataclass(frozen=True, slots=True)
class Finding:
    """A fault in the document `name`, ready to be shown."""

    name: str
    refusal: Refusal
    warning: bool = False

    def __str__(self) -> str:
        place = self.refusal.place
        where = f"{self.name}:{place.line}:{place.column}" if place else self.name
        kind = "warning" if self.warning else "error"
        caret = [f"    {line}" for line in place.caret().splitlines()] if place else []
        head = f"{where}: {kind} {self.refusal.reason.code}: {self.refusal.sentence}"
        return "\n".join([head, *caret, f"    {self.refusal.remedy}"])


class DocumentRefused(Refused):
    """Raised for a document with errors; `findings` holds all that are known, warnings too, in reading order."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__(finding.refusal for finding in self.findings if not finding.warning)
