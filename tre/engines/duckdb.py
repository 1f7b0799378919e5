"""The default engine: locked-down DuckDB processes on a version's file (DESIGN "default engine")."""

from __future__ import annotations

from pathlib import Path

from tre.engines.interface import EngineLimits
from tre.engines.pool import PooledEngine


class DuckDBEngine(PooledEngine):
    """DuckDB over the files of versions."""

    def __init__(self, limits: EngineLimits, spill_root: Path) -> None:
        def settings(version: Path) -> dict[str, str]:
            return {
                "database": str(version),
                "memory": f"{limits.memory}B",
                "threads": str(limits.threads),
                "spill_bytes": f"{limits.spill}B",
            }

        super().__init__("duckdb", "tre.engines.child", settings, limits.workers, spill_root)
