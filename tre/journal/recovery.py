"""What the log shows at start-up, held against what the control database knows.

A snapshot of the control database that has noted the entry at index n holds the effects of every entry up to n:
effects are committed before their entries leave the outbox. So only the entries after the last noted one can be
news to a restored back-up; the ledgers' totals are read from the whole log all the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class LoggedLedger:
    """A ledger's last movement in the log: its number, and the total (spent and reserved) after it."""

    measure: str
    seq: int
    amount: int
    delta: int


@dataclass(frozen=True, slots=True)
class LoggedEntry:
    """An entry that the control database did not know of."""

    index: int
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Unanswered:
    """An intent without an outcome; `index` is None while it waits in the outbox itself."""

    index: int | None
    event_id: str
    request: str
    project: str
    dataset: str
    version: str


@dataclass
class Shown:
    """What the log shows, with what waits in the outbox behind it.

    Each ledger's end, the intents still open (by event id), and the entries that are news; `size` of the log were read.
    """

    ledgers: dict[str, LoggedLedger] = field(default_factory=dict)
    unanswered: dict[str, Unanswered] = field(default_factory=dict)
    news: list[LoggedEntry] = field(default_factory=list)
    size: int = 0

    def take(self, index: int | None, entry: bytes) -> None:
        """Take the next entry; `index` is None for one that still waits."""
        if b'"ledgers":[{' not in entry and b'"event":"query-' not in entry:
            return
        fields: dict[str, Any] = json.loads(entry)
        for movement in fields.get("ledgers", ()):
            after = movement["after"]
            self.ledgers[movement["ledger"]] = LoggedLedger(
                movement["measure"], movement["ledger_seq"], int(after["amount"]), int(after["delta"])
            )
        if fields["event"] == "query-intent":
            names = ("event_id", "request", "project", "dataset", "version")
            self.unanswered[fields["event_id"]] = Unanswered(index, *(fields[name] for name in names))
        elif fields["event"] == "query-outcome":
            self.unanswered.pop(fields["answers"]["event_id"], None)

    def go_on(self, entries: Iterable[tuple[int, bytes]], known: int) -> None:
        """Read the log from `size` on; the control database knows by now of its first `known` entries."""
        self.news = [one for one in self.news if one.index >= known]
        for index, entry in entries:
            self.take(index, entry)
            self.size = index + 1
            if index >= known:
                self.news.append(LoggedEntry(index, json.loads(entry)))


def events_of(entries: Iterable[tuple[int, bytes]]) -> Iterator[tuple[str, int]]:
    """Yield the event id and the index of entries."""
    for index, entry in entries:
        yield json.loads(entry)["event_id"], index


def read(entries: Iterable[tuple[int, bytes]], known: int) -> Shown:
    """Read the whole log, of which the control database knows the first `known` entries."""
    shown = Shown()
    shown.go_on(entries, known)
    return shown
