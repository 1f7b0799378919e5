"""The keyed mix, and what a scan makes of a value; nobody can name these in a query."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction

from tre.catalogue import Interval, Kind, Type
from tre.sql.functions import rendering
from tre.sql.functions.form import (
    INTEGER,
    Arguments,
    Function,
    Typed,
    kind,
    known,
)
from tre.sql.plan import Call, Expression, Facts

PRIME = 2**31 - 1
"""The modulus of the mix: a product of two residues, and of a sum of two by one, fits 64 signed bits everywhere."""
_HUGE = "HUGEINT"


# --- the keyed mix ----------------------------------------------------------------------------------------


def _mix_typing(arguments: Arguments) -> Typed | None:
    if len(arguments) < 2 or kind(arguments[0]) is not Kind.INTEGER:
        return None
    return arguments, INTEGER


def _mixed(arguments: Arguments, _type: Type) -> Facts:
    around = Interval(Fraction(1 - PRIME), Fraction(PRIME - 1))
    return Facts(nullable=arguments[0].facts.nullable, interval=around, granularity=Fraction(1))


Residues = Mapping[Kind, Callable[[Expression, str], str]]
"""How an engine makes a whole number of a value, by its kind."""


def horner(call: Call, texts: tuple[str, ...], residues: Residues) -> str:
    """A polynomial of the values in the secret, modulo a prime (Carter and Wegman 1979), by Horner's rule.

    `residues` are the values' whole numbers, taken modulo the prime here. Remainders keep their sign, so each step is
    ((|state| + |value| < 2³²) · (|secret| < 2³¹)) < 2⁶³. NULL is a value of its own. Ties are for the caller to break:
    privacy does not rest on this (PRIVACY §3.2).
    """
    secret = f"({texts[0]} % {PRIME})"
    state = "0"
    for one, text in zip(call.arguments[1:], texts[1:], strict=True):
        found = f"CAST({residues[kind(one)](one, text)} % {PRIME} AS BIGINT)"
        found = f"coalesce({found}, {PRIME - 1})" if one.facts.nullable else found
        state = f"((({state} + {found}) * {secret}) % {PRIME})"
    return state


def _mix(call: Call, texts: tuple[str, ...]) -> str:
    return horner(call, texts, _RESIDUES)


def _text_residue(_one: Expression, text: str) -> str:
    return f"CAST('0x' || substr(md5({text}), 1, 15) AS BIGINT)"


_RESIDUES: Residues = {
    Kind.BOOLEAN: lambda _, text: f"CAST({text} AS BIGINT)",
    Kind.INTEGER: lambda _, text: text,
    Kind.DECIMAL: lambda one, text: _text_residue(one, rendering.decimal_text(text, one.type)),
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
        "keyed_mix",
        "A whole number that depends on a secret and the values, alike on every engine.",
        "a secret and values",
        _mix_typing,
        _mixed,
        _mix,
    ),
    Function("normal", "The value as a scan gives it.", "a value", _normal_typing, _as_declared, _normal),
)
