"""Another master key: everything is read as before, the old key opens nothing, and a crash in between loses nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.control import trail_at
from tre.base.reasons import Refused
from tre.journal import OnRecord, Sidecar, create_master, entries, rotate_master, settle_master
from tre.journal import rewrap as module
from tre.store import Store, Transaction

SQL, EVENT = "SELECT count(*) FROM person", "e" * 32


@pytest.fixture
def master(home: Path, store: Store) -> Path:
    """A home with a text sealed; the path of its master key."""
    with store.transaction() as tx:
        Sidecar.open(home / "master").write(tx, EVENT, "project/P1", "sql", SQL)
    return home / "master"


def text(store: Store, master: Path) -> str | None:
    with store.reading() as tx:
        return Sidecar.open(master).read(tx, EVENT, "sql", OnRecord("a" * 32))


def rotate(store: Store, master: Path) -> None:
    trail = trail_at(master.parent)
    entry = entries.key_rotated(trail.act(), "master", "rotated")
    trail.sidecar = None  # type: ignore[assignment]  # it holds the key open
    rotate_master(store, master, lambda tx: trail.record(tx, entry))


def code(refused: pytest.ExceptionInfo[Refused]) -> str:
    return refused.value.refusals[0].reason.code


def test_what_was_sealed_is_read_under_the_new_key_and_not_under_the_old(store: Store, master: Path) -> None:
    old = master.with_name("old")
    old.write_bytes(master.read_bytes())
    old.chmod(0o600)
    rotate(store, master)
    assert text(store, master) == SQL
    assert master.read_bytes() != old.read_bytes()
    assert master.stat().st_mode & 0o777 == 0o600
    with pytest.raises(Refused) as refused:
        text(store, old)
    assert code(refused) == "journal.key-missing"


def test_a_key_that_somebody_has_open_is_not_replaced(store: Store, master: Path) -> None:
    before = master.read_bytes()
    held = Sidecar.open(master)
    with pytest.raises(Refused) as refused:
        rotate(store, master)
    assert code(refused) == "journal.key-in-use"
    assert master.read_bytes() == before
    del held
    rotate(store, master)


@pytest.mark.parametrize("when", ["before the commit", "after the commit"])
def test_a_rotation_that_a_crash_interrupts_is_ended_when_the_side_car_is_next_opened(
    store: Store, master: Path, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class CrashedError(Exception):
        pass

    def crash(*_: object) -> None:
        raise CrashedError

    before = master.read_bytes()
    with monkeypatch.context() as broken:
        broken.setattr(module, "_adopt", crash)
        with pytest.raises(CrashedError):
            rotate_master(store, master, crash if when == "before the commit" else lambda _tx: None)
    settle_master(store, master)
    assert text(store, master) == SQL
    assert (master.read_bytes() == before) is (when == "before the commit")
    assert [file.name for file in master.parent.glob("master*")] == ["master"]


def test_a_key_file_that_was_torn_is_no_key(store: Store, master: Path) -> None:
    master.with_name("master.new").write_bytes(b"half")
    master.with_name("master.new").chmod(0o600)
    settle_master(store, master)
    assert text(store, master) == SQL


def test_a_scope_that_is_new_after_a_rotation_is_wrapped_under_the_new_key(store: Store, master: Path) -> None:
    rotate(store, master)
    with store.transaction() as tx:
        Sidecar.open(master).write(tx, "f" * 32, "project/P2", "sql", "SELECT 2")
    with store.reading() as tx:
        assert Sidecar.open(master).read(tx, "f" * 32, "sql", OnRecord("a" * 32)) == "SELECT 2"


def test_a_failing_entry_leaves_the_old_key(store: Store, master: Path) -> None:
    def fail(_tx: Transaction) -> None:
        raise Refused.because(module_reason())

    before = master.read_bytes()
    with pytest.raises(Refused):
        rotate_master(store, master, fail)
    settle_master(store, master)
    assert (master.read_bytes(), text(store, master)) == (before, SQL)


def module_reason():
    from tre.base.reasons import journal

    return journal.NOT_INDEXED


def test_a_new_home_has_a_key_of_its_own(tmp_path: Path) -> None:
    create_master(tmp_path / "one")
    with pytest.raises(FileExistsError):
        create_master(tmp_path / "one")
