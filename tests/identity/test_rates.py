"""So many a minute, counted for all servers together; what cannot be counted is not let in."""

import threading

import pytest
from sqlalchemy import select

from tests.control import FakeClock, url_of
from tests.control_fixtures import control, home, store
from tre.base.reasons import Refused
from tre.identity.rates import Rates
from tre.store import Store
from tre.store.tables import rates

__all__ = ["control", "home", "store"]


def refused(counts: Rates, who: str = "ada", most: int = 3) -> str | None:
    try:
        counts.count("question", who, most)
    except Refused as refusal:
        return refusal.refusals[0].values.get("seconds", str(refusal))
    return None


def test_the_fourth_of_three_is_refused_until_the_minute_is_over(store):
    clock = FakeClock()
    counts = Rates(store, b"key", clock)
    clock.sleep(25)
    assert [refused(counts) for _ in range(4)] == [None, None, None, "35"]
    assert refused(counts, "bob") is None
    clock.sleep(35)
    assert refused(counts) is None


def test_the_table_names_nobody_and_forgets(store):
    clock = FakeClock()
    for _ in range(9):
        Rates(store, b"key", clock).count("question", "ada", 9)
        clock.sleep(60)
    with store.reading() as tx:
        rows = tx.execute(select(rates)).all()
    assert len(rows) <= 3
    assert "ada" not in str(rows)


def test_servers_count_together(home, store):
    other = Store(url_of(home), patience=20)
    granted = []

    def ask(at):
        for _ in range(20):
            if refused(Rates(at, b"key", FakeClock()), most=25) is None:
                granted.append(1)

    threads = [threading.Thread(target=ask, args=(one,)) for one in (store, other)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    other.close()
    assert len(granted) == 25


def test_what_cannot_be_counted_is_not_let_in(home, store):
    store.close()
    away = Store("postgresql+psycopg://tre@127.0.0.1:9/nothing", patience=2)
    with pytest.raises(Refused, match=r"store\.unavailable"):
        Rates(away, b"key", FakeClock()).count("question", "ada", 3)
