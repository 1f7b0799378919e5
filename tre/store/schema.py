"""Bringing the tables to this release: alembic, run from within, imported only when something is to be done."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, column, func, inspect, select, table

from tre.base.reasons import Refused
from tre.base.reasons import store as reasons

HEAD = "0002"
"""The newest revision in `migrations/`."""

_LOCK = 0x7472655F6D696772
"""The advisory lock under which PostgreSQL migrates: any number that nobody else uses in this database."""

_MIGRATIONS = Path(__file__).parent / "migrations"


def revision_of(connection: Connection) -> str | None:
    """Return the revision of the tables, None where there are none."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(select(column("version_num")).select_from(table("alembic_version"))).scalar_one_or_none()


def create(connection: Connection) -> None:
    """Make the tables where there are none. Raises Refused (store.taken)."""
    _alone(connection)
    if revision_of(connection) is not None:
        raise Refused.because(reasons.TAKEN)
    _run(connection)


def upgrade(connection: Connection) -> None:
    """Run the missing migrations inside the caller's transaction. Raises Refused (store.newer, store.missing)."""
    if revision_of(connection) == HEAD:
        return
    _alone(connection)
    found = revision_of(connection)
    if found is None:
        raise Refused.because(reasons.MISSING)
    if found != HEAD:
        _run(connection)


def _alone(connection: Connection) -> None:
    """Let one process at a time migrate. SQLite's transaction does that by itself."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))


def _run(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise Refused.because(reasons.NEWER) from error
