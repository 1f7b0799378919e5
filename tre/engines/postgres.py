"""The second engine: data that stay in a PostgreSQL server, read over one locked-down process a connection.

libpq and its answers are parsed in a process of their own, and killing that process is the way to stop a statement:
the server looks twice a second whether whoever asked is still there. Role defaults can be set anew by the role itself,
so every limit is given again here (DESIGN "second engine").
"""

from __future__ import annotations

import re
from pathlib import Path

from tre.engines.interface import EngineLimits
from tre.engines.pool import PooledEngine

VERSION_FILE = "data.postgresql"
"""The file in the place of a version's data: the name of its schema in the server."""
_SCHEMA = re.compile(r"tre_[a-z0-9_]{1,50}")


def schema_of(version: Path) -> str:
    """Return the schema that the file `version` names. Raises OSError, ValueError where it names none."""
    with version.open("rb") as file:
        found = file.read(100).decode("ascii").strip()
    if _SCHEMA.fullmatch(found) is None:
        raise ValueError("no schema of a version")
    return found


class PostgresEngine(PooledEngine):
    """PostgreSQL over the schemas of versions; `address` is that of a role that may only read them."""

    def __init__(self, limits: EngineLimits, spill_root: Path, address: str) -> None:
        def settings(version: Path) -> dict[str, str]:
            return {
                "address": address,
                "schema": schema_of(version),
                "memory": str(limits.memory),
                "threads": str(limits.threads),
                "spill_bytes": str(limits.spill),
            }

        super().__init__("postgres", "tre.engines.postgres_child", settings, limits.workers, spill_root)
