"""What the planner alone calls: clamping, the fixed-point grid, the keyed mix. Nobody can name these in a query.

A whole number here may need 128 bits while it is summed; each function states why it cannot overflow.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from tre.base.reasons import Refused
from tre.base.reasons import sql_text as reasons
from tre.catalogue import Interval, Kind, Type
from tre.sql.functions import intervals, rendering
from tre.sql.functions.casts import promoted
from tre.sql.functions.constants import literal
from tre.sql.functions.form import (
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

PRIME = 2**31 - 1
"""The modulus of the mix: a product of two residues, and of a sum of two by one, fits 64 signed bits everywhere."""

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
    low, high = (_whole(end) for end in call.arguments[1:]) if whole else texts[1:]
    text = rendering.let(
        texts[0], lambda v: f"CASE WHEN {v} < {low} THEN {low} WHEN {v} > {high} THEN {high} ELSE {v} END"
    )
    return rendering.cast(text, INTEGER) if whole and _in_64_bits(call) else text


def _in_64_bits(call: Call) -> bool:
    return call.facts.interval is not None and intervals.inside(call.facts.interval, intervals.INT64)


def _whole(end: Expression) -> str:
    return f"CAST({int(possible(end).low)} AS {_HUGE})"


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


def _to_grid(call: Call, texts: tuple[str, ...]) -> str:
    one, step = call.arguments[0], _step(call.arguments[1])
    if kind(one) is Kind.DOUBLE:
        return _double_to_grid(call, texts[0], step)
    unscaled, scale = _unscaled(one, texts[0])
    top, bottom = step.denominator, step.numerator * 10**scale
    shared = Fraction(top, bottom)
    text = unscaled if shared.numerator == 1 else f"({unscaled} * {shared.numerator}::{_HUGE})"
    text = text if shared.denominator == 1 else f"({text} // {shared.denominator}::{_HUGE})"
    if possible(one).magnitude * 10**scale * shared.numerator >= 2**126:
        raise Refused.because(reasons.TOO_MANY_DIGITS, function="SUM", limit="38")
    return rendering.cast(text, INTEGER) if _in_64_bits(call) else text


def _unscaled(one: Expression, text: str) -> tuple[str, int]:
    """Return a whole number and the scale by which it exceeds the value."""
    if kind(one) is Kind.INTEGER:
        return f"CAST({text} AS {_HUGE})", 0
    scale = one.type.scale
    if intervals.digits(possible(one)) + 2 * scale > 38:
        raise Refused.because(reasons.TOO_MANY_DIGITS, function="SUM", limit="38")
    wide = rendering.cast(text, Type(Kind.DECIMAL, 38, scale))
    return f"CAST({wide} * CAST({10**scale} AS DECIMAL({scale + 1},0)) AS {_HUGE})", scale


def _double_to_grid(call: Call, text: str, step: Fraction) -> str:
    """Round to the nearest point, half to even; NaN, infinities and what 64 or 128 bits cannot hold are NULL."""
    scaled = (
        f"{text} * {float(1 / step)!r}::DOUBLE" if (1 / step).denominator == 1 else f"{text} / {float(step)!r}::DOUBLE"
    )
    fits = call.facts.interval is not None and intervals.inside(call.facts.interval, intervals.INT64)
    return f"TRY_CAST(round_even({scaled}, 0) AS {'BIGINT' if fits else _HUGE})"


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


# --- the keyed mix ----------------------------------------------------------------------------------------


def _mix_typing(arguments: Arguments) -> Typed | None:
    if len(arguments) < 2 or kind(arguments[0]) is not Kind.INTEGER:
        return None
    return arguments, INTEGER


def _mixed(arguments: Arguments, _type: Type) -> Facts:
    around = Interval(Fraction(1 - PRIME), Fraction(PRIME - 1))
    return Facts(nullable=arguments[0].facts.nullable, interval=around, granularity=Fraction(1))


def _mix(call: Call, texts: tuple[str, ...]) -> str:
    """A polynomial of the values in the secret, modulo a prime (Carter and Wegman 1979), by Horner's rule.

    Remainders keep their sign, so each step is ((|state| + |value| < 2³²) · (|secret| < 2³¹)) < 2⁶³. NULL is a value of
    its own. Ties are for the caller to break: privacy does not rest on this (PRIVACY §3.2).
    """
    secret = f"({texts[0]} % {PRIME})"
    state = "0"
    for one, text in zip(call.arguments[1:], texts[1:], strict=True):
        state = f"((({state} + {_residue(one, text)}) * {secret}) % {PRIME})"
    return state


def _residue(one: Expression, text: str) -> str:
    whole = _RESIDUES[kind(one)](one, text)
    found = f"CAST({whole} % {PRIME} AS BIGINT)"
    return f"coalesce({found}, {PRIME - 1})" if one.facts.nullable else found


def _text_residue(_one: Expression, text: str) -> str:
    return f"CAST('0x' || substr(md5({text}), 1, 15) AS BIGINT)"


_RESIDUES: Mapping[Kind, Callable[[Expression, str], str]] = {
    Kind.BOOLEAN: lambda _, text: f"CAST({text} AS BIGINT)",
    Kind.INTEGER: lambda _, text: text,
    Kind.DECIMAL: lambda one, text: _text_residue(one, f"CAST({text} AS VARCHAR)"),
    Kind.DOUBLE: lambda _, text: f"coalesce(TRY_CAST(round_even({text} * 1e6, 0) AS {_HUGE}), 0)",
    Kind.TEXT: _text_residue,
    Kind.DATE: lambda _, text: f"date_diff('day', DATE '1970-01-01', {text})",
    Kind.TIMESTAMP: lambda _, text: f"epoch_us({text})",
}


# --- what every scan applies ------------------------------------------------------------------------------


def _normal_typing(arguments: Arguments) -> Typed | None:
    return (arguments, arguments[0].type) if len(arguments) == 1 else None


def _as_declared(arguments: Arguments, _type: Type) -> Facts:
    return replace(arguments[0].facts, nullable=True, interval=known(arguments[0]))


def _normal(call: Call, texts: tuple[str, ...]) -> str:
    """NaN and infinities are NULL, −0 is 0, dates lie in the years 1 to 9999 (PRIVACY §3.5, §3.8)."""
    one = call.type.kind
    if one is Kind.DOUBLE:
        return rendering.let(texts[0], lambda v: f"CASE WHEN {v} = 0 THEN 0::DOUBLE WHEN isfinite({v}) THEN {v} END")
    if one is Kind.DATE:
        return rendering.when(texts[0], "{} BETWEEN DATE '0001-01-01' AND DATE '9999-12-31'")
    if one is Kind.TIMESTAMP:
        return rendering.when(
            texts[0], "{} BETWEEN TIMESTAMP '0001-01-01 00:00:00' AND TIMESTAMP '9999-12-31 23:59:59.999999'"
        )
    return texts[0]


FUNCTIONS = (
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
    Function(
        "keyed_mix",
        "A whole number that depends on a secret and the values, alike on every engine.",
        "a secret and values",
        _mix_typing,
        _mixed,
        _mix,
    ),
    Function("normal", "The value as a scan gives it.", "a value", _normal_typing, _as_declared, _normal),
)
