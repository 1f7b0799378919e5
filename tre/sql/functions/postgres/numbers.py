"""Arithmetic. PostgreSQL raises where doubles overflow and where a product becomes zero; whole numbers raise too."""

from __future__ import annotations

from collections.abc import Callable

from tre.catalogue import Kind
from tre.sql.functions.arithmetic import may_overflow, may_turn
from tre.sql.functions.form import Rendering, possible
from tre.sql.functions.intervals import INT64, holds_zero
from tre.sql.functions.numeric import places
from tre.sql.functions.postgres.pieces import LARGEST, NUMERIC, cast, finite, let, when, whole
from tre.sql.plan import Call, Expression

_HALF, _ROOM = 8.9e307, 2.0**1023
_NULLS = "WHEN {} IS NULL THEN NULL WHEN {} IS NULL THEN NULL"


def sum_of(operator: str) -> Rendering:
    """Return + or −."""

    def postgres(call: Call, texts: tuple[str, ...]) -> str:
        plain = f"({texts[0]} {operator} {texts[1]})"
        if call.type.kind is Kind.DECIMAL:
            return cast(plain, call.type)
        if not may_overflow(call):
            return plain
        if call.type.kind is Kind.INTEGER:
            return whole(f"CAST({texts[0]} AS {NUMERIC}) {operator} CAST({texts[1]} AS {NUMERIC})")
        return let(lambda a, b: _doubles(operator, a, b), *texts)

    return postgres


def _doubles(operator: str, a: str, b: str) -> str:
    """The sum of halves is half the sum, exactly; what is below 1e200 is less than half a last place of the other."""
    halves = [f"CASE WHEN abs({v}) < 1e200 THEN 0 ELSE {v} * 0.5 END" for v in (a, b)]
    return (
        f"CASE WHEN abs({a}) > {_HALF!r} THEN {_checked(operator, a, b, halves)} "
        f"WHEN abs({b}) > {_HALF!r} THEN {_checked(operator, a, b, halves)} ELSE {a} {operator} {b} END"
    )


def _checked(operator: str, a: str, b: str, halves: list[str]) -> str:
    return f"CASE WHEN abs(({halves[0]}) {operator} ({halves[1]})) < {_ROOM!r} THEN {a} {operator} {b} END"


def product(call: Call, texts: tuple[str, ...]) -> str:
    """Return a · b."""
    plain = f"({texts[0]} * {texts[1]})"
    if call.type.kind is Kind.DECIMAL:
        return cast(plain, call.type)
    if call.type.kind is Kind.INTEGER:
        wide = f"CAST({texts[0]} AS {NUMERIC}) * CAST({texts[1]} AS {NUMERIC})"
        return whole(wide) if may_overflow(call) else plain
    if not may_overflow(call) and any(_never_small(one) for one in call.arguments):
        return plain
    return times(*texts)


def _never_small(one: Expression) -> bool:
    return possible(one).low >= 1 or possible(one).high <= -1


def times(one: str, other: str) -> str:
    """Return the product of two doubles: NULL where it overflows, zero where it is too small for any other double.

    Scaled by powers of two the product is exact to the same digits, so that the comparison is that of the product.
    """

    def body(a: str, b: str) -> str:
        smaller, larger = (f"{one}(abs({a}), abs({b}))" for one in ("least", "greatest"))
        below = f"abs(({a} * {2.0**-512!r}) * ({b} * {2.0**-512!r})) < 1"
        tiny = f"abs(({a} * {2.0**511!r}) * ({b} * {2.0**511!r})) <= {2.0**-53!r}"
        return (
            f"CASE {_NULLS.format(a, b)} WHEN {a} = 0 THEN {a} * {b} WHEN {b} = 0 THEN {a} * {b} "
            f"WHEN {smaller} > 1 THEN CASE WHEN {below} THEN {a} * {b} END WHEN {larger} > 1 THEN {a} * {b} "
            f"WHEN {larger} < {2.0**-600!r} THEN 0 WHEN {tiny} THEN 0 ELSE {a} * {b} END"
        )

    return let(body, one, other)


def over(one: str, other: str) -> str:
    """Return the quotient of two doubles: NULL where it is none or overflows, zero where it is too small."""
    return let(
        lambda a, b: (
            f"CASE WHEN {b} = 0 THEN NULL "
            f"WHEN abs({b}) < 1 THEN CASE WHEN abs({a}) <= {LARGEST} * abs({b}) THEN {a} / {b} END "
            f"WHEN {a} = 0 THEN {a} / {b} WHEN abs({a}) >= 1 THEN {a} / {b} "
            f"WHEN abs({a}) * {2.0**1000!r} <= abs({b}) * {2.0**-75!r} THEN 0 ELSE {a} / {b} END"
        ),
        one,
        other,
    )


