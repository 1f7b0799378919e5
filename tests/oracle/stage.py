"""The real engine under the oracle: the same tables in several schemas, which a statement names without a schema."""

from __future__ import annotations

import atexit
from collections.abc import Mapping
from decimal import Decimal
from random import Random
from typing import Any

import duckdb
import psycopg
import pyarrow as pa
import sqlglot

from tests.oracle.worlds import World, catalogue
from tests.postgresql import fresh_database
from tre.base.passage import Partials
from tre.base.statement import Statement
from tre.catalogue import SIDE_SCHEMA, Access, Kind, Table, Type, Value
from tre.engines import postgres_rows
from tre.engines.postgres_child import numbered, with_inputs
from tre.privacy.choosing import SECRET
from tre.sql.functions import rendering
from tre.sql.functions.postgres import declared
from tre.sql.plan import PublicKeys, Relation
from tre.sql.render import render

FULL, LESS, SHUFFLED, PUBLIC = "whole", "less", "shuffled", "public_only"
"""All people; all but the missing one; all in another order; public tables alone."""

_STORED = {
    Kind.BOOLEAN: pa.bool_(),
    Kind.INTEGER: pa.int64(),
    Kind.DOUBLE: pa.float64(),
    Kind.TEXT: pa.string(),
    Kind.DATE: pa.date32(),
    Kind.TIMESTAMP: pa.timestamp("us"),
}


def stored(type_: Type) -> pa.DataType:
    """Return the type of Arrow in which values of a column are handed to an engine."""
    return pa.decimal128(type_.precision, type_.scale) if type_.kind is Kind.DECIMAL else _STORED[type_.kind]


class Stage:
    """One in-memory engine, loaded anew for every world. The choice of groups is keyed by a fixed secret."""

    dialect = "duckdb"
    errors: tuple[type[Exception], ...] = (duckdb.Error,)

    def __init__(self) -> None:
        self.connection = duckdb.connect()
        self.connection.execute("SET threads = 1")
        self._tables = catalogue(Random(0)).tables
        for schema in (FULL, LESS, SHUFFLED, PUBLIC):
            self.connection.execute(f"CREATE SCHEMA {schema}; CREATE SCHEMA {schema}_side")
        self.connection.execute("SET VARIABLE gone = 0::BIGINT")
        for table in self._tables.values():
            self._create(table)

    def _create(self, table: Table) -> None:
        columns = ", ".join(f'"{one.name}" {rendering.type_name(one.type)}' for one in table.columns.values())
        for schema in (FULL, SHUFFLED):
            self.connection.execute(f"CREATE TABLE {schema}.{table.name} ({columns})")
        others = f" WHERE {table.unit} <> getvariable('gone')" if table.unit else ""
        self.connection.execute(f"CREATE VIEW {LESS}.{table.name} AS SELECT * FROM {FULL}.{table.name}{others}")
        if table.unit:
            for schema in (FULL, LESS, SHUFFLED):
                counted = f"SELECT {table.unit} AS unit, COUNT(*) AS n FROM {schema}.{table.name} GROUP BY ALL"
                self.connection.execute(f"CREATE VIEW {schema}_side.{table.name} AS {counted}")
        if table.access is Access.PUBLIC:
            self.connection.execute(f"CREATE VIEW {PUBLIC}.{table.name} AS SELECT * FROM {FULL}.{table.name}")

    def load(self, world: World, schema: str = FULL) -> None:
        """Replace the rows of `schema`."""
        for name, table in self._tables.items():
            columns = table.columns.values()
            arrays = [pa.array([row[one.name] for row in world.rows[name]], stored(one.type)) for one in columns]
            given = pa.table(arrays, names=[one.name for one in columns])
            self.connection.register("given", given)
            self.connection.execute(f"DELETE FROM {schema}.{name}; INSERT INTO {schema}.{name} SELECT * FROM given")
            self.connection.unregister("given")

    def without(self, unit: int) -> None:
        """Say who is missing in the schema LESS."""
        self.connection.execute(f"SET VARIABLE gone = {unit}::BIGINT")

    def share_among(self, threads: int) -> None:
        """Say how many threads, or processes of the server, share a statement."""
        self.connection.execute(f"SET threads = {threads}")

    def run(self, relation: Relation, schema: str, inputs: Mapping[str, pa.Table] | None = None) -> pa.Table:
        """Return the rows of a plan over the tables of `schema`."""
        statement = render(relation, self.dialect)
        return self.table(statement, schema, inputs or {})

    def table(self, statement: Statement, schema: str, inputs: Mapping[str, pa.Table]) -> pa.Table:
        """Return the rows of a statement over the tables of `schema`."""
        self.connection.execute(f"USE {schema}")
        for name, given in inputs.items():
            self.connection.register(name, given)
        parameters = {name: {SECRET: 987654321}[name] for name in statement.parameters}
        try:
            text = statement.sql.replace(f'"{SIDE_SCHEMA}".', f"{schema}_side.")
            return self.connection.sql(text, params=parameters or None).to_arrow_table()
        finally:
            for name in inputs:
                self.connection.unregister(name)

    def plain(self, text: str) -> pa.Table:
        """Return the rows of a PostgreSQL text over all people."""
        (translated,) = sqlglot.transpile(text, read="postgres", write="duckdb")
        return self.table(Statement(translated, (), self.dialect, (), ()), FULL, {})

    def public_keys(self, keys: PublicKeys) -> tuple[Value, ...]:
        """Return the values of a public column, where no private table exists."""
        return tuple(value for (value,) in tuples(self.run(keys.relation, PUBLIC)))

    def evaluate(self, relation: Relation, released: Mapping[str, pa.Table]) -> pa.Table:
        """Post-process where no private table exists."""
        return self.run(relation, PUBLIC, released)


