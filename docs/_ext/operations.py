"""The page of the REST surface, from the OpenAPI description that the server itself gives."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, cast

from tre.identity import Principal
from tre.web import Service, create_app
from tre.web.operations.reviewing import reviewing
from tre.web.oversight import Oversight

HEAD = """# REST

A running server shows them at `/api/v1/docs`, where they can be tried: *Authorize* takes a token, which the page keeps
until it is left and shows in the commands that it writes. What is tried there is asked and paid like anything else.

The same facts for machines: `GET /api/v1/openapi.json` (OpenAPI 3.1), which needs no token. Bodies are JSON in UTF-8
and read strictly: a field that is not listed here, a name given twice, or `"1"` for a whole number is refused.
Refusals and failures are problem documents (RFC 9457, `application/problem+json`) with a stable `code`; see
[every refusal](refusals.md). Each answer carries its request's number in `X-Request-Id`.
"""


def description() -> dict[str, Any]:
    """Return the description as a server gives it. Nothing but that one address is asked, so no service is needed."""
    more = reviewing(cast(Oversight, None))
    client = create_app(cast(Service, None), _nobody, more=more).test_client()
    found: dict[str, Any] = json.loads(client.get("/api/v1/openapi.json").data)
    return found


def page() -> str:
    """Return the whole page: operations, then the objects that they take and give."""
    found = description()
    parts = [HEAD, "## Operations\n"]
    for path, methods in found["paths"].items():
        parts += [_operation(method, path, operation) for method, operation in methods.items()]
    parts.append("## Objects\n")
    parts += [_schema(name, schema) for name, schema in sorted(found["components"]["schemas"].items())]
    return "\n".join(parts)


def _nobody(token: str) -> Principal:
    raise LookupError("the description needs no token")


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> str:
    lines = [
        f"### `{method.upper()} {path}`",
        "",
        f"{operation['summary']}.",
        "",
        f"- {_access(operation['security'])}",
    ]
    lines += [_parameter(parameter) for parameter in operation["parameters"]]
    if "requestBody" in operation:
        lines.append(f"- body: {_content(operation['requestBody'])}")
    good = {status: reply for status, reply in operation["responses"].items() if status < "300"}
    lines += [f"- {status}: {reply['description']}, {_content(reply)}" for status, reply in good.items()]
    lines.append(f"- problems: {', '.join(status for status in operation['responses'] if status not in good)}")
    return "\n".join(lines) + "\n"


def _access(security: list[Mapping[str, Any]]) -> str:
    if not security:
        return "needs no token"
    return "takes a token and needs none" if {} in security else "needs a token: `Authorization: Bearer …`"


def _parameter(parameter: Mapping[str, Any]) -> str:
    where = {"header": "header", "path": "in the path", "query": "query parameter"}[parameter["in"]]
    about = f": {parameter['description']}" if "description" in parameter else ""
    return f"- {where}: `{parameter['name']}`, {_form(parameter['schema'])}{about}"


def _form(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return ", ".join(f"`{word}`" for word in schema["enum"])
    if schema["type"] == "integer":
        return f"a whole number, {schema['minimum']} to {schema['maximum']}"
    return f"matching `{schema['pattern']}`"


def _content(holder: Mapping[str, Any]) -> str:
    media, content = next(iter(holder["content"].items()))
    reference = content["schema"].get("$ref")
    return _link(reference) if reference else f"`{media}`"


def _link(reference: str) -> str:
    name = reference.rsplit("/", 1)[-1]
    return f"[{name}](#{name.lower()})"


def _schema(name: str, schema: Mapping[str, Any]) -> str:
    lines = [f"### {name}", "", schema.get("description", "").replace("\n", " "), ""]
    if "properties" in schema:
        lines += ["| field | type | |", "|---|---|---|"]
        lines += list(_fields(schema))
    return "\n".join(lines) + "\n"


def _fields(schema: Mapping[str, Any]) -> Iterator[str]:
    for name, field in schema["properties"].items():
        needed = "" if name in schema.get("required", ()) else "optional. "
        yield f"| `{name}` | {_type(field)} | {needed}{field.get('description', '')} |"


def _type(field: Mapping[str, Any]) -> str:
    if "$ref" in field:
        return _link(field["$ref"])
    if "anyOf" in field:
        return " or ".join(dict.fromkeys(_type(one) for one in field["anyOf"]))
    if "enum" in field or "const" in field:
        return ", ".join(f"`{value}`" for value in field.get("enum", [field.get("const")]))
    if field.get("type") == "array":
        items = field.get("items") or next(iter(field.get("prefixItems", ({},))))
        return f"list of {_type(items)}"
    if isinstance(field.get("additionalProperties"), dict):
        return f"object of {_type(field['additionalProperties'])}"
    return str(field.get("type", "any"))