def quotient(call: Call, texts: tuple[str, ...]) -> str:
    """Return a / b: whole numbers truncate."""
    one, other = (possible(argument) for argument in call.arguments)
    if call.type.kind is Kind.DOUBLE:
        return finite(over(*texts))
    if may_turn(one, other):
        return _turning(texts, lambda a: whole(f"-CAST({a} AS {NUMERIC})"), "/")
    return f"({texts[0]} / {_not_zero(call, texts[1])})"


def remainder(call: Call, texts: tuple[str, ...]) -> str:
    """Return a % b."""
    one, other = (possible(argument) for argument in call.arguments)
    if call.type.kind is Kind.INTEGER and may_turn(one, other):
        return _turning(texts, lambda a: f"{a} * 0", "%")
    found = f"({texts[0]} % {_not_zero(call, texts[1])})"
    return cast(found, call.type) if call.type.kind is Kind.DECIMAL else found


def _not_zero(call: Call, text: str) -> str:
    return when(text, "{} <> 0") if holds_zero(possible(call.arguments[1])) else text


def _turning(texts: tuple[str, ...], turned: Callable[[str], str], operator: str) -> str:
    return let(lambda a, b: f"CASE WHEN {b} = -1 THEN {turned(a)} WHEN {b} <> 0 THEN {a} {operator} {b} END", *texts)


def signed(form: str) -> Rendering:
    """Return −a or |a|."""

    def postgres(call: Call, texts: tuple[str, ...]) -> str:
        if call.type.kind is Kind.INTEGER and possible(call.arguments[0]).low == INT64.low:
            return whole(form.format(f"CAST({texts[0]} AS {NUMERIC})"))
        found = form.format(texts[0])
        return cast(found, call.type) if call.type.kind is Kind.DECIMAL else found

    return postgres


# --- rounding, roots, powers ------------------------------------------------------------------------------


def rounded(call: Call, texts: tuple[str, ...]) -> str:
    """Return ROUND: PostgreSQL's own rounds exact numbers away from zero and doubles to even."""
    if call.type.kind is Kind.INTEGER:
        return texts[0]
    if call.type.kind is Kind.DECIMAL:
        return cast(f"round({texts[0]}, {call.type.scale})", call.type)
    step = places(call.arguments)
    if not step:
        return f"round({texts[0]})"
    most = float(LARGEST) / 10**step
    return let(lambda v: f"CASE WHEN abs({v}) < {most!r} THEN round({v} * 1e{step}) / 1e{step} END", texts[0])


def exponential(_call: Call, texts: tuple[str, ...]) -> str:
    """The ends are the doubles at which the result becomes infinite and zero."""
    return let(
        lambda v: f"CASE WHEN {v} > 709.782712893384 THEN NULL WHEN {v} < -745.13 THEN 0 ELSE exp({v}) END", texts[0]
    )


def power(_call: Call, texts: tuple[str, ...]) -> str:
    """The size of the result is known from b · ln|a| before it is computed."""

    def body(a: str, b: str) -> str:
        size = f"{b} * ln(abs({a}))"
        fits = (
            f"CASE WHEN {size} > 709.7 THEN NULL WHEN {size} < -700 THEN 0 "
            f"WHEN abs(power({a}, {b})) < 1e-300 THEN 0 WHEN abs(power({a}, {b})) <= 1e308 THEN power({a}, {b}) END"
        )
        grows = f"({b} > 0) = (abs({a}) > 1)"
        far = f"CASE WHEN abs({a}) = 1 THEN 1 WHEN {grows} THEN NULL ELSE 0 END"
        real = f"CASE WHEN abs({b}) > 1e20 THEN {far} WHEN abs({b}) < 1e-280 THEN 1 ELSE {fits} END"
        return (
            f"CASE {_NULLS.format(a, b)} WHEN abs({a}) > {LARGEST} THEN NULL WHEN abs({b}) > {LARGEST} THEN NULL "
            f"WHEN {b} = 0 THEN 1 WHEN {a} = 0 THEN CASE WHEN {b} > 0 THEN 0 END "
            f"WHEN {a} > 0 THEN {real} WHEN {b} = floor({b}) THEN {real} END"
        )

    return let(body, *texts)


FORMS: dict[str, Rendering] = {
    "+": sum_of("+"),
    "-": sum_of("-"),
    "*": product,
    "/": quotient,
    "%": remainder,
    "negate": signed("(-{})"),
    "abs": signed("abs({})"),
    "round": rounded,
    "sqrt": lambda _, texts: f"sqrt({when(texts[0], '{} >= 0')})",
    "ln": lambda _, texts: f"ln({when(texts[0], '{} > 0')})",
    "log10": lambda _, texts: f"log10({when(texts[0], '{} > 0')})",
    "exp": exponential,
    "power": power,
}
