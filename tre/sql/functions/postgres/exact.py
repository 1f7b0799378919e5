"""What the planner and scans alone call: clamp, grid, weights, the keyed mix. Wide whole numbers are NUMERIC."""

from __future__ import annotations

from tre.catalogue import Kind
from tre.sql.functions.exact import double_step, fits_64, on_grid, whole_end
from tre.sql.functions.form import INTEGER, Rendering, kind
from tre.sql.functions.keyed import Residues, horner
from tre.sql.functions.postgres.casting import whole_double
from tre.sql.functions.postgres.numbers import over, times
from tre.sql.functions.postgres.pieces import (
    FIRST_DAY,
    FIRST_MOMENT,
    LARGEST,
    LAST_DAY,
    LAST_MOMENT,
    NUMERIC,
    cast,
    double,
    let,
    microseconds,
    when,
    whole_of_double,
)
from tre.sql.plan import Call, Expression

_ROOM = 2.0**127


def clamp(call: Call, texts: tuple[str, ...]) -> str:
    """NULL stays NULL."""
    whole = call.type.kind is Kind.INTEGER
    low, high = (f"CAST({whole_end(end)} AS {NUMERIC})" for end in call.arguments[1:]) if whole else texts[1:]
    found = let(lambda v: f"CASE WHEN {v} < {low} THEN {low} WHEN {v} > {high} THEN {high} ELSE {v} END", texts[0])
    return cast(found, INTEGER) if whole and fits_64(call) else found


def to_grid(call: Call, texts: tuple[str, ...]) -> str:
    """Exact numbers: multiply and divide as one type that has room for every product."""
    one = call.arguments[0]
    if kind(one) is Kind.DOUBLE:
        return _double_to_grid(call, texts[0])
    factor, narrow = on_grid(call)
    narrow = narrow and kind(one) is Kind.INTEGER
    text = _unscaled(one, texts[0], narrow)
    text = text if factor.numerator == 1 else f"({text} * {factor.numerator})"
    if factor.denominator > 1:
        text = f"({text} / {factor.denominator})" if narrow else f"div({text}, {factor.denominator})"
    return cast(text, INTEGER) if fits_64(call) and not narrow else text


def _unscaled(one: Expression, text: str, narrow: bool) -> str:
    if kind(one) is Kind.INTEGER:
        return text if narrow else f"CAST({text} AS {NUMERIC})"
    return f"trunc({text} * {10**one.type.scale})"


def _double_to_grid(call: Call, text: str) -> str:
    step, multiply = double_step(call)
    scaled = times(text, double(step)) if multiply else over(text, double(step))
    return whole_double(scaled, call) if fits_64(call) else wide_of_double(f"round({scaled})")


def wide_of_double(text: str) -> str:
    """Return a double without fraction as an exact number, NULL where it is none or beyond 127 bits."""
    return let(lambda v: f"CASE WHEN abs({v}) < {_ROOM!r} THEN {whole_of_double(v)} END", text)


def scale_weight(_call: Call, texts: tuple[str, ...]) -> str:
    """trunc(total · cap / n) where n > cap."""

    def body(total: str, cap: str, rows: str) -> str:
        part = f"div(CAST({total} AS {NUMERIC}) * {cap}, {rows})"
        return f"CASE WHEN {rows} > {cap} THEN {part} WHEN {rows} IS NOT NULL THEN CAST({total} AS {NUMERIC}) END"

    return let(body, *texts)


def share_of(call: Call, texts: tuple[str, ...]) -> str:
    """floor(shares · min(1, most / norm)): whole numbers truncate, and these are not negative."""
    most, shares = (whole_end(one) for one in call.arguments[1:])
    return let(lambda v: f"CASE WHEN {v} > {texts[1]} THEN {most * shares} / {v} ELSE {texts[2]} END", texts[0])


# --- the keyed mix ----------------------------------------------------------------------------------------


def mix(call: Call, texts: tuple[str, ...]) -> str:
    """Return the same polynomial as on every engine."""
    return horner(call, texts, _RESIDUES)


def _text_residue(_one: Expression, text: str) -> str:
    return f"CAST(CAST('x' || substr(md5({text}), 1, 15) AS BIT(60)) AS BIGINT)"


def _micros(_one: Expression, text: str) -> str:
    return f"({let(microseconds, text)})"


_RESIDUES: Residues = {
    Kind.BOOLEAN: lambda _, text: f"CAST({text} AS INTEGER)",
    Kind.INTEGER: lambda _, text: text,
    Kind.DECIMAL: lambda one, text: _text_residue(one, f"CAST({cast(text, one.type)} AS VARCHAR)"),
    Kind.DOUBLE: lambda _, text: f"coalesce({wide_of_double(f'round({times(text, double(1e6))})')}, 0)",
    Kind.TEXT: _text_residue,
    Kind.DATE: lambda _, text: let(lambda v: f"CASE WHEN isfinite({v}) THEN {v} - DATE '1970-01-01' END", text),
    Kind.TIMESTAMP: _micros,
}


def normal(call: Call, texts: tuple[str, ...]) -> str:
    """NaN and infinities are NULL, −0 is 0, dates lie in the years 1 to 9999."""
    one = call.type.kind
    if one is Kind.DOUBLE:
        return let(lambda v: f"CASE WHEN abs({v}) <= {LARGEST} THEN {v} + {double(0.0)} END", texts[0])
    if one is Kind.DATE:
        return when(texts[0], "{} BETWEEN " + f"{FIRST_DAY} AND {LAST_DAY}")
    if one is Kind.TIMESTAMP:
        return when(texts[0], "{} BETWEEN " + f"{FIRST_MOMENT} AND {LAST_MOMENT}")
    return texts[0]


FORMS: dict[str, Rendering] = {
    "clamp": clamp,
    "to_grid": to_grid,
    "scale_weight": scale_weight,
    "share_of": share_of,
    "keyed_mix": mix,
    "normal": normal,
}
