"""The connection that a researcher works with."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any, Literal, overload
from urllib.parse import quote

from tre.client.decisions import Decision, decision_from
from tre.client.errors import TreError
from tre.client.http import Wire, new_key
from tre.client.listings import (
    Budget,
    Dataset,
    DatasetSummary,
    Listing,
    Project,
    budget_from,
    dataset_from,
    datasets_from,
    projects_from,
)
from tre.client.progress import Progress
from tre.client.queries import History, Query
from tre.client.results import Result
from tre.client.values import Number, decimal

_TIMEOUT = 20.0
Groups = int | Literal["automatic"]
"""How many groups of one person count: so many, or as a first step tells, for a part of the price."""


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
        groups: Groups | None = None,
        rows: int | None = None,
        totals: Mapping[str, tuple[Number, Number]] | None = None,
        dialect: str | None = None,
        accuracy: str | None = None,
        project: str | None = None,
        dataset: str | None = None,
        explain: bool = False,
    ) -> Decision:
        """Return what the environment would decide: all reasons, price, expected error. Costs nothing.

        :param explain: ask for the plan as well, in `Decision.explain`.
        """
        body = self._question(sql, epsilon, groups, rows, totals, dialect, accuracy, project, dataset)
        return decision_from(self._wire.post("/api/v1/checks", body | ({"explain": True} if explain else {})))

    @overload
    def query(
        self,
        sql: str,
        *,
        epsilon: Number | None = None,
        groups: Groups | None = None,
        rows: int | None = None,
        totals: Mapping[str, tuple[Number, Number]] | None = None,
        dialect: str | None = None,
        accuracy: str | None = None,
        project: str | None = None,
        dataset: str | None = None,
        progress: bool | Progress | None = None,
        timeout: float | None = None,
        wait: Literal[True] = True,
    ) -> Result: ...

    @overload
    def query(
        self,
        sql: str,
        *,
        epsilon: Number | None = None,
        groups: Groups | None = None,
        rows: int | None = None,
        totals: Mapping[str, tuple[Number, Number]] | None = None,
        dialect: str | None = None,
        accuracy: str | None = None,
        project: str | None = None,
        dataset: str | None = None,
        progress: bool | Progress | None = None,
        timeout: float | None = None,
        wait: Literal[False],
    ) -> Query: ...

    def query(
        self,
        sql: str,
        *,
        epsilon: Number | None = None,
        groups: Groups | None = None,
        rows: int | None = None,
        totals: Mapping[str, tuple[Number, Number]] | None = None,
        dialect: str | None = None,
        accuracy: str | None = None,
        project: str | None = None,
        dataset: str | None = None,
        progress: bool | Progress | None = None,
        timeout: float | None = None,
        wait: bool = True,
    ) -> Result | Query:
        """Return the differentially private answer, with a 95 % interval for every number and a receipt.

        `groups` bounds the groups in which one person counts; with "automatic" a first step, whose price is part of the
        whole, tells how many, and the answer says it.
        `progress` shows the waiting, as time passed against the time at which an answer leaves: True or False, by
        default in a notebook and at a terminal, or a function of seconds and state. After `timeout` seconds TreError
        is raised; the query goes on and its id is in the message. Ctrl-C cancels the query in the environment and
        says what stays spent. With `wait=False` the query is returned as it was taken in.
        Raises TreRefused with every reason when the question is refused, TreBudget when budget is all that lacks.
        """
        body = self._question(sql, epsilon, groups, rows, totals, dialect, accuracy, project, dataset)
        taken = self._submit(body)
        return taken.result(progress=progress, timeout=timeout) if wait else taken

    def find(self, query: str) -> Query:
        """Return a query of one's own (or of one's project, for its lead) by its id."""
        return Query(self._wire, self._wire.get(f"/api/v1/queries/{quote(query, safe='')}"))

    def history(self, project: str | None = None) -> History:
        """Return one's questions in a project, newest first; everybody's for its lead. Read page by page."""
        return History(self._wire, self._chosen(project))

    def datasets(self) -> Listing[DatasetSummary]:
        """Return the data sets of one's projects."""
        return datasets_from(self._wire.get("/api/v1/datasets"))

    def dataset(self, name: str) -> Dataset:
        """Return the data dictionary of a data set: what a query may name."""
        return dataset_from(self._wire.get(f"/api/v1/datasets/{quote(name, safe='')}"))

    def projects(self) -> Listing[Project]:
        """Return one's projects."""
        return projects_from(self._wire.get("/api/v1/projects"))

    def budget(self, project: str | None = None) -> Budget:
        """Return what a project may spend, has spent and has left, by data set."""
        return budget_from(self._wire.get(f"/api/v1/projects/{quote(self._chosen(project), safe='')}/budget"))

    def _chosen(self, project: str | None) -> str:
        chosen = project or self.project
        if not chosen:
            raise TreError("No project: give project=… or set TRE_PROJECT.")
        return chosen

    def _submit(self, body: Mapping[str, Any]) -> Query:
        """Hand a question in under a key of its own. After Ctrl-C the same key finds what was handed in."""
        headers = {"Prefer": "wait=0", "Idempotency-Key": new_key()}
        try:
            return Query(self._wire, self._wire.post("/api/v1/queries", body, headers))
        except KeyboardInterrupt:
            taken = Query(self._wire, self._wire.post("/api/v1/queries", body, headers))
            sys.stderr.write(f"\n{taken.cancel()}\n")
            raise

    def _question(
        self,
        sql: str,
        epsilon: Number | None,
        groups: Groups | None,
        rows: int | None,
        totals: Mapping[str, tuple[Number, Number]] | None,
        dialect: str | None,
        accuracy: str | None,
        project: str | None,
        dataset: str | None,
    ) -> dict[str, Any]:
        ends = {name: [decimal(low), decimal(high)] for name, (low, high) in (totals or {}).items()}
        bounds = {"groups": groups, "rows": rows, "totals": ends or None}
        said = {
            "project": project or self.project,
            "sql": sql,
            "dialect": dialect,
            "dataset": dataset,
            "epsilon": None if epsilon is None else decimal(epsilon),
            "accuracy": accuracy,
            "bounds": {name: value for name, value in bounds.items() if value is not None} or None,
        }
        return {name: value for name, value in said.items() if value is not None}
