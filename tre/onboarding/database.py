"""A source in a PostgreSQL database: every table as it stood at one moment, in blocks that never are a whole table.

The rows pass through the stage of this machine, also where versions stay in the same server: what is checked, cut to
its caps and committed to is then what is written, and patients' numbers are known nowhere else (decision 31).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from tre.base.reasons import onboarding as reasons
from tre.onboarding.refusal import Fault, VersionRefused, refuse_if
from tre.onboarding.source import refuse_twice
from tre.onboarding.sql import literal, name

if TYPE_CHECKING:
    import duckdb
    import psycopg
    from pyarrow import csv

T = TypeVar("T")

_SENT = "tre sent"
_BLOCK = 1 << 24
"""Bytes of one block, and the most of one row."""
_SETTINGS = {
    "client_encoding": "UTF8",
    "datestyle": "ISO, YMD",
    "extra_float_digits": "1",
    "idle_in_transaction_session_timeout": "0",
    "lock_timeout": "60s",
    "row_security": "off",
    "statement_timeout": "0",
    "timezone": "UTC",
}
"""What the text of a value rests on, and that what a role may not see is an error and no smaller table."""
_TYPES = {
    16: ("BOOLEAN", "{}"),
    20: ("BIGINT", "{}"),
    21: ("BIGINT", "{}"),
    23: ("BIGINT", "{}"),
    25: ("VARCHAR", "{}"),
    700: ("DOUBLE", "{}::float8"),
    701: ("DOUBLE", "{}"),
    1042: ("VARCHAR", "{}::text"),
    1043: ("VARCHAR", "{}"),
    1082: ("VARCHAR", "{}"),
    1114: ("VARCHAR", "{}"),
    1184: ("VARCHAR", "{} AT TIME ZONE 'UTC'"),
    1700: ("VARCHAR", "{}"),
    2950: ("VARCHAR", "{}"),
}
"""By a type's number: the type that its values are read as, and how they are asked for. Decimal numbers and times come
as the server's text, of which every value has one; a value of a type that is not here is one of no declared type."""
_TABLES = """
SELECT lower(relname), nspname, relname, relkind = 'f'
FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
WHERE nspname = ANY (current_schemas(false)) AND relkind IN ('r', 'p', 'v', 'm', 'f') ORDER BY nspname, relname
"""


class Database:
    """The tables, views and materialised views that an address's search path leads to, in one snapshot."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection
        for setting, value in _SETTINGS.items():
            connection.execute(f"SET LOCAL {setting} = {literal(value)}".encode())
        self._tables: dict[str, list[tuple[str, str, bool]]] = {}
        for key, *found in connection.execute(_TABLES).fetchall():
            self._tables.setdefault(key, []).append((found[0], found[1], found[2]))

    def open(self, table: str) -> Streamed | None:
        """Return `table`, whose name is matched without regard to case, or None where there is none.

        Raises VersionRefused for one that stands there twice, that another server holds or that may not be read.
        """
        found = self._tables.get(table, [])
        if not found:
            return None
        if len(found) > 1:
            raise VersionRefused([Fault(reasons.AMBIGUOUS, f"{table}: {', '.join(f'{a}.{b}' for a, b, _ in found)}")])
        schema, own, foreign = found[0]
        refuse_if([Fault(reasons.MISSING_TABLE, f"{table} is a foreign table")] if foreign else [])
        whole = f"SELECT * FROM {name(schema, own)} LIMIT 0"  # noqa: S608
        shape = answered(lambda: self._connection.execute(whole.encode()))
        columns = {one.name: one.type_code for one in shape.description or ()}
        refuse_twice(table, list(columns))
        return Streamed(self._connection, name(schema, own), columns)


@dataclass(frozen=True, slots=True)
class Streamed:
    """A table of the source. `types` are the numbers of its columns' types."""

    connection: psycopg.Connection
    table: str
    types: Mapping[str, int]

    @property
    def columns(self) -> Mapping[str, tuple[str, str]]:
        """Each column's own name and the type that it is read as, by its name in lower case."""
        return {one.lower(): (one, _TYPES.get(number, ("UNKNOWN", ""))[0]) for one, number in self.types.items()}

    @contextmanager
    def scan(self, engine: duckdb.DuckDBPyConnection, asked: Sequence[str]) -> Iterator[str]:
        """Yield what stands for the rows in FROM, once; nothing but the columns `asked` is asked for."""
        shown = [_TYPES.get(self.types[one], ("", "{}"))[1].format(name(one)) for one in asked]
        copy = f"COPY (SELECT {', '.join(shown)} FROM {self.table}) TO STDOUT (FORMAT csv, HEADER true)"  # noqa: S608
        with ExitStack() as open_:
            cursor = open_.enter_context(self.connection.cursor())
            sent = _Sent(answered(lambda: open_.enter_context(cursor.copy(copy.encode()))))
            types = {one: self.columns[one.lower()][1] for one in asked}
            engine.register(_SENT, answered(lambda: _reader(sent, types)))
            try:
                yield name(_SENT)
            finally:
                engine.unregister(_SENT)
                sent.end()


class _Sent:
    """What the server sends, as a file. Arrow reads it from threads of its own."""

    def __init__(self, copy: psycopg.Copy) -> None:
        self._copy = copy
        self._turn = threading.Lock()
        self._left = b""
        self.closed = False

    def read(self, size: int) -> bytes:
        """Return `size` bytes, fewer only at the end."""
        with self._turn:
            parts, held = [self._left], len(self._left)
            while held < size and not self.closed and (row := self._copy.read()):
                parts.append(bytes(row))
                held += len(row)
            found = b"".join(parts)
            self._left = found[size:]
            return found[:size]

    def end(self) -> None:
        """Read no more, whoever asks; once this returns nobody reads."""
        with self._turn:
            self.closed = True


def _reader(sent: _Sent, types: Mapping[str, str]) -> csv.CSVStreamingReader:
    """Return the rows of `sent`, whose columns have those types. NULL is empty, an empty text is a quoted one."""
    import pyarrow as pa
    from pyarrow import csv

    known = {"BOOLEAN": pa.bool_(), "BIGINT": pa.int64(), "DOUBLE": pa.float64()}
    return csv.open_csv(
        pa.PythonFile(sent, mode="r"),
        read_options=csv.ReadOptions(use_threads=False, column_names=list(types), skip_rows=1, block_size=_BLOCK),
        parse_options=csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        convert_options=csv.ConvertOptions(
            column_types={one: known.get(type_, pa.string()) for one, type_ in types.items()},
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            true_values=["t"],
            false_values=["f"],
        ),
    )


@contextmanager
def opened(source: Path | str) -> Iterator[Path | Database]:
    """Yield a source of files as it is; of the address of a database what reads it, at the moment of now.

    libpq finds the password itself: in the file that the address or PGPASSFILE names, a service, the environment.
    Raises VersionRefused.
    """
    if isinstance(source, Path):
        yield source
        return
    import psycopg

    connection = answered(lambda: psycopg.connect(source, connect_timeout=30, application_name="tre"))
    with closing(connection):
        connection.read_only = True
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        yield answered(lambda: Database(connection))


def answered(ask: Callable[[], T]) -> T:
    """Return what the server says to `ask`. Raises VersionRefused, in whose detail its words stand."""
    import psycopg
    import pyarrow as pa

    try:
        return ask()
    except (psycopg.Error, pa.ArrowException) as error:
        detail = str(error)
    # Raised out here, so that the server's words, which may quote a row, are no context of the refusal.
    raise VersionRefused([Fault(reasons.SOURCE, detail)])
