"""The form of one row of the table of functions, and what rows are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction

from tre.base.reasons import Refused
from tre.base.reasons import sql_text as reasons
from tre.catalogue import Interval, Kind, Type
from tre.sql.functions import intervals, usual
from tre.sql.functions.usual import with_usual
from tre.sql.plan import Call, Expression, Facts, Literal

Arguments = tuple[Expression, ...]
Typed = tuple[Arguments, Type]
Typing = Callable[[Arguments], Typed | None]
Rule = Callable[[Arguments, Type], Facts]
Rendering = Callable[[Call, tuple[str, ...]], str]

BOOLEAN, INTEGER, DOUBLE = Type(Kind.BOOLEAN), Type(Kind.INTEGER), Type(Kind.DOUBLE)
TEXT, DATE, TIMESTAMP = Type(Kind.TEXT), Type(Kind.DATE), Type(Kind.TIMESTAMP)
NUMBERS = frozenset({Kind.INTEGER, Kind.DECIMAL, Kind.DOUBLE})
MOMENTS = frozenset({Kind.DATE, Kind.TIMESTAMP})
MOST_DIGITS = 38
MOST_TEXT = 10_000
"""Most characters of a text that a function may make (PRIVACY §3.9)."""


@dataclass(frozen=True, slots=True)
class Function:
    """One function or operator.

    `typing` gives the arguments, coerced, and the type of the result, or None where they do not fit; `facts` what is
    known of the result; `duckdb` its total form for that engine, self-contained: it can stand anywhere. `spelled` are
    the names by which people call it, none for operators and for what the planner alone uses.
    """

    name: str
    summary: str
    expected: str
    typing: Typing
    facts: Rule
    duckdb: Rendering
    spelled: tuple[str, ...] = ()


def typed(function: Function, arguments: Arguments) -> Call:
    """Return the call, or raise Refused where the arguments do not fit."""
    found = function.typing(arguments)
    if found is None:
        types = ", ".join(str(one.type) for one in arguments)
        raise Refused.because(
            reasons.ARGUMENT_TYPES, function=function.name.upper(), types=types, expected=function.expected
        )
    coerced, type_ = found
    facts = function.facts(coerced, type_)
    return Call(function.name, coerced, type_, with_usual(facts, usual.of_call(function.name, coerced, type_)))


def is_null_literal(expression: Expression) -> bool:
    """Say whether `expression` is the word NULL."""
    return isinstance(expression, Literal) and expression.value is None


def kind(expression: Expression) -> Kind:
    """Return the kind of the value of `expression`."""
    return expression.type.kind


def all_of(arguments: Iterable[Expression], kinds: Iterable[Kind]) -> bool:
    """Say whether every argument is of one of `kinds`."""
    allowed = frozenset(kinds)
    return all(kind(one) in allowed for one in arguments)


def known(expression: Expression) -> Interval | None:
    """Return the declared interval of `expression`, its ends moved outward to doubles for doubles."""
    interval = expression.facts.interval
    if interval is not None and kind(expression) is Kind.DOUBLE:
        return intervals.outward(interval)
    return interval


def possible(expression: Expression) -> Interval:
    """Return the declared interval, or else every value that the type can hold."""
    found = known(expression) or intervals.limits(expression.type)
    if found is None:
        raise ValueError("only numbers and moments have an interval; this is a bug, report it")
    return found


def grid(expression: Expression) -> Fraction | None:
    """Return the grid of an exact value: the declared one or that of its type. Doubles have a declared one only."""
    declared = expression.facts.granularity
    if declared is not None:
        return declared
    if kind(expression) is Kind.INTEGER:
        return Fraction(1)
    return Fraction(1, 10**expression.type.scale) if kind(expression) is Kind.DECIMAL else None


def nullable(arguments: Iterable[Expression]) -> bool:
    """Say whether any argument may be NULL."""
    return any(one.facts.nullable for one in arguments)


def decimal(interval: Interval, scale: int, function: str) -> Type:
    """Return the decimal type that holds `interval` at `scale`, or refuse: overflow is excluded statically."""
    precision = max(intervals.digits(interval) + scale, 1)
    if precision > MOST_DIGITS:
        raise Refused.because(reasons.TOO_MANY_DIGITS, function=function, limit=str(MOST_DIGITS))
    return Type(Kind.DECIMAL, precision, scale)


def constant(expression: Expression, function: str, argument: str) -> Literal:
    """Return `expression` where it is a constant, or refuse."""
    if isinstance(expression, Literal) and expression.value is not None:
        return expression
    raise Refused.because(reasons.ARGUMENT_NOT_CONSTANT, function=function, argument=argument)


def whole_constant(expression: Expression, function: str, argument: str, low: int, high: int) -> int:
    """Return the whole number low…high that `expression` is, or refuse."""
    value = constant(expression, function, argument).value
    if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
        return value
    raise Refused.because(
        reasons.ARGUMENT_NOT_CONSTANT, function=function, argument=f"{argument} (a whole number {low} to {high})"
    )


TRUTH = (False, True)


def boolean(arguments: Arguments, _type: Type) -> Facts:
    """Return the facts of a boolean that is NULL only where an argument is."""
    return Facts(nullable=nullable(arguments), domain=TRUTH)
