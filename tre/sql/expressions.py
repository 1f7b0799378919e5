"""Expressions as text for an engine; every part is self-contained, so that no precedence is ever relied on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from tre.sql.functions import REGISTRY, rendering
from tre.sql.functions.form import Function, Rendering
from tre.sql.plan import Call, Case, Column, Exists, Expression, Literal, Parameter, Ref

NameOf = Callable[[Column], str]
RenderExists = Callable[[Exists], str]

_ENGINES: Mapping[str, Callable[[Function], Rendering]] = MappingProxyType({"duckdb": lambda row: row.duckdb})
"""Which column of the table of functions an engine's text is taken from."""


def render_expression(expression: Expression, name_of: NameOf, exists: RenderExists, dialect: str = "duckdb") -> str:
    """Return `expression` as text: `name_of` names a column, `exists` renders a subquery, parameters are `$name`."""
    if isinstance(expression, Ref):
        return name_of(expression.column)
    if isinstance(expression, Literal):
        return rendering.literal(expression)
    if isinstance(expression, Parameter):
        return rendering.cast(f"${expression.name}", expression.type)
    if isinstance(expression, Exists):
        return exists(expression)
    if isinstance(expression, Case):
        return _case(expression, name_of, exists, dialect)
    return _call(expression, name_of, exists, dialect)


def _call(expression: Call, name_of: NameOf, exists: RenderExists, dialect: str) -> str:
    texts = tuple(render_expression(one, name_of, exists, dialect) for one in expression.arguments)
    return _ENGINES[dialect](REGISTRY[expression.function])(expression, texts)


def _case(expression: Case, name_of: NameOf, exists: RenderExists, dialect: str) -> str:
    def text(one: Expression) -> str:
        return render_expression(one, name_of, exists, dialect)

    branches = " ".join(f"WHEN {text(condition)} THEN {text(result)}" for condition, result in expression.branches)
    return f"(CASE {branches} ELSE {text(expression.otherwise)} END)"
