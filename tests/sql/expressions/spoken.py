"""From the text of an expression to its meaning, as the binder does it, and to its value on the real engine."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import duckdb
from sqlglot import exp

from tests.sql.expressions import nasty
from tre.sql import functions
from tre.sql.parse import Parsed, parse
from tre.sql.plan import Expression

TODAY = date(2024, 2, 29)


def meaning(text: str, dialect: str = "postgres", **columns: Expression) -> Expression:
    """Return the bound expression of `text`, over `columns` by name."""
    parsed = parse(f"SELECT {text}", dialect)
    return _bound(parsed.tree.expressions[0], parsed, columns.__getitem__)


def _bound(node: Any, parsed: Parsed, column: Callable[[str], Expression]) -> Expression:
    if isinstance(node, exp.Column):
        return column(node.name)
    arguments = [_bound(one, parsed, column) for one in functions.operands(node)]
    return functions.bind_node(node, arguments, parsed, TODAY)


def value(text: str, dialect: str = "postgres") -> object:
    """Return the value of a constant expression on the engine, its facts held to it."""
    expression = meaning(text, dialect)
    with duckdb.connect() as made:
        (found,) = made.execute(f"SELECT {nasty.text(expression)}").fetchall()[0]
    nasty.check(expression, found)
    return found
