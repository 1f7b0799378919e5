"""CAST among the kinds of the catalogue, every pair a row; a value that does not fit gives NULL."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from tre.base.reasons import Refused
from tre.base.reasons import sql_text as reasons
from tre.catalogue import Interval, Kind, Type, Value
from tre.sql.functions import intervals, rendering, usual
from tre.sql.functions.constants import literal, read_as
from tre.sql.functions.form import (
    DOUBLE,
    INTEGER,
    MOMENTS,
    NUMBERS,
    TEXT,
    TRUTH,
    Arguments,
    Function,
    Typed,
    decimal,
    grid,
    kind,
    known,
    possible,
)
from tre.sql.functions.usual import with_usual
from tre.sql.plan import Call, Expression, Facts, Literal

CAST = "cast"
_YEAR = "(?:[1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])"
_CLOCK = r"(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,6})?)?"
LOOKS = {
    Kind.INTEGER: r"[+-]?[0-9]{1,19}",
    Kind.DECIMAL: r"[+-]?(?:[0-9]{1,60}(?:\.[0-9]{0,60})?|\.[0-9]{1,60})",
    Kind.DOUBLE: r"[+-]?(?:[0-9]{1,400}(?:\.[0-9]{0,400})?|\.[0-9]{1,400})(?:[eE][+-]?[0-9]{1,3})?",
    Kind.BOOLEAN: "[tT][rR][uU][eE]|[fF][aA][lL][sS][eE]|[tTfF10]",
    Kind.DATE: f"{_YEAR}(?:-[0-9]{{2}}-[0-9]{{2}}|[0-9]{{4}})",
    Kind.TIMESTAMP: f"{_YEAR}-[0-9]{{2}}-[0-9]{{2}}(?:[ T]{_CLOCK})?",
}
"""How a text must look, between spaces, to be read; engines would each accept some more."""


def cast(expression: Expression, type_: Type) -> Expression:
    """Return `expression` as a value of `type_`.

    Casting to fewer digits rounds half away from zero, a double to a whole number half to even; what does not fit,
    and text that does not look like the type, is NULL. Raises Refused for pairs that engines write differently.
    """
    if expression.type == type_:
        return expression
    if isinstance(expression, Literal) and expression.value is None:
        return literal(None, type_)
    if isinstance(expression, Call) and expression.function == CAST and kind(expression) is Kind.TEXT:
        whole = expression.arguments[0]
        if kind(whole) is Kind.INTEGER and whole.type == type_:
            return whole  # a whole number written out and read again
    pair = _PAIRS.get((kind(expression), type_.kind))
    if pair is None:
        raise Refused.because(reasons.CAST_REFUSED, source=kind(expression).value, target=type_.kind.value)
    return Call(
        CAST, (expression,), type_, with_usual(pair.facts(expression, type_), usual.of_call(CAST, (expression,), type_))
    )


def on_its_grid(expression: Expression) -> Expression | None:
    """Return a double as the whole number or decimal of its grid that is nearest, or None where none is known."""
    step, around = expression.facts.granularity, known(expression)
    if step is None or around is None or around.magnitude >= 2**53:
        return None
    scale = next((places for places in range(10) if (step * 10**places).denominator == 1), None)
    if scale is None:
        return None
    return cast(expression, decimal(around, scale, "GROUP BY") if scale else INTEGER)


def promoted(expression: Expression, type_: Type) -> Expression:
    """Return `expression` as the implicit coercion to `type_` gives it: constants become constants of that type."""
    if expression.type == type_:
        return expression
    if isinstance(expression, Literal):
        value = expression.value
        if value is None or (isinstance(value, str) and type_.kind is not Kind.TEXT):
            return promoted(read_as(expression, type_), type_)
        if type_.kind is Kind.DECIMAL and isinstance(value, int | Decimal):
            return Literal(Decimal(value), type_, replace(expression.facts, domain=(Decimal(value),)))
        if type_.kind is Kind.TIMESTAMP and not isinstance(value, datetime) and kind(expression) is Kind.DATE:
            return read_as(literal(str(value)), type_)
    return cast(expression, type_)


def common(arguments: Sequence[Expression], function: str) -> Type | None:
    """Return the type in which all of `arguments` can be compared, or None.

    Integer widens to decimal, that to double; a date widens to a timestamp; constant text and NULL take the type of
    the others.
    """
    own = [one for one in arguments if not (isinstance(one, Literal) and isinstance(one.value, str | None))]
    if not own:
        return TEXT
    kinds = {kind(one) for one in own}
    if kinds <= NUMBERS:
        return _number([_as_read(one, own[0].type) for one in arguments], function)
    if kinds <= MOMENTS:
        kinds |= {kind(_as_read(one, own[0].type)) for one in arguments}
        return Type(Kind.TIMESTAMP if Kind.TIMESTAMP in kinds else Kind.DATE)
    return own[0].type if len(kinds) == 1 else None


def _as_read(one: Expression, type_: Type) -> Expression:
    return read_as(one, type_) if isinstance(one, Literal) and isinstance(one.value, str | None) else one


def _number(arguments: Sequence[Expression], function: str) -> Type:
    kinds = {kind(one) for one in arguments}
    if Kind.DOUBLE in kinds:
        return DOUBLE
    if kinds == {Kind.INTEGER}:
        return Type(Kind.INTEGER)
    around = intervals.hull(possible(one) for one in arguments)
    return decimal(around, max(one.type.scale for one in arguments), function)


# --- one row per pair of kinds ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Pair:
    """What is known of the result, and the text for DuckDB."""

    facts: Callable[[Expression, Type], Facts]
    duckdb: Callable[[str, Call], str]


def _fitted(one: Expression, type_: Type, moved: Interval, granularity: Fraction | None) -> Facts:
    """Return the facts of a number that becomes NULL where it does not fit; `moved` are all values before that."""
    room = intervals.limits(type_)
    fits = room is None or intervals.inside(moved, room)
    interval = None if known(one) is None else intervals.clip(moved, room) if room else moved
    return Facts(nullable=one.facts.nullable or not fits, interval=interval, granularity=granularity)


def _to_integer(one: Expression, type_: Type) -> Facts:
    return _fitted(one, type_, intervals.whole(possible(one)), Fraction(1))


def _to_decimal(one: Expression, type_: Type) -> Facts:
    step = Fraction(1, 10**type_.scale)
    around, own = possible(one), grid(one)
    exact = kind(one) is not Kind.DOUBLE and own is not None and (own / step).denominator == 1
    if not exact:
        around = Interval(around.low - step, around.high + step)
    found = _fitted(one, type_, around, own if exact else step)
    domain = one.facts.domain
    if exact and isinstance(domain, tuple) and all(isinstance(value, int) for value in domain):
        return replace(found, domain=tuple(Decimal(value) for value in domain if isinstance(value, int)))
    return found


def _to_double(one: Expression, _type: Type) -> Facts:
    interval = known(one)
    slack = 2.0**-50 if kind(one) is Kind.DECIMAL else 0.0
    widened = None if interval is None else intervals.outward(interval, slack)
    return Facts(nullable=one.facts.nullable, interval=widened, granularity=one.facts.granularity)


def _text_of(length: int | None) -> Callable[[Expression, Type], Facts]:
    def facts(one: Expression, _type: Type) -> Facts:
        return Facts(nullable=one.facts.nullable, max_length=length or _width(one))

    return facts


def _width(one: Expression) -> int:
    """Return the most characters of a number: sign, digits, point, at least one digit before the point."""
    return 2 + max(intervals.digits(possible(one)), 1) + one.type.scale


def _truth_of_number(one: Expression, _type: Type) -> Facts:
    return Facts(nullable=one.facts.nullable, domain=TRUTH)


def _number_of_truth(one: Expression, _type: Type) -> Facts:
    domain: tuple[Value, ...] = (0, 1)
    return Facts(one.facts.nullable, Interval(Fraction(0), Fraction(1)), Fraction(1), domain)


def _from_text(_one: Expression, type_: Type) -> Facts:
    return Facts(domain=TRUTH if type_.kind is Kind.BOOLEAN else None)


def _to_timestamp(one: Expression, _type: Type) -> Facts:
    interval = known(one)
    moved = interval and Interval(interval.low * intervals.DAY, interval.high * intervals.DAY)
    return Facts(nullable=one.facts.nullable, interval=moved)


def _to_date(one: Expression, _type: Type) -> Facts:
    interval = known(one)
    moved = interval and Interval(
        interval.low // intervals.DAY + Fraction(0), interval.high // intervals.DAY + Fraction(0)
    )
    return Facts(nullable=one.facts.nullable, interval=moved)


def _plainly(text: str, call: Call) -> str:
    return rendering.cast(text, call.type)


def _fitting(text: str, call: Call) -> str:
    """A cast that cannot fail where the facts say so, else one that gives NULL."""
    return rendering.try_cast(text, call.type) if call.facts.nullable else rendering.cast(text, call.type)


def _from_double(text: str, call: Call) -> str:
    return rendering.try_cast(f"round_even({text}, 0)", call.type)


def _read_text(text: str, call: Call) -> str:
    """An unmatched text extracts as '', which no type reads, so the cast gives NULL."""
    form = rendering.string(rf"^\s*({LOOKS[call.type.kind]})\s*$")
    found = f"regexp_extract({text}, {form}, 1)"
    if call.type.kind is Kind.DATE:  # 20240131 is read as 2024-01-31
        found = f"regexp_replace({found}, '^([0-9]{{4}})([0-9]{{2}})([0-9]{{2}})$', '\\1-\\2-\\3')"
    read = rendering.try_cast(found, call.type)
    return rendering.finite(read) if call.type.kind is Kind.DOUBLE else read


_B, _I, _D, _F = Kind.BOOLEAN, Kind.INTEGER, Kind.DECIMAL, Kind.DOUBLE
_PAIRS: dict[tuple[Kind, Kind], _Pair] = {
    (_B, _I): _Pair(_number_of_truth, _plainly),
    (_B, Kind.TEXT): _Pair(_text_of(5), _plainly),
    (_I, _B): _Pair(_truth_of_number, lambda text, _: f"({text} <> 0)"),
    (_I, _D): _Pair(_to_decimal, _fitting),
    (_I, _F): _Pair(_to_double, _plainly),
    (_I, Kind.TEXT): _Pair(_text_of(None), _plainly),
    (_D, _I): _Pair(_to_integer, _fitting),
    (_D, _D): _Pair(_to_decimal, _fitting),
    (_D, _F): _Pair(_to_double, _plainly),
    (_D, Kind.TEXT): _Pair(_text_of(None), lambda text, call: rendering.decimal_text(text, call.arguments[0].type)),
    (_F, _I): _Pair(_to_integer, _from_double),
    (_F, _D): _Pair(_to_decimal, lambda text, call: rendering.try_cast(text, call.type)),
    (Kind.TEXT, _B): _Pair(_from_text, _read_text),
    (Kind.TEXT, _I): _Pair(_from_text, _read_text),
    (Kind.TEXT, _D): _Pair(_from_text, _read_text),
    (Kind.TEXT, _F): _Pair(_from_text, _read_text),
    (Kind.TEXT, Kind.DATE): _Pair(_from_text, _read_text),
    (Kind.TEXT, Kind.TIMESTAMP): _Pair(_from_text, _read_text),
    (Kind.DATE, Kind.TEXT): _Pair(_text_of(10), _plainly),
    (Kind.DATE, Kind.TIMESTAMP): _Pair(_to_timestamp, _plainly),
    (Kind.TIMESTAMP, Kind.TEXT): _Pair(_text_of(26), _plainly),
    (Kind.TIMESTAMP, Kind.DATE): _Pair(_to_date, _plainly),
}


def _typing(arguments: Arguments) -> Typed | None:
    """The type of a cast is not among its arguments; `cast` makes the call."""
    return None


FUNCTIONS = (
    Function(
        CAST,
        "CAST(x AS type): a value that does not fit, or text that does not look like the type, is NULL.",
        "one value and a type",
        _typing,
        lambda arguments, type_: _PAIRS[kind(arguments[0]), type_.kind].facts(arguments[0], type_),
        lambda call, texts: _PAIRS[kind(call.arguments[0]), call.type.kind].duckdb(texts[0], call),
        ("CAST", "TRY_CAST"),
    ),
)
