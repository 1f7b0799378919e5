"""The contract layer: one record per operation gives routing, authentication, validation and errors.

`tre.web.openapi` reads the same records, so that the description cannot differ from what is done.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from flask import Flask, Response, request
from pydantic import BaseModel, ValidationError

from tre.base.reasons import Reason, Refusal, Refused
from tre.base.reasons.identity import TOKEN_MALFORMED, TOKEN_MISSING
from tre.base.reasons.web import (
    BODY_LENGTH,
    FIELD_INVALID,
    FIELD_MISSING,
    FIELD_UNKNOWN,
    HEADER,
    MEDIA_TYPE,
    UNKNOWN_PATH,
)
from tre.identity import Principal
from tre.web.limits import Limits
from tre.web.parameters import Parameter, read_query
from tre.web.strict import strict_json
from tre.web.views import ReasonView

Verify = Callable[[str], Principal]
JSON = "application/json"
TEXT = "text/plain"
BYTES = "application/octet-stream"
ZIP = "application/zip"
PROBLEM = "application/problem+json"


WATCHED = frozenset({"health", "ready", "metrics"})
"""Operations that watchers ask again and again: they are not counted."""


class Access(Enum):
    """Who may call an operation; OPTIONAL takes a token and checks it when there is one."""

    TOKEN = "token"  # noqa: S105 - the name of a rule
    OPTIONAL = "optional"
    PUBLIC = "public"


@dataclass(frozen=True, slots=True)
class Shape:
    """One documented answer: a model as JSON, or a text of another media type."""

    description: str
    model: type[BaseModel] | None = None
    media: str = JSON
    headers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """A request that has passed its contract."""

    principal: Principal | None
    path: Mapping[str, str]
    query: Mapping[str, Any]
    body: Any
    headers: Mapping[str, str]

    @property
    def person(self) -> Principal:
        """The principal of an operation that needs a token."""
        if self.principal is None:
            raise LookupError("an operation without a token has no person; this is a bug, report it")
        return self.principal


@dataclass(frozen=True, slots=True)
class Reply:
    """What a handler answers: a model for JSON; for the other media types text, bytes, or bytes piece by piece."""

    content: BaseModel | str | bytes | Iterator[bytes]
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


class NotAnswered(Exception):  # noqa: N818 - a refusal is an answer, not an error
    """A query that ends without an answer, with its reasons."""

    def __init__(self, reasons: tuple[ReasonView, ...], query: str) -> None:
        self.reasons = reasons
        self.query = query
        super().__init__(query)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation of the surface.

    `path` holds {names} whose values must match `parameters` whole, else the address is unknown; `query` are
    optional query parameters and `headers` optional request headers by pattern; `counted` ones are questions, of
    which a person may ask so many a minute; `refusals` lists statuses beyond those that follow from the record.
    """

    name: str
    method: str
    path: str
    summary: str
    handle: Callable[[Call], Reply]
    replies: Mapping[int, Shape]
    access: Access = Access.TOKEN
    parameters: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    query: Mapping[str, Parameter] = field(default_factory=lambda: MappingProxyType({}))
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    body: type[BaseModel] | None = None
    counted: bool = False
    refusals: frozenset[int] = frozenset()

    @property
    def problems(self) -> frozenset[int]:
        """All statuses with which this operation refuses or fails."""
        found = {400, 429, 500, 503} | self.refusals
        found |= {401, 403} if self.access is not Access.PUBLIC else set()
        found |= {404} if self.parameters else set()
        return frozenset(found | ({404, 409, 413, 415, 422, 501} if self.body else set()))

    @property
    def rule(self) -> str:
        """The path in Flask's notation."""
        spans = {name: "path:" if "/" in pattern else "" for name, pattern in self.parameters.items()}
        return re.sub(r"\{(\w+)\}", lambda found: f"<{spans[found[1]]}{found[1]}>", self.path)


