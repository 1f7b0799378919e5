"""Reading the log at the home itself: `tre audit search`, `tre audit export-events`. Each run is an entry."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

from audit import LogReader
from tre.app.admin.at_home import AtHome
from tre.app.signing_in import LOCAL
from tre.base.ids import new_id
from tre.base.reasons import Refused
from tre.base.reasons.cli import OUT_EXISTS
from tre.cli.admin import Table
from tre.governance import oversight
from tre.identity import Principal
from tre.journal.exports import COLUMNS, FORMS, Form, cells
from tre.journal.search import LONGEST_PAGE, Page, Search, Wanted

_RUN = timedelta(minutes=1)


class ReviewingCommands(AtHome):
    """What board members and auditors read without a server. Who reads is named, and must be entitled."""

    def audit_search(self, by: str, wanted: Mapping[str, Any], limit: int) -> Table:
        """Return entries that are wanted, newest first. Raises Refused (web.unknown-entry)."""
        with self._desk() as desk:
            found = oversight.entries(desk, self._reader(by), Wanted(**wanted), Page(limit=min(limit, LONGEST_PAGE)))
        return Table(COLUMNS, tuple(tuple(cells(one)) for one in found.entries))

    def audit_export_events(self, by: str, wanted: Mapping[str, Any], form: str, out: Path) -> None:
        """Write entries that are wanted, oldest first, to the file `out`; as `ro-crate` to the folder `out`.

        Raises Refused (web.unknown-entry, cli.out-exists).
        """
        if out.exists():
            raise Refused.because(OUT_EXISTS, path=str(out))
        with self._desk() as desk:
            reader, key = self._reader(by), self.house.home.vkey.read_text(encoding="ascii").strip()
            if form == "ro-crate":
                _write(out, oversight.crate(desk, reader, Wanted(**wanted), key))
                return
            hits = oversight.everything(desk, reader, Wanted(**wanted))
            _write(out.parent, ((out.name, piece) for piece in FORMS[_form(form)](hits, oversight.origin(key))))

    @contextmanager
    def _desk(self) -> Iterator[oversight.Desk]:
        house = self.house
        with LogReader(house.home.log) as log:
            search = Search(house.store, log)
            search.catch_up()
            yield oversight.Desk(house.store, house.journal, log, search, house.sidecar, house.clock, house.readings)

    def _reader(self, by: str) -> Principal:
        """Return who reads, in a session of this one run."""
        house = self.house
        return Principal(by, house.issuer.name, LOCAL, (), None, new_id("run"), house.clock.now() + _RUN)


def _form(name: str) -> Form:
    for form in FORMS:
        if form == name:
            return form
    raise ValueError(f"no form {name}")


def _write(folder: Path, files: Iterable[tuple[str, bytes]]) -> None:
    """Write files, readable by their owner alone: they say who did what."""
    for name, pieces in groupby(files, key=lambda one: one[0]):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            for _, piece in pieces:
                file.write(piece)
