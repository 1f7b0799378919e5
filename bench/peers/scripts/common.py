"""What every peer is asked, and how it tells what it found. Runs in the peer's environment: nothing of this project."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

EPSILON, DELTA = 1.0, 1e-6
MOST_ROWS, LEAST_DAYS, MOST_DAYS = 20, 0, 60
SEXES = (0, 1)

Rows = list[tuple[int, float, float, float]]
"""Sex, COUNT(*), SUM(days), AVG(days)."""


def measure(ready: Callable[[Path], Callable[[], Rows]]) -> None:
    """Print as JSON how long it took to be ready and to answer, and the answers; argv: folder, how many times."""
    folder, times = Path(sys.argv[1]), int(sys.argv[2])
    began = time.perf_counter()
    ask = ready(folder)
    set_up = time.perf_counter() - began
    seconds, answers = [], []
    for _ in range(times):
        began = time.perf_counter()
        answers.append(ask())
        seconds.append(time.perf_counter() - began)
    sys.stdout.write("\n" + json.dumps({"ready": set_up, "seconds": seconds, "answers": answers}) + "\n")
