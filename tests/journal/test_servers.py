"""Several servers on one log, whose writer is a process of its own: every entry once, every index the right one."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import delete, select, update

from audit.entries import decode_entry
from audit.reader import LogReader
from audit.remote import RemoteLog
from tests.audit.test_service import service
from tests.control import DATASET, FakeClock, intend, open_ledgers, url_of, verified
from tests.journal.reconciling import reconcile
from tests.journal.serving import THREADS
from tests.support import ROOT
from tre import ledger
from tre.base.clock import SystemClock
from tre.base.reasons import Refused
from tre.journal import Act, Journal, entries, outbox, record
from tre.store import Store, Transaction
from tre.store.tables import indexed, ledgers, movements

REQUESTS = 25


def server(home: Path, url: str, name: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.journal.serving", str(home), url, name, str(REQUESTS)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def settled(server: subprocess.Popen[str], *, killed: bool = False) -> dict[str, int]:
    """What a server said was in the log."""
    out, _ = server.communicate(timeout=120)
    assert killed or server.returncode == 0
    lines = [line.split() for line in out.splitlines(keepends=True) if line.endswith("\n") and line != "ready\n"]
    return {event: int(index) for event, index in lines}


def events(home: Path) -> list[str]:
    with LogReader(home / "log") as log:
        return [decode_entry(entry)["event_id"] for _, entry in log.scan()]


def noted(store: Store) -> dict[str, int]:
    with store.reading() as tx:
        return {row.event_id: row.log_index for row in tx.execute(select(indexed))}


def joined(home: Path, store: Store) -> Journal:
    return Journal(store, lambda: RemoteLog(home / "log", home / "s"), SystemClock(), reconcile)


def read_entry(tx: Transaction) -> str:
    return record(tx, entries.audit_read(Act.by("ada", FakeClock()), 0, 1))


def agrees(home: Path, store: Store) -> None:
    """The log verifies, the database notes exactly what it holds, and the ledgers are what it adds up to."""
    assert noted(store) == {event: index for index, event in enumerate(events(home))}
    with store.reading() as tx:
        report = verified(home, ledger.export(tx))
    assert report.ok, str(report)


def test_servers_that_race_write_every_entry_once_and_agree_on_its_index(home: Path, store: Store) -> None:
    with store.transaction() as tx:
        open_ledgers(tx, 10**9)
    with service(home):
        got = [settled(one) for one in [server(home, url_of(home), str(number)) for number in range(3)]]
    in_log = events(home)
    assert len(in_log) == len(set(in_log)) == 3 * THREADS * REQUESTS * 2
    for one in got:
        assert {event: in_log[index] for event, index in one.items()} == {event: event for event in one}
    agrees(home, store)


def test_servers_go_on_when_the_writer_is_killed_and_when_one_of_them_is(home: Path, store: Store) -> None:
    with store.transaction() as tx:
        open_ledgers(tx, 10**9)
    servers = [server(home, url_of(home), str(number)) for number in range(3)]
    for wait in (1.5, 0.3, 0.6):
        with service(home) as writer:
            time.sleep(wait)
            writer.kill()
            writer.wait()
    with service(home):
        servers[0].kill()
        got = [settled(one, killed=one is servers[0]) for one in servers]
        last = joined(home, store)
        last.recover()
        last.close()
    in_log = events(home)
    assert len(in_log) == len(set(in_log))
    for one in got:
        assert {event: in_log[index] for event, index in one.items()} == {event: event for event in one}
    assert len(got[1]) == len(got[2]) == THREADS * REQUESTS * 2
    agrees(home, store)


def test_what_a_server_appended_and_could_not_note_is_noted_by_another_and_not_written_twice(
    home: Path, store: Store, second_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with service(home):
        one, other = joined(home, store), joined(home, second_store)
        one.recover()
        other.recover()
        with store.transaction() as tx:
            first = read_entry(tx)
        with monkeypatch.context() as patch:
            patch.setattr("tre.journal.outbox.note", lambda tx, indexes: (_ for _ in ()).throw(Refused(())))
            with pytest.raises(Refused):
                one.settle([first])
        with store.transaction() as tx:
            second = read_entry(tx)
        assert other.settle([second]) == {second: 1}
        assert one.settle([first]) == {first: 0}
        one.close()
        other.close()
    agrees(home, store)


def test_entries_that_another_server_sent_in_between_are_noted_along_so_that_no_gap_is_left(
    home: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where transactions overlap, two servers may each see one of two entries; one of them dies before its note."""
    with service(home):
        journal = joined(home, store)
        journal.recover()
        with store.transaction() as tx:
            mine = read_entry(tx)
        with store.reading() as tx:
            seen = outbox.waiting(tx)
        with store.transaction() as tx:
            theirs = read_entry(tx)
        with store.reading() as tx:
            (_, later) = outbox.waiting(tx)
        writer = RemoteLog(home / "log", home / "s")
        assert writer.append([later.entry], 0) == [0]
        writer.close()
        with monkeypatch.context() as patch:
            patch.setattr("tre.journal.outbox.batch", lambda _tx: (0, seen))
            assert journal.settle([mine]) == {mine: 1}
        assert noted(store) == {theirs: 0, mine: 1}
        journal.close()
    agrees(home, store)


def test_entries_that_this_database_never_sent_are_not_noted_before_they_are_taken_over(
    home: Path, store: Store
) -> None:
    """As after a restore under running servers: to note them would forget what they tell of."""
    with service(home):
        journal = joined(home, store)
        with store.transaction() as tx:
            open_ledgers(tx, 100)
        journal.recover()
        with store.transaction() as tx:
            intent = intend(tx, "q_lost", 10)
        journal.settle([intent])
        with store.transaction() as tx:
            for table in (indexed, movements):
                tx.execute(delete(table))
            tx.execute(update(ledgers).values(seq=0, reserved_amount=0))
            event = read_entry(tx)
        with pytest.raises(Refused) as refused:
            journal.settle([event])
        assert refused.value.refusals[0].reason.code == "journal.state-behind"
        assert noted(store) == {}
        journal.close()
        again = joined(home, store)
        again.recover()
        assert again.settle([event]) == {event: 1}
        again.close()
    with store.reading() as tx:
        assert ledger.balance(tx, DATASET).reserved.amount == 10


def test_a_server_that_starts_while_others_write_takes_their_entries_for_no_news(home: Path, store: Store) -> None:
    """Neither a budget behind the log nor one ahead of it is seen where there is none."""
    with store.transaction() as tx:
        open_ledgers(tx, 10**9)
    with service(home):
        busy = server(home, url_of(home), "busy")
        assert busy.stdout is not None
        busy.stdout.readline()
        while busy.poll() is None:
            starting = joined(home, store)
            starting.recover()
            starting.close()
        assert len(settled(busy)) == THREADS * REQUESTS * 2
    agrees(home, store)


def test_many_threads_of_several_journals_settle_at_once(home: Path, store: Store, second_store: Store) -> None:
    found: dict[str, int] = {}
    with service(home):
        journals = [joined(home, one) for one in (store, second_store)]

        def work(journal: Journal) -> None:
            for _ in range(5):
                with store.transaction() as tx:
                    event = read_entry(tx)
                found.update(journal.settle([event], timeout=30))

        threads = [threading.Thread(target=work, args=(journal,)) for journal in journals for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for journal in journals:
            journal.close()
    assert found == noted(store)
    agrees(home, store)