class PostgresStage(Stage):
    """The same in a PostgreSQL server, through the code of the engine's own process."""

    dialect = "postgres"
    errors = (psycopg.Error, PermissionError, KeyError, pa.ArrowInvalid)

    def __init__(self) -> None:
        self._server = psycopg.connect(fresh_database(), autocommit=True, cursor_factory=psycopg.RawCursor)
        atexit.register(self._server.close)
        self._tables = catalogue(Random(0)).tables
        for schema in (FULL, LESS, SHUFFLED, PUBLIC):
            self.execute(f"CREATE SCHEMA {schema}")
        self.execute("SET timezone = 'UTC'")
        self.execute("SET jit = off")
        self.without(0)
        for table in self._tables.values():
            self._create(table)

    def execute(self, text: str) -> None:
        """Run a statement."""
        self._server.execute(text)  # type: ignore[call-overload]

    def _create(self, table: Table) -> None:
        shown = ((one.name, declared(one.type)) for one in table.columns.values())
        columns = ", ".join(f'"{name}" {type_}' for name, type_ in shown)
        for schema in (FULL, SHUFFLED):
            self.execute(f"CREATE TABLE {schema}.{table.name} ({columns})")
        others = f" WHERE {table.unit} <> current_setting('tre.gone')::bigint" if table.unit else ""
        self.execute(f"CREATE VIEW {LESS}.{table.name} AS SELECT * FROM {FULL}.{table.name}{others}")
        if table.unit:
            for schema in (FULL, LESS, SHUFFLED):
                counted = f"SELECT {table.unit} AS unit, COUNT(*) AS n FROM {schema}.{table.name} GROUP BY 1"
                self.execute(f'CREATE VIEW {schema}."{SIDE_SCHEMA}.{table.name}" AS {counted}')
        if table.access is Access.PUBLIC:
            self.execute(f"CREATE VIEW {PUBLIC}.{table.name} AS SELECT * FROM {FULL}.{table.name}")

    def load(self, world: World, schema: str = FULL) -> None:
        """Replace the rows of `schema`."""
        for name, table in self._tables.items():
            self.execute(f"TRUNCATE {schema}.{name}")
            columns = [one.name for one in table.columns.values()]
            with self._server.cursor() as cursor, cursor.copy(f"COPY {schema}.{name} FROM STDIN") as copy:  # type: ignore[arg-type]
                for row in world.rows[name]:
                    copy.write_row([row[one] for one in columns])

    def without(self, unit: int) -> None:
        """Say who is missing in the schema LESS."""
        self.execute(f"SET tre.gone = '{unit}'")

    def share_among(self, threads: int) -> None:
        """Say how many processes of the server share a statement, where its planner wants them to."""
        self.execute(f"SET max_parallel_workers_per_gather = {threads - 1}")

    def explained(self, text: str) -> str:
        """Return how the server would run a statement."""
        return str(self._server.execute(f"EXPLAIN {text}").fetchall())  # type: ignore[call-overload]

    def table(self, statement: Statement, schema: str, inputs: Mapping[str, pa.Table]) -> pa.Table:
        """Return the rows of a statement over the tables of `schema`."""
        self.execute(f"SET search_path = {schema}, pg_temp")
        given = {name: {SECRET: 987654321}[name] for name in statement.parameters}
        text, values = numbered(statement.sql, given)
        text = with_inputs(text, inputs, len(values))
        values += [column.to_pylist() for one in inputs.values() for column in one.columns]
        with self._server.cursor() as cursor:
            return postgres_rows.table(cursor.execute(text, values, binary=True))  # type: ignore[call-overload]

    def plain(self, text: str) -> pa.Table:
        """Return the rows of a PostgreSQL text over all people."""
        self.execute(f"SET search_path = {FULL}, pg_temp")
        with self._server.cursor() as cursor:
            found = cursor.execute(sqlglot.transpile(text, read="postgres", write="postgres")[0]).fetchall()  # type: ignore[call-overload]
            columns = [one.name for one in cursor.description or ()]
        rows = [[_plainly(one) for one in row] for row in found]
        return pa.table([pa.array(column) for column in zip(*rows, strict=True)], columns) if rows else pa.table({})


def _plainly(one: Any) -> Any:
    """PostgreSQL's own averages are exact numbers of any scale."""
    return float(one) if isinstance(one, Decimal) else one


def tuples(table: pa.Table) -> list[tuple[Any, ...]]:
    """Return the rows of an Arrow table."""
    columns = [column.to_pylist() for column in table.columns]
    return list(zip(*columns, strict=True)) if columns else []


def partials(table: pa.Table) -> Partials:
    """Return a table as an engine hands it over."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return Partials(sink.getvalue().to_pybytes())
