"""The REST surface over the broker: what the flows know, as the views that the contract promises."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from tre.base.clock import stamp
from tre.base.reasons import Refusal, Refused, every_reason
from tre.base.reasons import web as reasons
from tre.base.reasons.journal import RESULT_LOST
from tre.broker import Asker, Broker, Shown, Standing
from tre.catalogue import Access, Catalogue, Interval
from tre.catalogue import Table as CatalogueTable
from tre.decide import Question
from tre.governance import ProjectRecord
from tre.identity import Principal
from tre.jobs import State
from tre.privacy.request import Ask
from tre.web import views
from tre.web.problems import reason_view
from tre.web.service import LogFiles, QueryRequest

_GATES = {"project": "projects"}
_PAUSE = 0.2


class BrokerService:
    """Implements `tre.web.service.Service`. Unknown things and other people's answer alike."""

    def __init__(self, broker: Broker, log: LogFiles) -> None:
        self._broker = broker
        self._log = log

    def check(self, principal: Principal, project: str, request: QueryRequest) -> views.DecisionView:
        """Return the decision with all its reasons."""
        decision, facts = self._broker.check(_asker(principal), project, request.dataset, _question(request))
        refusals = [(verdict.gate, one) for verdict in decision.verdicts for one in verdict.refusals]
        return _decision(facts, refusals)

    def submit(
        self, principal: Principal, project: str, request: QueryRequest, idempotency: str | None
    ) -> views.QueryView:
        """Take the question in, or deny it with every reason."""
        taken = self._broker.submit(_asker(principal), project, request.dataset, _question(request), idempotency)
        if taken.queued:
            return self.query(principal, taken.id)
        return views.QueryView(
            id=taken.id,
            project=project,
            state="denied",
            submitted=stamp(self._broker.parts.clock.now()),
            decision=_decision(taken.facts, taken.refusals),
        )

    def wait(self, principal: Principal, query: str, seconds: float) -> views.QueryView:
        """Return the query when it has ended, or as it stands after `seconds`."""
        return self._view(principal, self._broker.wait(_asker(principal), query, seconds))

    def query(self, principal: Principal, query: str) -> views.QueryView:
        """Return the query as it stands."""
        return self._view(principal, self._broker.find(_asker(principal), query))

    def result(self, principal: Principal, query: str) -> views.ResultView:
        """Return the released answer, once its outcome entry is in the log."""
        found = self._broker.read(_asker(principal), query)
        _scope(principal, found)
        if found.state is not State.COMMITTED:
            raise Refused.because(reasons.NOT_FINISHED)
        if found.job.answer is None:
            raise Refused.because(RESULT_LOST)  # a restored back-up knows that there was an answer, not which
        return _result(query, found.job.decision, found.job.answer.result)

    def receipt(self, principal: Principal, query: str) -> str:
        """Return the proof that the outcome stands in the log."""
        self._own(principal, query)
        return self._broker.receipt(_asker(principal), query)

    def datasets(self, principal: Principal) -> tuple[views.DatasetSummary, ...]:
        """Return the data sets of one's projects."""
        found = {name: at for project in self._projects(principal) for name, at in self._standings(principal, project)}
        return tuple(
            views.DatasetSummary(name=name, version=at.version.name, policy=at.policy.digest)
            for name, at in sorted(found.items())
        )

    def dataset(self, principal: Principal, name: str) -> views.DatasetView:
        """Return the data dictionary: only what a query may name."""
        for project in self._projects(principal):
            if name in project.datasets:
                at = self._broker.standing(_asker(principal), project.id, name)
                return _dictionary(at, self._broker.catalogue(at))
        raise Refused.because(reasons.UNKNOWN_DATASET)

    def projects(self, principal: Principal) -> tuple[views.ProjectView, ...]:
        """Return one's projects."""
        return tuple(_project(project) for project in self._projects(principal))

    def project(self, principal: Principal, project: str) -> views.ProjectView:
        """Return one of one's projects."""
        for found in self._projects(principal):
            if found.id == project:
                return _project(found)
        raise Refused.because(reasons.UNKNOWN_PROJECT)

    def budget(self, principal: Principal, project: str) -> views.BudgetView:
        """Return what a project may spend, has spent, holds reserved and has left."""
        accounts = self._broker.accounts(_asker(principal), project)
        return views.BudgetView(project=project, accounts=tuple(_account(name, one) for name, one in accounts))

    def checkpoint(self) -> str:
        """Return the log's latest checkpoint."""
        return self._log.checkpoint()

    def tile(self, principal: Principal | None, path: str) -> bytes:
        """Return a hash tile; bundles of entries are for those who review, which no token of this surface is."""
        if path.startswith("entries/"):
            raise Refused.because(reasons.UNKNOWN_LOG_FILE)
        return self._log.tile(path)

    def health(self) -> None:
        """Return when the control database and the log answer."""
        self._broker.projects(Asker("nobody", ""))
        self._log.checkpoint()

    def _view(self, principal: Principal, found: Shown) -> views.QueryView:
        _scope(principal, found)
        job = found.job
        failure = _failure(job.error) if found.state in (State.BURNED, State.VOIDED) else None
        return views.QueryView(
            id=job.id,
            project=job.project,
            state=found.state.value,
            submitted=stamp(job.created),
            finished=stamp(job.finished) if job.finished and found.ended else None,
            decision=_decision(job.decision, ()),
            failure=failure,
            retry_after=max(_PAUSE, job.release_ms / 1000),
        )

    def _own(self, principal: Principal, query: str) -> Shown:
        found = self._broker.find(_asker(principal), query)
        _scope(principal, found)
        return found

    def _projects(self, principal: Principal) -> tuple[ProjectRecord, ...]:
        found = self._broker.projects(_asker(principal))
        return tuple(one for one in found if principal.project in (None, one.id))

    def _standings(self, principal: Principal, project: ProjectRecord) -> list[tuple[str, Standing]]:
        found = []
        for name in sorted(project.datasets):
            try:
                found.append((name, self._broker.standing(_asker(principal), project.id, name)))
            except Refused:
                continue  # a data set that has no version yet is not there to be asked
        return found


