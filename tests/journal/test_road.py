"""Outbox, single writer, start-up: nothing is lost, nothing is twice, nothing is shown before it stands in the log."""

from __future__ import annotations

import errno
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from audit.entries import decode_entry
from audit.log import Log
from audit.reader import LogReader
from audit.receipt import Receipt
from audit.report import as_text
from tests.control import (
    DATASET,
    PROJECT,
    SIGNER,
    FakeClock,
    conclude,
    intend,
    log_at,
    open_ledgers,
    trail_at,
    url_of,
    verified,
    zcdp,
)
from tests.journal.reconciling import reconcile
from tests.postgresql import copy_database, fresh_database
from tre import ledger
from tre.base.clock import SystemClock
from tre.base.reasons import Refused
from tre.journal import Act, Journal, Shown, entries, record
from tre.journal.outbox import indexes_of, note, noted
from tre.store import Store, Transaction
from tre.store.tables import indexed, ledgers, outbox

ROOT = Path(__file__).resolve().parents[2]


def code_of(refused: pytest.ExceptionInfo[Refused]) -> str:
    return refused.value.refusals[0].reason.code


def logged(home: Path) -> list[str]:
    with LogReader(home / "log") as log:
        return [decode_entry(entry)["event_id"] for _, entry in log.scan()]


def read_entry(tx: Transaction, number: int) -> str:
    return record(tx, entries.audit_read(Act.by("ada", FakeClock()), number, number + 1))


def agrees(home: Path, store: Store) -> None:
    """The verifier comes to the sums of the ledgers, from the log alone."""
    with store.reading() as tx:
        report = verified(home, ledger.export(tx))
    assert report.ok, str(report)


def test_entries_reach_the_log_in_the_order_of_the_outbox(home: Path, store: Store, journal: Journal) -> None:
    journal.recover()
    with store.transaction() as tx:
        first = [read_entry(tx, number) for number in range(300)]
    with store.transaction() as tx:
        last = read_entry(tx, 300)
    assert journal.settle([last]) == {last: 300}
    assert logged(home) == [*first, last]
    with store.reading() as tx:
        assert tx.execute(select(func.count()).select_from(outbox)).scalar_one() == 0
        assert tx.execute(select(func.count()).select_from(indexed)).scalar_one() == 301


def test_a_change_and_its_entry_are_kept_together_or_not_at_all(store: Store, journal: Journal) -> None:
    journal.recover()

    def change_that_fails() -> None:
        with store.transaction() as tx:
            open_ledgers(tx, 10)
            read_entry(tx, 1)
            raise KeyError

    with pytest.raises(KeyError):
        change_that_fails()
    assert journal.drain_once() == 0
    with store.reading() as tx:
        assert ledger.balances(tx) == ()


def test_many_threads_settle_at_once_and_each_gets_its_own_index(home: Path, store: Store, journal: Journal) -> None:
    journal.recover()
    with store.transaction() as tx:
        open_ledgers(tx, 10**9)
    found: dict[str, int] = {}

    def work(number: int) -> None:
        for turn in range(5):
            query = f"q_{number}_{turn}"
            with store.transaction() as tx:
                intent = intend(tx, query, 1)
            found.update(journal.settle([intent]))
            with store.transaction() as tx:
                outcome = conclude(tx, query, intent)
            found.update(journal.settle([outcome]))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    in_log = logged(home)
    assert {event: in_log[index] for event, index in found.items()} == {event: event for event in found}
    assert len(found) == len(in_log) == 120
    agrees(home, store)


def test_nothing_is_held_in_the_database_while_the_log_is_written(home: Path, store: Store) -> None:
    free: list[bool] = []

    class Watching:
        def __init__(self) -> None:
            self._log = log_at(home)()

        def append(self, batch: Sequence[bytes], since: int | None = None) -> list[int]:
            with store.transaction():
                free.append(True)
            return self._log.append(batch, since)

        def __getattr__(self, name: str) -> object:
            return getattr(self._log, name)

    journal = Journal(store, Watching, SystemClock())  # type: ignore[arg-type]
    with store.transaction() as tx:
        event = read_entry(tx, 1)
    journal.settle([event])
    assert free == [True]
    journal.close()


