"""Erasure is key destruction: the text is gone from every file, every proof holds, and two people did it."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from audit import Demands, LogReader, Receipt, decode_entry, load_verifier, verify_folder
from audit.ledgers import parse_ledgers
from tests.house import DATASET, OKAFOR, PROJECT, furnish, question
from tre.app.admin import open_admin
from tre.app.compose import House
from tre.app.reviewing import Reviewing
from tre.base.clock import SystemClock
from tre.base.home import Home
from tre.base.reasons import Refused
from tre.broker import Broker
from tre.cli.admin import NewPerson
from tre.identity import Principal
from tre.store.tables import sidecar, sidecar_keys
from tre.web.adapter.oversight import OversightService

SQL = "SELECT COUNT(*) AS n FROM person WHERE year_of_birth <> 87654321"


@dataclass
class Kept:
    """A home in which one question was asked, with a controller, a board member, an operator."""

    root: Path

    def receipts(self) -> list[str]:
        with LogReader(self.root / "log") as log:
            return [log.inclusion(index, with_entry=True) for index in range(log.size)]

    def verified(self) -> bool:
        """Run the verifier with the budgets as they stand."""
        admin = open_admin(self.root)
        ledger = parse_ledgers(admin.ledger_export().encode())
        admin.house.close()
        key = load_verifier(self.root / "log.vkey")
        return verify_folder(self.root / "log", key, Demands(ledger=ledger), head_folder=self.root / "head").ok

    def sealed(self, scope: str) -> list[bytes]:
        """Return the wrapped key of a scope and all that it sealed."""
        house = House(Home(self.root))
        with house.store.reading() as tx:
            keys = tx.execute(select(sidecar_keys.c.wrapped).where(sidecar_keys.c.scope == scope)).scalars().all()
            texts = tx.execute(select(sidecar.c.sealed).where(sidecar.c.scope == scope)).scalars().all()
        house.close()
        return [*keys, *texts]

    def holding(self, secret: bytes) -> list[str]:
        """Name the files of the home that hold any eight bytes in a row of `secret`'s middle."""
        files = [path for path in self.root.rglob("*") if path.is_file()]
        return [str(path) for path in files if secret[8:24] in path.read_bytes()]

    def erase(self, kind: str, name: str, by: str = "bea", second: str = "carl") -> None:
        admin = open_admin(self.root)
        try:
            admin.sidecar_erase(kind, name, by, second)
        finally:
            admin.house.close()

    def end(self, person: str) -> None:
        admin = open_admin(self.root)
        admin.person_end(person, "bea")
        admin.house.close()


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    root = tmp_path_factory.mktemp("erasing") / "home"
    furnish(root, 60).close()
    admin = open_admin(root)
    people = {"aud": "auditor", "otto": "operator", "carl": "controller", "bea": "board"}
    for person, role in people.items():
        admin.person_add(NewPerson(person, f"Name of {person}", (role,), (), (DATASET,) if person == "carl" else ()))
    admin.house.close()
    house = House(Home(root))
    house.journal.recover()
    broker = Broker(house.parts())
    broker.start()
    taken = broker.submit(OKAFOR, PROJECT, None, question(SQL))
    broker.wait(OKAFOR, taken.id, 30.0)
    broker.stop()
    house.close()
    return Kept(root)


@pytest.fixture
def kept(original: Kept, tmp_path: Path) -> Kept:
    root = Path(shutil.copytree(original.root, tmp_path / "home", copy_function=shutil.copy2))
    return Kept(root)


@pytest.mark.parametrize(("kind", "name"), [("project", PROJECT), ("person", "stranger")])
def test_what_is_erased_is_in_no_file_and_every_proof_holds(kept: Kept, kind: str, name: str) -> None:
    if kind == "person":
        kept.end(name)
    scope = f"{kind}/{name}"
    before, receipts = kept.sealed(scope), kept.receipts()
    assert len(before) >= 2
    assert all(kept.holding(secret) for secret in before)
    assert kept.verified()
    with closing(sqlite3.connect(kept.root / "control.db")) as served:  # as by a server: its close would tidy up
        served.execute("SELECT COUNT(*) FROM people").fetchall()
        kept.erase(kind, name)
        assert [found for secret in before for found in kept.holding(secret)] == []
    assert kept.sealed(scope) == []
    assert [found for secret in before for found in kept.holding(secret)] == []
    assert kept.verified()
    key = load_verifier(kept.root / "log.vkey")
    for one in receipts:
        receipt = Receipt.parse(one.encode())
        assert receipt.extra is not None
        receipt.verify(receipt.extra, key)
    entry = decode_entry(Receipt.parse(kept.receipts()[-1].encode()).extra or b"")
    assert (entry["event"], entry["subject"]) == ("key-destroyed", scope)
    assert (entry["actor"], entry["approved_by"]) == ("bea", ["carl"])
    with sqlite3.connect(kept.root / "control.db") as control:
        assert control.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    control.close()


def test_others_keep_their_texts(kept: Kept) -> None:
    others = kept.sealed("person/okafor")
    kept.erase("project", PROJECT)
    assert kept.sealed("person/okafor") == others != []


