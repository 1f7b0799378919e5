"""No sealed text is opened by anybody, the house included, but under an entry of the log that tells of it.

`OPENINGS` is every way to a text, done in a real house, each with the entry that covers it; a place in the source that
opens one and is not reached by the table fails the last test.
"""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.house import COUNT, DATASET, OKAFOR, PROJECT, furnish, question
from tests.support import ROOT
from tre.app.admin import open_admin
from tre.app.compose import House
from tre.app.failures import FailedSignIns
from tre.app.serving import Running
from tre.app.signing_in import LOCAL, SigningIn
from tre.base.home import Home
from tre.base.reasons import Refused
from tre.base.reasons.faults import LOG_UNAVAILABLE
from tre.broker import Asker
from tre.broker.refining import Offer
from tre.cli.admin import NewPerson
from tre.governance import oversight
from tre.identity import Principal
from tre.journal import OnRecord, Sidecar
from tre.journal.search import Page


@dataclass(frozen=True)
class Opened:
    """One opening: by which module of the house, of what, beside which entry, under which entry."""

    module: str
    kind: str
    beside: str
    under: str


@dataclass
class Watched:
    """A house in service, with every opening of a sealed text in it; `first` was asked and answered before."""

    house: House
    running: Running
    opened: list[Opened]
    first: str = ""

    def entries(self) -> dict[str, tuple[int, dict[str, Any]]]:
        """Return the log's entries by event id, with their index."""
        found = {}
        for index, entry in self.house.journal._writer.scan():  # type: ignore[union-attr]
            fields = json.loads(entry)
            found[fields["event_id"]] = (index, fields)
        return found

    def principal(self, person: str) -> Principal:
        expires = self.house.clock.now() + timedelta(hours=1)
        return Principal(person, "test.example/log", LOCAL, (), None, f"t_{person}", expires)

    def ask(self, sql: str = COUNT, key: str | None = None) -> str:
        taken = self.running.broker.submit(OKAFOR, PROJECT, None, question(sql), key)
        assert self.running.broker.wait(OKAFOR, taken.id, 30).ended
        return taken.id


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("openings") / "home"
    furnish(root, 200)
    admin = open_admin(root)
    admin.person_add(NewPerson("carl", "Mr C. Controller", ("controller",), (), (DATASET,)))
    admin.person_add(NewPerson("aud", "Ms A. Auditor", ("auditor",)))
    admin.house.close()
    return root


@pytest.fixture(scope="module")
def watched(furnished: Path) -> Iterator[Watched]:
    opened: list[Opened] = []
    read = Sidecar.read

    def watching(self: Sidecar, tx: Any, event_id: str, kind: str, reading: OnRecord) -> str | None:
        frame = sys._getframe(1)
        opened.append(Opened(frame.f_globals["__name__"], kind, event_id, reading.event))
        return read(self, tx, event_id, kind, reading)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Sidecar, "read", watching)
        patch.setattr(House, "is_demonstration", True)
        house = House(Home(furnished))
        running = Running(house)
        found = Watched(house, running, opened)
        found.first = found.ask(key="first")
        yield found
        running.stop()


def refined(at: Watched) -> None:
    taken = at.running.broker.refine(OKAFOR, at.first, Offer(epsilon=question(epsilon="0.2").ask.epsilon))
    assert at.running.broker.wait(OKAFOR, taken.id, 30).ended


def decisions(at: Watched, person: str) -> None:
    at.running.reviewing.desk.search.catch_up()
    found = oversight.decisions(at.running.reviewing.desk, at.principal(person), PROJECT, Page(limit=50))
    assert COUNT in {one.typed[0] for one in found.decisions if one.typed}


def requests(at: Watched, person: str) -> None:
    at.running.reviewing.desk.search.catch_up()
    found = oversight.requests(at.running.reviewing.desk, at.principal(person), DATASET, Page(limit=50))
    assert COUNT in {one.typed[0] for one in found.decisions if one.typed}


INTENT: Mapping[str, str] = {"event": "query-intent", "actor": "okafor"}
"""The house's own reading: the entry that the text was sealed beside, which commits to it."""


def read(actor: str, subject: str | None, **more: str) -> Mapping[str, str | None]:
    return {"event": "audit-read", "actor": actor, "subject": subject, **more}


