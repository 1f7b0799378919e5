"""The REST surface over the broker: what the flows know, as the views that the contract promises."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from tre.base.clock import stamp
from tre.base.reasons import Refused
from tre.base.reasons import web as reasons
from tre.base.reasons.journal import RESULT_LOST
from tre.broker import Asker, Broker, Offer, Shown, Standing, Taken
from tre.catalogue import Interval
from tre.decide import Question
from tre.governance import ProjectRecord
from tre.identity import Principal
from tre.jobs import State
from tre.privacy.request import Ask
from tre.web import views
from tre.web.adapter.amounts import account
from tre.web.adapter.answers import decision, failure, result
from tre.web.adapter.dictionary import dictionary
from tre.web.adapter.explaining import explanation
from tre.web.plan_views import CheckView
from tre.web.service import LogFiles, QueryRequest, RefinementRequest

_PAUSE = 0.2


class BrokerService:
    """Implements `tre.web.service.Service`. Unknown things and other people's answer alike."""

    def __init__(self, broker: Broker, log: LogFiles, metrics: Callable[[Principal], str]) -> None:
        self._broker = broker
        self._metrics = metrics
        self._log = log

    def check(self, principal: Principal, project: str, request: QueryRequest, *, explain: bool = False) -> CheckView:
        """Return the decision with all its reasons, and its plan where that is asked for."""
        asked = _question(request)
        decided, facts = self._broker.check(_asker(principal), project, request.dataset, asked)
        refusals = [(verdict.gate, one) for verdict in decided.verdicts for one in verdict.refusals]
        shown = decision(facts, refusals)
        found = self._broker.explain(decided, asked) if explain else None
        return CheckView(**shown.__dict__, explanation=None if found is None else explanation(found))

    def submit(
        self, principal: Principal, project: str, request: QueryRequest, idempotency: str | None
    ) -> views.QueryView:
        """Take the question in, or deny it with every reason."""
        taken = self._broker.submit(_asker(principal), project, request.dataset, _question(request), idempotency)
        return self._taken(principal, project, taken)

    def refine(
        self, principal: Principal, query: str, offer: RefinementRequest, idempotency: str | None
    ) -> views.QueryView:
        """Take a sharper answer's question in, or deny it with every reason."""
        project = self._own(principal, query).job.project
        offered = Offer(offer.epsilon, offer.accuracy)
        return self._taken(principal, project, self._broker.refine(_asker(principal), query, offered, idempotency))

    def _taken(self, principal: Principal, project: str, taken: Taken) -> views.QueryView:
        if taken.job is not None:
            return self._view(principal, Shown(taken.job, taken.job.state, None))
        if taken.queued:
            return self._view(principal, self._broker.find(_asker(principal), taken.id))
        return views.QueryView(
            id=taken.id,
            project=project,
            state="denied",
            submitted=stamp(self._broker.parts.clock.now()),
            decision=decision(taken.facts, taken.refusals),
        )

    def wait(self, principal: Principal, query: str, seconds: float) -> views.QueryView:
        """Return the query when it has ended, or as it stands after `seconds`; where it is a pilot its second step."""
        deadline = self._broker.parts.clock.monotonic() + seconds
        found = self._broker.wait(_asker(principal), query, seconds)
        if found.job.second is not None:
            left = max(0.0, deadline - self._broker.parts.clock.monotonic())
            found = self._broker.wait(_asker(principal), found.job.second, left)
        return self._view(principal, found)

    def query(self, principal: Principal, query: str) -> views.QueryView:
        """Return the query as it stands, with its text."""
        view = self._view(principal, self._broker.find(_asker(principal), query))
        return _with_text(view, self._broker.asked(_asker(principal), query))

    def cancel(self, principal: Principal, query: str) -> views.QueryView:
        """End the query by wish."""
        self._own(principal, query)
        return self._view(principal, self._broker.cancel(_asker(principal), query))

    def history(self, principal: Principal, project: str, before: int | None, limit: int) -> views.QueriesView:
        """Return a page of a project's queries."""
        found = self._broker.history(_asker(principal), project, before, limit + 1)
        shown = tuple(_with_text(self._view(principal, one), asked) for one, asked in found[:limit])
        return views.QueriesView(queries=shown, next=found[limit - 1][0].job.number if len(found) > limit else None)

    def result(self, principal: Principal, query: str) -> views.ResultView:
        """Return the released answer, once its outcome entry is in the log."""
        found = self._broker.read(_asker(principal), query)
        _scope(principal, found)
        if found.state is not State.COMMITTED:
            raise Refused.because(reasons.NOT_FINISHED)
        if found.job.answer is None:
            raise Refused.because(RESULT_LOST)  # a restored back-up knows that there was an answer, not which
        return result(query, found.job.decision, found.job.answer.result, found.sharper)

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
                return dictionary(at, self._broker.catalogue(at))
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
        return views.BudgetView(project=project, accounts=tuple(account(name, one) for name, one in accounts))

    def checkpoint(self) -> str:
        """Return the log's newest checkpoint."""
        return self._log.checkpoint()

    def cosigned(self) -> str:
        """Return the newest checkpoint that witnesses cosigned."""
        return self._log.cosigned()

    def tile(self, principal: Principal | None, path: str) -> bytes:
        """Return a hash tile, to anyone; a bundle of entries to those who review."""
        return self._log.bundle(principal, path) if path.startswith("entries/") else self._log.tile(path)

    def metrics(self, principal: Principal) -> str:
        """Return counts and states to who watches over the house."""
        return self._metrics(principal)

    def health(self) -> None:
        """Return when the control database and the log answer."""
        self._broker.projects(Asker("nobody", ""))
        self._log.checkpoint()

    def _view(self, principal: Principal, found: Shown) -> views.QueryView:
        _scope(principal, found)
        job = found.job
        failed = failure(job.error) if found.ended and job.error is not None else None
        return views.QueryView(
            id=job.id,
            project=job.project,
            state=found.state.value,
            person=job.person,
            submitted=stamp(job.created),
            started=_stamp(job.started),
            release_at=_stamp(job.release_at),
            limit_at=_stamp(job.limit_at),
            finished=_stamp(job.finished) if found.ended else None,
            decision=decision(job.decision, ()),
            failure=failed,
            refines=job.decision.get("refines"),
            second=job.second if found.ended else None,
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


def _stamp(moment: datetime | None) -> str | None:
    return None if moment is None else stamp(moment)


def _asker(principal: Principal) -> Asker:
    return Asker(principal.person, principal.acr, principal.token)


def _scope(principal: Principal, found: Shown) -> None:
    """A token made for one project sees that project's queries alone."""
    if principal.project not in (None, found.job.project):
        raise Refused.because(reasons.UNKNOWN_QUERY)


def _with_text(view: views.QueryView, asked: Question | None) -> views.QueryView:
    return view if asked is None else view.model_copy(update={"sql": asked.sql, "dialect": asked.dialect})


def _question(request: QueryRequest) -> Question:
    totals = {name: Interval(low, high) for name, (low, high) in request.totals.items()}
    ask = Ask(request.epsilon, request.accuracy, request.groups, request.rows, totals)
    return Question(request.sql, request.dialect or "postgres", ask)


def _project(project: ProjectRecord) -> views.ProjectView:
    return views.ProjectView(
        id=project.id,
        state=project.status.value,
        datasets=tuple(sorted(project.datasets)),
        purposes=tuple(sorted(project.purposes)),
        members=tuple(sorted(project.members)),
        expires=stamp(project.expires),
    )
