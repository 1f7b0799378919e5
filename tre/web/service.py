"""What the REST surface needs from the flows behind it: one protocol, and the question as it was asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from types import MappingProxyType
from typing import Protocol

from tre.identity import Principal
from tre.privacy.accuracy import Accuracy
from tre.privacy.request import Groups
from tre.web.plan_views import CheckView
from tre.web.views import (
    BudgetView,
    DatasetSummary,
    DatasetView,
    ProjectView,
    QueriesView,
    QueryView,
    ResultView,
)


@dataclass(frozen=True, slots=True)
class QueryRequest:
    """A question as it was sent, its numbers exact.

    `dialect` None means PostgreSQL; `dataset` None the project's only one; `epsilon` None the policy's default, with
    an `accuracy` the policy's limit for one answer.
    `groups` bounds the groups of one person, or says that a first step shall, `rows` the rows of one person in a
    group, `totals` one person's contribution to the SUM of that output.
    """

    sql: str
    dialect: str | None = None
    dataset: str | None = None
    epsilon: Fraction | None = None
    accuracy: Accuracy | None = None
    groups: Groups | None = None
    rows: int | None = None
    totals: Mapping[str, tuple[Fraction, Fraction]] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class RefinementRequest:
    """What makes an answer sharper: the price of a further draw, or the accuracy that all draws are to bring."""

    epsilon: Fraction | None = None
    accuracy: Accuracy | None = None


class LogFiles(Protocol):
    """The files of the audit log."""

    def checkpoint(self) -> str:
        """Return the newest signed checkpoint."""

    def cosigned(self) -> str:
        """Return the newest checkpoint that witnesses cosigned; raises Refused where there is none."""

    def tile(self, path: str) -> bytes:
        """Return a tile; raises Refused where there is none."""

    def bundle(self, principal: Principal | None, path: str) -> bytes:
        """Return a bundle of entries to whoever may read them; Refused to everybody else, as where there is none."""


class Service(Protocol):
    """The flows behind the surface. Every method raises Refused; unknown and forbidden things answer alike.

    A principal whose token names a project sees that project alone, its queries included.
    """

    def check(self, principal: Principal, project: str, request: QueryRequest, *, explain: bool = False) -> CheckView:
        """Return the decision with all its reasons, and with `explain` its plan. Costs nothing and writes no entry."""

    def submit(self, principal: Principal, project: str, request: QueryRequest, idempotency: str | None) -> QueryView:
        """Take the question in as a durable row and return it: queued or further, or denied with its decision.

        The same `idempotency` key of the same person returns the same query.
        """

    def refine(self, principal: Principal, query: str, offer: RefinementRequest, idempotency: str | None) -> QueryView:
        """Take the question of a sharper answer in, as `submit` does; refused as request.not-answered."""

    def wait(self, principal: Principal, query: str, seconds: float) -> QueryView:
        """Return the query as soon as it is finished, or as it stands after `seconds`; a pilot's second step for it."""

    def query(self, principal: Principal, query: str) -> QueryView:
        """Return the query as it stands; refused as web.unknown-query to everybody else."""

    def cancel(self, principal: Principal, query: str) -> QueryView:
        """End the query by wish and return it; refused as request.ended or request.past-release."""

    def history(self, principal: Principal, project: str, before: int | None, limit: int) -> QueriesView:
        """Return the project's queries that came before number `before`, at most `limit`, newest first.

        Members see their own, with their SQL; leads see all, others' without it.
        """

    def result(self, principal: Principal, query: str) -> ResultView:
        """Return the released answer; refused as web.query-not-finished before its outcome entry is indexed."""

    def receipt(self, principal: Principal, query: str) -> str:
        """Return the receipt of a finished query as the text of a tlog-proof."""

    def datasets(self, principal: Principal) -> tuple[DatasetSummary, ...]:
        """Return the data sets that this person's projects may use."""

    def dataset(self, principal: Principal, name: str) -> DatasetView:
        """Return the data dictionary: only what a query may name."""

    def projects(self, principal: Principal) -> tuple[ProjectView, ...]:
        """Return this person's projects."""

    def project(self, principal: Principal, project: str) -> ProjectView:
        """Return one of this person's projects."""

    def budget(self, principal: Principal, project: str) -> BudgetView:
        """Return what the project may spend, has spent and has left."""

    def checkpoint(self) -> str:
        """Return the log's newest signed checkpoint."""

    def cosigned(self) -> str:
        """Return the newest checkpoint that witnesses cosigned; refused as web.unknown-log-file where there is none."""

    def tile(self, principal: Principal | None, path: str) -> bytes:
        """Return the tile `path` such as "0/x001/234" or "entries/000.p/7"; entries need a principal entitled."""

    def metrics(self, principal: Principal) -> str:
        """Return counts and states in Prometheus' text; refused as web.unknown-path to who does not watch."""

    def health(self) -> None:
        """Return when questions can be answered; raise Refused when not."""
