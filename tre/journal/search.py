"""The reviewers' search over the log: which entries name a person, a project, a table, a reason, and when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

LONGEST_PAGE = 200


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries: all that is given must hold. `since` counts, `until` no longer.

    :param person: who acted, or whom the entry is about. :param event: one of `audit.entries.Event`.
    :param reason: the code of a reason. :param request: a query's id.
    """

    person: str | None = None
    project: str | None = None
    dataset: str | None = None
    table: str | None = None
    event: str | None = None
    reason: str | None = None
    request: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """A page, newest first: entries below the index `before` (None: from the newest), at most `limit` of them."""

    before: int | None = None
    limit: int = 50

    def __post_init__(self) -> None:
        """Raise ValueError outside 1 … `LONGEST_PAGE`."""
        if not 1 <= self.limit <= LONGEST_PAGE:
            raise ValueError(f"a page has 1 to {LONGEST_PAGE} entries")
