"""A search that is damaged is mended by the server itself; fakes and flows offer the same protocol."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Select, delete, func, select

from audit import LogReader
from tests.house import furnish
from tests.web.fake_oversight import FakeOversight
from tre.app.reviewing import Reviewing
from tre.journal.search import Page, Search, Wanted
from tre.store import Store
from tre.store.tables import trail_terms
from tre.web.adapter.oversight import OversightService
from tre.web.oversight import Oversight


def test_a_damaged_search_is_mended_when_the_server_starts(tmp_path: Path) -> None:
    house = furnish(tmp_path / "home", 60)
    house.journal.recover()
    count = select(func.count()).select_from(trail_terms)
    with LogReader(house.home.log) as log:
        Search(house.store, log).catch_up()
        with house.store.transaction() as tx:
            whole = tx.execute(count).scalar_one()
            tx.execute(delete(trail_terms).where(trail_terms.c.kind == "person"))
        reviewing = Reviewing(house, log)
        try:
            _wait_until(lambda: _counted(house.store, count) == whole)
            found = Search(house.store, log).find([Wanted(person="okafor")], Page())
        finally:
            reviewing.stop()
    house.close()
    assert found.entries


def _counted(store: Store, count: Select[tuple[int]]) -> int:
    with store.reading() as tx:
        return tx.execute(count).scalar_one()


def _wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


METHODS = [name for name in vars(Oversight) if not name.startswith("_")]


@pytest.mark.parametrize("kind", [FakeOversight, OversightService])
@pytest.mark.parametrize("name", METHODS)
def test_what_stands_in_for_the_protocol_has_its_signature(kind: type, name: str) -> None:
    promised, offered = (inspect.signature(getattr(one, name)).parameters for one in (Oversight, kind))
    assert list(offered) == list(promised)
