"""Rounding, roots, logarithms and powers. Decimals round half away from zero, doubles half to even."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

from tre.catalogue import Interval, Kind, Type
from tre.sql.functions import intervals, rendering
from tre.sql.functions.arithmetic import numbers
from tre.sql.functions.casts import promoted
from tre.sql.functions.form import (
    DOUBLE,
    Arguments,
    Function,
    Rendering,
    Typed,
    Typing,
    decimal,
    kind,
    known,
    nullable,
    possible,
    whole_constant,
)
from tre.sql.plan import Call, Expression, Facts, Literal

_ROOM = Fraction(1e300)
"""A double that a few more roundings cannot make infinite."""
_LIBRARY = 2.0**-40
"""The relative error allowed to an engine's mathematical library; they err by a few units in the last place."""


def _rounding(name: str, most_digits: int) -> Typing:
    """Type a rounding to `places` after the point, 0 unless a constant says otherwise."""

    def typing(arguments: Arguments) -> Typed | None:
        found = numbers(arguments[:1], name, 1)
        if found is None or len(arguments) > 1 + (most_digits > 0):
            return None
        places = 0
        if len(arguments) == 2:
            places = whole_constant(arguments[1], name.upper(), "its second argument", 0, most_digits)
        one = found[0]
        if kind(one) is Kind.DOUBLE and places and name == "trunc":
            return None
        if kind(one) is not Kind.DECIMAL:
            return (*found, *arguments[1:]), one.type
        scale = min(places, one.type.scale)
        return (*found, *arguments[1:]), decimal(_moved(one, scale), scale, name)

    return typing


def _moved(one: Expression, places: int) -> Interval:
    """Return all values after any rounding to `places`."""
    step = Fraction(10**places)
    scaled = intervals.whole(Interval(possible(one).low * step, possible(one).high * step))
    return Interval(scaled.low / step, scaled.high / step)


def places(arguments: Arguments) -> int:
    """Return how many digits after the point a rounding keeps."""
    value = arguments[1].value if len(arguments) == 2 and isinstance(arguments[1], Literal) else 0
    return value if isinstance(value, int) else 0


def _rounded(arguments: Arguments, type_: Type) -> Facts:
    one = arguments[0]
    if type_.kind is Kind.INTEGER:
        return one.facts
    if type_.kind is Kind.DOUBLE:
        return _rounded_double(one, places(arguments))
    moved = _moved(one, type_.scale) if known(one) else None
    return Facts(one.facts.nullable, moved, Fraction(1, 10**type_.scale))


def _rounded_double(one: Expression, places: int) -> Facts:
    moved = intervals.outward(_moved(one, places)) if known(one) else None
    fits = possible(one).magnitude * 10**places < _ROOM
    return Facts(one.facts.nullable or not fits, moved, Fraction(1, 10**places))


def _round(call: Call, texts: tuple[str, ...]) -> str:
    if call.type.kind is Kind.INTEGER:
        return texts[0]
    if call.type.kind is Kind.DECIMAL:
        return rendering.cast(f"round({texts[0]}, {call.type.scale})", call.type)
    step = places(call.arguments)
    if not step:
        return f"round_even({texts[0]}, 0)"
    return rendering.finite(f"(round_even({texts[0]} * 1e{step}, 0) / 1e{step})")


def _cut(name: str) -> Rendering:
    def duckdb(call: Call, texts: tuple[str, ...]) -> str:
        if call.type.kind is Kind.INTEGER:
            return texts[0]
        if call.type.kind is Kind.DECIMAL:
            own = call.arguments[0].type
            if name == "trunc" and call.type.scale:
                return rendering.cast(f"trunc({texts[0]}, {call.type.scale})", call.type)
            return (
                rendering.cast(f"{name}({texts[0]})", call.type) if own.scale else rendering.cast(texts[0], call.type)
            )
        return f"{name}({texts[0]})"

    return duckdb


def _double(arguments: Arguments) -> Typed | None:
    found = numbers(arguments, "double", len(arguments)) if 0 < len(arguments) < 3 else None
    return None if found is None else (tuple(promoted(one, DOUBLE) for one in found), DOUBLE)


def _of(count: int) -> Typing:
    return lambda arguments: _double(arguments) if len(arguments) == count else None


