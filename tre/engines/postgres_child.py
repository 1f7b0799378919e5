"""The process that asks a PostgreSQL server. Started as `python -I -m tre.engines.postgres_child`.

The gate writes the text and the role can only read; here every limit is set for each statement, and the server's own
planner is asked which tables a statement reads before it runs.
"""
# ruff: noqa: S608 - names of inputs are the planner's own, values are parameters

from __future__ import annotations

import re
import resource
from collections.abc import Iterator, Mapping
from typing import Any

import psycopg
import pyarrow as pa
from psycopg import sql

from tre.catalogue import SIDE_SCHEMA
from tre.engines import postgres_rows
from tre.engines.serving import Run, serve

_OLDEST = 160_000  # `pg_input_is_valid` says whether a text can be read
_QUOTED_OR_PARAMETER = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|\$([a-z_][a-z0-9_]*)""")
_SETTINGS = {
    "client_connection_check_interval": "500ms",
    "client_encoding": "UTF8",
    "cursor_tuple_fraction": "1",
    "datestyle": "ISO, YMD",
    "default_transaction_isolation": "repeatable read",
    "default_transaction_read_only": "on",
    "extra_float_digits": "1",
    "hash_mem_multiplier": "1",
    "idle_in_transaction_session_timeout": "60s",
    "intervalstyle": "postgres",
    "jit": "off",
    "lock_timeout": "1s",
    "row_security": "off",
    "standard_conforming_strings": "on",
    "timezone": "UTC",
    "xmloption": "content",
}
"""What a statement's meaning and its limits rest on, set by whoever asks: a role may have set something else."""


class Unfit(Exception):  # noqa: N818 - a state of the server
    """The server or the role is not what a version may be read with."""


def opened(settings: dict[str, str]) -> Run:
    """Connect to the server that holds the version; return what answers on it."""
    # What libpq and Arrow hold of an answer; the server has limits of its own for what it computes.
    resource.setrlimit(resource.RLIMIT_DATA, (int(settings["memory"]),) * 2)
    connection = connect(settings)

    def run(request: Mapping[str, Any], inputs: Mapping[str, pa.Table]) -> pa.Table:
        with connection.transaction(force_rollback=True):
            left = max(1, int(float(request["seconds"]) * 1000))
            connection.execute(f"SET LOCAL statement_timeout = {left}")
            return _answered(connection, settings["schema"], request, inputs)

    return run


def connect(settings: Mapping[str, str]) -> psycopg.Connection:
    """Return a connection whose role can read the version's schema and change nothing. Raises Unfit, psycopg.Error."""
    connection = psycopg.connect(
        settings["address"],
        autocommit=True,
        connect_timeout=10,
        prepare_threshold=None,
        application_name="tre",
        cursor_factory=psycopg.RawCursor,
    )
    try:
        _settle(connection, settings)
    except BaseException:
        connection.close()
        raise
    return connection


def _settle(connection: psycopg.Connection, settings: Mapping[str, str]) -> None:
    if connection.info.server_version < _OLDEST:
        raise Unfit("PostgreSQL 16 or later")
    for name, value in {**_SETTINGS, **_limits(settings)}.items():
        connection.execute("SELECT set_config($1, $2, false)", [name, value])
    path = sql.SQL("SET search_path = {}, pg_temp").format(sql.Identifier(settings["schema"]))
    connection.execute(path)
    _check(connection, settings)


