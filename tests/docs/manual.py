"""The manual as the tests read it: its pages, its fenced blocks, the commands in them."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
DOCS = ROOT / "docs"
READMES = (ROOT / "README.md", ROOT / "policies" / "README.md", ROOT / "audit" / "README.md")
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PUNCTUATION = "();<>|&"

if str(DOCS / "_ext") not in sys.path:
    sys.path.insert(0, str(DOCS / "_ext"))


def pages() -> list[Path]:
    """Return the pages that people wrote, those generated from code left out."""
    import generated

    made = {DOCS / "reference" / f"{name}.md" for name in generated.PAGES}
    return sorted(page for page in DOCS.rglob("*.md") if "_build" not in page.parts and page not in made)


def blocks(page: Path) -> list[tuple[str, str]]:
    """Return the fenced blocks of a page, as (language, text)."""
    return _BLOCK.findall(page.read_text(encoding="utf-8"))


def typed(block: str) -> Iterator[str]:
    """Yield the commands of a console block: what stands after “$ ”, with its continued lines."""
    lines = iter(block.splitlines())
    for line in lines:
        if not line.startswith("$ "):
            continue
        command = line[2:]
        while command.endswith("\\"):
            command = f"{command[:-1]}{next(lines).strip()}"
        yield command


def typed_lines() -> Iterator[tuple[Path, str]]:
    """Yield every command line of the manual and of the folders' own pages, with the page it stands on."""
    for page in pages():
        for language, block in blocks(page):
            if language == "console":
                yield from ((page, command) for command in typed(block))
    for page in READMES:
        indented = re.findall(r"^    ((?:tre|make|python|curl) .*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
        yield from ((page, command) for command in indented)
    recipes = (ROOT / "Makefile").read_text(encoding="utf-8").replace("$(BIN)/", "")
    for recipe in re.findall(r"^\t((?:\w+=\S+ )?tre .*)$", recipes, re.MULTILINE):
        yield ROOT / "Makefile", re.sub(r"\$\(\w+\)", "1", recipe)


def simple_commands(line: str) -> Iterator[list[str]]:
    """Yield the words of each simple command of a shell line: no assignments, redirections, pipes or brackets."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=_PUNCTUATION)
    lexer.whitespace_split = True
    words: list[str] = []
    skipped = False
    for word in [*lexer, ";"]:
        if set(word) <= {"<", ">"}:
            skipped = True
        elif set(word) <= set(_PUNCTUATION):
            yield from _command(words)
            words = []
        elif skipped:
            skipped = False
        else:
            words.append(word)


def _command(words: list[str]) -> Iterator[list[str]]:
    while words and re.match(r"[A-Z_]+=", words[0]):
        words = words[1:]
    if words and words[0] not in ("export", "$"):
        yield words
