"""Expressions as text for an engine; every part is self-contained, so that no precedence is ever relied on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from tre.catalogue import Type
from tre.sql.functions import REGISTRY, postgres, rendering
from tre.sql.functions.form import Function, Rendering
from tre.sql.plan import Call, Case, Column, Exists, Expression, Literal, Parameter, Ref

NameOf = Callable[[Column], str]
RenderExists = Callable[[Exists], str]


@dataclass(frozen=True, slots=True)
class _Spoken:
    """How an engine writes constants, casts that cannot fail, and functions."""

    literal: Callable[[Literal], str]
    cast: Callable[[str, Type], str]
    function: Callable[[Function], Rendering]


_DUCKDB = _Spoken(rendering.literal, rendering.cast, lambda row: row.duckdb)
_POSTGRES = _Spoken(postgres.literal, postgres.cast, lambda row: postgres.FORMS.get(row.name, row.duckdb))
_ENGINES: Mapping[str, _Spoken] = MappingProxyType({"duckdb": _DUCKDB, "postgres": _POSTGRES})


def render_expression(expression: Expression, name_of: NameOf, exists: RenderExists, dialect: str = "duckdb") -> str:
    """Return `expression` as text: `name_of` names a column, `exists` renders a subquery, parameters are `$name`."""
    if isinstance(expression, Ref):
        return name_of(expression.column)
    if isinstance(expression, Literal):
        return _ENGINES[dialect].literal(expression)
    if isinstance(expression, Parameter):
        return _ENGINES[dialect].cast(f"${expression.name}", expression.type)
    if isinstance(expression, Exists):
        return exists(expression)
    if isinstance(expression, Case):
        return _case(expression, name_of, exists, dialect)
    return _call(expression, name_of, exists, dialect)


def _call(expression: Call, name_of: NameOf, exists: RenderExists, dialect: str) -> str:
    texts = tuple(render_expression(one, name_of, exists, dialect) for one in expression.arguments)
    return _ENGINES[dialect].function(REGISTRY[expression.function])(expression, texts)


def _case(expression: Case, name_of: NameOf, exists: RenderExists, dialect: str) -> str:
    def text(one: Expression) -> str:
        return render_expression(one, name_of, exists, dialect)

    branches = " ".join(f"WHEN {text(condition)} THEN {text(result)}" for condition, result in expression.branches)
    return f"(CASE {branches} ELSE {text(expression.otherwise)} END)"
