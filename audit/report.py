"""What a verification checked and found, as one page for people and as JSON for machines."""

import json
from dataclasses import dataclass, field

from audit.merkle import EMPTY_ROOT
from audit.notes import Checkpoint, encode_base64

MAX_PROBLEMS = 20
FORM = "audit-report/1"


@dataclass
class Section:
    """One thing that is checked: how many were, what is wrong with them, what the reader should know."""

    title: str
    count: int = 0
    problems: list[str] = field(default_factory=list)
    unlisted: int = 0
    notes: list[str] = field(default_factory=list)

    def problem(self, text: str) -> None:
        """Add a problem; after the twentieth they are only counted."""
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(text)
        else:
            self.unlisted += 1


@dataclass
class Report:
    """All sections. `size` and `root` are the head that everything was checked against."""

    origin: str
    size: int = 0
    root: bytes = EMPTY_ROOT
    checkpoint: bytes = b""
    sections: list[Section] = field(default_factory=list)
    cosignatures: list[dict[str, str | int]] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not any(section.problems for section in self.sections)

    def section(self, title: str) -> Section:
        """Begin a section."""
        self.sections.append(Section(title))
        return self.sections[-1]

    def take(self, other: "Report") -> None:
        """Add another report's sections and cosignatures."""
        self.sections += other.sections
        self.cosignatures += other.cosignatures

    def adopt(self, checkpoint: Checkpoint, note: bytes) -> None:
        """Make this the head that is reported."""
        self.size, self.root, self.checkpoint = checkpoint.size, checkpoint.root, note


def as_text(report: Report) -> str:
    """The report on one page."""
    lines = [
        f"Audit log {report.origin}: {'VERIFIED' if report.ok else 'VERIFICATION FAILED'}",
        f"size {report.size}",
        f"root {encode_base64(report.root)}",
        "",
    ]
    for section in report.sections:
        mark = "FAILED" if section.problems else "ok"
        lines.append(f"[{mark:^6}] {section.title} ({section.count:,})")
        lines += [f"         ! {text}" for text in section.problems]
        lines += [f"         ! and {section.unlisted:,} more"] if section.unlisted else []
        lines += [f"         · {text}" for text in section.notes]
    if report.ok:
        lines += ["", "Keep the size and the root: with them a later verification proves that nothing was changed."]
    return "\n".join(lines) + "\n"


def as_json(report: Report) -> str:
    """The report for machines, as README.md beside this file describes it: members may be added, never changed."""
    checks = [
        {
            "check": section.title,
            "count": section.count,
            "problems": section.problems,
            "unlisted_problems": section.unlisted,
            "notes": section.notes,
        }
        for section in report.sections
    ]
    return json.dumps(
        {
            "form": FORM,
            "origin": report.origin,
            "verified": report.ok,
            "size": report.size,
            "root": encode_base64(report.root),
            "checkpoint": report.checkpoint.decode("utf-8", "replace"),
            "checks": checks,
            "cosignatures": report.cosignatures,
        },
        indent=2,
        ensure_ascii=False,
    )