HISTORY, LEAD = Asker("okafor", LOCAL, "t_history"), Asker("lead", LOCAL, "t_lead")
OPENINGS: Mapping[str, tuple[Callable[[Watched], object], str, Mapping[str, str | None]]] = {
    "the house runs what was asked": (lambda at: at.ask("SELECT COUNT(*) AS n FROM death"), "sql", INTENT),
    "the house knows a question again by its key": (
        lambda at: at.running.broker.submit(OKAFOR, PROJECT, None, question(), "first"),
        "sql",
        INTENT,
    ),
    "the house plans a sharper answer": (refined, "sql", INTENT),
    "the asker's own question": (
        lambda at: at.running.broker.asked(OKAFOR, at.first),
        "sql",
        read("okafor", "own", session="t_test"),
    ),
    "the asker's own history": (
        lambda at: at.running.broker.history(HISTORY, PROJECT, None, 10),
        "sql",
        read("okafor", "own", session="t_history"),
    ),
    "the lead's reading of a member's question": (
        lambda at: at.running.broker.asked(LEAD, at.first),
        "sql",
        read("lead", None, session="t_lead", project=PROJECT),
    ),
    "the name at the top of one's own pages": (
        lambda at: at.running._known(at.principal("stranger")),
        "name",
        read("stranger", "own", session="t_stranger"),
    ),
    "the names of the demonstration's people": (
        lambda at: SigningIn(at.house, FailedSignIns(at.house)).people(),
        "name",
        read("system", "demonstration"),
    ),
    "a controller's reading of who asked what": (
        lambda at: requests(at, "carl"),
        "sql",
        read("carl", f"requests/{DATASET}", session="t_carl"),
    ),
    "an auditor's reading of a project's decisions": (
        lambda at: decisions(at, "aud"),
        "sql",
        read("aud", f"requests/{DATASET}", session="t_aud"),
    ),
}


@pytest.mark.parametrize("way", OPENINGS)
def test_each_way_to_a_text_goes_under_an_entry_that_tells_of_it(watched: Watched, way: str) -> None:
    act, kind, tells = OPENINGS[way]
    seen = len(watched.opened)
    act(watched)
    standing, told = watched.entries(), []
    for one in watched.opened[seen:]:
        fields = standing[one.under][1]
        if one.under == one.beside:
            assert {name: fields[name] for name in INTENT} == dict(INTENT), one
            assert "sidecar" in fields, "the intent commits to the text that it tells of"
        told.append((one.kind, {name: fields.get(name) for name in tells}))
    assert (kind, dict(tells)) in told
    if tells is not INTENT:
        assert {one for one, _ in told} == {kind}
        assert all(one == dict(tells) for _, one in told)


def test_the_entry_stands_in_the_log_before_the_text_is_opened(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise Refused.because(LOG_UNAVAILABLE)

    seen, fresh = len(watched.opened), Asker("okafor", LOCAL, "t_fresh")
    ways: list[Callable[[], object]] = [
        lambda: watched.running.broker.asked(fresh, watched.first),
        lambda: watched.running.broker.asked(LEAD, watched.first),
        lambda: watched.running.broker.history(fresh, PROJECT, None, 10),
        lambda: watched.running.broker.submit(OKAFOR, PROJECT, None, question(), "first"),
        lambda: watched.running._known(watched.principal("colleague")),
    ]
    monkeypatch.setattr(watched.house.journal, "settle", broken)
    for way in ways:
        with pytest.raises(Refused) as refused:
            way()
        assert str(refused.value) == "fault.log-unavailable"
    assert watched.opened[seen:] == []


def test_ones_own_texts_are_one_entry_for_a_session_and_a_day(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    asker = Asker("okafor", LOCAL, "t_days")

    def entries() -> list[dict[str, Any]]:
        return [fields for _, fields in watched.entries().values() if fields.get("session") == "t_days"]

    for _ in range(3):
        watched.running.broker.asked(asker, watched.first)
        watched.running.broker.history(asker, PROJECT, None, 10)
    assert [one["subject"] for one in entries()] == ["own"]
    watched.house.readings.noted.clear()  # as after a restart
    watched.running.broker.asked(asker, watched.first)
    assert len(entries()) == 1
    tomorrow = watched.house.clock.now() + timedelta(days=1)
    monkeypatch.setattr(type(watched.house.clock), "now", lambda _self: tomorrow)
    watched.running.broker.asked(asker, watched.first)
    assert len(entries()) == 2


def test_who_asked_nothing_reads_nothing(watched: Watched) -> None:
    asker = Asker("colleague", LOCAL, "t_idle")
    assert watched.running.broker.history(asker, PROJECT, None, 10) == ()
    assert all(fields.get("session") != "t_idle" for _, fields in watched.entries().values())


def calls(path: Path) -> Iterator[ast.Call]:
    return (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))


def sources() -> Iterator[tuple[str, Path]]:
    return ((path.relative_to(ROOT).as_posix(), path) for path in sorted((ROOT / "tre").rglob("*.py")))


def test_nothing_else_opens_a_sealed_text(watched: Watched) -> None:
    """What opens is in the table; what opens goes through `Sidecar.read`; what it is given only one module makes."""
    for act, _, _ in OPENINGS.values():
        act(watched)
    opening, making, decrypting = set(), set(), set()
    for name, path in sources():
        for call in calls(path):
            said = ast.unparse(call.func)
            if said.endswith("sidecar.read"):
                opening.add(name.removesuffix(".py").replace("/", "."))
            if said in ("OnRecord", "readings.OnRecord"):
                making.add(name)
            if said == "opened" or said.endswith((".decrypt", "sidecar.opened")):
                decrypting.add(name)
    assert opening == {one.module for one in watched.opened}
    assert making == {"tre/journal/readings.py"}
    assert {name for name in decrypting if name.startswith("tre/journal")} == {
        "tre/journal/rewrap.py",  # keys of scopes, never what they seal
        "tre/journal/sidecar.py",
    }
    assert {name for name, path in sources() if "sidecar.c.sealed" in path.read_text()} == {"tre/journal/sidecar.py"}
