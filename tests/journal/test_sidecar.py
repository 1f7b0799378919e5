"""The side-car: what people typed and what they are called lies there, sealed, and nowhere else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import delete, update

from audit.entries import decode_entry
from tests.control import trail_at
from tre.base.reasons import Refused
from tre.journal import Journal, OnRecord, Sidecar, create_master, entries
from tre.store import Store
from tre.store.tables import sidecar, sidecar_keys

SQL = "SELECT count(*) FROM person WHERE nhs_number = '943 476 5919'"
NAME = "Ada Lovelace"
EVENT = "e" * 32
OF_MANY = OnRecord("a" * 32)


def test_what_was_sealed_is_read_back_under_its_entry(home: Path, store: Store) -> None:
    box = Sidecar.open(home / "master")
    with store.transaction() as tx:
        digest = box.write(tx, EVENT, "project/P1", "sql", SQL)
        other = box.write(tx, "f" * 32, "project/P1", "sql", SQL)
        assert box.read(tx, EVENT, "sql", OF_MANY) == SQL
        assert box.read(tx, EVENT, "name", OF_MANY) is None
    assert digest != other, "equal texts must not look equal"


def test_no_query_and_no_name_lies_in_the_open_anywhere_in_the_home(home: Path, store: Store, journal: Journal) -> None:
    trail = trail_at(home)
    with store.transaction() as tx:
        trail.record(tx, entries.project_unlocked(trail.sealed(tx, trail.act(), "project/P1", "sql", SQL), "P1"))
        trail.record(tx, entries.project_unlocked(trail.sealed(tx, trail.act(), "person/ada", "name", NAME), "P1"))
    journal.settle(trail.events)
    everything = b"".join(file.read_bytes() for file in home.rglob("*") if file.is_file())
    for secret in (SQL, NAME, "943 476 5919", "Lovelace", "nhs_number"):
        assert secret.encode() not in everything
        assert secret.encode().hex().encode() not in everything


def test_the_entry_commits_to_what_was_sealed(home: Path, store: Store) -> None:
    trail = trail_at(home)
    with store.transaction() as tx:
        act = trail.sealed(tx, trail.act(), "project/P1", "reason", "seen")
        entry = entries.project_unlocked(act, "P1")
    assert decode_entry(entry.data)["sidecar"] == act.sidecar
    assert replace(act, sidecar=None) != act


def test_a_sealed_text_cannot_be_moved_under_another_entry(home: Path, store: Store) -> None:
    box = Sidecar.open(home / "master")
    with store.transaction() as tx:
        box.write(tx, EVENT, "project/P1", "sql", SQL)
        tx.execute(update(sidecar).values(event_id="0" * 32))
        with pytest.raises(Refused):
            box.read(tx, "0" * 32, "sql", OF_MANY)


def test_the_entry_of_one_text_opens_no_other(home: Path, store: Store) -> None:
    box = Sidecar.open(home / "master")
    with store.transaction() as tx:
        box.write(tx, EVENT, "project/P1", "sql", SQL)
        assert box.read(tx, EVENT, "sql", OnRecord("a" * 32, EVENT)) == SQL
        with pytest.raises(ValueError, match="this is a bug"):
            box.read(tx, EVENT, "sql", OnRecord(EVENT, "d" * 32))


def test_each_scope_has_a_key_of_its_own_and_destroying_it_erases(home: Path, store: Store) -> None:
    box = Sidecar.open(home / "master")
    with store.transaction() as tx:
        box.write(tx, EVENT, "project/P1", "sql", SQL)
        box.write(tx, EVENT, "person/ada", "name", NAME)
        tx.execute(delete(sidecar_keys).where(sidecar_keys.c.scope == "person/ada"))
        assert box.read(tx, EVENT, "name", OF_MANY) is None
        assert box.read(tx, EVENT, "sql", OF_MANY) == SQL
        tx.execute(update(sidecar).where(sidecar.c.kind == "name").values(scope="project/P1"))
        with pytest.raises(Refused):
            box.read(tx, EVENT, "name", OF_MANY)


def test_another_master_key_opens_nothing(home: Path, store: Store) -> None:
    create_master(home / "other")
    with store.transaction() as tx:
        Sidecar.open(home / "master").write(tx, EVENT, "project/P1", "sql", SQL)
        with pytest.raises(Refused) as refused:
            Sidecar.open(home / "other").read(tx, EVENT, "sql", OF_MANY)
    assert refused.value.refusals[0].reason.code == "journal.key-missing"


def test_a_master_key_is_private_whole_and_never_overwritten(home: Path) -> None:
    assert (home / "master").stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        create_master(home / "master")
    (home / "short").write_bytes(b"short")
    (home / "short").chmod(0o600)
    (home / "open").write_bytes(bytes(32))
    (home / "open").chmod(0o640)
    for name, code in (("gone", "key-missing"), ("short", "key-missing"), ("open", "key-exposed")):
        with pytest.raises(Refused) as refused:
            Sidecar.open(home / name)
        assert refused.value.refusals[0].reason.code == f"journal.{code}"
