"""A version in a real PostgreSQL server, and the role that reads it."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from tests.postgresql import drop_database, fresh_database, run
from tests.sql.catalogue import fill
from tests.sql.expressions.engines import Engine
from tre.engines import EngineLimits
from tre.engines.postgres import VERSION_FILE

LIMITS = EngineLimits(memory=1024**3, spill=1024**3)
SCHEMA = "tre_small"
_NUMBERS = itertools.count()


@dataclass(frozen=True)
class Server:
    """A database with one version; `reader` is the address of the role that may read it."""

    owner: str
    reader: str
    role: str
    version: Path

    @property
    def settings(self) -> dict[str, str]:
        """What a process is told first."""
        memory, spill = str(LIMITS.memory), str(LIMITS.spill)
        return {"address": self.reader, "schema": SCHEMA, "memory": memory, "threads": "2", "spill_bytes": spill}

    def execute(self, sql: str) -> list[tuple[object, ...]]:
        """Run a statement as the owner; {role} and {schema} in it are filled in."""
        with psycopg.connect(self.owner, autocommit=True) as connection:
            found = connection.execute(sql.format(role=self.role, schema=SCHEMA))  # type: ignore[call-overload]
            return list(found.fetchall()) if found.description else []

    def busy_within(self, seconds: float) -> bool:
        """Wait until the reader has a statement under way."""
        return self._waited(seconds, busy=True)

    def idle_within(self, seconds: float) -> bool:
        """Wait until it has none."""
        return self._waited(seconds, busy=False)

    def terminate(self) -> None:
        """End every connection of the reader."""
        self.execute("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE usename = '{role}'")

    @contextmanager
    def changed(self, sql: str) -> Iterator[None]:
        """Change the role, and undo it."""
        self.execute(sql)
        try:
            yield
        finally:
            self.execute("ALTER ROLE {role} NOSUPERUSER NOCREATEDB")
            self.execute("ALTER ROLE {role} RESET ALL")
            self.execute("ALTER ROLE {role} SET temp_file_limit = '1GB'")
            self.execute("REVOKE CREATE ON SCHEMA {schema} FROM {role}")
            self.execute("REVOKE UPDATE ON {schema}.person FROM {role}")

    def _waited(self, seconds: float, *, busy: bool) -> bool:
        until = time.monotonic() + seconds
        sql = "SELECT 1 FROM pg_stat_activity WHERE usename = '{role}' AND state = 'active'"
        while bool(self.execute(sql)) is not busy:
            if time.monotonic() > until:
                return False
            time.sleep(0.05)
        return True


@contextmanager
def roles() -> Iterator[tuple[str, str, str]]:
    """Yield the addresses of an owner, with a database of its own, and of a role that may read; and its name."""
    owner, role = fresh_database(), f"reader_{os.getpid()}_{next(_NUMBERS)}"
    run(f"CREATE ROLE {role} LOGIN")
    run(f"ALTER ROLE {role} SET temp_file_limit = '1GB'")
    yield owner, owner.replace("//postgres:@", f"//{role}@"), role
    drop_database(owner)
    run(f"DROP ROLE {role}")


@contextmanager
def served(folder: Path) -> Iterator[Server]:
    """Yield a server that holds the small catalogue's tables as a version, whose file is in `folder`."""
    version = folder / VERSION_FILE
    version.write_text(f"{SCHEMA}\n")
    with roles() as (owner, reader, role):
        with psycopg.connect(owner, autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA {SCHEMA}")
            connection.execute(f"SET search_path = {SCHEMA}")
            fill(Engine("postgres", connection))
        found = Server(owner, reader, role, version)
        found.execute("GRANT USAGE ON SCHEMA {schema} TO {role}")
        found.execute("GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {role}")
        yield found
