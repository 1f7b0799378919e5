"""The report on the log is the verifier's own, made beside, with the budgets of the same moment."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

import pytest

from tests.control import SIGNER, FakeClock, conclude, intend, make_home, open_ledgers, url_of
from tests.control import log_at as opened_at
from tre import ledger
from tre.base.clock import SystemClock
from tre.governance.oversight import Exported, LogCheck, exported
from tre.governance.oversight.checking import LEDGERS, LIFE
from tre.journal import Journal
from tre.store import Store


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """Make a home whose log holds one answered request."""
    make_home(tmp_path)
    (tmp_path / "log.vkey").write_text(str(SIGNER.verifier))
    store = Store(url_of(tmp_path))
    journal = Journal(store, opened_at(tmp_path), SystemClock())
    with store.transaction() as tx:
        open_ledgers(tx, 1000)
        events = [intend(tx, "q_1", 10)]
    with store.transaction() as tx:
        events.append(conclude(tx, "q_1", events[0]))
    journal.settle(events)
    journal.close()
    store.close()
    return tmp_path


def check(home: Path, clock: FakeClock, ledgers: object = None) -> LogCheck:
    store = Store(url_of(home))
    given = ledgers or (lambda: exported(store))
    return LogCheck(home / "log", home / "log.vkey", given, clock, home)  # type: ignore[arg-type]


def finished(found: LogCheck) -> dict[str, object] | None:
    """Begin a check, wait for its end and return its report."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        last, running = found.last()
        if last is not None and not running:
            return None if last.report is None else dict(last.report)
        time.sleep(0.02)
    raise AssertionError("the check does not end")


def problems(report: dict[str, object]) -> list[str]:
    return [text for one in report["checks"] for text in one["problems"]]  # type: ignore[attr-defined]


def test_nobody_waits_for_the_first_report(kept: Path) -> None:
    found = check(kept, FakeClock())
    last, running = found.last()
    assert (last, running) == (None, True)
    report = finished(found)
    assert report is not None
    assert (report["verified"], report["size"]) == (True, 2)
    assert LEDGERS in [one["check"] for one in report["checks"]]  # type: ignore[attr-defined]


def test_a_report_is_kept_for_a_while_and_then_made_anew(kept: Path) -> None:
    clock = FakeClock()
    found = check(kept, clock)
    finished(found)
    began = clock.at
    clock.at = began + LIFE
    last, running = found.last()
    assert last is not None
    assert (last.at, running) == (began, False)
    clock.sleep(1)
    assert found.last()[1]
    finished(found)
    assert found.last()[0].at == clock.at  # type: ignore[union-attr]


def test_a_changed_log_does_not_verify(kept: Path) -> None:
    records = kept / "log" / "records"
    data = bytearray(records.read_bytes())
    data[data.index(b'"query-outcome"') + 3] ^= 1
    records.write_bytes(data)
    report = finished(check(kept, FakeClock()))
    assert report is not None
    assert report["verified"] is False


def test_a_budget_that_was_changed_in_the_database_does_not_verify(kept: Path) -> None:
    store = Store(url_of(kept))
    with store.reading() as tx:
        told = ledger.export(tx)
    told["ledgers"]["project/P1/omop"]["spent"]["amount"] = "1"
    report = finished(check(kept, FakeClock(), lambda: Exported(json.dumps(told), 2)))
    assert report is not None
    assert report["verified"] is False
    assert any("in the log" in text for text in problems(report))


def test_budgets_that_move_during_the_check_are_not_compared(kept: Path) -> None:
    for moving in (lambda: None, lambda: Exported('{"ledgers": {}}', 1)):
        report = finished(check(kept, FakeClock(), moving))
        assert report is not None
        assert report["verified"] is True
        assert report["checks"][-1]["notes"][0].startswith("not compared")  # type: ignore[index]


def test_a_log_that_cannot_be_read_is_said(kept: Path) -> None:
    shutil.rmtree(kept / "log")
    found = check(kept, FakeClock())
    assert finished(found) is None


def test_ledgers_are_exported_only_when_the_log_shows_them(kept: Path) -> None:
    store = Store(url_of(kept))
    assert exported(store) == Exported(json.dumps(_export(store)), 2)
    with store.transaction() as tx:
        intend(tx, "q_2", 10)
    assert exported(store) is None


def _export(store: Store) -> object:
    with store.reading() as tx:
        return ledger.export(tx)
