"""The manual's page of ten questions, from one real run: `python -m tests.gibleed.page > docs/gibleed.md`."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.gibleed.asking import GiBleed, Question, gibleed, questions
from tre.privacy.answer import Answer
from tre.privacy.mechanisms import OpenDPNoise

INTRODUCTION = """\
# Ten questions on GiBleed

[GiBleed](https://github.com/OHDSI/Eunomia) is a public data set in the OMOP Common Data Model 5.3: 2,694 synthetic
people, made by OHDSI for the question whether gastrointestinal bleeding follows celecoxib more often than diclofenac.
It was added with the policy that this project ships (`policies/omop.yaml`, unchanged):

```text
tre dataset add gibleed --source gibleed/ --policy policies/omop.yaml
```

Each question below shows the SQL as typed and what a researcher gets: noisy numbers, each with the interval that
holds the number without noise in 95 of 100 cases. **Beside them stand the exact numbers, for the reader of this page
alone**: nobody in these data exists. On real data they leave for nobody. Groups whose noisy number of people is under
the policy's minimum of {minimum} are not shown.

With 2,694 people every number is small and the noise plain to see. It does not grow with the data: on a million
people the same ε gives the same ± on counts that are hundreds of times larger. All ten together cost {share:.0f} % of
what the policy grants a project: ε does not add, what it buys does ([promises](promises.md)).
"""
CLOSING = """\
---

This page is written by `python -m tests.gibleed.page > docs/gibleed.md`, from `tests/gibleed/questions.toml`. Every
run draws new noise. `tests/gibleed/` holds the questions to the truth: with bounds wide and noise off their answers are
those of plain SQL, and the intervals hold what they should as often as they promise.
"""


def page(room: GiBleed) -> str:
    """Return the page, each question asked once."""
    asked = questions()
    parts = [section(place, one, room) for place, one in enumerate(asked, 1)]
    spent = sum(room.plan(one, one.ask, room.rules).cost.amount for one in asked)
    introduction = INTRODUCTION.format(
        minimum=room.rules.minimum_group, share=100 * spent / room.rules.per_project.amount
    )
    return "\n".join([introduction, *parts, CLOSING])


def section(place: int, question: Question, room: GiBleed) -> str:
    """Return one question: why, text, price, the private answer and beside it the exact one."""
    found = room.ask(question, OpenDPNoise())
    return "\n".join(
        [
            f"## {place}. {question.title}\n",
            f"{question.about}\n",
            f"```sql\n{question.sql}\n```\n",
            f"{_price(question)}\n",
            *table(found, *room.exact(question)),
            "",
            *_clipped(found),
        ]
    )


def table(found: Answer, names: Sequence[str], exact: Sequence[tuple[Any, ...]]) -> list[str]:
    """Return the answer as a table: exact columns as they are, noisy ones with interval and exact value.

    Rows of the exact answer are found by the columns without noise; groups that it lacks say so.
    """
    keys = [place for place, column in enumerate(found.columns) if not column.noisy]
    by_key = {tuple(row[names.index(found.columns[place].name)] for place in keys): row for row in exact}
    heads = [head for column in found.columns for head in _heads(column.name, column.noisy)]
    lines = [_line(heads), _line(["---:" if column.noisy else "---" for column in _doubled(found)])]
    for at, row in enumerate(found.rows):
        truth = by_key.get(tuple(row[place] for place in keys))
        lines.append(_line(_cells(found, at, names, truth)))
    return lines


def _heads(name: str, noisy: bool) -> list[str]:
    return [name, f"{name}, exact"] if noisy else [name]


def _doubled(found: Answer) -> list[Any]:
    return [column for column in found.columns for _ in _heads(column.name, column.noisy)]


def _cells(found: Answer, at: int, names: Sequence[str], truth: tuple[Any, ...] | None) -> list[str]:
    cells: list[str] = []
    for place, column in enumerate(found.columns):
        value, intervals = found.rows[at][place], found.intervals[place]
        if not column.noisy:
            cells.append("other" if value is None else str(value))
            continue
        cells.append("too few people" if value is None else _with_interval(value, intervals[at] if intervals else None))
        cells.append("–" if truth is None else number(truth[names.index(column.name)]))
    return cells


def _with_interval(value: Any, ends: tuple[Any, Any] | None) -> str:
    if ends is None or None in ends:
        return f"**{number(value)}**"
    return f"**{number(value)}** ({number(ends[0])} to {number(ends[1])})"


def number(value: Any) -> str:
    """Return a number for people: thousands apart, two decimals unless whole."""
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) else f"{Decimal(str(value)):,.2f}"


def _price(question: Question) -> str:
    bounds = [
        f"{words} {bound}"
        for words, bound in (("groups per person:", question.groups), ("rows per person and group:", question.rows))
        if bound is not None
    ]
    return f"Asked with ε = {float(question.epsilon):g}" + (f"; {', '.join(bounds)}" if bounds else "") + "."


def _clipped(found: Answer) -> list[str]:
    """Say how many people counted for less than they have, where that can happen at all."""
    if found.clipped is None:
        return []
    share, half = found.clipped
    return [f"People cut at a bound: {100 * max(share, 0):.1f} % (± {100 * half:.1f}).\n"]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def main() -> None:
    """Write the page to standard output."""
    with tempfile.TemporaryDirectory() as home, gibleed(Path(home)) as room:
        sys.stdout.write(page(room))


if __name__ == "__main__":
    main()
