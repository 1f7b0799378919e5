"""One of several servers on one log: `python -m tests.journal.serving HOME URL NAME REQUESTS`.

Two threads make requests, each with an intent and an outcome in the log; each output line is `event index`, written
once that is settled. A writer or database that is away is asked again.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from audit.remote import RemoteLog
from tests.control import conclude, intend
from tests.journal.reconciling import reconcile
from tre.base.clock import SystemClock
from tre.base.reasons import Refused
from tre.journal import Journal
from tre.store import Store

THREADS = 2


def again(attempt: Callable[[], Any]) -> Any:
    """Try until it is not refused."""
    end = time.monotonic() + 40
    while True:
        try:
            return attempt()
        except Refused:
            if time.monotonic() > end:
                raise
            time.sleep(0.02)


def main(home: Path, url: str, name: str, requests: int) -> None:
    store = Store(url, patience=30)
    journal = Journal(store, lambda: RemoteLog(home / "log", home / "s"), SystemClock(), reconcile)
    again(journal.recover)
    os.write(1, b"ready\n")

    def work(thread: int) -> None:
        for turn in range(requests):
            query = f"q_{name}_{thread}_{turn}"
            with store.transaction() as tx:
                intent = intend(tx, query, 1)
            settle(intent)
            with store.transaction() as tx:
                outcome = conclude(tx, query, intent)
            settle(outcome)

    def settle(event: str) -> None:
        index = again(lambda: journal.settle([event], timeout=40))[event]
        os.write(1, f"{event} {index}\n".encode())

    threads = [threading.Thread(target=work, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]))
