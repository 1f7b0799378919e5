"""From the text of an expression to its meaning, as the binder does it, and to its value on the real engine."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from sqlglot import exp

from tests.sql.expressions import nasty
from tests.sql.expressions.engines import kept
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


def value(text: str, dialect: str = "postgres", engine: str = "duckdb") -> object:
    """Return the value of a constant expression on an engine, its facts held to it."""
    expression = meaning(text, dialect)
    ((found,),) = kept(engine).execute(f"SELECT {nasty.text(expression, engine)}")
    nasty.check(expression, found)
    return found
