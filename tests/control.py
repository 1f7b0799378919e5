"""A control database, a log of its own and a key, for the tests of whatever stands on them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from audit.log import Log, create_log
from audit.replay import Demands
from audit.report import Report
from audit.verify import verify_folder
from tests.audit.samples import SIGNER
from tre import ledger
from tre.base.cost import Cost, Measure
from tre.journal import Act, Question, Sidecar, Trail, create_master, entries, record
from tre.store import Store, Transaction

ROOT_POLICY = Path(__file__).resolve().parent.parent / "policies" / "omop.yaml"

DATASET = ledger.LedgerId.of_dataset("omop")
PROJECT = ledger.LedgerId.of_project("P1", "omop")
QUESTION = Question("P1", "omop", "v_1", "a" * 64, "b" * 64, [("safe-data", "allow", [])])


class FakeClock:
    """A clock that the test moves; sleeping moves it too."""

    def __init__(self) -> None:
        self.at = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()

    def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


def url_of(home: Path) -> str:
    """The address of the control database of `home`."""
    said = home / "control.url"
    return said.read_text() if said.exists() else f"sqlite:///{home}/control.db"


def make_home(home: Path, control: str | None = None) -> Path:
    """Make an empty log, control database and master key in `home`; the database is at `control` if that is said."""
    if control is not None:
        (home / "control.url").write_text(control.replace("postgresql://", "postgresql+psycopg://", 1))
    create_log(home / "log", home / "head", SIGNER)
    Store.create(url_of(home)).close()
    create_master(home / "master")
    return home


def log_at(home: Path) -> Callable[[], Log]:
    """Return what opens the writer of the log in `home`."""
    return lambda: Log(home / "log", home / "head", SIGNER)


def trail_at(home: Path, actor: str = "operator") -> Trail:
    """Return the trail of an act that begins now."""
    return Trail(actor, FakeClock(), Sidecar.open(home / "master"))


def verified(home: Path, exported: dict[str, object] | None = None) -> Report:
    """Verify the log in `home` with the verifier, against the ledgers as exported."""
    import json

    from audit.ledgers import parse_ledgers

    demanded = parse_ledgers(json.dumps(exported).encode()) if exported else None
    return verify_folder(home / "log", SIGNER.verifier, Demands(ledger=demanded), head_folder=home / "head")


def zcdp(amount: int, delta: int = 0) -> Cost:
    """A cost in nano-rho."""
    return Cost(Measure.ZCDP, amount, delta)


def open_ledgers(tx: Transaction, limit: int) -> None:
    """Give the data set and the project the same limit."""
    for one in (DATASET, PROJECT):
        ledger.ensure(tx, one, zcdp(limit, limit), "0" * 32)


def intend(tx: Transaction, query: str, amount: int, clock: FakeClock | None = None) -> str:
    """Reserve for `query` in both ledgers and record its intent; return the event id."""
    moved = ledger.reserve(tx, query, {DATASET: zcdp(amount), PROJECT: zcdp(amount)})
    act = Act.by("ada", clock or FakeClock(), request=query)
    return record(tx, entries.query_intent(act, QUESTION, zcdp(amount), [one.as_entry() for one in moved]))


def conclude(tx: Transaction, query: str, intent: str, state: str = "committed") -> str:
    """Close what `query` reserved and record its outcome; return the event id."""
    close = {"committed": ledger.commit, "burned": ledger.burn, "voided": ledger.void}[state]
    moved = [one.as_entry() for one in close(tx, query)]
    act = Act.by("ada", FakeClock(), request=query)
    return record(tx, entries.query_outcome(act, "P1", state, intent, moved))
