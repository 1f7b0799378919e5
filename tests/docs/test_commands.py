"""Every command that the manual tells people to type is one that the parsers take."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from audit.__main__ import _parser as audit_parser
from tests.docs.manual import ROOT, simple_commands, typed_lines
from tre.cli.parser import parser

ORDINARY = {"cat", "cp", "curl", "echo", "python", "python3", "sed", "tail", "umask"}
LINES = sorted({(page.relative_to(ROOT).as_posix(), line) for page, line in typed_lines()})


def targets() -> set[str]:
    return set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def parse(words: list[str]) -> None:
    name = Path(words[0]).name
    if name == "tre":
        options, rest = parser().parse_known_args(words[1:])
        if hasattr(options, "rest"):
            audit_parser().parse_args([getattr(options, "outside", "verify"), *rest])
        else:
            assert not rest, rest
    elif words[1:3] == ["-m", "audit"]:
        audit_parser().parse_args(words[3:])
    elif name == "make":
        assert set(words[1:]) <= targets()
    else:
        assert name in ORDINARY, f"{name} is no command that the manual may ask for"


@pytest.mark.parametrize(("page", "line"), LINES)
def test_what_the_manual_says_to_type_is_taken_by_the_parsers(page: str, line: str) -> None:
    for words in simple_commands(line):
        parse(words)


def test_the_manual_is_searched_where_commands_stand() -> None:
    pages = {page for page, _ in LINES}
    assert {"README.md", "Makefile", "audit/README.md", "policies/README.md", "docs/howto/operate.md"} <= pages
    assert len(LINES) > 40


def test_a_command_that_no_parser_takes_is_found() -> None:
    for words in simple_commands(
        'X=$(tre token --person p | tail -n 1) && tre query --epsilon 1 "SELECT COUNT(*) > 1"'
    ):
        parse(words)
    (_, unknown) = simple_commands("echo; tre query --epsilom 1 'SELECT 1'")
    with pytest.raises(AssertionError):
        parse(unknown)
