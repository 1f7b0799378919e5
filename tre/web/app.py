"""The Flask application: contract, problems, headers. It knows a service and no more."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import structlog
from flask import Flask, Response, current_app, g, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound, RequestEntityTooLarge

from tre.base.ids import new_id
from tre.base.reasons import Refusal, Refused
from tre.base.reasons.faults import INTERNAL
from tre.base.reasons.web import BAD_REQUEST, BODY_TOO_LARGE, METHOD, UNKNOWN_PATH
from tre.web.contract import JSON, PROBLEM, WATCHED, Access, NotAnswered, Operation, Reply, Shape, Verify, register
from tre.web.limits import Limits, Unlimited
from tre.web.openapi import describe
from tre.web.operations import operations
from tre.web.problems import problem, reason_view
from tre.web.service import Service
from tre.web.views import ProblemView, ReasonView

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

PROBLEM_PAGE = "tre.problem-page"
"""The extension that shows people a problem as a page: a `PageOf`."""
PageOf = Callable[[ProblemView], Response | None]


Observe = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class WebSettings:
    """Limits of the surface: the longest body in bytes, the longest wait and the retry hint in seconds."""

    most_body: int = 128 * 1024
    longest_wait: int = 60
    retry_after: int = 5
    new_request_id: Callable[[], str] = lambda: new_id("r")


def create_app(
    service: Service,
    verify: Verify,
    settings: WebSettings | None = None,
    more: Iterable[Operation] = (),
    counting: Limits | None = None,
    observe: Observe = lambda _operation, _status: None,
) -> Flask:
    """Return the REST surface over `service`.

    :param verify: turns a bearer token into a Principal or raises Refused.
    :param more: operations over other services, under the same contract.
    :param counting: holds people and addresses to so many requests; nobody if None.
    :param observe: is told the name and the status of every operation that was answered.
    """
    limits = settings or WebSettings()
    app = Flask("tre.web", static_folder=None)
    app.url_map.merge_slashes = False
    app.config["MAX_CONTENT_LENGTH"] = limits.most_body
    every = (*operations(service, limits.longest_wait), *more)
    register(app, (*every, _description(every)), verify, counting or Unlimited())
    _answer_problems(app, limits)
    _frame(app, limits, observe)
    return app


def _description(every: tuple[Operation, ...]) -> Operation:
    record = Operation(
        name="describe",
        method="GET",
        path="/api/v1/openapi.json",
        summary="This description",
        handle=lambda _: Reply(text),
        access=Access.PUBLIC,
        replies={200: Shape("The description in OpenAPI 3.1", media=JSON)},
    )
    text = json.dumps(describe((*every, record), _version()), sort_keys=True)
    return record


def _version() -> str:
    try:
        return version("tre")
    except PackageNotFoundError:
        return "0"


def _frame(app: Flask, limits: WebSettings, observe: Observe) -> None:
    @app.before_request
    def begin() -> None:
        g.request_id = limits.new_request_id()

    @app.after_request
    def finish(response: Response) -> Response:
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        response.headers["X-Request-Id"] = g.request_id
        operation = request.endpoint or "none"
        observe(operation, response.status_code)
        if operation not in WATCHED:  # facts of the request's form alone: no name, no address, no time that it took
            _told().info("answered", request_id=g.request_id, operation=operation, status=response.status_code)
        return response


def _answer_problems(app: Flask, limits: WebSettings) -> None:
    def refused(error: Refused) -> Response:
        response = _problem(tuple(reason_view(refusal) for refusal in error.refusals), limits)
        if "seconds" in error.refusals[0].values:
            response.headers["Retry-After"] = error.refusals[0].values["seconds"]
        return response

    def not_answered(error: NotAnswered) -> Response:
        return _problem(error.reasons, limits, error.query)

    def of_http(error: HTTPException) -> Response:
        response = _problem((reason_view(_http_refusal(error, limits)),), limits)
        if isinstance(error, MethodNotAllowed):
            response.headers["Allow"] = ", ".join(sorted(error.valid_methods or ()))
        return response

    def fault(error: Exception) -> Response:
        _log(error)
        return _problem((reason_view(Refusal(INTERNAL)),), limits)

    app.register_error_handler(Refused, refused)
    app.register_error_handler(NotAnswered, not_answered)
    app.register_error_handler(HTTPException, of_http)
    app.register_error_handler(Exception, fault)


def _http_refusal(error: HTTPException, limits: WebSettings) -> Refusal:
    if isinstance(error, NotFound):
        return Refusal(UNKNOWN_PATH)
    if isinstance(error, MethodNotAllowed):
        return Refusal(METHOD, {"method": request.method[:16]})
    if isinstance(error, RequestEntityTooLarge):
        return Refusal(BODY_TOO_LARGE, {"most": str(limits.most_body)})
    return Refusal(BAD_REQUEST)


def _problem(reasons: tuple[ReasonView, ...], limits: WebSettings, query: str | None = None) -> Response:
    view = problem(reasons, g.request_id, query)
    page: PageOf = current_app.extensions.get(PROBLEM_PAGE, lambda _: None)
    response = page(view) or _as_json(view)
    if view.status in (409, 429, 503):
        response.headers["Retry-After"] = str(limits.retry_after)
    return response


def _as_json(view: ProblemView) -> Response:
    response = Response(view.model_dump_json(exclude_none=True), view.status, content_type=PROBLEM)
    if view.status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _log(error: Exception) -> None:
    """Note where it failed, never what was in hand: a message may quote a private value (PRIVACY §5)."""
    frames = [f"{frame.name}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)[-5:]]
    _told().error("request failed", request_id=g.request_id, kind=type(error).__name__, at=frames)


def _told() -> Any:
    return structlog.get_logger("tre.web")
