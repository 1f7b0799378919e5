"""Comparisons and logic in SQL's three values; text is compared by code point, as in PostgreSQL's C locale."""

from __future__ import annotations

from collections.abc import Callable

from tre.catalogue import Kind, Type
from tre.sql.functions.casts import common, promoted
from tre.sql.functions.constants import literal
from tre.sql.functions.form import (
    BOOLEAN,
    TRUTH,
    Arguments,
    Function,
    Rendering,
    Typed,
    Typing,
    boolean,
    is_null_literal,
    kind,
    typed,
)
from tre.sql.plan import Call, Expression, Facts, Literal


def comparable(function: str, fewest: int, most: int) -> Typing:
    """Type a comparison of `fewest`…`most` values in their common type."""

    def typing(arguments: Arguments) -> Typed | None:
        if not fewest <= len(arguments) <= most:
            return None
        found = common(arguments, function)
        return None if found is None else (tuple(promoted(one, found) for one in arguments), BOOLEAN)

    return typing


def _logical(fewest: int, most: int) -> Typing:
    def typing(arguments: Arguments) -> Typed | None:
        found = tuple(promoted(one, BOOLEAN) if is_null_literal(one) else one for one in arguments)
        if not fewest <= len(found) <= most or any(kind(one) is not Kind.BOOLEAN for one in found):
            return None
        return found, BOOLEAN

    return typing


def _anything(arguments: Arguments) -> Typed | None:
    return (arguments, BOOLEAN) if len(arguments) == 1 else None


def _never_null(_arguments: Arguments, _type: Type) -> Facts:
    return Facts(nullable=False, domain=TRUTH)


def _between_texts(word: str) -> Rendering:
    def duckdb(_call: Call, texts: tuple[str, ...]) -> str:
        return "(" + f" {word} ".join(texts) + ")"

    return duckdb


def _comparison(name: str, facts: Callable[[Arguments, Type], Facts] = boolean, word: str = "") -> Function:
    return Function(
        name,
        f"a {word or name} b".upper() if word else f"a {name} b",
        "two values of one type",
        comparable(name, 2, 2),
        facts,
        _between_texts(word or name),
    )


def true() -> Literal:
    """Return TRUE."""
    return literal(True)


def conjunction(*conditions: Expression) -> Expression:
    """Return AND over `conditions`, flat and without TRUE; TRUE where nothing is left."""
    terms: list[Expression] = []
    for one in conditions:
        nested = one.arguments if isinstance(one, Call) and one.function == AND.name else (one,)
        terms += [term for term in nested if not (isinstance(term, Literal) and term.value is True)]
    if len(terms) < 2:
        return terms[0] if terms else true()
    return typed(AND, tuple(terms))


_MANY = 10_000
AND = Function("and", "a AND b", "conditions", _logical(1, _MANY), boolean, _between_texts("AND"))
EQUAL = _comparison("=")
FUNCTIONS = (
    EQUAL,
    _comparison("<>"),
    _comparison("<"),
    _comparison("<="),
    _comparison(">"),
    _comparison(">="),
    _comparison("is_distinct", _never_null, "is distinct from"),
    _comparison("is_not_distinct", _never_null, "is not distinct from"),
    AND,
    Function("or", "a OR b", "conditions", _logical(1, _MANY), boolean, _between_texts("OR")),
    Function("not", "NOT a", "a condition", _logical(1, 1), boolean, lambda _, texts: f"(NOT {texts[0]})"),
    Function("is_null", "a IS NULL", "a value", _anything, _never_null, lambda _, texts: f"({texts[0]} IS NULL)"),
    Function(
        "between",
        "a BETWEEN b AND c",
        "three values of one type",
        comparable("between", 3, 3),
        boolean,
        lambda _, texts: f"({texts[0]} BETWEEN {texts[1]} AND {texts[2]})",
    ),
    Function(
        "in",
        "a IN (b, c, …): NULL where nothing is equal and some comparison is unknown.",
        "values of one type",
        comparable("in", 2, _MANY),
        boolean,
        lambda _, texts: f"({texts[0]} IN ({', '.join(texts[1:])}))",
    ),
)
