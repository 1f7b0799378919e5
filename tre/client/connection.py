"""The connection that a researcher works with."""

from __future__ import annotations

import os
import sys
import time
import uuid
from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any
from urllib.parse import quote

from tre.client.answers import Decision, Result, decision_from, result_from
from tre.client.errors import TreError, TreRefused, TreUnreachable, reason_from
from tre.client.http import Wire

Number = int | float | str | Decimal | Fraction
Progress = Callable[[float, str], None]
_WAIT = 30
_TIMEOUT = 20.0
_LONGEST_POLL = 10.0
_LOOKS, _PAUSE = 5, 1.0


def connect(
    url: str | None = None, token: str | None = None, project: str | None = None, timeout: float = _TIMEOUT
) -> Connection:
    """Return a connection to the environment at `url`.

    What is not given is taken from TRE_URL, TRE_TOKEN and TRE_PROJECT. `timeout` is in seconds, for one HTTP
    request. Nothing is sent yet. Raises TreError when the address or the token is missing.
    """
    found_url, found_token = url or os.environ.get("TRE_URL"), token or os.environ.get("TRE_TOKEN")
    if not found_url:
        raise TreError("No address: give url=… or set TRE_URL.")
    if not found_token:
        raise TreError("No token: give token=… or set TRE_TOKEN; `tre token --person P` makes one.")
    return Connection(Wire(found_url, found_token, timeout), project or os.environ.get("TRE_PROJECT"))


class Connection:
    """A connection for one person, and by default for one project."""

    def __init__(self, wire: Wire, project: str | None) -> None:
        self._wire = wire
        self.project = project

    def __repr__(self) -> str:
        return f"<Connection {self._wire.url}, project {self.project}>"

    def check(
        self,
        sql: str,
        *,
        epsilon: Number | None = None,
        groups: int | None = None,
        rows: int | None = None,
        totals: Mapping[str, tuple[Number, Number]] | None = None,
        dialect: str | None = None,
        accuracy: str | None = None,
        project: str | None = None,
        dataset: str | None = None,
    ) -> Decision:
        """Return what the environment would decide: all reasons, price, expected error. Costs nothing."""
        body = self._question(sql, epsilon, groups, rows, totals, dialect, accuracy, project, dataset)
        return decision_from(self._wire.post("/api/v1/checks", body))

    def query(
        self,
        sql: str,
        *,
        epsilon: Number | None = None,
        groups: int | None = None,
        rows: int | None = None,
        totals: Mapping[str, tuple[Number, Number]] | None = None,
        dialect: str | None = None,
        accuracy: str | None = None,
        project: str | None = None,
        dataset: str | None = None,
        progress: bool | Progress | None = None,
        timeout: float | None = None,
    ) -> Result:
        """Return the differentially private answer, with a 95 % interval for every number and a receipt.

        `progress` shows the waiting: True or False, by default only at a terminal, or a function of seconds and
        state. After `timeout` seconds TreError is raised; the query goes on and its id is in the message.
        Raises TreRefused with every reason when the question is refused.
        """
        body = self._question(sql, epsilon, groups, rows, totals, dialect, accuracy, project, dataset)
        headers = {"Prefer": f"wait={self._first_wait(timeout)}", "Idempotency-Key": uuid.uuid4().hex}
        answer = self._wire.post("/api/v1/queries", body, headers)
        if answer["state"] != "committed":
            answer = self._poll(answer, _shower(progress), timeout)
        return self._result(answer)

    def datasets(self) -> list[dict[str, Any]]:
        """Return the data sets of one's projects."""
        return list(self._wire.get("/api/v1/datasets")["datasets"])

    def dataset(self, name: str) -> dict[str, Any]:
        """Return the data dictionary of a data set: what a query may name."""
        return dict(self._wire.get(f"/api/v1/datasets/{quote(name, safe='')}"))

    def projects(self) -> list[dict[str, Any]]:
        """Return one's projects."""
        return list(self._wire.get("/api/v1/projects")["projects"])

    def budget(self, project: str | None = None) -> dict[str, Any]:
        """Return what a project may spend, has spent and has left, by data set."""
        chosen = project or self.project
        if not chosen:
            raise TreError("No project: give project=… or set TRE_PROJECT.")
        return dict(self._wire.get(f"/api/v1/projects/{quote(chosen, safe='')}/budget"))

    def _question(
        self,
        sql: str,
        epsilon: Number | None,
        groups: int | None,
        rows: int | None,
        totals: Mapping[str, tuple[Number, Number]] | None,
        dialect: str | None,
        accuracy: str | None,
        project: str | None,
        dataset: str | None,
    ) -> dict[str, Any]:
        ends = {name: [_decimal(low), _decimal(high)] for name, (low, high) in (totals or {}).items()}
        bounds = {"groups": groups, "rows": rows, "totals": ends or None}
        said = {
            "project": project or self.project,
            "sql": sql,
            "dialect": dialect,
            "dataset": dataset,
            "epsilon": None if epsilon is None else _decimal(epsilon),
            "accuracy": accuracy,
            "bounds": {name: value for name, value in bounds.items() if value is not None} or None,
        }
        return {name: value for name, value in said.items() if value is not None}

    def _first_wait(self, timeout: float | None) -> int:
        longest = min(_WAIT, int(self._wire.timeout) - 5)
        return max(0, longest if timeout is None else min(longest, int(timeout)))

    def _poll(self, answer: dict[str, Any], show: Progress, timeout: float | None) -> dict[str, Any]:
        started = time.monotonic()
        while answer["state"] in ("queued", "running"):
            elapsed = time.monotonic() - started
            if timeout is not None and elapsed > timeout:
                raise TreError(f"No answer yet; the query goes on as {answer['id']}.")
            show(elapsed, answer["state"])
            time.sleep(min(_LONGEST_POLL, max(0.05, answer["retry_after"])))
            answer = self._look(answer)
        show(time.monotonic() - started, answer["state"])
        return answer

    def _look(self, answer: dict[str, Any]) -> dict[str, Any]:
        """Return the query as it stands now; a lost connection loses no query, so look again before giving up."""
        for _ in range(_LOOKS):
            try:
                return dict(self._wire.get(answer["links"]["self"]))
            except TreUnreachable:
                time.sleep(_PAUSE)
        raise TreUnreachable(f"The connection was lost; the query goes on as {answer['id']}.")

    def _result(self, answer: Mapping[str, Any]) -> Result:
        if answer["state"] != "committed":
            why = [answer["failure"]] if answer.get("failure") else answer["decision"]["reasons"]
            raise TreRefused(403, tuple(reason_from(reason) for reason in why), query=answer["id"])
        found = answer.get("result") or self._wire.get(answer["links"]["result"])
        return result_from(found, self._wire.text(found["receipt"]))


def _decimal(number: Number) -> str:
    """Return the decimal text of a number; a float as the shortest decimal that reads back to it."""
    if isinstance(number, Fraction):
        number = Decimal(number.numerator) / Decimal(number.denominator)
    return format(Decimal(str(number)), "f")


def _shower(progress: bool | Progress | None) -> Progress:
    if callable(progress):
        return progress
    wanted = sys.stderr.isatty() if progress is None else progress
    return _show if wanted else _quiet


def _show(seconds: float, state: str) -> None:
    end = "\n" if state not in ("queued", "running") else ""
    sys.stderr.write(f"\r{state}, {seconds:.0f} s {end}")
    sys.stderr.flush()


def _quiet(seconds: float, state: str) -> None:
    """Say nothing."""
