"""The reviewers' side of a house in service: its search kept up with the log, its log verified now and then."""

from __future__ import annotations

import threading
from contextlib import suppress

from audit import LogReader
from tre.app.compose import House
from tre.base.reasons import Refused
from tre.governance.oversight import Desk, LogCheck, exported
from tre.journal.search import Search
from tre.web.adapter.oversight import OversightService

_PAUSE = 1.0


class Reviewing:
    """The desk and the service over it. A search that is behind is caught up here, apart from who waits for it."""

    def __init__(self, house: House, log: LogReader) -> None:
        """Begin to catch up; `log` stays the caller's to close, after `stop`."""
        home = house.home
        self._search = Search(house.store, log)
        self.desk = Desk(house.store, house.journal, log, self._search, house.sidecar, house.clock, house.readings)
        check = LogCheck(home.log, home.vkey, lambda: exported(house.store), house.clock, home.spill)
        self.service = OversightService(self.desk, check, home.vkey.read_text(encoding="ascii").strip())
        self._stopping = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="search keeper", daemon=True)
        self._keeper.start()

    def stop(self) -> None:
        """Stop catching up."""
        self._stopping.set()
        self._keeper.join()

    def _keep(self) -> None:
        """What fails now is tried again: the drainer, which needs the same database and log, tells the operator."""
        mended = False
        while not self._stopping.is_set():
            with suppress(Refused):
                if not mended:
                    self._search.mend()
                    mended = True
                while not self._stopping.is_set() and self._search.step():
                    pass
            self._stopping.wait(_PAUSE)
