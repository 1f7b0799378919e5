"""Ten thousand random statements: no crash, no answer outside the promise, no second of work to refuse."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace
from random import Random

import pytest

from tests.fuzz import judging
from tests.fuzz.asker import KINDS, House, case
from tests.fuzz.judging import Judge
from tests.fuzz.language import PRODUCTIONS, Language
from tre.base.reasons import Refused
from tre.decide import Question
from tre.sql.binding import scope, session
from tre.sql.parse import parse

STATEMENTS = int(os.environ.get("TRE_FUZZ_STATEMENTS", "10000"))
SEED = os.environ.get("TRE_FUZZ_SEED", "0")
PARTS = 10


@pytest.mark.parametrize("part", range(PARTS))
def test_whatever_is_asked_is_refused_with_reasons_and_in_time_or_planned_within_its_price(part: int) -> None:
    judge = Judge(House(part))
    for place in range(STATEMENTS // PARTS):
        asked = case(Random(f"{SEED} {part} {place}"))
        wrong = judge.wrong(asked)
        assert not wrong, "\n".join([f"{asked.kind}, {asked.question.dialect}:", asked.question.sql, *wrong])
    _balanced(judge)


def _balanced(judge: Judge) -> None:
    """The statements reach every gate: of each kind some are refused, and of most kinds some are planned."""
    every = sum(judge.outcomes.values())
    assert sum(judge.outcomes[kind, True] for kind in KINDS) > every / 10
    assert all(judge.outcomes[kind, False] > every / 100 for kind in KINDS)
    families = Counter(code.split(".")[0] for code in judge.codes)
    assert families["sql"] >= min(5, every // 100)
    assert families["private"] >= min(10, every // 100)


def test_every_production_of_the_language_is_in_use_and_many_texts_can_be_read() -> None:
    """A fuzzer whose texts all fail at the first word looks at nothing."""
    language, read = Language(Random(1)), 0
    for _ in range(400):
        try:
            parse(language.statement())
            read += 1
        except Refused:
            pass
    assert set(language.used) == set(PRODUCTIONS)
    assert read > 100


def _judged(text: str) -> str:
    return " ".join(Judge(House(0)).wrong(replace(case(Random(1)), question=Question(text))))


def test_the_judge_sees_a_crash_a_slow_refusal_and_a_reason_without_a_place(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = "SELECT SUM(nothing) FROM person"
    assert _judged(refused) == ""
    with monkeypatch.context() as patch:
        patch.setattr(judging, "SECONDS", 0)
        assert "to refuse" in _judged(refused)
    with monkeypatch.context() as patch:
        patch.setattr(session, "place_of", lambda *_: None)
        assert "has no place" in _judged(refused)
    with monkeypatch.context() as patch:
        patch.setattr(scope, "meant", None)
        assert "TypeError" in _judged(refused)
