"""Ten questions on GiBleed: exact in the limit, within their intervals otherwise, and in the manual as asked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.gibleed.asking import GiBleed, Question, gibleed, questions
from tests.gibleed.page import number
from tests.privacy.exact import NoNoise
from tests.support import ROOT
from tre.privacy.answer import Answer
from tre.privacy.mechanisms import OpenDPNoise
from tre.privacy.request import Ask

PAGE = ROOT / "docs" / "gibleed.md"
QUESTIONS = questions()
each = pytest.mark.parametrize("question", QUESTIONS, ids=[one.title[:40] for one in QUESTIONS])


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GiBleed]:
    with gibleed(tmp_path_factory.mktemp("gibleed")) as found:
        yield found


def keyed(found: Answer, names: tuple[str, ...], rows: list[tuple[Any, ...]]) -> dict[Any, tuple[Any, ...]]:
    """The exact rows by the columns that carry no noise, in the order of the answer's columns."""
    keys = [column.name for column in found.columns if not column.noisy]
    order = [names.index(column.name) for column in found.columns]
    return {tuple(row[names.index(key)] for key in keys): tuple(row[at] for at in order) for row in rows}


def own_key(found: Answer, row: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(cell for cell, column in zip(row, found.columns, strict=True) if not column.noisy)


@each
def test_in_the_limit_the_answer_is_that_of_plain_sql(question: Question, room: GiBleed) -> None:
    """Bounds wide, noise off, no minimum group: the same rows and numbers; known groups without people count 0."""
    wide = Ask(epsilon=question.epsilon, groups=1000, rows=1000)
    found = room.ask(question, NoNoise(), wide, replace(room.rules, minimum_group=None))
    names, rows = room.exact(question)
    assert tuple(column.name for column in found.columns) == names
    exact = keyed(found, names, rows)
    assert len(exact) == len(rows)
    answered = {own_key(found, row): row for row in found.rows}
    assert exact.keys() <= answered.keys()
    for key, row in answered.items():
        for cell, truth, column in zip(row, exact.get(key, row), found.columns, strict=True):
            if key not in exact:
                assert not column.noisy or not cell
            elif isinstance(truth, int | str | None):
                assert cell == truth
            else:
                assert float(str(cell)) == pytest.approx(float(truth), rel=1e-6)


@each
def test_the_bounds_cost_little(question: Question, room: GiBleed) -> None:
    """What the question's own bounds cut changes no number by more than a few hundredths."""
    found = room.ask(question, NoNoise())
    names, rows = room.exact(question)
    exact = keyed(found, names, rows)
    for row, suppressed in zip(found.rows, found.suppressed, strict=True):
        truth = exact.get(own_key(found, row))
        if truth is not None and not suppressed:
            for cell, wanted, column in zip(row, truth, found.columns, strict=True):
                if column.noisy:
                    assert float(str(cell)) == pytest.approx(float(wanted), rel=0.03, abs=1)


def test_intervals_hold_the_noise_free_answer_as_often_as_promised(room: GiBleed) -> None:
    """At 95 % a cell, each question asked 8 times; the seven of 100 below that are some six standard deviations."""
    inside = total = 0
    for question in QUESTIONS:
        hits = covered(question, room, times=8)
        assert len(hits) >= 8
        assert sum(hits) >= len(hits) / 2
        inside, total = inside + sum(hits), total + len(hits)
    assert total > 400
    assert inside >= 0.88 * total


def covered(question: Question, room: GiBleed, times: int) -> list[bool]:
    """Whether each noisy cell's interval holds what the same request answers without noise."""
    still = room.ask(question, NoNoise())
    truth = {own_key(still, row): row for row in still.rows}
    return [
        float(low) <= float(str(truth[own_key(found, row)][place])) <= float(high)
        for found in (room.ask(question, OpenDPNoise()) for _ in range(times))
        for at, row in enumerate(found.rows)
        for place, intervals in enumerate(found.intervals)
        if intervals is not None and None not in (row[place], truth.get(own_key(found, row), (None,) * 9)[place])
        for low, high in [intervals[at]]
        if low is not None and high is not None
    ]


@each
def test_every_number_about_somebody_has_an_interval_that_tells_something(question: Question, room: GiBleed) -> None:
    found = room.ask(question, OpenDPNoise())
    about_somebody = keyed(found, *room.exact(question)).keys()
    for at, row in enumerate(found.rows):
        if own_key(found, row) not in about_somebody:
            continue
        for column, cell, intervals in zip(found.columns, row, found.intervals, strict=True):
            if column.noisy:
                assert intervals is not None
                low, high = intervals[at]
                assert low is not None
                assert high is not None
                assert float(low) <= float(str(cell)) <= float(high)
                assert float(high) - float(low) < abs(float(str(cell))) + 40


@each
def test_the_price_fits_what_the_shipped_policy_allows(question: Question, room: GiBleed) -> None:
    planned = room.plan(question, question.ask, room.rules)
    assert planned.cost.fits(room.rules.per_answer)
    assert planned.blocks


def test_the_manual_shows_these_questions_and_this_data() -> None:
    shown = re.findall(r"^## \d+\. (.*?)\n\n(.*?)\n\n```sql\n(.*?)\n```", PAGE.read_text(encoding="utf-8"), re.S | re.M)
    assert shown == [(one.title, one.about, one.sql) for one in QUESTIONS]


def test_the_manuals_exact_numbers_are_exact(room: GiBleed) -> None:
    sections = re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.M)[1:]
    for question, section in zip(QUESTIONS, sections, strict=True):
        names, rows = room.exact(question)
        lines = [
            [cell.strip() for cell in line.strip("| ").split(" | ")]
            for line in section.splitlines()
            if line.startswith("| ")
        ]
        heads, shown = lines[0], lines[2:]
        for name in (head.removesuffix(", exact") for head in heads if head.endswith(", exact")):
            at, exact = heads.index(f"{name}, exact"), {number(row[names.index(name)]) for row in rows}
            assert {line[at] for line in shown} - {"–"} <= exact


def test_there_are_ten_questions_in_the_manual_s_tree() -> None:
    assert len(QUESTIONS) == 10
    assert re.search(r"^gibleed$", (ROOT / "docs" / "index.md").read_text(encoding="utf-8"), re.M)
