"""Expressions of a plan as people write them, over the names of declared columns: to be read, never run."""

from __future__ import annotations

from tre.catalogue import Kind
from tre.sql.plan import Call, Case, Column, Exists, Expression, Literal, Parameter, Ref

_NUMBERS = (Kind.INTEGER, Kind.DECIMAL, Kind.DOUBLE)
_INFIX = frozenset({"=", "<>", "<", "<=", ">", ">=", "+", "-", "*", "/", "%", "||", "like"})
_SPOKEN = {"is_not_distinct": "IS NOT DISTINCT FROM", "is_distinct": "IS DISTINCT FROM", "like": "LIKE"}


def name_of(column: Column) -> str:
    """Return a column's declared name with its table's, or the name that it was given."""
    return column.name if column.origin is None else f"{column.origin.table}.{column.origin.column}"


def worded(expression: Expression) -> str:
    """Return `expression` as text; casts, which never change what a person means, are left out."""
    if isinstance(expression, Ref):
        return name_of(expression.column)
    if isinstance(expression, Literal):
        return _literal(expression)
    if isinstance(expression, Parameter):
        return f"${expression.name}"
    if isinstance(expression, Exists):
        return f"{'NOT ' * expression.negated}EXISTS (…)"
    if isinstance(expression, Case):
        branches = " ".join(f"WHEN {worded(when)} THEN {worded(then)}" for when, then in expression.branches)
        return f"CASE {branches} ELSE {worded(expression.otherwise)} END"
    return _call(expression)


def _literal(one: Literal) -> str:
    if one.value is None:
        return "NULL"
    if isinstance(one.value, bool):
        return str(one.value).upper()
    text = str(one.value)
    return text if one.type.kind in _NUMBERS else "'" + text.replace("'", "''") + "'"


def _call(one: Call) -> str:
    """Each argument is worded once: worded twice, a chain of operators takes time that doubles with each."""
    if one.function in ("and", "or"):
        return f" {one.function.upper()} ".join(_bracketed(part) for part in one.arguments)
    if one.function in _INFIX or one.function in _SPOKEN:
        sides = (_bracketed(part) for part in one.arguments)
        return f" {_SPOKEN.get(one.function, one.function)} ".join(sides)
    if one.function == "cast":
        return worded(one.arguments[0])
    if one.function == "not":
        return f"NOT ({worded(one.arguments[0])})"
    if one.function == "is_null":
        return f"{_bracketed(one.arguments[0])} IS NULL"
    if one.function == "in":
        return f"{_bracketed(one.arguments[0])} IN ({', '.join(map(worded, one.arguments[1:]))})"
    return f"{one.function.upper()}({', '.join(map(worded, one.arguments))})"


def _bracketed(part: Expression) -> str:
    """A part that is itself of several parts stands in brackets: no precedence is ever relied on."""
    while isinstance(part, Call) and part.function == "cast":
        part = part.arguments[0]
    several = isinstance(part, Call) and (part.function in _INFIX or part.function in ("and", "or", *_SPOKEN))
    return f"({worded(part)})" if several else worded(part)
