"""Asking a question: the form, its check, its run; then one address for the question, waiting or answered."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flask import Response

from tre.base.clock import Clock, parse_stamp, stamp
from tre.base.reasons import Refused
from tre.identity import Principal
from tre.web.bodies import RefinementBody
from tre.web.contract import validated
from tre.web.portal.answers import table
from tre.web.portal.charts import Charts, specification
from tre.web.portal.csp import IMAGE, header
from tre.web.portal.downloads import as_csv, download
from tre.web.portal.forms import Form, mistakes
from tre.web.portal.laying_out import laid_out
from tre.web.portal.site import Page, Shown, Visit, go
from tre.web.service import RefinementRequest, Service
from tre.web.views import BudgetView, QueryView

_UNFINISHED = ("queued", "running")


class _Asking:
    def __init__(self, service: Service, clock: Clock, charts: Charts) -> None:
        self._service = service
        self._clock = clock
        self._charts = charts

    def form(self, visit: Visit) -> Shown:
        return self._page(visit, Form())

    def send(self, visit: Visit) -> Shown | Response:
        form, wish = Form.sent(visit.form), visit.form.get("wish", "check")
        if wish == "edit":
            return self._page(visit, form)
        if wish == "lay out":
            return self._page(visit, form, beside=laid_out(form.sql) or "", wants_beside=True)
        try:
            if wish == "run" and visit.form.get("checked") == form.digest:
                return self._run(visit, form)
            return self._checked(visit, form, changed=wish == "run")
        except Refused as refused:
            if any(refusal.reason.kind.status != 400 for refusal in refused.refusals):
                raise
            return self._page(visit, form, mistakes=mistakes(refused), status=400)

    def _checked(self, visit: Visit, form: Form, changed: bool) -> Shown:
        decision = self._service.check(visit.principal, visit.path["id"], form.request(), explain=True)
        return self._page(visit, form.with_outputs(decision.bounds), decision=decision, changed=changed)

    def _run(self, visit: Visit, form: Form) -> Shown | Response:
        key = visit.form.get("key", "")[:128] or None
        query = self._service.submit(visit.principal, visit.path["id"], form.request(), key)
        if query.state == "denied":
            return self._page(visit, form, decision=query.decision, denied=True)
        return go(f"/queries/{query.id}")

    def _page(self, visit: Visit, form: Form, status: int = 200, **values: Any) -> Shown:
        project = self._service.project(visit.principal, visit.path["id"])
        form = form if form.dataset else replace(form, dataset=project.datasets[0] if project.datasets else "")
        plain: Mapping[str, Any] = {
            "beside": None,
            "wants_beside": False,
            "changed": False,
            "decision": None,
            "denied": False,
            "mistakes": (),
        }
        shown = {
            "project": project,
            "form": form,
            "account": _account(self._service.budget(visit.principal, project.id), form.dataset),
            "key": secrets.token_urlsafe(18),
        }
        return Shown("researcher/ask.html", {**plain, **shown, **values}, status)

    def query(self, visit: Visit) -> Shown:
        query = self._service.query(visit.principal, visit.path["id"])
        if query.state in _UNFINISHED:
            now = stamp(self._clock.now())
            return Shown("researcher/waiting.html", {"query": query, "now": now, "progress": _progress(query, now)})
        if query.state != "committed":
            return Shown("researcher/unanswered.html", {"query": query})
        return self._answer(visit.principal, query)

    def refine(self, visit: Visit) -> Shown | Response:
        body = validated(RefinementBody, {"epsilon": visit.form.get("epsilon", "").strip()})
        assert isinstance(body, RefinementBody)
        offer = RefinementRequest(body.epsilon)
        query = self._service.refine(visit.principal, visit.path["id"], offer, visit.form.get("key", "")[:128] or None)
        if query.state == "denied":
            return Shown("researcher/unanswered.html", {"query": query})
        return go(f"/queries/{query.id}")

    def cancel(self, visit: Visit) -> Response:
        query = self._service.cancel(visit.principal, visit.path["id"])
        return go(f"/queries/{query.id}")

    def _answer(self, principal: Principal, query: QueryView) -> Shown:
        result = self._service.result(principal, query.id)
        values = {"query": query, "result": result, "table": table(result), "chart": specification(result)}
        return Shown("researcher/answer.html", {**values, "key": secrets.token_urlsafe(18)})

    def chart(self, visit: Visit) -> Response:
        result = self._service.result(visit.principal, visit.path["id"])
        response = Response(self._charts.svg(result), content_type="image/svg+xml")
        response.headers["Content-Security-Policy"] = header(IMAGE)
        return response

    def as_csv(self, visit: Visit) -> Response:
        result = self._service.result(visit.principal, visit.path["id"])
        return download(as_csv(result), "text/csv", f"{result.query}.csv")

    def as_json(self, visit: Visit) -> Response:
        result = self._service.result(visit.principal, visit.path["id"])
        return download(result.model_dump_json(indent=2), "application/json", f"{result.query}.json")

    def receipt(self, visit: Visit) -> Response:
        text = self._service.receipt(visit.principal, visit.path["id"])
        return download(text, "text/plain", f"{visit.path['id']}.tlog-proof")


def _progress(query: QueryView, now: str) -> float:
    """Return the time gone by as a part of the time until the release, and nothing of what the engine does."""
    if query.started is None or query.release_at is None:
        return 0.0
    started, release, at = (parse_stamp(moment).timestamp() for moment in (query.started, query.release_at, now))
    return min(1.0, max(0.0, (at - started) / max(release - started, 0.001)))


def _account(budget: BudgetView, dataset: str) -> Any:
    return next((one for one in budget.accounts if one.dataset == dataset), None)


def asking_pages(service: Service, clock: Clock, charts: Charts) -> tuple[Page, ...]:
    """Return the pages on which questions are asked and answered."""
    do = _Asking(service, clock, charts)
    query = "/queries/<id>"
    return (
        Page("ask", "/projects/<id>/ask", do.form),
        Page("ask-sent", "/projects/<id>/ask", do.send, method="POST", counted=True),
        Page("query", query, do.query),
        Page("refinement", f"{query}/refinements", do.refine, method="POST", counted=True),
        Page("cancellation", f"{query}/cancellation", do.cancel, method="POST"),
        Page("chart", f"{query}/chart.svg", do.chart),
        Page("answer-csv", f"{query}/answer.csv", do.as_csv),
        Page("answer-json", f"{query}/answer.json", do.as_json),
        Page("receipt", f"{query}/receipt", do.receipt),
    )
