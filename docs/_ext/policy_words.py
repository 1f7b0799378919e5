"""The page of the policy document, from its JSON Schema."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tre.policy.schema import policy_schema

HEAD = """# The policy document

Every key that a policy may hold, from `policies/policy.schema.json`, which editors use too. What the words mean and how
to choose is in [Write a policy](../howto/write-a-policy.md). A key that is not listed here is refused.
"""


def page() -> str:
    """Return the whole page: the document, then its parts by name."""
    schema = json.loads(policy_schema())
    parts = [HEAD, _part("The document", schema)]
    parts += [_part(name, part) for name, part in sorted(schema["$defs"].items())]
    return "\n".join(parts)


def _part(name: str, schema: Mapping[str, Any]) -> str:
    full = next((one for one in schema.get("anyOf", ()) if "properties" in one), schema)
    short = " A single word may stand for it." if full is not schema else ""
    text = schema.get("description", "").replace("\n", " ")
    return (
        "\n".join([f"## {name}", "", f"{text}{short}", "", "| key | value | |", "|---|---|---|", *_keys(full)]) + "\n"
    )


def _keys(schema: Mapping[str, Any]) -> Iterator[str]:
    for key, value in schema.get("properties", {}).items():
        needed = "required. " if key in schema.get("required", ()) else ""
        yield f"| `{key}` | {_value(value)} | {needed}{_note(value)} |"


def _note(value: Mapping[str, Any]) -> str:
    default = value.get("default")
    said = "" if default in (None, [], {}, False) or "pattern" in value else f" Default: {default}."
    return f"{value.get('description', '')}{said}"


def _value(value: Mapping[str, Any]) -> str:
    if "$ref" in value:
        name = value["$ref"].rsplit("/", 1)[-1]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in value:
        return " or ".join(dict.fromkeys(_value(one) for one in value["anyOf"] if one.get("type") != "null"))
    if "enum" in value:
        return ", ".join(f"`{word}`" for word in value["enum"])
    if "pattern" in value:
        return "text of the form `" + value["pattern"].replace("|", "\\|") + "`"
    return _plain(value)


def _plain(value: Mapping[str, Any]) -> str:
    kind = value.get("type", "any")
    if kind == "array":
        return f"list of {_value(value.get('items', {}))}"
    for inner in (value.get("additionalProperties"), *value.get("patternProperties", {}).values()):
        if isinstance(inner, dict):
            return f"names with {_value(inner)}"
    if isinstance(kind, list):
        return " or ".join(kind)
    return {"string": "text", "object": "names with values", "boolean": "true or false"}.get(kind, kind)
