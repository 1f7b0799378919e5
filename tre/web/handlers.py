"""What each operation does: a few lines over the service, and no rule of their own."""

from __future__ import annotations

import re
from math import ceil

from markupsafe import escape

from tre.base.reasons import Refused
from tre.base.reasons.identity import TOKEN_PROJECT
from tre.base.reasons.web import ACCURACY, PROJECT_MISSING, REFINEMENTS, UNKNOWN_PATH
from tre.identity import Principal
from tre.web.bodies import QuestionBody
from tre.web.contract import Call, Reply
from tre.web.problems import reasons_by_code, title
from tre.web.service import QueryRequest, Service
from tre.web.views import DatasetsView, HealthView, ProjectsView, QueryView, ReasonView

_FINISHED = frozenset({"committed", "burned", "voided", "denied"})


class NotAnswered(Exception):  # noqa: N818 - a refusal is an answer, not an error
    """A query that ends without an answer, with its reasons."""

    def __init__(self, reasons: tuple[ReasonView, ...], query: str) -> None:
        self.reasons = reasons
        self.query = query
        super().__init__(query)


class Handlers:
    """The handlers over a service; `longest` is the longest wait in seconds that a request may prefer."""

    def __init__(self, service: Service, longest: int) -> None:
        self.service = service
        self.longest = longest

    def check(self, call: Call) -> Reply:
        """Decide a question at no cost."""
        project, question = _question(call)
        return Reply(self.service.check(call.person, project, question))

    def submit(self, call: Call) -> Reply:
        """Take a question in, wait as long as the caller prefers, answer or say where the answer will be."""
        project, question = _question(call)
        view = self.service.submit(call.person, project, question, call.headers.get("Idempotency-Key"))
        wait = _preferred_wait(call.headers.get("Prefer", ""), self.longest)
        if wait and view.state not in _FINISHED:
            view = self.service.wait(call.person, view.id, wait)
        applied = {"Preference-Applied": f"wait={wait}"} if wait is not None else {}
        return self._answer(call.person, view, applied)

    def _answer(self, person: Principal, view: QueryView, headers: dict[str, str]) -> Reply:
        headers["Location"] = view.links["self"]
        if view.state not in _FINISHED:
            headers["Retry-After"] = str(max(1, ceil(view.retry_after)))
            return Reply(view, 202, headers)
        if view.state == "committed":
            return Reply(view.model_copy(update={"result": self.service.result(person, view.id)}), 200, headers)
        raise NotAnswered(_why(view), view.id)

    def query(self, call: Call) -> Reply:
        """Return a query as it stands."""
        return Reply(self.service.query(call.person, call.path["id"]))

    def result(self, call: Call) -> Reply:
        """Return a released answer."""
        return Reply(self.service.result(call.person, call.path["id"]))

    def receipt(self, call: Call) -> Reply:
        """Return a receipt, a tlog-proof."""
        return Reply(self.service.receipt(call.person, call.path["id"]))

    def refine(self, call: Call) -> Reply:
        """Refuse: a second draw is not offered yet."""
        self.service.query(call.person, call.path["id"])
        raise Refused.because(REFINEMENTS)

    def datasets(self, call: Call) -> Reply:
        """Return the data sets of one's projects."""
        return Reply(DatasetsView(datasets=self.service.datasets(call.person)))

    def dataset(self, call: Call) -> Reply:
        """Return a data dictionary."""
        return Reply(self.service.dataset(call.person, call.path["name"]))

    def projects(self, call: Call) -> Reply:
        """Return one's projects."""
        return Reply(ProjectsView(projects=self.service.projects(call.person)))

    def project(self, call: Call) -> Reply:
        """Return one project."""
        _check_scope(call.person, call.path["id"])
        return Reply(self.service.project(call.person, call.path["id"]))

    def budget(self, call: Call) -> Reply:
        """Return a project's budget."""
        _check_scope(call.person, call.path["id"])
        return Reply(self.service.budget(call.person, call.path["id"]))

    def checkpoint(self, call: Call) -> Reply:
        """Return the log's latest checkpoint, to anyone."""
        return Reply(self.service.checkpoint())

    def tile(self, call: Call) -> Reply:
        """Return a tile of the log; bundles of entries to whoever is entitled."""
        return Reply(self.service.tile(call.principal, call.path["path"]))

    def health(self, call: Call) -> Reply:
        """Say that questions can be answered."""
        self.service.health()
        return Reply(HealthView())

    def problem(self, call: Call) -> Reply:
        """Return the page of a problem type."""
        reason = reasons_by_code().get(call.path["code"])
        if reason is None:
            raise Refused.because(UNKNOWN_PATH)
        texts = [reason.sentence, reason.remedy, reason.explanation]
        paragraphs = "".join(f"<p>{escape(text)}</p>" for text in texts if text)
        head = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title(reason))}</title>'
        return Reply(f"{head}<h1>{escape(title(reason))}</h1><p><code>{escape(reason.code)}</code></p>{paragraphs}")


def _question(call: Call) -> tuple[str, QueryRequest]:
    body: QuestionBody = call.body
    if body.accuracy is not None:
        raise Refused.because(ACCURACY)
    project = body.project or call.person.project
    if project is None:
        raise Refused.because(PROJECT_MISSING)
    _check_scope(call.person, project)
    totals = {name: (pair[0], pair[1]) for name, pair in body.bounds.totals.items()}
    asked = QueryRequest(
        body.sql, body.dialect, body.dataset, body.epsilon, body.bounds.groups, body.bounds.rows, totals
    )
    return project, asked


def _check_scope(person: Principal, project: str) -> None:
    if person.project not in (None, project):
        raise Refused.because(TOKEN_PROJECT)


def _preferred_wait(preferences: str, longest: int) -> int | None:
    """Return the seconds of `wait=S` (RFC 7240 §4.3), at most `longest`; other preferences are passed over."""
    found = re.search(r"(?:^|[,;])\s*wait\s*=\s*\"?(\d{1,6})\"?\s*(?:$|[,;])", preferences, re.IGNORECASE)
    return min(int(found[1]), longest) if found else None


def _why(view: QueryView) -> tuple[ReasonView, ...]:
    if view.failure:
        return (view.failure,)
    if view.decision and view.decision.reasons:
        return view.decision.reasons
    raise LookupError("a query without an answer has a reason; this is a bug, report it")
