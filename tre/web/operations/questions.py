"""Questions and their answers: what each operation does in a few lines over the service, and no rule of its own."""

from __future__ import annotations

import re
from math import ceil

from tre.base.reasons import Refused
from tre.base.reasons.web import PROJECT_MISSING
from tre.identity import Principal
from tre.web.bodies import CheckBody, QuestionBody, RefinementBody
from tre.web.contract import TEXT, Call, NotAnswered, Operation, Reply, Shape
from tre.web.operations.common import NAMED, PROJECT, QUERY_ID, check_scope
from tre.web.parameters import whole
from tre.web.plan_views import CheckView
from tre.web.service import QueryRequest, RefinementRequest, Service
from tre.web.views import QueriesView, QueryView, ReasonView, ResultView

_FINISHED = frozenset({"committed", "burned", "voided", "denied"})
_PREFER = r"[\x20-\x7e]{1,200}"
_KEY = r"[\x21-\x7e]{1,128}"
_QUERY = "/api/v1/queries/{id}"
_PAGE = 20
_WAITING = ("Location", "Retry-After", "Preference-Applied")
_TAKEN_IN = {"Prefer": _PREFER, "Idempotency-Key": _KEY}
_TAKEN = {
    200: Shape("The query with its answer", QueryView, headers=("Location", "Preference-Applied")),
    202: Shape("The query, still to be answered", QueryView, headers=_WAITING),
}


class _Questions:
    def __init__(self, service: Service, longest: int) -> None:
        self.service = service
        self.longest = longest

    def check(self, call: Call) -> Reply:
        project, question = _question(call)
        return Reply(self.service.check(call.person, project, question, explain=call.body.explain))

    def submit(self, call: Call) -> Reply:
        project, question = _question(call)
        key = call.headers.get("Idempotency-Key")
        return self._taken(call, self.service.submit(call.person, project, question, key))

    def refine(self, call: Call) -> Reply:
        offer = RefinementRequest(call.body.epsilon, call.body.accuracy)
        key = call.headers.get("Idempotency-Key")
        return self._taken(call, self.service.refine(call.person, call.path["id"], offer, key))

    def _taken(self, call: Call, view: QueryView) -> Reply:
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
        return Reply(self.service.query(call.person, call.path["id"]))

    def cancel(self, call: Call) -> Reply:
        return Reply(self.service.cancel(call.person, call.path["id"]))

    def history(self, call: Call) -> Reply:
        check_scope(call.person, call.path["id"])
        page = call.query.get("before"), call.query.get("limit", _PAGE)
        return Reply(self.service.history(call.person, call.path["id"], *page))

    def result(self, call: Call) -> Reply:
        return Reply(self.service.result(call.person, call.path["id"]))

    def receipt(self, call: Call) -> Reply:
        return Reply(self.service.receipt(call.person, call.path["id"]))


def questions(service: Service, longest: int) -> tuple[Operation, ...]:
    """Return the operations over questions; `longest` is the longest wait in seconds that a request may prefer."""
    do = _Questions(service, longest)
    return (
        Operation(
            name="check",
            method="POST",
            path="/api/v1/checks",
            summary="Decide a question with all reasons, price and expected error, at no cost",
            handle=do.check,
            body=CheckBody,
            counted=True,
            replies={200: Shape("The decision", CheckView)},
        ),
        Operation(
            name="submitQuery",
            method="POST",
            path="/api/v1/queries",
            summary="Ask a question; `Prefer: wait=S` waits up to S seconds for the answer",
            handle=do.submit,
            body=QuestionBody,
            counted=True,
            headers=_TAKEN_IN,
            replies=_TAKEN,
        ),
        Operation(
            name="getQuery",
            method="GET",
            path=_QUERY,
            summary="A query as it stands",
            handle=do.query,
            parameters={"id": QUERY_ID},
            replies={200: Shape("The query", QueryView)},
        ),
        Operation(
            name="cancelQuery",
            method="POST",
            path=_QUERY + "/cancellation",
            summary="Take a query back: waiting, its price is given back; running, it stays spent",
            handle=do.cancel,
            parameters={"id": QUERY_ID},
            replies={200: Shape("The query as it ended", QueryView)},
            refusals=frozenset({409}),
        ),
        Operation(
            name="listQueries",
            method="GET",
            path=PROJECT + "/queries",
            summary="The project's queries, newest first: one's own, or all to its lead",
            handle=do.history,
            parameters={"id": NAMED},
            query={
                "before": whole("The `next` of the page before", 1, 2**63 - 1),
                "limit": whole(f"How many; {_PAGE} if absent", 1, 100),
            },
            replies={200: Shape("A page of queries", QueriesView)},
        ),
        Operation(
            name="getResult",
            method="GET",
            path=_QUERY + "/result",
            summary="The released answer",
            handle=do.result,
            parameters={"id": QUERY_ID},
            replies={200: Shape("The answer with intervals", ResultView)},
            refusals=frozenset({409}),
        ),
        Operation(
            name="getReceipt",
            method="GET",
            path=_QUERY + "/receipt",
            summary="The receipt: proof that the answer's entry is in the log (C2SP tlog-proof)",
            handle=do.receipt,
            parameters={"id": QUERY_ID},
            replies={200: Shape("The receipt", media=TEXT)},
            refusals=frozenset({409}),
        ),
        Operation(
            name="refineQuery",
            method="POST",
            path=_QUERY + "/refinements",
            summary="Ask for a sharper answer: a further draw of the same measurements, combined with those before",
            handle=do.refine,
            parameters={"id": QUERY_ID},
            body=RefinementBody,
            counted=True,
            headers=_TAKEN_IN,
            replies=_TAKEN,
            refusals=frozenset({409}),
        ),
    )


def _question(call: Call) -> tuple[str, QueryRequest]:
    body: QuestionBody = call.body
    project = body.project or call.person.project
    if project is None:
        raise Refused.because(PROJECT_MISSING)
    check_scope(call.person, project)
    return project, body.question()


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
