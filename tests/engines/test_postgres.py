"""The second engine: a server is read by a role that can do nothing else, within limits, and stops when told to."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import psycopg
import pyarrow as pa
import pytest

from tests.engines.servers import LIMITS, Server, served
from tests.sql.catalogue import CATALOGUE
from tests.sql.exact import exact
from tre.base.passage import decode_partials
from tre.base.statement import Statement
from tre.engines import EngineFailed, PostgresEngine
from tre.engines.postgres_child import Unfit, connect
from tre.sql import bind, render


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with served(tmp_path_factory.mktemp("version")) as found:
        yield found


@pytest.fixture
def engine(server: Server, tmp_path: Path) -> Iterator[PostgresEngine]:
    made = PostgresEngine(LIMITS, tmp_path, server.reader)
    yield made
    made.close()


def statement(sql: str, *tables: str, parameters: tuple[str, ...] = ()) -> Statement:
    return Statement(sql, parameters, "postgres", tables, ())


def rows(engine: PostgresEngine, server: Server, one: Statement, seconds: float = 20, **given: int) -> list[object]:
    with engine.slot(server.version, 20) as slot:
        return [tuple(row.values()) for row in decode_partials(slot.partials(one, given, seconds)).to_pylist()]


def test_a_plan_gives_its_exact_rows(engine: PostgresEngine, server: Server) -> None:
    text = "SELECT gender_concept_id, COUNT(*), AVG(year_of_birth) FROM person GROUP BY 1"
    query = bind(text, CATALOGUE, date(2024, 1, 1))
    found = rows(engine, server, render(exact(query), "postgres"))
    assert sorted(found, key=str) == sorted([(8507, 2, 1970.0), (8532, 2, 1965.0), (None, 1, 1980.0)], key=str)


def test_columns_have_the_types_of_the_statement_whatever_the_rows(engine: PostgresEngine, server: Server) -> None:
    sql = (
        "SELECT person_id AS a, CAST(NULL AS numeric(5,2)) AS b, 'x'::text AS c, 2.0::numeric AS d FROM person WHERE {}"
    )
    with engine.slot(server.version, 20) as slot:
        some, none = (
            decode_partials(slot.partials(statement(sql.format(one), "person"), {}, 20)).schema
            for one in ("true", "false")
        )
    assert some == none
    assert some.types == [pa.int64(), pa.decimal128(5, 2), pa.string(), pa.decimal128(38, 0)]


def test_a_parameter_never_stands_in_a_text(engine: PostgresEngine, server: Server) -> None:
    """A constant of the asker's that looks like one is a constant."""
    one = statement("""SELECT $mix::bigint AS c1, '$mix' AS c2, 'it''s $mix' AS c3""", parameters=("mix",))
    assert rows(engine, server, one, mix=7) == [(7, "$mix", "it's $mix")]


def test_released_values_come_in_as_arrays(engine: PostgresEngine, server: Server) -> None:
    given = pa.table({"a": pa.array(["b", "B", None]), "n": pa.array([1, 2, None], pa.int64())})
    plain = 'SELECT t1.c1, t1.c2 FROM "released" AS t1(c1, c2) ORDER BY 1 NULLS LAST'
    with engine.slot(server.version, 20) as slot:
        for sql in (plain, f"WITH x AS (SELECT 1)\n{plain}"):
            found = slot.public(statement(sql, "released"), {"released": given}, 20)
            assert found.to_pylist() == [{"c1": "B", "c2": 2}, {"c1": "b", "c2": 1}, {"c1": None, "c2": None}]
        assert slot.public(statement(plain, "released"), {"released": given.slice(0, 0)}, 20).num_rows == 0


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT COUNT(*) FROM death",
        "SELECT rolname::text FROM pg_roles",
        "SELECT 1 FROM generate_series(1, 3)",
        "INSERT INTO person (person_id) VALUES (6) RETURNING 1",
        "CREATE TEMP TABLE x (y bigint)",
        "SELECT 1; SELECT 2",
        "COPY person TO PROGRAM 'cat'",
        "SELECT set_config('default_transaction_read_only', 'off', false); SELECT 1",
    ],
)
def test_what_a_plan_does_not_say_is_not_done(engine: PostgresEngine, server: Server, sql: str) -> None:
    with pytest.raises(EngineFailed):
        rows(engine, server, statement(sql, "person"))


def test_a_statement_over_its_time_is_a_failure_and_the_server_stops_it(engine: PostgresEngine, server: Server) -> None:
    began = time.monotonic()
    with pytest.raises(EngineFailed):
        rows(engine, server, statement("SELECT pg_sleep(60)::text"), seconds=0.5)
    assert time.monotonic() - began < 20
    assert server.idle_within(20)


def test_a_cancelled_statement_ends_at_once_here_and_soon_there(engine: PostgresEngine, server: Server) -> None:
    with engine.slot(server.version, 20) as slot, ThreadPoolExecutor(1) as threads:
        asked = threads.submit(slot.partials, statement("SELECT pg_sleep(60)::text"), {}, 60)
        assert server.busy_within(20)
        slot.cancel()
        with pytest.raises(EngineFailed):
            asked.result(20)
    assert server.idle_within(20)
    assert rows(engine, server, statement("SELECT 1 AS one")) == [(1,)]


def test_a_server_that_goes_away_is_a_failure_and_the_next_slot_is_a_new_connection(
    engine: PostgresEngine, server: Server
) -> None:
    assert rows(engine, server, statement("SELECT 1 AS one")) == [(1,)]
    server.terminate()
    with pytest.raises(EngineFailed):
        rows(engine, server, statement("SELECT 1 AS one"))
    assert rows(engine, server, statement("SELECT 2 AS two")) == [(2,)]


@pytest.mark.parametrize(
    "change",
    [
        "ALTER ROLE {role} SUPERUSER",
        "ALTER ROLE {role} CREATEDB",
        "GRANT CREATE ON SCHEMA {schema} TO {role}",
        "GRANT UPDATE ON {schema}.person TO {role}",
        "ALTER ROLE {role} RESET temp_file_limit",
    ],
)
def test_a_role_that_may_do_more_than_read_reads_nothing(server: Server, change: str) -> None:
    with server.changed(change), pytest.raises(Unfit):
        connect(server.settings)


def test_what_a_role_has_set_for_itself_does_not_count(server: Server) -> None:
    loosened = server.changed("ALTER ROLE {role} SET default_transaction_read_only = off")
    with loosened, connect(server.settings) as connection:
        (found,) = connection.execute("SHOW default_transaction_read_only").fetchall()
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            connection.execute("CREATE TEMP TABLE x (y bigint)")
    assert found == ("on",)
