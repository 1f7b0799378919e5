"""Exact whole numbers for sums, which the planner alone calls: clamp, grid, weights (PRIVACY §3.2, §3.3).

A whole number here may need 128 bits while it is summed; each function states why it cannot overflow.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from tre.base.reasons import Refused
from tre.base.reasons import sql_text as reasons
from tre.catalogue import Interval, Kind, Type
from tre.sql.functions import intervals, rendering
from tre.sql.functions.casts import promoted
from tre.sql.functions.constants import literal
from tre.sql.functions.form import (
    BOOLEAN,
    INTEGER,
    MOMENTS,
    NUMBERS,
    Arguments,
    Function,
    Typed,
    all_of,
    grid,
    kind,
    known,
    nullable,
    possible,
)
from tre.sql.plan import Call, Expression, Facts, Literal

_HUGE = "HUGEINT"


# --- clamp ------------------------------------------------------------------------------------------------


def _clamp_typing(arguments: Arguments) -> Typed | None:
    if len(arguments) != 3 or any(not isinstance(one, Literal) or one.value is None for one in arguments[1:]):
        return None
    one = arguments[0]
    low, high = (_end(one, end) for end in arguments[1:] if isinstance(end, Literal))
    if low is None or high is None or not all_of((one, low, high), NUMBERS | MOMENTS):
        return None
    return ((one, low, high), one.type) if possible(low).low <= possible(high).high else None


def _end(one: Expression, end: Literal) -> Expression | None:
    """Return a bound in the type of `one`; a whole number of 128 bits stays as it is, since sums may need them."""
    if kind(one) is Kind.INTEGER:
        return end if kind(end) in (Kind.INTEGER, Kind.DECIMAL) and not end.type.scale else None
    if kind(one) is not Kind.DECIMAL:
        return promoted(end, one.type) if kind(end) in NUMBERS | MOMENTS else None
    if end.type.scale > one.type.scale or not isinstance(end.value, int | Decimal):
        return None
    nines = (9,) * one.type.precision
    least, most = (Decimal((sign, nines, -one.type.scale)) for sign in (1, 0))
    return promoted(literal(max(least, min(Decimal(end.value), most))), one.type)


def _clamped(arguments: Arguments, _type: Type) -> Facts:
    one, low, high = (possible(part) for part in arguments)
    raised = Interval(max(one.low, low.low), max(one.high, low.high))
    around = Interval(min(raised.low, high.low), min(raised.high, high.high))
    return Facts(arguments[0].facts.nullable, around, intervals.common_grid(grid(part) for part in arguments))


def _clamp(call: Call, texts: tuple[str, ...]) -> str:
    """NULL stays NULL: LEAST and GREATEST would turn it into a bound."""
    whole = call.type.kind is Kind.INTEGER
    low, high = (f"CAST({whole_end(end)} AS {_HUGE})" for end in call.arguments[1:]) if whole else texts[1:]
    text = rendering.let(
        texts[0], lambda v: f"CASE WHEN {v} < {low} THEN {low} WHEN {v} > {high} THEN {high} ELSE {v} END"
    )
    return rendering.cast(text, INTEGER) if whole and fits_64(call) else text


def fits_64(call: Call) -> bool:
    """Say whether every value of a whole number fits 64 bits."""
    return call.facts.interval is not None and intervals.inside(call.facts.interval, intervals.INT64)


def whole_end(end: Expression) -> int:
    """Return the whole number that the end of a clamp is."""
    return int(possible(end).low)


# --- the grid of sums -------------------------------------------------------------------------------------


def _grid_typing(arguments: Arguments) -> Typed | None:
    if len(arguments) != 2 or kind(arguments[0]) not in NUMBERS or _step(arguments[1]) <= 0:
        return None
    return arguments, INTEGER


def _step(one: Expression) -> Fraction:
    """Return the granularity that a constant gives."""
    value = one.value if isinstance(one, Literal) else None
    return Fraction(value) if isinstance(value, int | Decimal | Fraction) else Fraction(0)


def _on_grid(arguments: Arguments, _type: Type) -> Facts:
    one, step = arguments[0], _step(arguments[1])
    around = known(one)
    double = kind(one) is Kind.DOUBLE
    if around is not None:
        exact = Interval(around.low / step, around.high / step)
        around = intervals.whole(intervals.outward(exact, 2.0**-50)) if double else intervals.toward_zero(exact)
    lost = double and (around is None or not intervals.inside(around, intervals.INT64))
    return Facts(one.facts.nullable or lost, around, _grid_of(one, step))


def _grid_of(one: Expression, step: Fraction) -> Fraction:
    own = grid(one)
    if kind(one) is not Kind.DOUBLE and own is not None and (own / step).denominator == 1:
        return own / step
    return Fraction(1)


def on_grid(call: Call) -> tuple[Fraction, bool]:
    """Return by what an exact number without its point is multiplied, and whether 64 bits hold every step of it.

    Raises Refused where 128 bits, or 38 digits, would not hold it, whichever engine it is for.
    """
    one, step = call.arguments[0], _step(call.arguments[1])
    scale = one.type.scale
    factor = Fraction(step.denominator, step.numerator * 10**scale)
    largest = possible(one).magnitude * 10**scale * factor.numerator
    most, digits = max(largest, factor.denominator), intervals.digits(possible(one)) + 2 * scale
    narrow = most < 2**63 and digits <= 18
    if most >= 2**126 or (kind(one) is Kind.DECIMAL and digits > 38):
        raise Refused.because(reasons.TOO_MANY_DIGITS, function="SUM", limit="38")
    return factor, narrow


def _to_grid(call: Call, texts: tuple[str, ...]) -> str:
    """Exact numbers: unscale, multiply, divide, in 64 bits where that is proven, else in 128."""
    one = call.arguments[0]
    if kind(one) is Kind.DOUBLE:
        return _double_to_grid(call, texts[0])
    factor, narrow = on_grid(call)
    engine = "BIGINT" if narrow else _HUGE
    text = _unscaled(one, texts[0], engine)
    text = text if factor.numerator == 1 else f"({text} * {factor.numerator}::{engine})"
    text = text if factor.denominator == 1 else f"({text} // {factor.denominator}::{engine})"
    return rendering.cast(text, INTEGER) if fits_64(call) and not narrow else text


def _unscaled(one: Expression, text: str, engine: str) -> str:
    """Return the whole number that a number is without its point; decimals stay within the digits of the engine."""
    if kind(one) is Kind.INTEGER:
        return text if engine == "BIGINT" else f"CAST({text} AS {engine})"
    scale = one.type.scale
    wide = rendering.cast(text, Type(Kind.DECIMAL, 18 if engine == "BIGINT" else 38, scale))
    return f"CAST({wide} * CAST({10**scale} AS DECIMAL({scale + 1},0)) AS {engine})"


def double_step(call: Call) -> tuple[float, bool]:
    """Return a double that brings doubles onto the grid, and whether they are multiplied by it or divided."""
    step = _step(call.arguments[1])
    whole = (1 / step).denominator == 1
    return float(1 / step if whole else step), whole


def _double_to_grid(call: Call, text: str) -> str:
    """Round to the nearest point, half to even; NaN, infinities and what 64 or 128 bits cannot hold are NULL."""
    step, multiplied = double_step(call)
    scaled = f"{text} {'*' if multiplied else '/'} {step!r}::DOUBLE"
    return f"TRY_CAST(round_even({scaled}, 0) AS {'BIGINT' if fits_64(call) else _HUGE})"


# --- weights ----------------------------------------------------------------------------------------------


def _weight_typing(arguments: Arguments) -> Typed | None:
    if len(arguments) != 3 or any(kind(one) is not Kind.INTEGER for one in arguments):
        return None
    return (arguments, INTEGER) if isinstance(arguments[1], Literal) and possible(arguments[1]).low >= 0 else None


def _weighted(arguments: Arguments, _type: Type) -> Facts:
    total = arguments[0]
    around = known(total)
    widened = around and intervals.hull((around, Interval(Fraction(0), Fraction(0))))
    return Facts(nullable(arguments), widened, Fraction(1))


def _scale_weight(_call: Call, texts: tuple[str, ...]) -> str:
    """trunc(total · cap / n) where n > cap, exactly: with total = q·n + r it is q·cap + trunc(r·cap / n).

    Truncation keeps the sign of q and r, |q·cap| ≤ |total|, and r·cap < n·cap < 2¹²⁶: nothing can overflow.
    """
    total, cap, rows = texts
    total, cap, wide = f"CAST({total} AS {_HUGE})", f"CAST({cap} AS {_HUGE})", f"CAST({rows} AS {_HUGE})"
    part = f"({total} // {wide}) * {cap} + (({total} % {wide}) * {cap}) // {wide}"
    return f"(CASE WHEN {rows} > {cap} THEN {part} WHEN {rows} IS NOT NULL THEN {total} END)"


# --- one weight for all that a unit adds ------------------------------------------------------------------


def _share_typing(arguments: Arguments) -> Typed | None:
    if len(arguments) != 3 or any(kind(one) is not Kind.INTEGER for one in arguments):
        return None
    most, shares = arguments[1:]
    if not (isinstance(most, Literal) and isinstance(shares, Literal)):
        return None
    fits = possible(most).low >= 1 and possible(shares).low >= 1 and possible(most).low * possible(shares).low < 2**63
    return (arguments, INTEGER) if fits else None


def _shared_out(arguments: Arguments, _type: Type) -> Facts:
    return Facts(arguments[0].facts.nullable, Interval(Fraction(0), possible(arguments[2]).high), Fraction(1))


def _share_of(call: Call, texts: tuple[str, ...]) -> str:
    """floor(shares · min(1, most / norm)): the product is a constant of 64 bits, and the norm is positive there."""
    most, shares = (int(possible(one).low) for one in call.arguments[1:])
    return rendering.let(
        texts[0], lambda v: f"CASE WHEN {v} > {texts[1]} THEN {most * shares} // {v} ELSE {texts[2]} END"
    )


# --- which of few groups a unit is in ---------------------------------------------------------------------

BITS = 63
"""The groups that one whole number of 64 bits can tell apart, its sign left alone."""


def _places(one: Expression) -> bool:
    return kind(one) is Kind.INTEGER and intervals.inside(possible(one), Interval(Fraction(0), Fraction(BITS - 1)))


def _bit_typing(arguments: Arguments) -> Typed | None:
    return (arguments, INTEGER) if len(arguments) == 1 and _places(arguments[0]) else None


def _bit_facts(arguments: Arguments, _type: Type) -> Facts:
    return Facts(nullable(arguments), Interval(Fraction(0), intervals.INT64.high), Fraction(1))


def _has_bit_typing(arguments: Arguments) -> Typed | None:
    if len(arguments) != 2 or kind(arguments[0]) is not Kind.INTEGER or not _places(arguments[1]):
        return None
    return arguments, BOOLEAN


def _has_bit_facts(arguments: Arguments, _type: Type) -> Facts:
    return Facts(nullable(arguments), domain=(False, True))


FUNCTIONS = (
    Function(
        "share_of",
        "floor(shares · min(1, most / norm)), exactly.",
        "a whole number and two positive constants",
        _share_typing,
        _shared_out,
        _share_of,
    ),
    Function(
        "bit",
        "The whole number whose only bit is that of a place from 0 to 62.",
        "a whole number from 0 to 62",
        _bit_typing,
        _bit_facts,
        lambda _, texts: f"(1::BIGINT << CAST({texts[0]} AS INTEGER))",
    ),
    Function(
        "has_bit",
        "Whether a whole number has the bit of a place.",
        "a whole number and one from 0 to 62",
        _has_bit_typing,
        _has_bit_facts,
        lambda _, texts: f"((({texts[0]} >> CAST({texts[1]} AS INTEGER)) & 1) = 1)",
    ),
    Function(
        "clamp",
        "min(max(a, low), high); NULL stays NULL.",
        "a value and two constants",
        _clamp_typing,
        _clamped,
        _clamp,
    ),
    Function(
        "to_grid",
        "The whole number k with a = k · granularity: toward zero for exact numbers, to nearest for doubles.",
        "a number and a positive constant",
        _grid_typing,
        _on_grid,
        _to_grid,
    ),
    Function(
        "scale_weight",
        "trunc(total · min(1, cap / n)), exactly.",
        "three whole numbers, the second a constant",
        _weight_typing,
        _weighted,
        _scale_weight,
    ),
)
