"""The page of every command, from the parsers of the two command lines."""

import argparse
from collections.abc import Iterator

from audit.__main__ import _parser as audit_parser
from tre.cli.codes import BUDGET, DONE, FAULT, REFUSED, USAGE
from tre.cli.parser import parser as tre_parser

HEAD = f"""# Commands

What `--help` says. The environment: `TRE_HOME` names the home for commands on a home; `TRE_URL`, `TRE_TOKEN` and
`TRE_PROJECT` say where, as whom and for which project `tre check`, `tre query` and `tre refine` ask.

| exit code | meaning |
|---|---|
| {DONE} | done |
| {FAULT} | a fault: of the service, the file system or the network |
| {USAGE} | the command or a setting is wrong |
| {REFUSED} | refused |
| {BUDGET} | refused, and the budget is all that is missing |
| 5 | the log or the receipt did not verify |
"""
WIDTH = 100


def page() -> str:
    """Return the whole page, a section per command."""
    parts = [HEAD]
    for found in (*leaves(tre_parser()), *leaves(audit_parser(), "python -m audit")):
        name, command = found
        parts.append(f"## `{name}`\n\n```text\n{_help(command)}\n```\n")
    return "\n".join(parts)


def leaves(parser: argparse.ArgumentParser, name: str = "tre") -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Yield each command that runs something, with its whole name."""
    groups = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not groups:
        yield name, parser
    for group in groups:
        for word, below in group.choices.items():
            yield from leaves(below, f"{name} {word}")


def _help(command: argparse.ArgumentParser) -> str:
    command.formatter_class = lambda prog: argparse.HelpFormatter(prog, width=WIDTH)
    return command.format_help().strip()