def test_what_was_never_recorded_is_refused_and_what_was_settled_before_is_found(
    store: Store, journal: Journal
) -> None:
    with store.transaction() as tx:
        old = read_entry(tx, 1)
    journal.settle([old])
    with store.transaction() as tx:
        new = read_entry(tx, 2)
    assert journal.settle([new, old]) == {old: 0, new: 1}
    assert journal.settle([old]) == {old: 0}
    with pytest.raises(Refused) as refused:
        journal.settle(["f" * 32])
    assert code_of(refused) == "journal.not-indexed"


def test_a_receipt_proves_the_entry_offline(store: Store, journal: Journal) -> None:
    with store.transaction() as tx:
        event = read_entry(tx, 1)
    index = journal.settle([event])[event]
    receipt = Receipt.parse(journal.receipt(index, with_entry=True).encode())
    assert receipt.extra is not None
    assert receipt.verify(receipt.extra, SIGNER.verifier).size == 1
    assert decode_entry(receipt.extra)["event_id"] == event


def test_a_command_is_served_by_the_process_that_holds_the_log(home: Path, store: Store, journal: Journal) -> None:
    journal.recover()
    other = Store(url_of(home))
    command = Journal(other, log_at(home), SystemClock())
    with store.transaction() as tx:
        event = read_entry(tx, 1)
    with pytest.raises(Refused) as refused:
        command.settle([event], timeout=0.05)
    assert code_of(refused) == "journal.not-indexed"
    served = threading.Timer(0.05, journal.drain_once)
    served.start()
    assert command.settle([event], timeout=20) == {event: 0}
    served.join()
    other.close()


def test_a_command_writes_itself_when_nobody_holds_the_log(home: Path, store: Store, journal: Journal) -> None:
    with store.transaction() as tx:
        event = read_entry(tx, 1)
    assert journal.settle([event]) == {event: 0}
    journal.close()
    other = Journal(store, log_at(home), SystemClock())
    other.recover()
    other.close()


def test_a_log_that_cannot_be_written_refuses_everything_from_then_on(home: Path, store: Store) -> None:
    class Full:
        def __init__(self) -> None:
            self._log = log_at(home)()

        def append(self, batch: Sequence[bytes], since: int | None = None) -> list[int]:
            raise OSError(errno.ENOSPC, "no space")

        def __getattr__(self, name: str) -> object:
            return getattr(self._log, name)

    journal = Journal(store, Full, SystemClock())  # type: ignore[arg-type]
    journal.recover()
    with store.transaction() as tx:
        event = read_entry(tx, 1)
    for attempt in (lambda: journal.settle([event]), journal.drain_once):
        with pytest.raises(Refused) as refused:
            attempt()
        assert code_of(refused) == "fault.log-unavailable"
    journal.close()
    healed = Journal(store, log_at(home), SystemClock())
    assert healed.settle([event]) == {event: 0}
    healed.close()


def test_a_lost_log_stops_the_start(home: Path, store: Store, journal: Journal) -> None:
    shutil.rmtree(home / "log")
    with pytest.raises(Refused) as refused:
        journal.recover()
    assert code_of(refused) == "fault.log-unavailable"


