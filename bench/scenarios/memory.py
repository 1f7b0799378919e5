"""What a server holds in memory: arbiter, worker and one warm engine."""

from __future__ import annotations

from pathlib import Path

import psutil

from bench.houses import Served, omop, served
from bench.report import Report, Series, Target
from bench.scale import Scale
from bench.scenarios.http import QUESTIONS

_MEBI = 1024**2


def run(folder: Path, scale: Scale) -> Report:
    """Serve, ask, and look at every process."""
    with served(omop(folder, scale.of(10_000, 200))) as house:
        for _ in range(scale.of(20, 1)):
            for sql in QUESTIONS.values():
                house.ask(sql)
        resident, alone = _held(house)
    return Report(
        "Memory",
        "After a hundred questions. Resident memory counts a page that processes share once for each; “its own” counts "
        "what would be free without the process.",
        (*resident, *alone),
        (
            Target("resident, all processes", "MB", sum(one.median for one in resident), 450),
            Target("their own, all processes", "MB", sum(one.median for one in alone)),
        ),
    )


def _held(house: Served) -> tuple[list[Series], list[Series]]:
    resident, alone = [], []
    for process in house.processes():
        name = _name(process, house)
        memory = process.memory_full_info()
        resident.append(Series(f"{name}, resident", "MB", (memory.rss / _MEBI,)))
        alone.append(Series(f"{name}, its own", "MB", (memory.uss / _MEBI,)))
    return resident, alone


def _name(process: psutil.Process, house: Served) -> str:
    if process.pid == house.process.pid:
        return "arbiter"
    return "engine" if "tre.engines.child" in process.cmdline() else "worker"
