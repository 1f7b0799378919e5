"""CAST, as a row for every pair of kinds; `pg_input_is_valid` (PostgreSQL 16) says whether a text can be read."""
# ruff: noqa: S608 - constants are quoted, all else is generated

from __future__ import annotations

from collections.abc import Callable

from tre.catalogue import Kind, Type
from tre.sql.functions import rendering
from tre.sql.functions.casts import CAST, LOOKS
from tre.sql.functions.form import Rendering, kind
from tre.sql.functions.postgres.pieces import NUMERIC, cast, let, type_name, whole, whole_of_double
from tre.sql.plan import Call

_SPACE = "[ \\t\\n\\f\\r]*"
_WHOLE = 2.0**63


def number(text: str, call: Call) -> str:
    """Return an exact number as another, NULL where it has too many digits before the point."""
    if not call.facts.nullable:
        return cast(text, call.type)
    if call.type.kind is Kind.INTEGER:
        return whole(f"round({text})")
    room = 10 ** (call.type.precision - call.type.scale)
    return let(
        lambda v: f"CASE WHEN abs({v}) < {room} THEN {cast(v, call.type)} END",
        f"round(CAST({text} AS {NUMERIC}), {call.type.scale})",
    )


def whole_double(text: str, _call: Call) -> str:
    """Return a double rounded to even as a whole number of 64 bits, NULL where it does not fit."""
    return let(
        lambda v: f"CASE WHEN {v} >= {-_WHOLE!r} THEN CASE WHEN {v} < {_WHOLE!r} THEN CAST({v} AS BIGINT) END END",
        f"round({text})",
    )


def decimal_of_double(text: str, call: Call) -> str:
    """Return a double times a power of ten, rounded half away from zero, as an exact number with that many places."""
    scale, room = call.type.scale, float(10**call.type.precision)
    point = f"CAST('{'0.' + '0' * (scale - 1) + '1' if scale else 1}' AS {NUMERIC})"

    def body(v: str) -> str:
        scaled = f"({v} * {float(10**scale)!r})"
        near = f"(trunc({scaled}) + CASE WHEN abs({scaled} - trunc({scaled})) >= 0.5 THEN sign({v}) ELSE 0 END)"
        fits = let(
            lambda w: f"CASE WHEN abs({w}) < {room!r} THEN {cast(f'{whole_of_double(w)} * {point}', call.type)} END",
            near,
        )
        return f"CASE WHEN abs({v}) < 1e40 THEN {fits} END"

    return let(body, text)


def read(text: str, call: Call) -> str:
    """Return what a text says that looks like the type; a number too small for a double is zero."""
    form = rendering.string(f"^{_SPACE}({_bounded(call.type)}){_SPACE}$")
    told = rendering.string(type_name(call.type))
    small = f" WHEN abs(CAST(v.a AS {NUMERIC})) < 1 THEN 0" if call.type.kind is Kind.DOUBLE else ""
    return (
        f"(SELECT CASE WHEN pg_input_is_valid(v.a, {told}) THEN {cast('v.a', call.type)}{small} END "
        f"FROM (SELECT substring({text} FROM {form}) AS a OFFSET 0) AS v)"
    )


def _bounded(type_: Type) -> str:
    """PostgreSQL's expressions repeat at most 255 times."""
    return LOOKS[type_.kind].replace("{1,400}", "{1,200}[0-9]{0,200}").replace("{0,400}", "{0,200}[0-9]{0,200}")


def _plain(text: str, call: Call) -> str:
    return cast(text, call.type)


def _shown(text: str, call: Call) -> str:
    """An exact number shows the places of its type, whatever it was computed from."""
    return cast(cast(text, call.arguments[0].type), call.type)


_B, _I, _D, _F, _T = Kind.BOOLEAN, Kind.INTEGER, Kind.DECIMAL, Kind.DOUBLE, Kind.TEXT
_OWN: dict[tuple[Kind, Kind], Callable[[str, Call], str]] = {
    (_B, _I): lambda text, call: cast(f"CAST({text} AS INTEGER)", call.type),
    (_I, _B): lambda text, _: f"({text} <> 0)",
    (_I, _D): number,
    (_D, _I): number,
    (_D, _D): number,
    (_D, _T): _shown,
    (_F, _I): whole_double,
    (_F, _D): decimal_of_double,
}
_READ: dict[tuple[Kind, Kind], Callable[[str, Call], str]] = {
    (_T, to): read for to in (_B, _I, _D, _F, Kind.DATE, Kind.TIMESTAMP)
}
_PAIRS = _OWN | _READ
"""Every other pair is a cast that cannot fail."""


def _cast(call: Call, texts: tuple[str, ...]) -> str:
    return _PAIRS.get((kind(call.arguments[0]), call.type.kind), _plain)(texts[0], call)


FORMS: dict[str, Rendering] = {CAST: _cast}
