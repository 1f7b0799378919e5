"""Transactions over the control database, and what happens when it cannot be had.

SQLite: write-ahead log, synchronous FULL, foreign keys, BEGIN IMMEDIATE behind one in-process lock, so that the
threads of a process queue fairly and only processes compete. PostgreSQL: its defaults (READ COMMITTED); whatever
must not race is a conditional update or a unique key.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import (
    ClauseElement,
    Connection,
    CursorResult,
    Engine,
    Executable,
    RootTransaction,
    Table,
    create_engine,
    event,
    func,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import psycopg
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from tre.base.reasons import Refused
from tre.base.reasons import store as reasons
from tre.store import schema
from tre.store.tables import sidecar, sidecar_keys

_WRITES = "tre_writes"
_LASTING = "tre_lasting"


class Reading:
    """A handle for reading; every statement sees what was committed."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def execute(self, statement: Executable, parameters: Any = None) -> CursorResult[Any]:
        """Run one statement of SQLAlchemy Core."""
        return self._connection.execute(statement, parameters)


class Transaction(Reading):
    """A handle for writing. All or nothing is kept when its block ends."""

    @contextmanager
    def all_or_nothing(self) -> Iterator[None]:
        """Undo what the block did when it raises, without ending the transaction."""
        with self._connection.begin_nested():
            yield

    def alone_on(self, *tables: Table) -> None:
        """Wait for other transactions that write these tables, and let none do so until this one ends.

        SQLite has one writer at a time, whatever it writes.
        """
        if self._connection.dialect.name == "postgresql":
            for table in tables:
                self._connection.exec_driver_sql(f"LOCK TABLE {table.name} IN SHARE ROW EXCLUSIVE MODE")

    def insert_new(self, table: Table, values: Mapping[str, Any]) -> bool:
        """Insert a row; return False when a key of it is taken, waiting for a transaction that is taking it."""
        return bool(self.execute(_unless_taken(table, self._connection.dialect.name), values).rowcount)

    def each(self, statement: ClauseElement, rows: Sequence[tuple[Any, ...]]) -> int:
        """Run a statement for each row of values, in the order in which it names them; return how many rows it changed.

        For statements that are made once: they are compiled once, and no value is looked at.
        """
        if not rows:
            return 0
        text = _text(statement, self._connection.dialect.name)
        return self._connection.exec_driver_sql(text, list(rows)).rowcount

    def in_turn(self, names: Iterable[str]) -> None:
        """Wait for whoever has one of `names` in turn, and have them until this transaction ends.

        For what is read in several statements and must not change between them. SQLite has one writer anyway.
        """
        if self._connection.dialect.name == "postgresql":
            for name in sorted(names):
                self.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))


class Session:
    """One connection, kept for transactions that follow each other closely: getting one costs as much as a statement.

    Not for threads to share. Nothing is locked, and no transaction open, between its blocks.
    """

    def __init__(self, connection: Connection, turn: Callable[[], AbstractContextManager[None]]) -> None:
        self._connection, self._turn = connection, turn

    @contextmanager
    def reading(self) -> Iterator[Reading]:
        """Open a transaction that only reads, as `Store.reading`."""
        with _begun(self._connection, writes=False, lasting=True):
            yield Reading(self._connection)

    @contextmanager
    def transaction(self, *, lasting: bool = True) -> Iterator[Transaction]:
        """Open a transaction that writes, as `Store.transaction`."""
        with self._turn(), _begun(self._connection, writes=True, lasting=lasting):
            yield Transaction(self._connection)


def _begun(connection: Connection, *, writes: bool, lasting: bool) -> RootTransaction:
    connection.execution_options(**{_WRITES: writes, _LASTING: lasting})
    return connection.begin()


@cache
def _text(statement: ClauseElement, dialect: str) -> str:
    made, style = (psycopg.dialect, "format") if dialect == "postgresql" else (sqlite.dialect, "qmark")
    return str(statement.compile(dialect=made(paramstyle=style)))


@cache
def _unless_taken(table: Table, dialect: str) -> Executable:
    made = postgresql.insert if dialect == "postgresql" else sqlite.insert
    return made(table).on_conflict_do_nothing().inline().execution_options(preserve_rowcount=True)