def _limits(settings: Mapping[str, str]) -> dict[str, str]:
    """A plan has a few sorts and hash tables at once, each with `work_mem` of its own in every process."""
    threads = int(settings["threads"])
    each = max(64, int(settings["memory"]) // 1024 // 8 // threads)
    return {"work_mem": f"{each}kB", "max_parallel_workers_per_gather": str(threads - 1)}


def _check(connection: psycopg.Connection, settings: Mapping[str, str]) -> None:
    """A role that is more than a reader, a database of another encoding or a spill without limit: nothing is read."""
    schema = settings["schema"]
    (found,) = connection.execute(_ROLE, [schema]).fetchall()
    if any(found):
        raise Unfit("a role that may only read, in a database in UTF8")
    connection.execute(
        "SELECT set_config('temp_file_limit', $1, false) "
        "WHERE has_parameter_privilege(current_user, 'temp_file_limit', 'SET')",
        [f"{int(settings['spill_bytes']) // 1024}kB"],
    )
    (limit,) = connection.execute("SELECT current_setting('temp_file_limit')").fetchall()
    if limit[0] == "-1":
        raise Unfit("a temp_file_limit")


_ROLE = """
SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls, has_schema_privilege($1, 'CREATE'),
  current_setting('server_encoding') <> 'UTF8', session_user <> current_user,
  EXISTS (SELECT FROM pg_class WHERE relnamespace = $1::regnamespace AND relkind IN ('r', 'v', 'm', 'p', 'f')
          AND has_table_privilege(oid, 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER'))
FROM pg_roles WHERE rolname = current_user
"""


# --- one statement ----------------------------------------------------------------------------------------


def _answered(
    connection: psycopg.Connection, schema: str, request: Mapping[str, Any], inputs: Mapping[str, pa.Table]
) -> pa.Table:
    text, values = numbered(request["sql"], request["parameters"])
    text = with_inputs(text, inputs, len(values))
    given = [*values, *(column.to_pylist() for table in inputs.values() for column in table.columns)]
    # Rows in binary come by the extended protocol, which takes one statement a message; the simple one takes many.
    (plan,) = connection.execute(f"EXPLAIN (FORMAT JSON, VERBOSE) {text}", given, binary=True).fetchall()[0]
    allowed = {(schema, f"{side}{name}") for name in request["tables"] for side in ("", f"{SIDE_SCHEMA}.")}
    if not set(_read(plan)) <= allowed:
        raise PermissionError("the statement reads more than its plan")
    with connection.cursor() as cursor:
        return postgres_rows.table(cursor.execute(text, given, binary=True))


def numbered(text: str, parameters: Mapping[str, Any]) -> tuple[str, list[Any]]:
    """Return a text whose parameters are numbered as PostgreSQL's are, and their values in that order."""
    places = {name: place for place, name in enumerate(parameters, 1)}

    def number(found: re.Match[str]) -> str:
        return found[0] if found[1] is None else f"${places[found[1]]}"

    return _QUOTED_OR_PARAMETER.sub(number, text), list(parameters.values())


def with_inputs(text: str, inputs: Mapping[str, pa.Table], before: int) -> str:
    """Return a statement with its inputs ahead of it, as arrays in parameters numbered from `before` + 1."""
    made, place = [], before
    for name, given in inputs.items():
        types = [postgres_rows.array_of(column.type) for column in given.columns]
        arrays = ", ".join(f"${place + at}::{type_}" for at, type_ in enumerate(types, 1))
        columns = [f"c{at}" for at in range(1, len(types) + 1)]
        listed = [f'{one} COLLATE "C"' if type_ == "text[]" else one for one, type_ in zip(columns, types, strict=True)]
        rows = f"SELECT {', '.join(listed)} FROM unnest({arrays}) AS given({', '.join(columns)})"
        made.append(f'"{name}" AS ({rows})')
        place += len(types)
    if not made:
        return text
    return f"WITH {', '.join(made)}{', ' + text.removeprefix('WITH ') if text.startswith('WITH ') else ' ' + text}"


def _read(plan: Any) -> Iterator[tuple[str, str]]:
    """Yield every table in a plan; a function that makes rows is none of ours but for the inputs' own."""
    for node in plan if isinstance(plan, list) else [plan]:
        if isinstance(node, dict):
            if "Relation Name" in node:
                yield node["Schema"], node["Relation Name"]
            if node.get("Function Name", "unnest") != "unnest":
                yield "", node["Function Name"]
            for below in node.values():
                if isinstance(below, (list, dict)):
                    yield from _read(below)


if __name__ == "__main__":
    serve(opened)