def _monotone(function: Callable[[float], float], lowest: float, highest: float) -> Callable[[Arguments, Type], Facts]:
    """Return the facts of an increasing function, NULL outside lowest…highest."""

    def facts(arguments: Arguments, _type: Type) -> Facts:
        (one,) = arguments
        domain = Interval(Fraction(lowest), Fraction(highest))
        outside = not intervals.inside(possible(one), domain)
        return Facts(
            one.facts.nullable or outside, known(one) and _image(function, intervals.clip(possible(one), domain))
        )

    return facts


def _image(function: Callable[[float], float], around: Interval) -> Interval:
    ends = Interval(Fraction(function(float(around.low))), Fraction(function(float(around.high))))
    return intervals.outward(ends, _LIBRARY)


_SMALLEST, _LARGEST = 5e-324, 1.7976931348623157e308
_MOST_EXPONENT = 709.0


def _exponential(arguments: Arguments, _type: Type) -> Facts:
    (one,) = arguments
    if possible(one).high > _MOST_EXPONENT:
        return Facts(interval=Interval(Fraction(0), Fraction(_LARGEST)) if known(one) else None)
    return Facts(one.facts.nullable, known(one) and _image(math.exp, possible(one)))


def _power(arguments: Arguments, _type: Type) -> Facts:
    """A bound is known for a base that is not negative and a constant exponent of at least zero."""
    base, exponent = arguments
    around, constant = known(base), known(exponent)
    if around is None or constant is None or constant.low != constant.high or constant.low < 0 or around.low < 0:
        return Facts()
    try:
        interval = _image(lambda value: math.pow(value, float(constant.low)), around)
    except OverflowError:
        return Facts()
    if interval.low < Fraction(1e-299):
        interval = Interval(min(interval.low, Fraction(0)), interval.high)
    overflows = interval.high > _ROOM
    return Facts(nullable(arguments) or overflows, interval)


_NUMBER = "a number"
FUNCTIONS = (
    Function(
        "round",
        "ROUND(a[, places]): decimals half away from zero, doubles half to even.",
        "a number and a constant number of places",
        _rounding("round", 15),
        _rounded,
        _round,
        ("ROUND",),
    ),
    Function("floor", "FLOOR(a)", _NUMBER, _rounding("floor", 0), _rounded, _cut("floor"), ("FLOOR",)),
    Function("ceil", "CEIL(a)", _NUMBER, _rounding("ceil", 0), _rounded, _cut("ceil"), ("CEIL", "CEILING")),
    Function(
        "trunc",
        "TRUNC(a[, places]): toward zero; places for decimals and whole numbers.",
        "a number and a constant number of places",
        _rounding("trunc", 15),
        _rounded,
        _cut("trunc"),
        ("TRUNC",),
    ),
    Function(
        "sqrt",
        "SQRT(a): NULL where a is negative.",
        _NUMBER,
        _of(1),
        _monotone(math.sqrt, 0.0, _LARGEST),
        lambda _, texts: f"sqrt({rendering.when(texts[0], '{} >= 0')})",
        ("SQRT",),
    ),
    Function(
        "ln",
        "LN(a): NULL where a is not positive.",
        _NUMBER,
        _of(1),
        _monotone(math.log, _SMALLEST, _LARGEST),
        lambda _, texts: f"ln({rendering.when(texts[0], '{} > 0')})",
        ("LN",),
    ),
    Function(
        "log10",
        "LOG10(a), LOG(a): to base ten; NULL where a is not positive.",
        _NUMBER,
        _of(1),
        _monotone(math.log10, _SMALLEST, _LARGEST),
        lambda _, texts: f"log10({rendering.when(texts[0], '{} > 0')})",
        ("LOG10", "LOG"),
    ),
    Function(
        "exp",
        "EXP(a): NULL where the result does not fit a double.",
        _NUMBER,
        _of(1),
        _exponential,
        lambda _, texts: rendering.finite(f"exp({texts[0]})"),
        ("EXP",),
    ),
    Function(
        "power",
        "POWER(a, b): as doubles; NULL where it is no number or beyond 1e308, zero below 1e-300.",
        "two numbers",
        _of(2),
        _power,
        lambda _, texts: rendering.let(
            f"pow({texts[0]}, {texts[1]})",
            lambda v: f"CASE WHEN abs({v}) < 1e-300 THEN 0 WHEN abs({v}) <= 1e308 THEN {v} END",
        ),
        ("POWER", "POW"),
    ),
)
