"""The verifier over the live log, as an outsider runs it: in a process of its own, its last report kept for a while.

A log of a million entries takes it half a minute, so nobody waits: who asks gets the last report, and a report that
is too old is made anew beside.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from tre import ledger
from tre.base.clock import Clock
from tre.base.reasons import Refused
from tre.journal import outbox
from tre.store import Store

LIFE = timedelta(minutes=5)
"""How long a report counts as new."""

LEDGERS = "the ledger file equals what the log adds up to"
_ATTEMPTS = 3
_VERIFIED, _FAILED = 0, 5


class Exported(NamedTuple):
    """The ledgers, and the size of the log that shows them."""

    text: str
    size: int


@dataclass(frozen=True, slots=True)
class Checked:
    """A report of the verifier (`audit.report.as_json`), None where it could make none, and when it was begun."""

    at: datetime
    report: Mapping[str, Any] | None


class LogCheck:
    """Keeps the last report on one log. Safe for threads."""

    def __init__(self, log: Path, key: Path, ledgers: Callable[[], Exported | None], clock: Clock, spare: Path) -> None:
        """Check nothing yet.

        :param ledgers: the ledgers as they stand and the log's size that shows them; None when requests are at it.
        :param spare: a folder for the ledger file.
        """
        self._log, self._key, self._ledgers, self._clock, self._spare = log, key, ledgers, clock, spare
        self._lock = threading.Lock()
        self._last: Checked | None = None
        self._running: threading.Thread | None = None

    def last(self) -> tuple[Checked | None, bool]:
        """Return the last report and whether one is being made; begins one where the last is too old."""
        with self._lock:
            stale = self._last is None or self._clock.now() - self._last.at > LIFE
            if self._running is None and stale:
                self._running = threading.Thread(target=self._check, name="log check", daemon=True)
                self._running.start()
            return self._last, self._running is not None

    def _check(self) -> None:
        began = self._clock.now()
        try:
            found = self._report()
        except (OSError, ValueError, Refused):
            found = None
        with self._lock:
            self._last, self._running = Checked(began, found), None

    def _report(self) -> dict[str, Any]:
        """Return a report whose ledgers were compared with the log of the same moment, if there is a quiet one."""
        for _ in range(_ATTEMPTS):
            exported = self._ledgers()
            if exported is not None:
                with tempfile.NamedTemporaryFile(dir=self._spare, suffix=".json") as file:
                    file.write(exported.text.encode())
                    file.flush()
                    found = self._verified("--ledger", file.name)
                if found["size"] == exported.size or found["verified"]:
                    return found
        found = self._verified()
        note = "not compared: requests moved the budgets during the check; `tre ledger export` compares them at rest"
        found["checks"].append({"check": LEDGERS, "count": 0, "problems": [], "unlisted_problems": 0, "notes": [note]})
        return found

    def _verified(self, *more: str) -> dict[str, Any]:
        command = [sys.executable, "-m", "audit", "verify", "--json", "--log", str(self._log), "--key", str(self._key)]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        run = subprocess.run(  # noqa: S603 - this interpreter, and paths of the home
            [*command, *more], capture_output=True, text=True, check=False, env=environment
        )
        if run.returncode not in (_VERIFIED, _FAILED):
            raise OSError("the verifier could not read the log")
        report: dict[str, Any] = json.loads(run.stdout)
        return report


def exported(store: Store) -> Exported | None:
    """Return the ledgers with the size of the log that shows them; None while entries are on their way to it."""
    with store.reading() as tx:
        size = outbox.noted(tx)
        if outbox.waiting(tx):
            return None
        text = json.dumps(ledger.export(tx))
        return Exported(text, size) if outbox.noted(tx) == size and not outbox.waiting(tx) else None