def register(app: Flask, operations: tuple[Operation, ...], verify: Verify, limits: Limits) -> None:
    """Route every operation through its contract. The framework measures bodies before they are read."""
    for operation in operations:
        app.add_url_rule(
            operation.rule,
            endpoint=operation.name,
            methods=[operation.method],
            view_func=_view(operation, verify, limits),
            provide_automatic_options=False,
        )


def _view(operation: Operation, verify: Verify, limits: Limits) -> Callable[..., Response]:
    def view(**path: str) -> Response:
        principal = _authenticate(operation, verify, limits)
        _check_path(operation, path)
        query = read_query(operation.query, request.query_string)
        headers = _headers(operation)
        body = _body(operation.body)
        return _response(operation, operation.handle(Call(principal, path, query, body, headers)))

    return view


def _authenticate(operation: Operation, verify: Verify, limits: Limits) -> Principal | None:
    sent, address = request.headers.get("Authorization"), request.remote_addr or ""
    if operation.access is Access.PUBLIC or (operation.access is Access.OPTIONAL and sent is None):
        if operation.name not in WATCHED:
            limits.anonymous(address)
        return None
    try:
        principal = _verified(sent, verify)
    except Refused:
        limits.failure(address)
        raise
    if operation.counted:
        limits.question(principal.person)
    return principal


def _verified(sent: str | None, verify: Verify) -> Principal:
    if sent is None:
        raise Refused.because(TOKEN_MISSING)
    scheme, _, token = sent.partition(" ")
    if scheme.lower() != "bearer":
        raise Refused.because(TOKEN_MALFORMED)
    return verify(token)


def _check_path(operation: Operation, path: Mapping[str, str]) -> None:
    for name, pattern in operation.parameters.items():
        if not re.fullmatch(pattern, path[name], re.ASCII):
            raise Refused.because(UNKNOWN_PATH)


def _headers(operation: Operation) -> dict[str, str]:
    found = {name: value for name in operation.headers if (value := request.headers.get(name)) is not None}
    for name, value in found.items():
        if not re.fullmatch(operation.headers[name], value, re.ASCII):
            raise Refused.because(HEADER, name=name)
    return found


def _body(model: type[BaseModel] | None) -> BaseModel | None:
    length = request.content_length
    if model is None:
        _require(not length and not request.headers.get("Transfer-Encoding"), BODY_LENGTH)
        return None
    _require(length is not None and not request.headers.get("Transfer-Encoding"), BODY_LENGTH)
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    _require(request.mimetype == JSON and charset == "utf-8", MEDIA_TYPE)
    return validated(model, strict_json(request.get_data(cache=False)))


def _require(holds: bool, reason: Reason) -> None:
    if not holds:
        raise Refused.because(reason)


def validated(model: type[BaseModel], value: Mapping[str, Any]) -> BaseModel:
    """Return `value` as `model`; refused with one reason for every field that is wrong."""
    try:
        return model.model_validate(value)
    except ValidationError as invalid:
        found = invalid.errors(include_url=False, include_context=False, include_input=False)
        raise Refused(_field_refusal(error) for error in found) from None


def _field_refusal(error: Mapping[str, Any]) -> Refusal:
    values = {"field": _shown(".".join(str(part) for part in error["loc"]))}
    if error["type"] == "extra_forbidden":
        return Refusal(FIELD_UNKNOWN, values)
    if error["type"] == "missing":
        return Refusal(FIELD_MISSING, values)
    return Refusal(FIELD_INVALID, values | {"problem": str(error["msg"])})


def _shown(name: str) -> str:
    """Return a name out of a request, quoted and short."""
    return f"“{name[:80]}”"


def _response(operation: Operation, reply: Reply) -> Response:
    shape = operation.replies[reply.status]
    content = reply.content.model_dump_json() if isinstance(reply.content, BaseModel) else reply.content
    media = f"{shape.media}; charset=utf-8" if shape.media == TEXT else shape.media
    response = Response(content, HTTPStatus(reply.status), content_type=media)
    response.headers.update(reply.headers)
    return response
