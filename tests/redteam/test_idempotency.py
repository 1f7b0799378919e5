"""One idempotency key is one request, also where two arrive at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, get_ident

import tre.broker.asking
from tests.house import OKAFOR, PROJECT, furnish, question
from tre.app.serving import Running


def test_two_racing_requests_with_one_key_are_one_request(tmp_path, monkeypatch):
    """The second broke on the queue's unique key: a fault for the caller, and no answer to what became of it."""
    known, both, seen = tre.broker.asking._known, Barrier(2), set()

    def together(*given):
        found = known(*given)
        if found is None and get_ident() not in seen:
            seen.add(get_ident())
            both.wait(30)
        return found

    monkeypatch.setattr(tre.broker.asking, "_known", together)
    service = Running(furnish(tmp_path / "home", 50))
    try:
        with ThreadPoolExecutor(2) as pool:
            taken = list(pool.map(lambda _: service.broker.submit(OKAFOR, PROJECT, None, question(), "key"), range(2)))
        assert taken[0].id == taken[1].id
        assert all(one.queued for one in taken)
        assert service.broker.wait(OKAFOR, taken[0].id, 60).ended
    finally:
        service.stop()
