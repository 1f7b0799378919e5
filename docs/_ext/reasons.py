"""The page of every refusal, generated from the catalogue of reasons when the manual is built."""

from pathlib import Path

from sphinx.application import Sphinx

from tre.base.reasons import Reason, every_reason

HEAD = """# Every refusal

Each refusal has a stable code, a sentence, a remedy and its place here. Words in braces are filled from the request,
the policy and public facts, never from private data.
"""


def entry(reason: Reason) -> str:
    """Return the part of the page that explains one reason."""
    lines = [
        f"({reason.code})=",
        f"### `{reason.code}`",
        "",
        f"{reason.sentence}",
        "",
        f"*What to do:* {reason.remedy}",
        "",
        f"HTTP {reason.kind.status}, exit code {reason.kind.exit_code}.",
    ]
    if reason.explanation:
        lines += ["", reason.explanation]
    return "\n".join(lines) + "\n"


def page() -> str:
    """Return the whole page, a section per family."""
    parts, family = [HEAD], ""
    for reason in every_reason():
        if (found := reason.code.split(".")[0]) != family:
            family = found
            parts.append(f"## {family}\n")
        parts.append(entry(reason))
    return "\n".join(parts)


def write(app: Sphinx) -> None:
    """Write the page beside its neighbours before the sources are read."""
    target = Path(app.srcdir) / "reference" / "refusals.md"
    text = page()
    if not target.exists() or target.read_text() != text:
        target.write_text(text)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("builder-inited", write)
    return {"parallel_read_safe": True}
