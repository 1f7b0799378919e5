"""The scenarios by name; each makes what it needs in a folder of its own and returns a report."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bench.report import Report
from bench.scale import Scale
from bench.scenarios import budget, command, error, http, log, memory, peers, planning, pseudonyms, sizes, texts

Scenario = Callable[[Path, Scale], Report]

SCENARIOS: dict[str, Scenario] = {
    "command": command.run,
    "one-caller": http.one_caller,
    "eight-callers": http.eight_callers,
    "join": http.join,
    "planning": planning.run,
    "texts": texts.run,
    "peers": peers.run,
    "rows": sizes.rows,
    "groups": sizes.groups,
    "spill": sizes.spill,
    "error": error.run,
    "memory": memory.run,
    "budget": budget.run,
    "pseudonyms": pseudonyms.run,
    "log-append": log.append,
    "log-verify": log.verify,
    "log-settle": log.settle,
}