def _asker(principal: Principal) -> Asker:
    return Asker(principal.person, principal.acr, principal.token)


def _scope(principal: Principal, found: Shown) -> None:
    """A token made for one project sees that project's queries alone."""
    if principal.project not in (None, found.job.project):
        raise Refused.because(reasons.UNKNOWN_QUERY)


def _question(request: QueryRequest) -> Question:
    totals = {name: Interval(low, high) for name, (low, high) in request.totals.items()}
    ask = Ask(request.epsilon, request.groups, request.rows, totals)
    return Question(request.sql, request.dialect or "postgres", ask)


def _failure(code: str | None) -> views.ReasonView:
    reason = next(one for one in every_reason() if one.code == code)
    return reason_view(Refusal(reason))


def _decision(facts: Mapping[str, Any], refusals: Any) -> views.DecisionView:
    return views.DecisionView(
        allowed=facts["allowed"] and not refusals,
        dataset=facts["dataset"],
        version=facts["version"],
        policy=facts["policy"],
        reasons=tuple(reason_view(refusal, _gate(gate)) for gate, refusal in refusals),
        gates=tuple(views.GateView(gate=_gate(one["gate"]), allowed=one["allowed"]) for one in facts["gates"]),
        price=_price(facts["price"], facts["share"]),
        error=tuple(views.ErrorView(output=name, half_width=width) for name, width in facts["errors"].items()),
        bounds=_bounds(facts["bounds"]),
        notes=tuple(facts["notes"]),
        release_seconds=facts["release_seconds"],
    )


def _gate(name: str) -> Any:
    return _GATES.get(name, name)


def _exact(amount: str, places: int) -> str:
    text = f"{int(amount):0{places + 1}d}"
    whole, part = text[:-places], text[-places:].rstrip("0")
    return f"{whole}.{part}" if part else whole


def _amounts(found: Mapping[str, Any]) -> dict[str, Any]:
    zcdp = found["measure"] == "zcdp"
    return {
        "epsilon": found["epsilon"],
        "rho": _exact(found["amount"], 9) if zcdp else None,
        "delta": _exact(found["delta"], 18),
    }


