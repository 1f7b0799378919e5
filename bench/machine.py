"""On what it was measured: a figure without its machine says nothing."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

_PARTS = ("duckdb", "sqlalchemy", "sqlglot", "opendp", "pyarrow", "flask", "gunicorn", "cedarpy", "cryptography")


def facts(command: str) -> dict[str, Any]:
    """Return machine, versions, date, command, load average and this process's niceness at this moment."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": command,
        "load": [round(one, 2) for one in os.getloadavg()],
        "nice": os.nice(0),
        "machine": {
            "processor": _first("/proc/cpuinfo", "model name") or platform.machine(),
            "processors": os.cpu_count(),
            "memory": _first("/proc/meminfo", "MemTotal"),
            "system": f"{platform.system()} {platform.release()}",
        },
        "versions": {"python": platform.python_version()} | {name: version(name) for name in _PARTS},
    }


def _first(file: str, name: str) -> str | None:
    for line in Path(file).read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return None
