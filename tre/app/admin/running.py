"""The home itself and what outsiders verify: `tre init`, `tre serve`, `tre ledger`, `tre audit`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from audit import LogReader, export
from tre import ledger
from tre.app.admin.at_home import OPERATOR, AtHome, done
from tre.app.backup import back_up, check_copied, restore
from tre.app.making import make_home
from tre.app.writing import serve_log
from tre.base.home import Home
from tre.journal.entries import exported
from tre.journal.search import Search


class RunningCommands(AtHome):
    """The deployment from its first day on."""

    def init(self, home: Path, origin: str, control: str | None = None) -> str:
        """Make a home; see `tre.app.making`."""
        return make_home(home, origin, control)

    def backup(self, to: Path, keys: Path | None) -> int:
        """Copy the home, also while it is served; return the size of the copied log. That it was made is an entry."""
        check_copied(self.house.settings)
        self._note_export("backup")
        self.house.close()
        return back_up(self.house.home, to, keys)

    def restore(self, source: Path, keys: Path | None, home: Path) -> None:
        """Make a home of a back-up."""
        restore(Home(source), keys, home)

    def serve(self, host: str, port: int, workers: int = 1) -> None:
        """Serve until stopped."""
        from tre.app.serving import serve

        serve(self.house, host, port, workers)

    def audit_serve(self, tell: Callable[[str], None]) -> None:
        """Write the log for servers and commands until stopped."""
        serve_log(self.house.home, self.house.settings.log, tell)

    def ledger_export(self) -> str:
        """Return the ledgers as the verifier reads them."""
        with self.house.store.reading() as tx:
            return json.dumps(ledger.export(tx), indent=2, sort_keys=True) + "\n"

    def audit_reindex(self) -> int:
        """Make the reviewers' search anew."""
        with LogReader(self.house.home.log) as log:
            search = Search(self.house.store, log)
            search.forget()
            search.catch_up()
            return log.size

    def audit_export(self, folder: Path) -> int:
        """Write the static tree of the log. That it was written is an entry of it."""
        self._note_export("log")
        home = self.house.home
        with LogReader(home.log) as log:
            return export(log, folder)

    def _note_export(self, subject: str) -> None:
        self.house.act(OPERATOR, lambda tx, trail: done(trail.record(tx, exported(trail.act(), subject))))
