"""The page of every refusal, from the catalogue of reasons."""

from tre.base.reasons import Reason, every_reason

HEAD = """# Every refusal

Each refusal has a stable code, a sentence, a remedy and its place here. Words in braces are filled from the request,
the policy and public facts, never from private data. One answer may carry several: all that are known are said at
once. The HTTP status and the exit code are those of the first reason; the exit code is 4 only where the budget alone is
missing. A running server shows the same text under `/problems/CODE`.
"""


def entry(reason: Reason) -> str:
    """Return the part of the page that explains one reason."""
    lines = [
        f"({reason.code})=",
        f"### `{reason.code}`",
        "",
        f"{_text(reason.sentence)}",
        "",
        f"*What to do:* {_text(reason.remedy)}",
        "",
        f"HTTP {reason.kind.status}, exit code {reason.kind.exit_code}.",
    ]
    if reason.explanation:
        lines += ["", _text(reason.explanation)]
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


def _text(words: str) -> str:
    """Return words as Markdown shows them as they are, apart from code in backticks."""
    pieces = words.split("`")
    return "`".join(piece if odd % 2 else _escaped(piece) for odd, piece in enumerate(pieces))


def _escaped(piece: str) -> str:
    for mark in ("*", "_", "[", "]", "<", ">"):
        piece = piece.replace(mark, f"\\{mark}")
    return piece
