"""SQL text of onboarding. Names and texts enter it through `name` and `literal` alone."""

from __future__ import annotations

from collections.abc import Iterable

from tre.catalogue import Kind, Type

_TYPES = {
    Kind.BOOLEAN: "BOOLEAN",
    Kind.INTEGER: "BIGINT",
    Kind.DOUBLE: "DOUBLE",
    Kind.TEXT: "VARCHAR",
    Kind.DATE: "DATE",
    Kind.TIMESTAMP: "TIMESTAMP",
}


def name(*parts: str) -> str:
    """Return a quoted, possibly qualified identifier; ValueError for what no identifier can be."""
    if any(not part or "\0" in part for part in parts):
        raise ValueError("an identifier is never empty and holds no NUL")
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)


def names(parts: Iterable[str], relation: str = "") -> str:
    """Return a comma-separated list of quoted columns, of `relation` where one is named."""
    return ", ".join(name(relation, part) if relation else name(part) for part in parts)


def literal(text: str) -> str:
    """Return a quoted text, for the few settings and functions that take no parameter."""
    if "\0" in text:
        raise ValueError("a text holds no NUL")
    return "'" + text.replace("'", "''") + "'"


def type_name(declared: Type) -> str:
    """Return DuckDB's name of a declared type."""
    if declared.kind is Kind.DECIMAL:
        return f"DECIMAL({declared.precision}, {declared.scale})"
    return _TYPES[declared.kind]