def _price(found: Mapping[str, Any], share: float) -> views.PriceView:
    return views.PriceView(**_amounts(found), share=share)


def _bounds(bounds: Mapping[str, Mapping[str, str]]) -> views.BoundsView:
    """Return the bounds in use: the groups and the most rows over the outputs, totals by output."""
    groups = [int(one["groups"]) for one in bounds.values() if "groups" in one]
    rows = [int(one["rows"]) for one in bounds.values() if "rows" in one]
    totals = {
        name: (float(Fraction(one["low"])), float(Fraction(one["high"])))
        for name, one in bounds.items()
        if "low" in one
    }
    return views.BoundsView(groups=max(groups, default=None), rows=max(rows, default=None), totals=totals)


def _result(query: str, facts: Mapping[str, Any], found: Mapping[str, Any]) -> views.ResultView:
    columns = tuple(_column(column, position, found["columns"]) for position, column in enumerate(found["columns"]))
    hidden = [column.noisy or column.bound is not None for column in columns]
    rows = tuple(
        tuple(views.SuppressedView() if gone and noisy else cell for cell, noisy in zip(row, hidden, strict=True))
        for row, gone in zip(found["rows"], found["suppressed"], strict=True)
    )
    clipped = found["clipped"]
    return views.ResultView(
        query=query,
        columns=columns,
        rows=rows,
        cost=_price(found["cost"], facts["share"]),
        bounds=_bounds(found["bounds"]),
        clipped=None if clipped is None else views.ClippedView(**clipped),
        notes=tuple(facts["notes"]),
    )


def _column(column: Mapping[str, Any], position: int, columns: Any) -> views.ColumnView:
    kind = column["type"].partition("(")[0]
    of = column.get("bound_of")
    bound: Any = None
    if of is not None:
        bound = "low" if columns[position - 1]["name"] == of else "high"
    return views.ColumnView(name=column["name"], type=kind, noisy=column["noisy"], bound=bound, of=of)


def _project(project: ProjectRecord) -> views.ProjectView:
    return views.ProjectView(
        id=project.id,
        state=project.status.value,
        datasets=tuple(sorted(project.datasets)),
        purposes=tuple(sorted(project.purposes)),
        members=tuple(sorted(project.members)),
        expires=stamp(project.expires),
    )


def _account(dataset: str, found: Mapping[str, Any]) -> views.AccountView:
    parts = {name: views.AmountView(**_amounts(found[name])) for name in ("limit", "spent", "reserved", "left")}
    return views.AccountView(dataset=dataset, measure=found["limit"]["measure"], **parts)


def _dictionary(at: Standing, catalogue: Catalogue) -> views.DatasetView:
    tables = (_table(table) for table in catalogue.tables.values() if table.access is not Access.HIDDEN)
    return views.DatasetView(
        name=at.dataset,
        version=at.version.name,
        policy=at.policy.digest,
        unit_table=catalogue.unit_table,
        unit_key=catalogue.unit_key,
        tables=tuple(sorted(tables, key=lambda table: table.name)),
    )


def _table(table: CatalogueTable) -> views.DictionaryTable:
    access: Any = table.access.value
    return views.DictionaryTable(
        name=table.name,
        access=access,
        unit=table.unit,
        rows_per_person=table.rows_per_unit,
        columns=tuple(_dictionary_column(column) for column in table.columns.values() if column.visible),
        links=tuple(
            views.DictionaryLink(columns=link.columns, target=link.target, target_columns=link.target_columns)
            for link in table.links
        ),
    )


def _dictionary_column(column: Any) -> views.DictionaryColumn:
    bounds, calendar = column.bounds, column.calendar
    return views.DictionaryColumn(
        name=column.name,
        type=str(column.type),
        klass=column.klass.value,
        nullable=column.nullable,
        bounds=None if bounds is None else (float(bounds.low), float(bounds.high)),
        domain=None if column.domain is None else tuple(_scalar(value) for value in column.domain),
        calendar=None if calendar is None else (calendar[0].isoformat(), calendar[1].isoformat()),
    )


def _scalar(value: Any) -> Any:
    return value if isinstance(value, (bool, int, str)) else str(value)
