"""The page of which SQL is admitted, from the examples that a test decides on (tests/spec)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "tests" / "spec" / "admitted.txt"
HEAD = """# What SQL is admitted

One rule decides: what one person adds to an answer must be bounded, and provably so from declarations. Every table in
a question is *public*, *persons' rows*, an *attribute* that persons share (such as a place), or *released* already.
Each part below says what an operation makes of them, with texts that are answered and texts that are refused.

The examples ask a small data set at the policy's usual epsilon of 1. Its tables are `person`, `visit_occurrence`,
`condition_occurrence`, `measurement` and `death` (private), `location` (an attribute), `concept` and
`concept_ancestor` (public). What stands under an answered text is the decision, the bounds of one person, the error
that is told beforehand, and the *exact vector*: what the engine hands over to be noised. Nobody is ever shown that; it
stands here because these people are invented. A test decides on every text anew and compares.

Names of functions are [a page of their own](functions.md), every reason is [one too](refusals.md).
"""


@dataclass(frozen=True)
class Example:
    """One text, with what was decided on it."""

    sql: str
    decided: str

    @property
    def refused(self) -> bool:
        """Whether it is refused."""
        return self.decided.startswith("refused")


@dataclass(frozen=True)
class Rule:
    """One operation, what its result is, and texts that show it."""

    operation: str
    result: str
    examples: tuple[Example, ...]


def rules(text: str) -> Iterator[Rule]:
    """Yield the rules of the file: `# operation`, `=> result`, then texts with their decisions after `--`."""
    for part in re.split(r"^# ", text, flags=re.MULTILINE)[1:]:
        operation, result, rest = part.split("\n", 2)
        cases = (case.partition("\n--\n") for case in rest.strip().removesuffix("==").split("\n==\n"))
        examples = tuple(Example(sql.strip(), decided.strip()) for sql, _, decided in cases)
        yield Rule(operation, result.removeprefix("=> "), examples)


def written(every: list[Rule]) -> str:
    """Return the text of the file."""
    parts = []
    for rule in every:
        cases = "\n==\n".join(f"{one.sql}\n--\n{one.decided}" for one in rule.examples)
        parts.append(f"# {rule.operation}\n=> {rule.result}\n{cases}")
    return "\n==\n".join(parts) + "\n"


def page() -> str:
    """Return the whole page."""
    every = list(rules(EXAMPLES.read_text(encoding="utf-8")))
    parts = [HEAD, "| operation | result |", "|---|---|"]
    parts += [f"| {rule.operation} | {rule.result} |" for rule in every]
    for rule in every:
        parts += ["", f"## {rule.operation}", "", f"The result: {rule.result}.", ""]
        parts += [_shown(one) for one in rule.examples]
    return "\n".join(parts) + "\n"


def _shown(one: Example) -> str:
    said = "Refused" if one.refused else "Answered"
    return f"{said}:\n\n```sql\n{one.sql}\n```\n\n```text\n{one.decided}\n```\n"
