"""The control database: all or nothing, clear refusals, tables as declared."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, delete, insert, select, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import IntegrityError
from sqlalchemy.schema import CreateTable

from tests.control import url_of
from tests.postgresql import drop_database, fresh_database
from tre.base.reasons import Refused
from tre.store import Store, schema
from tre.store.tables import datasets, metadata, policies, sidecar_keys, trail_terms, versions


def code_of(refused: pytest.ExceptionInfo[Refused]) -> str:
    return refused.value.refusals[0].reason.code


def names(store: Store) -> list[str]:
    with store.reading() as tx:
        return list(tx.execute(select(datasets.c.name).order_by(datasets.c.name)).scalars())


def test_migrations_make_exactly_the_declared_tables(home: Path) -> None:
    engine = create_engine(url_of(home))
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()
    config = Config()
    config.set_main_option("script_location", str(schema._MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_current_head() == schema.HEAD


def test_every_table_can_be_made_on_postgresql() -> None:
    for table in metadata.sorted_tables:
        assert "CREATE TABLE" in str(CreateTable(table).compile(dialect=postgresql.dialect()))


def test_a_transaction_that_fails_leaves_nothing(store: Store) -> None:
    def fail() -> None:
        with store.transaction() as tx:
            tx.execute(insert(datasets).values(name="a", added="now"))
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert names(store) == []


def test_a_part_can_be_undone_and_the_rest_kept(store: Store) -> None:
    with store.transaction() as tx:
        tx.execute(insert(datasets).values(name="a", added="now"))
        with suppress(KeyError), tx.all_or_nothing():
            tx.execute(insert(datasets).values(name="b", added="now"))
            raise KeyError
        assert not tx.insert_new(datasets, {"name": "a", "added": "later"})
        assert tx.insert_new(datasets, {"name": "c", "added": "now"})
    assert names(store) == ["a", "c"]


def test_foreign_keys_hold(store: Store) -> None:
    row = {"name": "v", "dataset": "none", "number": 1, "commitment": "", "catalogue_digest": "", "added": "now"}
    with pytest.raises(IntegrityError), store.transaction() as tx:
        tx.insert_new(versions, row)


def test_a_data_set_has_one_policy_in_force(store: Store) -> None:
    row = {"dataset": "a", "digest": "", "text": "", "status": "active", "by": "b", "at": "now"}
    with store.transaction() as tx:
        tx.execute(insert(datasets).values(name="a", added="now"))
        assert tx.insert_new(policies, row)
        assert not tx.insert_new(policies, row)
        assert tx.insert_new(policies, row | {"status": "ended"})


def test_what_is_committed_is_flushed_and_what_can_be_made_again_is_not(file_store: Store) -> None:
    for lasting, level in ((True, 2), (False, 1), (True, 2)):
        with file_store.transaction(lasting=lasting) as tx:
            assert tx._connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == level
            assert tx._connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"


def test_a_locked_database_is_refused_clearly(file_home: Path) -> None:
    store = Store(url_of(file_home), patience=0.1)
    other = sqlite3.connect(file_home / "control.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(Refused) as refused, store.transaction():
        pytest.fail("granted")
    assert code_of(refused) == "store.unavailable"
    other.execute("ROLLBACK")
    other.close()
    with store.transaction() as tx:
        assert tx.insert_new(datasets, {"name": "a", "added": "now"})
    store.close()


def test_a_thread_that_holds_the_turn_too_long_is_not_waited_for_for_ever(file_home: Path) -> None:
    store = Store(url_of(file_home), patience=0.05)
    with store.transaction(), pytest.raises(Refused) as refused, store.transaction():
        pytest.fail("two writers")
    assert code_of(refused) == "store.unavailable"
    store.close()


def test_a_lost_database_is_refused_and_never_replaced_by_an_empty_one(file_home: Path, file_store: Store) -> None:
    assert names(file_store) == []
    (file_home / "control.db").unlink()
    for attempt in (file_store.transaction, file_store.reading):
        with pytest.raises(Refused) as refused, attempt():
            pytest.fail("went on in a file that is gone")
        assert code_of(refused) == "store.missing"
    with pytest.raises(Refused) as refused:
        Store(url_of(file_home))
    assert code_of(refused) == "store.missing"
    assert not (file_home / "control.db").exists()


def test_a_database_that_was_replaced_under_a_running_process_is_refused(file_home: Path, file_store: Store) -> None:
    (file_home / "control.db").rename(file_home / "old.db")
    (file_home / "control.db").write_bytes((file_home / "old.db").read_bytes())
    with pytest.raises(Refused) as refused, file_store.transaction():
        pytest.fail("wrote into the wrong file")
    assert code_of(refused) == "store.missing"


def test_a_damaged_database_is_refused_clearly(tmp_path: Path) -> None:
    (tmp_path / "control.db").write_bytes(b"not a database at all" * 400)
    store = Store(url_of(tmp_path))
    with pytest.raises(Refused) as refused, store.reading() as tx:
        tx.execute(select(datasets))
    assert code_of(refused) == "store.unavailable"
    store.close()


def test_a_database_of_a_newer_release_is_left_alone(store: Store) -> None:
    with store.transaction() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Refused) as refused:
        store.migrate()
    assert code_of(refused) == "store.newer"


def test_a_database_without_tables_is_refused_and_one_with_tables_is_not_taken_for_another_home(
    home: Path, store: Store
) -> None:
    with pytest.raises(Refused) as refused:
        Store.create(url_of(home))
    assert code_of(refused) == "store.taken"
    with store.transaction() as tx:
        tx.execute(text("DROP TABLE alembic_version"))
    with pytest.raises(Refused) as refused:
        store.migrate()
    assert code_of(refused) == "store.missing"


def test_processes_that_migrate_at_once_do_it_once(tmp_path: Path) -> None:
    address = fresh_database()
    url = address.replace("postgresql://", "postgresql+psycopg://", 1)
    script = f"from tre.store import Store\ntry: Store.create({url!r})\nexcept Exception as e: print(e)"
    racers = [subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) for _ in range(4)]
    said = sorted(racer.communicate(timeout=60)[0].strip() for racer in racers)
    assert said == ["", *["store.taken"] * 3]
    drop_database(address)


def test_a_server_that_is_away_is_refused_clearly_and_without_its_address() -> None:
    store = Store("postgresql+psycopg://tre@127.0.0.1:9/secret-name?passfile=/secret/file", patience=2)
    with pytest.raises(Refused) as refused, store.transaction():
        pytest.fail("granted")
    assert code_of(refused) == "store.unavailable"
    assert "secret" not in str(refused.value)


def test_who_is_in_turn_is_waited_for(home: Path, store: Store) -> None:
    other, done = Store(url_of(home), patience=20), threading.Event()

    def second() -> None:
        with other.transaction() as tx:
            tx.in_turn(["b", "a"])
            done.set()

    with store.transaction() as tx:
        tx.in_turn(["a", "c"])
        thread = threading.Thread(target=second)
        thread.start()
        assert not done.wait(0.3)
    assert done.wait(20)
    thread.join()
    other.close()


def test_migrating_again_changes_nothing_and_imports_no_migration_tool(home: Path) -> None:
    script = (
        "import sys; from tre.store import Store\n"
        f"Store({url_of(home)!r}).migrate()\n"
        "assert 'alembic' not in sys.modules, 'slow start'\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


def test_the_file_is_readable_by_its_owner_alone(file_home: Path) -> None:
    assert (file_home / "control.db").stat().st_mode & 0o077 == 0


def test_many_rows_at_once_are_the_rows_that_were_given(store: Store) -> None:
    rows = [("person", "a'b", index) for index in range(3)]
    with store.transaction() as tx:
        assert tx.each(insert(trail_terms), rows) == len(rows)
        assert tx.each(insert(trail_terms), []) == 0
        assert sorted(tuple(row) for row in tx.execute(trail_terms.select())) == rows


def test_what_was_deleted_is_scrubbed_from_every_file_and_the_rest_stays(home: Path, store: Store) -> None:
    secret = b"wrapped-key-of-somebody-who-left"
    with store.transaction() as tx:
        tx.execute(insert(sidecar_keys).values(scope="person/ada", wrapped=secret))
        tx.execute(insert(sidecar_keys).values(scope="person/bob", wrapped=b"kept"))
    with store.transaction() as tx:
        tx.execute(delete(sidecar_keys).where(sidecar_keys.c.scope == "person/ada"))
    store.scrub()
    assert not [path for path in home.rglob("*") if path.is_file() and secret in path.read_bytes()]
    with store.transaction() as tx:
        assert tx.execute(select(sidecar_keys.c.wrapped)).scalars().all() == [b"kept"]