class Store:
    """The control database of one deployment. Safe for threads; a forked child opens its own."""

    def __init__(self, url: str, *, patience: float = 30.0) -> None:
        """Open an existing database without touching it.

        :param url: `sqlite:////path/control.db` or `postgresql+psycopg://user@host/database`; a password stands in
            the file that its `passfile` names (libpq), never in it.
        :param patience: seconds to wait for a lock that another holds.
        Raises Refused (store.missing).
        """
        parsed = make_url(url)
        self._patience = patience
        self._file = Path(parsed.database) if parsed.get_backend_name() == "sqlite" and parsed.database else None
        self._writing: threading.Lock | None = threading.Lock() if self._file else None
        self._identity = _identity(self._file)
        self._engine = _sqlite(parsed, patience) if self._file else _server(parsed, patience)

    @classmethod
    def create(cls, url: str, *, patience: float = 30.0) -> Store:
        """Make the tables in a new or empty database, and open it. Raises Refused (store.taken)."""
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite" and parsed.database:
            Path(parsed.database).touch(mode=0o600)
        store = cls(url, patience=patience)
        try:
            with store._writer(lasting=True) as connection:
                schema.create(connection)
        except BaseException:
            store.close()
            raise
        return store

    @contextmanager
    def transaction(self, *, lasting: bool = True) -> Iterator[Transaction]:
        """Open a transaction that writes. Not to be nested. Raises Refused (store.unavailable, store.missing).

        :param lasting: False saves the flush of what can be made again; a power cut may take it, but nothing
            that was committed before it.
        """
        with self._writer(lasting) as connection:
            yield Transaction(connection)

    @contextmanager
    def reading(self) -> Iterator[Reading]:
        """Open a transaction that only reads. Raises Refused (store.unavailable, store.missing)."""
        with self._faults(), self._engine.connect() as connection, connection.begin():
            yield Reading(connection)

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Keep one connection for several transactions. Raises Refused (store.unavailable, store.missing)."""
        with self._faults(), self._engine.connect() as connection:
            yield Session(connection, self._turn)

    def migrate(self) -> None:
        """Bring the tables to this release. Raises Refused (store.newer, store.missing, store.unavailable)."""
        with self._writer(lasting=True) as connection:
            schema.upgrade(connection)

    def scrub(self) -> None:
        """Write the database anew without what was deleted from it, so that no file has it any more.

        Waits until nobody writes or reads. SQLite: the file and its write-ahead log; needs the database's size in
        free space. PostgreSQL: the tables that hold sealed texts, not its archives. Raises Refused (store.unavailable).
        """
        with self._turn(), self._faults(), self._engine.connect() as connection:
            raw = connection.connection
            try:
                if self._file:
                    _rewritten(raw.driver_connection)
                else:
                    raw.driver_connection.autocommit = True  # type: ignore[union-attr]
                    for table in (sidecar, sidecar_keys):
                        raw.driver_connection.execute(f"VACUUM FULL {table.name}")  # type: ignore[union-attr]
            except self._engine.dialect.loaded_dbapi.Error as error:
                raise Refused.because(reasons.UNAVAILABLE) from error
            finally:
                connection.invalidate()

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    @contextmanager
    def _writer(self, lasting: bool) -> Iterator[Connection]:
        with (
            self._turn(),
            self._faults(),
            self._engine.connect() as connection,
            _begun(connection, writes=True, lasting=lasting),
        ):
            yield connection

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if self._writing is None:
            yield
            return
        if not self._writing.acquire(timeout=self._patience):
            raise Refused.because(reasons.UNAVAILABLE)
        try:
            yield
        finally:
            self._writing.release()

    @contextmanager
    def _faults(self) -> Iterator[None]:
        # SQLite goes on writing into a file that was deleted or replaced: what it commits there is lost.
        if _identity(self._file) != self._identity:
            raise Refused.because(reasons.MISSING)
        try:
            yield
        except IntegrityError:
            raise
        except (DBAPIError, PoolTimeout, self._engine.dialect.loaded_dbapi.Error) as error:
            raise Refused.because(reasons.UNAVAILABLE) from error


def _rewritten(connection: Any) -> None:
    """Rewrite an SQLite file, then empty its write-ahead log, which holds older pages."""
    connection.execute("VACUUM")
    (busy, *_) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        raise Refused.because(reasons.UNAVAILABLE)


def _identity(file: Path | None) -> tuple[int, int] | None:
    if file is None:
        return None
    try:
        found = file.stat()
    except OSError as error:
        raise Refused.because(reasons.MISSING) from error
    return found.st_dev, found.st_ino


def _server(url: URL, patience: float) -> Engine:
    milliseconds = int(patience * 1000)
    engine = create_engine(
        url,
        pool_size=8,
        max_overflow=56,
        pool_timeout=patience,
        pool_pre_ping=True,
        isolation_level="READ COMMITTED",
        connect_args={"connect_timeout": max(2, int(patience)), "options": f"-c lock_timeout={milliseconds}"},
    )

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if not connection.get_execution_options().get(_LASTING, True):
            connection.exec_driver_sql("SET LOCAL synchronous_commit = off")

    return engine


def _sqlite(url: URL, patience: float) -> Engine:
    # The connection that was used last knows the pages of the database best.
    engine = create_engine(url, pool_size=8, max_overflow=56, pool_timeout=patience, pool_use_lifo=True)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        # The driver starts no transactions of its own; `begin` below does.
        connection.isolation_level = None
        for setting in (
            f"busy_timeout = {int(patience * 1000)}",
            "journal_mode = WAL",
            "foreign_keys = ON",
        ):
            connection.execute(f"PRAGMA {setting}").close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        driver: Any = connection.connection.driver_connection
        if not options.get(_WRITES, False):
            driver.execute("BEGIN")
            return
        lasting = options.get(_LASTING, True)
        driver.execute(f"PRAGMA synchronous = {'FULL' if lasting else 'NORMAL'}")
        driver.execute("BEGIN IMMEDIATE")

    return engine
