"""A process that appends through the writer's socket: `python -m tests.audit.caller HOME NAME SECONDS [same]`.

Four threads share one handle. Each output line is `index entry`, written after `append` has returned. A writer that
is away is waited for, and asked again for the same entries. With `same`, every process sends the same entries.
"""

import os
import sys
import threading
import time
from pathlib import Path

from audit import LogError, RemoteLog


def handle(home: Path, until: float) -> RemoteLog:
    while True:
        try:
            return RemoteLog(home / "log", home / "s")
        except LogError:
            assert time.monotonic() < until
            time.sleep(0.01)


def main(home: Path, name: str, seconds: float, same: bool) -> None:
    end = time.monotonic() + seconds
    log = handle(home, end + 30)
    # What was asked before the writer died, or by another process, may stand anywhere from here on.
    since = 0 if same else log.size

    def work(thread: int) -> None:
        turn = 0
        while time.monotonic() < end:
            who = "all" if same else name
            entries = [f"{who}.{thread}.{turn}.{part}.{'x' * 500}".encode() for part in range(1 + turn % 5)]
            for index, entry in zip(appended(entries), entries, strict=True):
                os.write(1, b"%d %b\n" % (index, entry))
            turn += 1

    def appended(entries: list[bytes]) -> list[int]:
        while True:
            try:
                return log.append(entries, since)
            except LogError:
                assert time.monotonic() < end + 30
                time.sleep(0.01)

    threads = [threading.Thread(target=work, args=(thread,)) for thread in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], float(sys.argv[3]), sys.argv[4:] == ["same"])
