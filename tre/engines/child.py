"""The locked-down DuckDB process. Started as `python -I -m tre.engines.child`; speaks frames on two descriptors.

In-process, DuckDB and the broker would be one trust domain; and even a locked DuckDB keeps `query()`, `error()`
and settings open, so the gate before it and the lock-down here each hold alone (DESIGN "default engine").
"""

from __future__ import annotations

import json
import resource
from typing import Any

import duckdb
import pyarrow as pa

from tre.base import frames
from tre.base.confine import confine, private_pipes


def main() -> None:
    """Serve statements until the pipe closes. Nothing but frames leaves: standard streams go nowhere."""
    commands, replies = private_pipes()
    confine()
    settings = json.loads(frames.receive(commands)[0])
    connection = _open(settings)
    frames.send(replies, b"ready")
    while True:
        try:
            parts = frames.receive(commands)
        except frames.Broken:
            return
        frames.send(replies, *_answer(connection, settings, parts))


def _open(settings: dict[str, str]) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(
        settings["database"],
        read_only=True,
        config={
            "memory_limit": settings["memory"],
            "threads": settings["threads"],
            "temp_directory": settings["spill"],
            "max_temp_directory_size": settings["spill_bytes"],
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "allow_community_extensions": "false",
            "python_enable_replacements": "false",
        },
    )
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def _answer(
    connection: duckdb.DuckDBPyConnection, settings: dict[str, str], parts: tuple[bytearray, ...]
) -> tuple[bytes, ...]:
    request = json.loads(parts[0])
    inputs = dict(zip(request["inputs"], parts[1:], strict=True))
    _limit_processor_time(float(request["seconds"]), int(settings["threads"]))
    try:
        return b"ok", _run(connection, request, inputs)
    except Exception:  # noqa: BLE001 - the cause may depend on private data, so it ends here
        return (b"failed",)
    finally:
        for name in inputs:
            connection.unregister(name)


def _run(connection: duckdb.DuckDBPyConnection, request: dict[str, Any], inputs: dict[str, bytearray]) -> bytes:
    sql: str = request["sql"]
    for name, given in inputs.items():
        connection.register(name, pa.ipc.open_stream(given).read_all())
    # The engine's own parser is the second opinion on what a statement reads (DESIGN "SQL meaning").
    if not _tables_read(connection, sql, request["parameters"]) <= set(request["tables"]):
        raise PermissionError("the statement reads more than its plan")
    table: pa.Table = connection.sql(sql, params=request["parameters"] or None).to_arrow_table()
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    stream: bytes = sink.getvalue().to_pybytes()
    return stream


def _tables_read(connection: duckdb.DuckDBPyConnection, sql: str, parameters: dict[str, Any]) -> set[str]:
    # `get_table_names` cannot take parameters; a zero in their place names no other table.
    for name in parameters:
        sql = sql.replace(f"${name}", "0")
    names: set[str] = connection.get_table_names(sql)
    return names


def _limit_processor_time(seconds: float, threads: int) -> None:
    # A second wall beside the broker's kill at the limit: processor time over all threads.
    used = resource.getrusage(resource.RUSAGE_SELF)
    allowed = int(used.ru_utime + used.ru_stime + seconds * (threads + 1)) + 5
    resource.setrlimit(resource.RLIMIT_CPU, (allowed, resource.RLIM_INFINITY))


if __name__ == "__main__":
    main()
