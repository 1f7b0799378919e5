"""Bringing the tables to this release: alembic, run from within, imported only when something is to be done."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, column, inspect, select, table

from tre.base.reasons import Refused
from tre.base.reasons import store as reasons

HEAD = "0002"
"""The newest revision in `migrations/`."""

_MIGRATIONS = Path(__file__).parent / "migrations"


def revision_of(connection: Connection) -> str | None:
    """Return the revision of the tables, None where there are none."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(select(column("version_num")).select_from(table("alembic_version"))).scalar_one_or_none()


def upgrade(connection: Connection) -> None:
    """Run the missing migrations inside the caller's transaction. Raises Refused (store.newer)."""
    found = revision_of(connection)
    if found == HEAD:
        return
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