def test_an_index_that_could_not_be_noted_is_noted_later_and_the_entry_is_not_written_twice(
    home: Path, store: Store, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal.recover()
    with store.transaction() as tx:
        event = read_entry(tx, 1)
    with monkeypatch.context() as patch:
        patch.setattr("tre.journal.outbox.note", lambda tx, indexes: (_ for _ in ()).throw(Refused(())))
        with pytest.raises(Refused):
            journal.settle([event])
    assert journal.settle([event]) == {event: 0}
    assert logged(home) == [event]


def test_what_is_noted_is_always_the_logs_beginning(store: Store) -> None:
    a, b, c, d = ("a" * 32, "b" * 32, "c" * 32, "d" * 32)
    with store.transaction() as tx:
        assert note(tx, {b: 1}) == 0, "a gap"
        assert note(tx, {d: 3, b: 1, a: 0}) == 2, "up to the gap, in any order"
        assert note(tx, {a: 0, b: 1}) == 0, "none twice"
        assert note(tx, {c: 1}) == 0, "none where another stands"
        assert note(tx, {}) == 0
        assert indexes_of(tx, [a, b, c, d]) == {a: 0, b: 1}
        assert noted(tx) == 2


POINTS = {
    "before the commit": (0, []),
    "before the append": (10, ["query-intent"]),
    "before the note": (10, ["query-intent"]),
    "before the outcome is settled": (10, ["query-intent", "query-outcome"]),
}


@pytest.mark.parametrize("point", POINTS)
def test_a_killed_process_loses_nothing_and_repeats_nothing(home: Path, store: Store, point: str) -> None:
    with store.transaction() as tx:
        open_ledgers(tx, 100)
    script = [sys.executable, "-m", "tests.journal.crashing", str(home), point]
    killed = subprocess.run(script, cwd=ROOT, timeout=60, check=False, capture_output=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    total, events = POINTS[point]
    for _ in range(2):
        again = Journal(store, log_at(home), SystemClock(), reconcile)
        again.recover()
        again.close()
        with LogReader(home / "log") as log:
            assert [decode_entry(entry)["event"] for _, entry in log.scan()] == events
        with store.reading() as tx:
            assert ledger.balance(tx, DATASET).total == zcdp(total)
        agrees(home, store)


def backed_up(home: Path) -> Path:
    """Take a back-up of the control database as an operator would, while it is quiet."""
    if (home / "control.url").exists():
        copy = home / "backup.url"
        copy.write_text(copy_database(url_of(home)))
        return copy
    copy = home / "backup.db"
    source, target = sqlite3.connect(home / "control.db"), sqlite3.connect(copy)
    source.backup(target)
    source.close()
    target.close()
    return copy


def restored(home: Path, copy: Path) -> Store:
    if copy.suffix == ".url":
        shutil.copy(copy, home / "control.url")
        return Store(url_of(home))
    for stale in home.glob("control.db*"):
        stale.unlink()
    shutil.copy(copy, home / "control.db")
    return Store(url_of(home))


def test_a_restored_back_up_grants_no_budget_again(home: Path, store: Store, journal: Journal) -> None:
    journal.recover()
    with store.transaction() as tx:
        open_ledgers(tx, 100)
        queued = intend(tx, "queued", 10)
    journal.settle([queued])
    copy = backed_up(home)
    with store.transaction() as tx:
        conclude(tx, "queued", queued)
        answered = intend(tx, "answered", 30)
        given_back = intend(tx, "back", 5)
        conclude(tx, "answered", answered)
        conclude(tx, "back", given_back, "voided")
        intend(tx, "open", 40)
    while journal.drain_once():
        pass
    journal.close()
    store.close()

    old = restored(home, copy)
    with old.reading() as tx:
        assert ledger.balance(tx, DATASET).total == zcdp(10)
    raised: list[tuple[ledger.LedgerId, ...]] = []
    trail = trail_at(home)

    def take_over(tx: Transaction, shown: Shown) -> None:
        raised.append(ledger.raise_to(tx, shown))
        assert ledger.burn_unknown(tx, shown, trail) == ("open",)

    again = Journal(old, log_at(home), SystemClock(), take_over)
    again.recover()
    with old.transaction() as tx:
        found = ledger.balance(tx, DATASET)
        assert (found.spent, found.reserved) == (zcdp(80), zcdp(0))
        with pytest.raises(Refused):
            ledger.reserve(tx, "more", {DATASET: zcdp(21)})
    assert raised == [(DATASET, PROJECT)]
    agrees(home, old)
    again.close()
    old.close()


def test_a_ledger_that_was_edited_down_is_raised_to_what_the_log_says(
    home: Path, store: Store, journal: Journal
) -> None:
    journal.recover()
    with store.transaction() as tx:
        open_ledgers(tx, 100)
        conclude(tx, "q", intend(tx, "q", 60))
    while journal.drain_once():
        pass
    journal.close()
    with store.transaction() as tx:
        tx.execute(update(ledgers).values(spent_amount=1))
    again = Journal(store, log_at(home), SystemClock(), reconcile)
    again.recover()
    again.close()
    agrees(home, store)


def test_a_database_that_was_lost_altogether_comes_back_with_its_spending_and_no_limit(
    home: Path, store: Store, journal: Journal
) -> None:
    journal.recover()
    with store.transaction() as tx:
        open_ledgers(tx, 100)
        conclude(tx, "q", intend(tx, "q", 60))
    while journal.drain_once():
        pass
    journal.close()
    store.close()
    if (home / "control.url").exists():
        (home / "control.url").write_text(fresh_database().replace("postgresql:", "postgresql+psycopg:"))
    for file in home.glob("control.db*"):
        file.unlink()
    new = Store.create(url_of(home))
    again = Journal(new, log_at(home), SystemClock(), reconcile)
    again.recover()
    again.close()
    agrees(home, new)
    with new.transaction() as tx:
        assert ledger.balance(tx, DATASET).limit == zcdp(0)
        with pytest.raises(Refused):
            ledger.reserve(tx, "more", {DATASET: zcdp(1)})
        ledger.ensure(tx, DATASET, zcdp(100), "1" * 32)
        assert ledger.balance(tx, DATASET).left == zcdp(40)
    new.close()


def test_a_log_that_is_older_than_the_database_stops_the_start(home: Path, store: Store, journal: Journal) -> None:
    journal.recover()
    shutil.copytree(home / "log", home / "log.old")
    shutil.copytree(home / "head", home / "head.old")
    with store.transaction() as tx:
        event = read_entry(tx, 1)
    journal.settle([event])
    journal.close()
    for folder in ("log", "head"):
        shutil.rmtree(home / folder)
        (home / f"{folder}.old").rename(home / folder)
    with pytest.raises(Refused) as refused:
        Journal(store, log_at(home), SystemClock()).recover()
    assert code_of(refused) == "journal.state-ahead"
    Log(home / "log", home / "head", SIGNER).close()


def test_movements_that_the_log_never_saw_stop_the_start(home: Path, store: Store, journal: Journal) -> None:
    with store.transaction() as tx:
        open_ledgers(tx, 100)
        ledger.reserve(tx, "unlogged", {DATASET: zcdp(1)})
    again = Journal(store, log_at(home), SystemClock(), reconcile)
    with pytest.raises(Refused) as refused:
        again.recover()
    assert code_of(refused) == "budget.log-behind"


def test_a_clock_that_goes_back_changes_neither_order_nor_ledgers(home: Path, store: Store, journal: Journal) -> None:
    journal.recover()
    with store.transaction() as tx:
        open_ledgers(tx, 10)
        intent = intend(tx, "q_1", 1, FakeClock())
    before = journal.settle([intent])[intent]
    clock = FakeClock()
    clock.at -= timedelta(days=400)
    with store.transaction() as tx:
        outcome = conclude(tx, "q_1", intent)
        later = intend(tx, "q_2", 1, clock)
    found = journal.settle([later, outcome])
    assert [found[outcome], found[later]] == [before + 1, before + 2]
    journal.close()
    again = Journal(store, log_at(home), clock)
    again.recover()
    again.close()
    agrees(home, store)
    with store.reading() as tx:
        page = as_text(verified(home, ledger.export(tx)))
    assert "the clock was put back before entry 2" in page
