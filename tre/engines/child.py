"""The locked-down DuckDB process. Started as `python -I -m tre.engines.child`; speaks frames on two descriptors.

In-process, DuckDB and the broker would be one trust domain; and even a locked DuckDB keeps `query()`, `error()`
and settings open, so the gate before it and the lock-down here each hold alone (DESIGN "default engine").
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import duckdb
import pyarrow as pa

from tre.engines.serving import Run, serve


def opened(settings: dict[str, str]) -> Run:
    """Open the version's file; return what answers on it."""
    connection = _open(settings)

    def run(request: Mapping[str, Any], inputs: Mapping[str, pa.Table]) -> pa.Table:
        try:
            return _run(connection, request, inputs)
        finally:
            for name in inputs:
                connection.unregister(name)

    return run


def _open(settings: dict[str, str]) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(
        settings["database"],
        read_only=True,
        config={
            "memory_limit": settings["memory"],
            "threads": settings["threads"],
            "temp_directory": settings["spill"],
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "allow_community_extensions": "false",
            "python_enable_replacements": "false",
        },
    )
    # Among the settings of the opening this one is shown and not obeyed: what spills would have no limit.
    connection.execute(f"SET max_temp_directory_size = '{settings['spill_bytes']}'")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def _run(connection: duckdb.DuckDBPyConnection, request: Mapping[str, Any], inputs: Mapping[str, pa.Table]) -> pa.Table:
    sql: str = request["sql"]
    for name, given in inputs.items():
        connection.register(name, given)
    # The engine's own parser is the second opinion on what a statement reads (DESIGN "SQL meaning").
    if not _tables_read(connection, sql, request["parameters"]) <= set(request["tables"]):
        raise PermissionError("the statement reads more than its plan")
    return connection.sql(sql, params=request["parameters"] or None).to_arrow_table()


def _tables_read(connection: duckdb.DuckDBPyConnection, sql: str, parameters: dict[str, Any]) -> set[str]:
    # `get_table_names` cannot take parameters; a zero in their place names no other table.
    for name in parameters:
        sql = sql.replace(f"${name}", "0")
    names: set[str] = connection.get_table_names(sql)
    return names


if __name__ == "__main__":
    serve(opened)