def test_a_restored_back_up_brings_no_erased_text_back(kept: Kept) -> None:
    back = {path: path.read_bytes() for path in kept.root.glob("control.db*")}
    before = kept.sealed(f"project/{PROJECT}")
    kept.erase("project", PROJECT)
    for path in kept.root.glob("control.db*"):
        path.unlink()
    for path, data in back.items():
        path.write_bytes(data)
    assert kept.sealed(f"project/{PROJECT}") == before
    house = House(Home(kept.root))
    house.journal.recover()
    house.close()
    assert kept.sealed(f"project/{PROJECT}") == []


@pytest.mark.parametrize(
    ("kind", "name", "by", "second", "code"),
    [
        ("project", PROJECT, "bea", "bea", "one-person"),
        ("project", PROJECT, "bea", "otto", "not-eraser"),
        ("project", PROJECT, "aud", "bea", "not-eraser"),
        ("project", PROJECT, "bea", "okafor", "own-texts"),
        ("project", PROJECT, "bea", "nobody", "unknown-person"),
        ("project", "none", "bea", "carl", "unknown-project"),
        ("person", "stranger", "bea", "carl", "still-here"),
        ("person", "nobody", "bea", "carl", "unknown-person"),
    ],
)
def test_nothing_is_erased_but_by_two_who_may(
    kept: Kept, kind: str, name: str, by: str, second: str, code: str
) -> None:
    before = kept.sealed(f"{kind}/{name}")
    with pytest.raises(Refused) as refused:
        kept.erase(kind, name, by, second)
    assert refused.value.refusals[0].reason.code == f"governance.{code}"
    assert kept.sealed(f"{kind}/{name}") == before


def test_what_was_erased_before_is_said_to_be(kept: Kept) -> None:
    kept.erase("project", PROJECT)
    with pytest.raises(Refused) as refused:
        kept.erase("project", PROJECT)
    assert refused.value.refusals[0].reason.code == "governance.nothing-sealed"


# --- Asked for by one person, agreed to by another, each as themselves


class Stepping(SystemClock):
    """The machine's clock, some days on."""

    days = 0

    def now(self) -> datetime:
        return super().now() + timedelta(days=self.days)


@pytest.fixture
def clock() -> Stepping:
    return Stepping()


@pytest.fixture
def oversight(kept: Kept, clock: Stepping) -> Iterator[OversightService]:
    house = House(Home(kept.root))
    house.__dict__["clock"] = clock
    house.journal.recover()
    with LogReader(house.home.log) as log:
        reviewing = Reviewing(house, log)
        yield reviewing.service
        reviewing.stop()
    house.close()


def sitting(person: str, project: str | None = None) -> Principal:
    return Principal(person, "tre.test", "local", (), project, f"s_{person}", datetime(2099, 1, 1, tzinfo=UTC))


def refused(act: Callable[[Principal, str], object], person: str, project: str = PROJECT) -> str:
    with pytest.raises(Refused) as found:
        act(sitting(person), project)
    return found.value.refusals[0].reason.code


def test_what_one_person_asks_for_another_agrees_to_and_neither_can_do_alone(
    kept: Kept, oversight: OversightService
) -> None:
    scope = f"project/{PROJECT}"
    before = kept.sealed(scope)
    assert refused(oversight.agree_erasure, "carl") == "governance.erasure-not-asked"
    found = oversight.erasure(sitting("bea"), PROJECT)
    assert (found.texts, found.person, found.at) == (len(before) - 1, None, None)
    oversight.ask_erasure(sitting("bea"), PROJECT)
    assert oversight.erasure(sitting("carl"), PROJECT).person == "bea"
    assert refused(oversight.agree_erasure, "bea") == "governance.one-person"
    assert kept.sealed(scope) == before
    oversight.agree_erasure(sitting("carl"), PROJECT)
    assert kept.sealed(scope) == []
    assert [place for secret in before for place in kept.holding(secret)] == []
    found = oversight.erasure(sitting("bea"), PROJECT)
    assert (found.texts, found.person) == (0, None)
    asked, destroyed = (decode_entry(Receipt.parse(one.encode()).extra or b"") for one in kept.receipts()[-2:])
    assert (asked["event"], asked["change"], asked["actor"]) == ("project-changed", "erasure-asked", "bea")
    assert (asked["session"], destroyed["session"]) == ("s_bea", "s_carl")
    assert (destroyed["event"], destroyed["actor"], destroyed["approved_by"]) == ("key-destroyed", "carl", ["bea"])
    assert kept.verified()


def test_nobody_else_sees_that_there_is_something_to_erase(oversight: OversightService) -> None:
    for person in ("aud", "otto", "okafor", "nobody"):
        for act in (oversight.erasure, oversight.ask_erasure, oversight.agree_erasure):
            assert refused(act, person) == "web.unknown-project"
    assert refused(oversight.ask_erasure, "bea", "nothing") == "web.unknown-project"
    with pytest.raises(Refused):
        oversight.ask_erasure(sitting("bea", PROJECT), PROJECT)


def test_a_wish_lapses_after_a_week(oversight: OversightService, clock: Stepping) -> None:
    oversight.ask_erasure(sitting("bea"), PROJECT)
    clock.days = 8
    assert oversight.erasure(sitting("carl"), PROJECT).person is None
    assert refused(oversight.agree_erasure, "carl") == "governance.erasure-not-asked"
