"""The two engines as the tests of expressions see them: a statement in, rows out."""

from __future__ import annotations

import atexit
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import duckdb
import psycopg
import pyarrow as pa

from tests.postgresql import drop_database, fresh_database
from tre.catalogue import Type
from tre.engines import postgres_rows
from tre.engines.postgres_child import numbered, with_inputs
from tre.sql.functions import postgres, rendering

NAMES = ("duckdb", "postgres")
Errors = (duckdb.Error, psycopg.Error)


class Engine:
    """One engine. It is asked in its own dialect."""

    def __init__(self, dialect: str, connection: Any) -> None:
        self.dialect, self._connection = dialect, connection

    def execute(self, sql: str, parameters: Any = None) -> list[tuple[Any, ...]]:
        """Run one statement and return its rows."""
        found = self._connection.execute(sql, parameters)
        if self.dialect == "postgres" and found.description is None:
            return []
        return list(found.fetchall())

    def insert(self, table: str, rows: Sequence[Sequence[object]]) -> None:
        """Add rows; a text stands for the value that the engine reads in it."""
        mark = "?" if self.dialect == "duckdb" else "%s"
        text = f"INSERT INTO {table} VALUES ({', '.join(mark for _ in rows[0])})"
        cursor = self._connection.cursor()
        cursor.executemany(text, [tuple(row) for row in rows])

    def table(self, sql: str, parameters: Mapping[str, int], inputs: Mapping[str, pa.Table]) -> pa.Table:
        """Return the rows of a statement in the engine's dialect, as the engine's own process makes them."""
        if self.dialect == "duckdb":
            return self._table_here(sql, parameters, inputs)
        text, values = numbered(sql, parameters)
        text = with_inputs(text, inputs, len(values))
        values += [column.to_pylist() for one in inputs.values() for column in one.columns]
        with psycopg.RawCursor(self._connection) as cursor:
            return postgres_rows.table(cursor.execute(text, values, binary=True))

    def _table_here(self, sql: str, parameters: Mapping[str, int], inputs: Mapping[str, pa.Table]) -> pa.Table:
        for name, given in inputs.items():
            self._connection.register(name, given)
        try:
            return self._connection.sql(sql, params=dict(parameters) or None).to_arrow_table()
        finally:
            for name in inputs:
                self._connection.unregister(name)

    def type_name(self, type_: Type) -> str:
        """Return how a column of that type is declared, as a version declares it."""
        return rendering.type_name(type_) if self.dialect == "duckdb" else postgres.declared(type_)


@contextmanager
def opened(dialect: str) -> Iterator[Engine]:
    """Yield an empty engine."""
    if dialect == "duckdb":
        with duckdb.connect() as made:
            yield Engine(dialect, made)
        return
    address = fresh_database()
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("SET timezone = 'UTC'")
        yield Engine(dialect, connection)
    drop_database(address)


_kept: dict[str, Engine] = {}


def kept(dialect: str) -> Engine:
    """Return an engine that lives as long as the session, for what needs no tables."""
    if dialect not in _kept:
        context = opened(dialect)
        _kept[dialect] = context.__enter__()
        atexit.register(context.__exit__, None, None, None)
    return _kept[dialect]
