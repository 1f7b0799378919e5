"""A question that was taken in: how it stands, its end, its answer."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tre.client.decisions import Decision, decision_from
from tre.client.display import table_html, table_text
from tre.client.errors import TreError, TreUnreachable, reason_from, refusal
from tre.client.progress import Progress, shower
from tre.client.results import Result, result_from
from tre.client.values import Number, decimal

if TYPE_CHECKING:
    from tre.client.http import Wire

_UNDER_WAY = ("queued", "running")
_LOOKS, _PAUSE = 5, 1.0
_SHORTEST, _LONGEST, _STEP = 0.05, 10.0, 0.1
_PAGE = 50


class Query:
    """A question that was taken in. `state` is as last seen: queued, running, committed, burned, voided or denied.

    `sql`, `submitted`, `started` and `finished` (RFC 3339, UTC) are None where they are not known. Once it has
    started it ends at a time that was fixed before: `release_seconds` after its start, with an answer. `refines` is the
    query of whose answer it is a sharper one; a pilot has its second step in `second`, once that is taken.
    """

    def __init__(self, wire: Wire, found: Mapping[str, Any]) -> None:
        self._wire = wire
        self._seen_running: float | None = None
        self._take(found)

    def __repr__(self) -> str:
        return f"<Query {self.id}: {self.state}>"

    def _repr_html_(self) -> str:
        return table_html(_NAMES, [_line(self)], pre=(4,))

    @property
    def status(self) -> str:
        """How the query stands now; asks the environment while it is under way."""
        if not self.done:
            self._look()
        return self.state

    @property
    def done(self) -> bool:
        """Whether the query had ended when last seen."""
        return self.state not in _UNDER_WAY

    @property
    def release_seconds(self) -> float | None:
        """The time from its start at which an answer leaves; None where it is not known."""
        return None if self.decision is None else self.decision.release_seconds

    @property
    def running_seconds(self) -> float | None:
        """The time since the query was first seen to run; None before."""
        return None if self._seen_running is None else self._wire.clock() - self._seen_running

    def wait(self, *, progress: bool | Progress | None = None, timeout: float | None = None) -> Query:
        """Return the query once it has ended.

        `progress` is as in `Connection.query`. After `timeout` seconds TreError is raised and the query goes on.
        Ctrl-C cancels the query and says what stays spent. A pilot is waited for and becomes its second step.
        """
        show = shower(progress, self)
        try:
            self._until_done(show, timeout)
            while self.second is not None:
                self._take(self._wire.get(f"/api/v1/queries/{quote(self.second, safe='')}"))
                self._until_done(show, timeout)
        except KeyboardInterrupt:
            sys.stderr.write(f"\n{self.cancel()}\n")
            raise
        return self

    def result(self, *, progress: bool | Progress | None = None, timeout: float | None = None) -> Result:
        """Return the answer, waiting for it as `wait` does. Raises TreRefused where there is none."""
        return self.wait(progress=progress, timeout=timeout)._answer()

    def pilot(self) -> Result:
        """Return the answer that this one refines, of a pilot its own: also where the second step came to nothing."""
        pilot = self._wire.get(f"/api/v1/queries/{quote(self.refines or self.id, safe='')}")
        return Query(self._wire, pilot)._answer()

    def refine(self, *, epsilon: Number | None = None, accuracy: str | None = None) -> Query:
        """Ask for a sharper answer than this query's: a further draw at `epsilon`, or what an `accuracy` needs.

        What was measured counts: the draws are combined, with the same bounds, selection and version.
        Raises TreRefused with every reason.
        """
        body = {"epsilon": None if epsilon is None else decimal(epsilon), "accuracy": accuracy}
        said = {name: value for name, value in body.items() if value is not None}
        path = f"/api/v1/queries/{quote(self.id, safe='')}/refinements"
        return Query(self._wire, self._wire.post(path, said, {"Prefer": "wait=0"}))

    def _answer(self) -> Result:
        if self.state != "committed":
            reasons = self.decision.reasons if self.failure is None and self.decision else ()
            raise refusal(403, reasons if self.failure is None else (self.failure,), query=self.id)
        found = self._found.get("result") or self._wire.get(self._found["links"]["result"])
        return result_from(found, self._wire.text(found["receipt"]), self.refine)

    def cancel(self) -> str:
        """Ask that the query end without an answer, and return what that did to its price.

        Nothing was read from a queued one: its price is given back. That of one that ran stays spent.
        """
        if not self.done:
            self._take(self._wire.post(f"/api/v1/queries/{quote(self.id, safe='')}/cancellation"))
        price = self.decision.price if self.decision else None
        spent = "Its price" if price is None else f"Its price, epsilon {price.epsilon:.3g},"
        return f"{self.id}: {_ENDS.get(self.state, 'It goes on as {state}.').format(spent=spent, state=self.state)}"

    def _take(self, found: Mapping[str, Any]) -> None:
        self._found = found
        self.id: str = found["id"]
        self.project: str = found["project"]
        self.state: str = found["state"]
        self.refines: str | None = found.get("refines")
        self.second: str | None = found.get("second")
        self.person: str | None = found.get("person")
        self.sql: str | None = found.get("sql")
        self.submitted: str | None = found.get("submitted")
        self.started: str | None = found.get("started")
        self.finished: str | None = found.get("finished")
        self.decision: Decision | None = decision_from(found["decision"]) if found.get("decision") else None
        self.failure = reason_from(found["failure"]) if found.get("failure") else None
        if self.state == "running" and self._seen_running is None:
            self._seen_running = self._wire.clock()

    def _until_done(self, show: Progress, timeout: float | None) -> None:
        clock = self._wire.clock
        began = clock()
        next_look = began + self._patience()
        while not self.done:
            now = clock()
            if timeout is not None and now - began > timeout:
                raise TreError(f"No answer yet; the query goes on as {self.id}.")
            show(now - began, self.state)
            if now >= next_look:
                self._look()
                next_look = clock() + self._patience()
            else:
                self._wire.sleep(min(_STEP, next_look - now))
        show(clock() - began, self.state)

    def _patience(self) -> float:
        """Return the seconds between two looks: up to the release time of a running query, else as it was asked."""
        asked = min(_LONGEST, max(_SHORTEST, float(self._found["retry_after"])))
        if self.release_seconds is None or self.running_seconds is None:
            return asked
        left = self.release_seconds - self.running_seconds
        return max(_SHORTEST, left) if left > 0 else max(_SHORTEST, asked / 4)

    def _look(self) -> None:
        """See how the query stands; a lost connection loses no query, so look again before giving up."""
        for _ in range(_LOOKS):
            try:
                self._take(self._wire.get(self._found["links"]["self"]))
                return
            except TreUnreachable:
                self._wire.sleep(_PAUSE)
        raise TreUnreachable(f"The connection was lost; the query goes on as {self.id}.")


_ENDS = {
    "voided": "Cancelled before anything was read. {spent} is given back.",
    "burned": "Cancelled. {spent} stays spent, because it was running.",
    "committed": "It had been answered already. {spent} stays spent.",
    "denied": "It had been refused. Nothing was spent.",
}
_NAMES = ("query", "submitted", "state", "epsilon", "SQL")


class History:
    """The questions of a project, newest first, read page by page as they are looped over."""

    def __init__(self, wire: Wire, project: str, page: int = _PAGE) -> None:
        self._wire = wire
        self._path = f"/api/v1/projects/{quote(project, safe='')}/queries?limit={page}"
        self.project = project

    def __iter__(self) -> Iterator[Query]:
        path: str | None = self._path
        while path is not None:
            found = self._wire.get(path)
            yield from (Query(self._wire, one) for one in found["queries"])
            path = None if found.get("next") is None else f"{self._path}&before={found['next']}"

    def __repr__(self) -> str:
        return table_text(_NAMES, [_line(one) for one in self._newest()])

    def _repr_html_(self) -> str:
        return table_html(_NAMES, [_line(one) for one in self._newest()], numeric=(3,), pre=(4,))

    def _newest(self) -> list[Query]:
        return [Query(self._wire, one) for one in self._wire.get(self._path)["queries"]]


def _line(query: Query) -> tuple[str, str, str, str, str]:
    price = query.decision.price if query.decision else None
    spent = price is not None and query.state in ("committed", "burned", *_UNDER_WAY)
    return (
        query.id,
        query.submitted or "",
        query.state,
        f"{price.epsilon:.3g}" if price is not None and spent else "0",
        " ".join((query.sql or "").split()),
    )
