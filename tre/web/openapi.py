"""The OpenAPI 3.1 description, made from the operations' own records."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from tre.web.contract import BYTES, JSON, PROBLEM, ZIP, Access, Operation, Shape
from tre.web.views import ProblemView

Mode = Literal["validation", "serialization"]
_TEMPLATE = "#/components/schemas/{model}"
_RESPONSE_HEADERS = {
    "Location": {"description": "Where the query is", "schema": {"type": "string"}},
    "Retry-After": {"description": "Seconds to wait before asking again", "schema": {"type": "string"}},
    "Preference-Applied": {"description": "The wait that was granted (RFC 7240)", "schema": {"type": "string"}},
}


def describe(operations: tuple[Operation, ...], version: str) -> dict[str, Any]:
    """Return the description of `operations` as an OpenAPI 3.1 document."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    _, schemas = models_json_schema(sorted(_models(operations), key=str), ref_template=_TEMPLATE)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Trusted research environment",
            "version": version,
            "summary": "Differentially private answers to SQL questions, with a receipt for each",
        },
        "paths": paths,
        "components": {
            "schemas": schemas.get("$defs", {}),
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }


def _models(operations: tuple[Operation, ...]) -> Iterator[tuple[type[BaseModel], Mode]]:
    found: set[tuple[type[BaseModel], Mode]] = {(ProblemView, "serialization")}
    for operation in operations:
        if operation.body:
            found.add((operation.body, "validation"))
        found |= {(shape.model, "serialization") for shape in operation.replies.values() if shape.model}
    return iter(found)


def _operation(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "parameters": [
            *_path_parameters(operation),
            *_query_parameters(operation),
            *_header_parameters(operation),
        ],
        "responses": {
            **{str(status): _reply(shape) for status, shape in operation.replies.items()},
            **{str(status): _problem(status) for status in sorted(operation.problems)},
        },
        "security": {
            Access.TOKEN: [{"bearer": []}],
            Access.OPTIONAL: [{}, {"bearer": []}],
            Access.PUBLIC: [],
        }[operation.access],
    }
    if operation.body:
        described["requestBody"] = {"required": True, "content": {JSON: {"schema": _reference(operation.body)}}}
    return described


def _path_parameters(operation: Operation) -> Iterator[dict[str, Any]]:
    for name, pattern in operation.parameters.items():
        yield {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", "pattern": f"^{pattern.strip('^$')}$"},
        }


def _query_parameters(operation: Operation) -> Iterator[dict[str, Any]]:
    for name, parameter in operation.query.items():
        yield {
            "name": name,
            "in": "query",
            "description": parameter.description,
            "schema": dict(parameter.schema),
        }


def _header_parameters(operation: Operation) -> Iterator[dict[str, Any]]:
    for name, pattern in operation.headers.items():
        yield {"name": name, "in": "header", "schema": {"type": "string", "pattern": f"^{pattern.strip('^$')}$"}}


def _reply(shape: Shape) -> dict[str, Any]:
    plain: dict[str, Any] = {} if shape.media in (BYTES, ZIP) else {"type": "string"}
    schema = _reference(shape.model) if shape.model else {"type": "object"} if shape.media == JSON else plain
    described: dict[str, Any] = {"description": shape.description, "content": {shape.media: {"schema": schema}}}
    if shape.headers:
        described["headers"] = {name: _RESPONSE_HEADERS[name] for name in shape.headers}
    return described


def _problem(status: int) -> dict[str, Any]:
    return {"description": HTTPStatus(status).phrase, "content": {PROBLEM: {"schema": _reference(ProblemView)}}}


def _reference(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": _TEMPLATE.format(model=model.__name__)}
