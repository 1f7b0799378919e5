"""What every peer is asked, and how it tells what it found. Runs in the peer's environment: nothing of this project."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

EPSILON, DELTA = 1.0, 1e-6
MOST_ROWS, LEAST_DAYS, MOST_DAYS = 20, 0, 60
SEXES = (0, 1)
PATIENCE = 75.0
"""Seconds after which a peer is asked no more, once it has answered."""

Rows = list[tuple[int, float, float, float]]
"""Sex, COUNT(*), SUM(days), AVG(days)."""


class Questions(NamedTuple):
    """COUNT, SUM and AVG by sex; and COUNT(DISTINCT patient). Each at the whole of epsilon and delta."""

    by_sex: Callable[[], Rows]
    people: Callable[[], float]


def measure(ready: Callable[[Path], Questions]) -> None:
    """Print as JSON how long it took to be ready and to answer, and the answers; argv: folder, how many times."""
    folder, times = Path(sys.argv[1]), int(sys.argv[2])
    told: dict[str, list[Any]] = {"ready": [], "by_sex": [], "people": [], "answers": [], "counts": []}
    began = time.perf_counter()
    questions = ready(folder)
    told["ready"].append(time.perf_counter() - began)
    for turn in range(times):
        if turn and time.perf_counter() - began > PATIENCE:
            break
        for name, ask, answers in (("by_sex", questions.by_sex, "answers"), ("people", questions.people, "counts")):
            asked = time.perf_counter()
            told[answers].append(ask())
            told[name].append(time.perf_counter() - asked)
    sys.stdout.write("\n" + json.dumps(told) + "\n")
