"""A version in a PostgreSQL server: a schema of its own, written once, which one role may read."""
# ruff: noqa: S608 - identifiers and texts enter SQL through tre.onboarding.sql alone

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tre.base.reasons import onboarding as reasons
from tre.catalogue import SIDE_SCHEMA, Kind, Table, Type
from tre.engines import VERSION_FILE
from tre.engines.postgres import schema_of
from tre.onboarding.refusal import Fault, VersionRefused
from tre.onboarding.sql import literal, name, names
from tre.onboarding.stage import copied
from tre.sql.functions.postgres import declared

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import duckdb
    import psycopg
    import pyarrow as pa

_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class Server:
    """Where versions stay: the `owner`'s address makes schemas, the role `reader` may read them."""

    owner: str = field(repr=False)
    reader: str


def lay_out(file: Path, tables: Mapping[str, Table], server: Server, schema: str) -> None:
    """Copy the DuckDB file of a version into the new schema `schema`, in one transaction: all of it or nothing.

    Rows keep their order, clustered by unit. Raises VersionRefused, in whose detail the server's words stand.
    """
    import duckdb
    import psycopg

    detail = ""
    try:
        with duckdb.connect(str(file), read_only=True) as found, _connected(server) as there:
            _write(found, there, tables, server, schema)
    except (psycopg.Error, duckdb.Error) as error:
        detail = str(error)
    # Raised out here, so that the server's words, which may quote a row, are no context of the refusal.
    if detail:
        raise VersionRefused([Fault(reasons.SERVER, detail)])


def _write(
    found: duckdb.DuckDBPyConnection,
    there: psycopg.Connection,
    tables: Mapping[str, Table],
    server: Server,
    schema: str,
) -> None:
    reader = name(server.reader)
    _begin(there, schema)
    _run(
        there, f"CREATE SCHEMA {name(schema)}", f"SET LOCAL search_path = {name(schema)}", "SET LOCAL timezone = 'UTC'"
    )
    for key, table in tables.items():
        columns = [(column.name, column.type) for column in copied(table)]
        _copy(found, there, name("main", key), name(key), columns)
        if table.unit:
            counts = [("unit", Type(Kind.INTEGER)), ("n", Type(Kind.INTEGER))]
            _copy(found, there, name(SIDE_SCHEMA, key), name(f"{SIDE_SCHEMA}.{key}"), counts)
    _run(there, f"GRANT USAGE ON SCHEMA {name(schema)} TO {reader}")
    _run(there, f"GRANT SELECT ON ALL TABLES IN SCHEMA {name(schema)} TO {reader}")


def _copy(
    found: duckdb.DuckDBPyConnection,
    there: psycopg.Connection,
    source: str,
    target: str,
    columns: list[tuple[str, Type]],
) -> None:
    shape = ", ".join(f"{name(column)} {declared(type_)}" for column, type_ in columns)
    listed = names(column for column, _ in columns)
    _run(there, f"CREATE TABLE {target} ({shape})")
    blocks = found.sql(f"SELECT {listed} FROM {source}").to_arrow_reader(_AT_ONCE)
    with there.cursor() as cursor, cursor.copy(f"COPY {target} ({listed}) FROM STDIN (FORMAT csv)".encode()) as copy:
        for block in blocks:
            copy.write(_as_csv(block))
    _run(there, f"ANALYZE {target}")


def _as_csv(block: pa.RecordBatch) -> pa.Buffer:
    """Return rows as PostgreSQL reads them: every text in quotes, so that NULL alone is nothing at all."""
    import pyarrow as pa
    from pyarrow import csv

    sink = pa.BufferOutputStream()
    csv.write_csv(block, sink, csv.WriteOptions(include_header=False, quoting_style="needed"))
    return sink.getvalue()


def _run(there: psycopg.Connection, *statements: str) -> None:
    for statement in statements:
        there.execute(statement.encode())


def _connected(server: Server) -> psycopg.Connection:
    import psycopg

    return psycopg.connect(server.owner, connect_timeout=10, application_name="tre")


def _begin(there: psycopg.Connection, schema: str) -> None:
    """Have whoever would drop the schema wait for whoever writes it, also where that one's process was killed.

    The server looks once a second whether we are still there. What Arrow writes is UTF-8, whatever the role has set.
    """
    _run(there, "SET LOCAL client_encoding = 'UTF8'")
    _run(there, "SET LOCAL client_connection_check_interval = '1s'", "SET LOCAL lock_timeout = '60s'")
    _run(there, f"SELECT pg_advisory_xact_lock(hashtextextended({literal(schema)}, 0))")


def forgetting(server: Server | None) -> Callable[[Path], bool]:
    """Return what drops the schema that a version which never was would have had, and says whether there is none.

    Given is the folder that a killed process was making. Without the server, or while it cannot be asked, the folder
    has to stay, since nothing else knows of the schema.
    """

    def forget(folder: Path) -> bool:
        try:
            schema = schema_of(folder / VERSION_FILE)
        except (FileNotFoundError, ValueError):
            return True  # not written, or not to its end: nothing had been asked of the server
        return server is not None and _dropped(server, schema)

    return forget


def _dropped(server: Server, schema: str) -> bool:
    import psycopg

    try:
        with _connected(server) as there:
            _begin(there, schema)
            _run(there, f"DROP SCHEMA IF EXISTS {name(schema)} CASCADE")
    except psycopg.Error:
        return False
    return True
