"""+ − * / % and signs. Whole numbers stay whole and truncate on division; a result that does not fit is NULL."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from tre.catalogue import Interval, Kind, Type
from tre.sql.functions import intervals, rendering
from tre.sql.functions.casts import CAST, common, promoted
from tre.sql.functions.form import (
    DOUBLE,
    INTEGER,
    MOST_DIGITS,
    NUMBERS,
    Arguments,
    Function,
    Typed,
    Typing,
    all_of,
    decimal,
    grid,
    kind,
    known,
    nullable,
    possible,
)
from tre.sql.plan import Call, Expression, Facts

Combine = Callable[[Interval, Interval], Interval]
_HUGE = "HUGEINT"


def numbers(arguments: Arguments, function: str, count: int = 2) -> Arguments | None:
    """Return `count` numbers: NULL and constant text take the type of the others."""
    if len(arguments) != count:
        return None
    found = common(arguments, function)
    if found is None or found.kind not in NUMBERS:
        return None
    return tuple(one if kind(one) in NUMBERS else promoted(one, found) for one in arguments)


def _promoted_numbers(arguments: Arguments, function: str) -> Arguments | None:
    """Return two numbers, both doubles if one is."""
    found = numbers(arguments, function)
    if found and not all_of(found, {Kind.INTEGER, Kind.DECIMAL}):
        return tuple(promoted(one, DOUBLE) for one in found)
    return found


def _combining(name: str, combine: Combine, scale: Callable[[int, int], int]) -> Typing:
    """Type + − * and %: the decimal that holds operands and result, so that nothing overflows on the way."""

    def typing(arguments: Arguments) -> Typed | None:
        found = _promoted_numbers(arguments, name)
        if found is None:
            return None
        one, other = found
        if kind(one) is Kind.DOUBLE:
            return None if name == "%" else (found, DOUBLE)
        if one.type.kind is Kind.INTEGER and other.type.kind is Kind.INTEGER:
            return found, INTEGER
        around = intervals.hull((combine(possible(one), possible(other)), possible(one), possible(other)))
        return found, decimal(around, scale(one.type.scale, other.type.scale), name)

    return typing


def fitted(exact: Interval, arguments: Arguments, type_: Type, step: Fraction | None) -> Facts:
    """Return the facts of a result with values `exact`, NULL where `type_` cannot hold them."""
    declared = all(known(one) is not None for one in arguments)
    room = intervals.limits(type_)
    if room is None:
        raise ValueError("only numbers are fitted; this is a bug, report it")
    exact = intervals.outward(exact) if type_.kind is Kind.DOUBLE else exact
    fits = intervals.inside(exact, room) and (type_.kind is not Kind.DOUBLE or exact.magnitude < room.high)
    return Facts(nullable(arguments) or not fits, intervals.clip(exact, room) if declared else None, step)


def _sum(combine: Combine) -> Callable[[Arguments, Type], Facts]:
    def facts(arguments: Arguments, type_: Type) -> Facts:
        exact = combine(possible(arguments[0]), possible(arguments[1]))
        return fitted(exact, arguments, type_, intervals.common_grid(grid(one) for one in arguments))

    return facts


def _product(arguments: Arguments, type_: Type) -> Facts:
    steps = [grid(one) for one in arguments]
    step = steps[0] * steps[1] if steps[0] and steps[1] and type_.kind is not Kind.DOUBLE else None
    return fitted(intervals.multiply(possible(arguments[0]), possible(arguments[1])), arguments, type_, step)


def _operation(operator: str) -> Callable[[Call, tuple[str, ...]], str]:
    """Compute where nothing can overflow: in 64 bits if that is proven, else in 128, or in decimals or doubles."""

    def duckdb(call: Call, texts: tuple[str, ...]) -> str:
        one, other = texts
        if call.type.kind is Kind.DOUBLE:
            text = f"({one} {operator} {other})"
            return rendering.finite(text) if may_overflow(call) else text
        if call.type.kind is Kind.DECIMAL:
            return _in_decimals(call, texts, operator)
        if may_overflow(call):
            return rendering.try_cast(f"CAST({one} AS {_HUGE}) {operator} CAST({other} AS {_HUGE})", INTEGER)
        return f"({one} {operator} {other})"

    return duckdb


def may_overflow(call: Call) -> bool:
    """Say whether nothing proves that a sum, difference or product fits its type."""
    return call.facts.nullable and not _proven(call)


def _proven(call: Call) -> bool:
    combine = {"+": intervals.add, "-": intervals.subtract, "*": intervals.multiply}[call.function]
    exact = combine(possible(call.arguments[0]), possible(call.arguments[1]))
    room = intervals.limits(call.type)
    return room is not None and intervals.inside(exact, room) and exact.magnitude < room.magnitude


def _in_decimals(call: Call, texts: tuple[str, ...], operator: str) -> str:
    """Widen the operands first: the engine keeps 18 digits for operands of 18, and raises beyond them."""
    one, other = texts
    left, right = (argument.type for argument in call.arguments)
    if operator == "*":
        if call.type.precision > 18:
            one = rendering.cast(one, Type(Kind.DECIMAL, MOST_DIGITS, left.scale))
        return rendering.cast(f"{one} * {rendering.cast(other, _as_decimal(right))}", call.type)
    return rendering.cast(f"{rendering.cast(one, call.type)} {operator} {rendering.cast(other, call.type)}", call.type)


def _as_decimal(type_: Type) -> Type:
    return Type(Kind.DECIMAL, 19, 0) if type_.kind is Kind.INTEGER else type_


# --- division and remainder -------------------------------------------------------------------------------


def not_zero(text: str, zero: bool) -> str:
    """Return `text`, NULL where it is zero, if it can be."""
    return rendering.when(text, "{} <> 0") if zero else text


def _quotient_typing(arguments: Arguments) -> Typed | None:
    found = numbers(arguments, "/")
    if found is None:
        return None
    if all_of(found, {Kind.INTEGER}):
        return found, INTEGER
    return tuple(promoted(one, DOUBLE) for one in found), DOUBLE


def _quotient(arguments: Arguments, type_: Type) -> Facts:
    one, other = (possible(argument) for argument in arguments)
    whole = type_.kind is Kind.INTEGER
    step = Fraction(1) if whole else None
    if not intervals.holds_zero(other):
        exact = intervals.divide(one, other)
        return fitted(intervals.toward_zero(exact) if whole else exact, arguments, type_, step)
    by_whole = whole or _whole(arguments[1])
    interval = intervals.clip(_spread(one), intervals.INT64 if whole else _spread(one)) if known(arguments[0]) else None
    return Facts(True, interval if by_whole else None, step)


def _whole(one: Expression) -> bool:
    """Say whether a divisor is a whole number, also where it stands as a double: no other but zero is below one."""
    inner = one.arguments[0] if isinstance(one, Call) and one.function == CAST else one
    return kind(inner) is Kind.INTEGER


def _spread(one: Interval) -> Interval:
    """Dividing by a whole number other than zero cannot enlarge, but may turn the sign."""
    return Interval(-one.magnitude, one.magnitude)


def _divide(call: Call, texts: tuple[str, ...]) -> str:
    one, other = (possible(argument) for argument in call.arguments)
    zero = intervals.holds_zero(other)
    divisor = not_zero(texts[1], zero)
    if call.type.kind is Kind.DOUBLE:
        return rendering.finite(f"({texts[0]} / {divisor})")
    if may_turn(one, other):
        turned = f"TRY_CAST(-CAST({{}} AS {_HUGE}) AS BIGINT)"
        return _whole_division(texts, turned, "//")
    return f"({texts[0]} // {divisor})"


def may_turn(one: Interval, other: Interval) -> bool:
    """Say whether −2⁶³ may meet −1: in 64 bits that fails; 128 bits would be ten times slower for every value."""
    return one.low == intervals.INT64.low and other.low <= -1 <= other.high


def _whole_division(texts: tuple[str, ...], turned: str, operator: str) -> str:
    return rendering.let_two(
        texts[0],
        texts[1],
        lambda a, b: f"CASE WHEN {b} = -1 THEN {turned.format(a)} WHEN {b} <> 0 THEN {a} {operator} {b} END",
    )


def _remainder(arguments: Arguments, type_: Type) -> Facts:
    one, other = (possible(argument) for argument in arguments)
    step = intervals.common_grid(grid(argument) for argument in arguments)
    found = fitted(intervals.remainder(one, other), arguments, type_, step)
    return Facts(found.nullable or intervals.holds_zero(other), found.interval, step)


def _modulo(call: Call, texts: tuple[str, ...]) -> str:
    dividend, divisor = (possible(argument) for argument in call.arguments)
    if call.type.kind is Kind.INTEGER and may_turn(dividend, divisor):
        return _whole_division(texts, "{} * 0", "%")
    other = not_zero(texts[1], intervals.holds_zero(divisor))
    if call.type.kind is Kind.DECIMAL:
        return _in_decimals(call, (texts[0], other), "%")
    return f"({texts[0]} % {other})"


# --- signs ------------------------------------------------------------------------------------------------


def _same(arguments: Arguments) -> Typed | None:
    found = numbers(arguments, "sign", 1)
    return (found, found[0].type) if found else None


def _negated(arguments: Arguments, type_: Type) -> Facts:
    return fitted(intervals.negate(possible(arguments[0])), arguments, type_, grid(arguments[0]))


def _absolute(arguments: Arguments, type_: Type) -> Facts:
    return fitted(intervals.absolute(possible(arguments[0])), arguments, type_, grid(arguments[0]))


def _signed(form: str) -> Callable[[Call, tuple[str, ...]], str]:
    def duckdb(call: Call, texts: tuple[str, ...]) -> str:
        if call.type.kind is Kind.INTEGER and possible(call.arguments[0]).low == intervals.INT64.low:
            return rendering.try_cast(form.format(f"CAST({texts[0]} AS {_HUGE})"), INTEGER)
        return form.format(texts[0])

    return duckdb


def _sign_typing(arguments: Arguments) -> Typed | None:
    found = numbers(arguments, "sign", 1)
    return (found, INTEGER) if found else None


def _sign(arguments: Arguments, _type: Type) -> Facts:
    one = possible(arguments[0])
    signs = tuple(
        value
        for value in (-1, 0, 1)
        if (value < 0 and one.low < 0) or (value > 0 and one.high > 0) or (value == 0 and intervals.holds_zero(one))
    )
    around = Interval(Fraction(signs[0]), Fraction(signs[-1]))
    return Facts(arguments[0].facts.nullable, around, Fraction(1), signs)


_TWO = "two numbers"
FUNCTIONS = (
    Function("+", "a + b", _TWO, _combining("+", intervals.add, max), _sum(intervals.add), _operation("+")),
    Function("-", "a - b", _TWO, _combining("-", intervals.subtract, max), _sum(intervals.subtract), _operation("-")),
    Function(
        "*",
        "a * b",
        _TWO,
        _combining("*", intervals.multiply, lambda one, other: one + other),
        _product,
        _operation("*"),
    ),
    Function(
        "/",
        "a / b: whole numbers truncate, other numbers divide as doubles; NULL where b is zero.",
        _TWO,
        _quotient_typing,
        _quotient,
        _divide,
    ),
    Function(
        "%",
        "a % b or MOD(a, b), with the sign of a, of whole numbers and decimals; NULL where b is zero.",
        "two whole numbers or decimals",
        _combining("%", intervals.remainder, max),
        _remainder,
        _modulo,
        ("MOD",),
    ),
    Function("negate", "-a", "a number", _same, _negated, _signed("(-{})")),
    Function("abs", "ABS(a)", "a number", _same, _absolute, _signed("abs({})"), ("ABS",)),
    Function(
        "sign",
        "SIGN(a): -1, 0 or 1 as a whole number.",
        "a number",
        _sign_typing,
        _sign,
        lambda _, texts: f"CAST(sign({texts[0]}) AS BIGINT)",
        ("SIGN",),
    ),
)
