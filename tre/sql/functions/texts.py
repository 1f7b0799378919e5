"""Text: letters fold in ASCII alone, lengths count characters, and every result has a longest length."""

from __future__ import annotations

import string as ascii_letters
from collections.abc import Callable
from fractions import Fraction

from tre.base.reasons import Refused
from tre.base.reasons import sql_text as reasons
from tre.catalogue import Interval, Kind, Type, Value
from tre.sql.functions import rendering
from tre.sql.functions.casts import cast, promoted
from tre.sql.functions.constants import literal
from tre.sql.functions.form import (
    INTEGER,
    MOST_TEXT,
    TEXT,
    Arguments,
    Function,
    Rendering,
    Typed,
    Typing,
    constant,
    is_null_literal,
    kind,
    nullable,
    whole_constant,
)
from tre.sql.plan import Expression, Facts, Literal

_UPPER, _LOWER = ascii_letters.ascii_uppercase, ascii_letters.ascii_lowercase
FOLD = {"lower": str.maketrans(_UPPER, _LOWER), "upper": str.maketrans(_LOWER, _UPPER)}


def text_of(one: Expression) -> Expression | None:
    if is_null_literal(one):
        return promoted(one, TEXT)
    return one if kind(one) is Kind.TEXT else None


def _first_text(count: int, result: Type) -> Typing:
    """Type a function of one text and `count` − 1 further arguments."""

    def typing(arguments: Arguments) -> Typed | None:
        one = text_of(arguments[0]) if len(arguments) == count else None
        return None if one is None else ((one, *arguments[1:]), result)

    return typing


def _as_long(arguments: Arguments, _type: Type) -> Facts:
    facts = arguments[0].facts
    return Facts(facts.nullable, max_length=facts.max_length)


def _folding(name: str) -> Callable[[Arguments, Type], Facts]:
    def facts(arguments: Arguments, _type: Type) -> Facts:
        own = arguments[0].facts
        domain: tuple[Value, ...] | None = None
        if isinstance(own.domain, tuple):
            domain = tuple(dict.fromkeys(str(value).translate(FOLD[name]) for value in own.domain))
        return Facts(own.nullable, domain=domain, max_length=own.max_length)

    return facts


def _fold(name: str, one: str, other: str) -> Rendering:
    """The engine's own function folds other letters too, but is far faster: take it where there are none."""
    return lambda _, texts: rendering.let(
        texts[0],
        lambda v: f"CASE WHEN strlen({v}) = length({v}) THEN {name}({v}) ELSE translate({v}, '{one}', '{other}') END",
    )


def _length(arguments: Arguments, _type: Type) -> Facts:
    facts = arguments[0].facts
    most = facts.max_length
    around = None if most is None else Interval(Fraction(0), Fraction(most))
    return Facts(facts.nullable, around, Fraction(1))


# --- parts of a text --------------------------------------------------------------------------------------


def _cutting(name: str) -> Typing:
    def typing(arguments: Arguments) -> Typed | None:
        found = _first_text(2, TEXT)(arguments)
        if found is not None:
            whole_constant(arguments[1], name.upper(), "its length", 0, MOST_TEXT)
        return found

    return typing


def _shorter(arguments: Arguments, _type: Type) -> Facts:
    facts = arguments[0].facts
    most = _number(arguments[-1])
    return Facts(facts.nullable, max_length=most if facts.max_length is None else min(most, facts.max_length))


def _number(one: Expression) -> int:
    if isinstance(one, Literal) and isinstance(one.value, int):
        return one.value
    raise ValueError("a length that is no constant; this is a bug, report it")


def _substring_typing(arguments: Arguments) -> Typed | None:
    """SUBSTRING counts from 1 and may begin before it: what lies before the text is cut off, as in PostgreSQL."""
    one = text_of(arguments[0]) if len(arguments) in (2, 3) else None
    if one is None:
        return None
    start = whole_constant(arguments[1], "SUBSTRING", "its start", -MOST_TEXT, MOST_TEXT)
    length = MOST_TEXT
    if len(arguments) == 3:
        length = whole_constant(arguments[2], "SUBSTRING", "its length", 0, MOST_TEXT)
    end = start + length if len(arguments) == 3 else max(start, 1) + MOST_TEXT
    first = max(start, 1)
    return (one, literal(first), literal(max(end - first, 0))), TEXT


def _trim(name: str) -> Function:
    return Function(
        name,
        f"{name.upper()}(t): without spaces at {_SIDES[name]}; spaces alone, no other white space.",
        "a text",
        _first_text(1, TEXT),
        _as_long,
        lambda _, texts: f"{name}({texts[0]}, ' ')",
        (name.upper(),),
    )


_SIDES = {"trim": "both ends", "ltrim": "the left", "rtrim": "the right"}


def _cut_at(name: str) -> Function:
    return Function(
        name,
        f"{name.upper()}(t, n): at most n characters from the {name}; n is a constant.",
        "a text and a constant length",
        _cutting(name),
        _shorter,
        lambda call, texts: f"{name}({texts[0]}, {_number(call.arguments[1])})",
        (name.upper(),),
    )


# --- joining texts ----------------------------------------------------------------------------------------


def as_text(one: Expression) -> Expression:
    """Return `one` as text."""
    return promoted(one, TEXT) if is_null_literal(one) else cast(one, TEXT)


def _joined_typing(arguments: Arguments) -> Typed | None:
    if len(arguments) < 1:
        return None
    found = tuple(as_text(one) for one in arguments)
    if _joined_length(found) is None:
        raise Refused.because(reasons.TEXT_TOO_LONG, function="||", limit=str(MOST_TEXT))
    return found, TEXT


def _joined_length(arguments: Arguments) -> int | None:
    total = 0
    for one in arguments:
        length = 0 if is_null_literal(one) else one.facts.max_length
        if length is None or total + length > MOST_TEXT:
            return None
        total += length
    return total


def _joined(arguments: Arguments, _type: Type) -> Facts:
    return Facts(nullable(arguments), max_length=_joined_length(arguments))


# --- finding and replacing --------------------------------------------------------------------------------


def _replaced_typing(arguments: Arguments) -> Typed | None:
    one = text_of(arguments[0]) if len(arguments) == 3 else None
    if one is None:
        return None
    for given, called in ((arguments[1], "what it replaces"), (arguments[2], "what it puts in its place")):
        if not isinstance(constant(given, "REPLACE", called).value, str):
            return None
    if _replaced_length((one, *arguments[1:])) > MOST_TEXT:
        raise Refused.because(reasons.TEXT_TOO_LONG, function="REPLACE", limit=str(MOST_TEXT))
    return (one, *arguments[1:]), TEXT


def _replaced_length(arguments: Arguments) -> int:
    """Every piece may stand in place of one as long as what is replaced."""
    old, new = (len(_string(one)) for one in arguments[1:])
    most = arguments[0].facts.max_length
    if most is None:
        return MOST_TEXT + 1
    return most if new <= old or not old else most // old * new + most % old


def _string(one: Expression) -> str:
    if isinstance(one, Literal) and isinstance(one.value, str):
        return one.value
    raise ValueError("a text that is no constant; this is a bug, report it")


def _replaced(arguments: Arguments, _type: Type) -> Facts:
    return Facts(arguments[0].facts.nullable, max_length=_replaced_length(arguments))


def _placed_typing(arguments: Arguments) -> Typed | None:
    found = tuple(text_of(one) for one in arguments)
    if len(found) != 2 or None in found:
        return None
    return tuple(one for one in found if one is not None), INTEGER


def _place(arguments: Arguments, _type: Type) -> Facts:
    most = arguments[0].facts.max_length
    around = Interval(Fraction(0), Fraction(MOST_TEXT if most is None else most + 1))
    return Facts(nullable(arguments), around, Fraction(1))


FUNCTIONS = (
    Function(
        "replace",
        "REPLACE(t, old, new): every piece of t that is old becomes new; both are constants.",
        "a text and two constant texts",
        _replaced_typing,
        _replaced,
        lambda _, texts: f"replace({', '.join(texts)})",
        ("REPLACE",),
    ),
    Function(
        "position",
        "POSITION(part IN t), STRPOS(t, part), CHARINDEX(part, t): where part first stands in t, from 1; 0 if nowhere.",
        "two texts",
        _placed_typing,
        _place,
        lambda _, texts: f"CAST(instr({texts[0]}, {texts[1]}) AS BIGINT)",
        ("POSITION", "STRPOS", "CHARINDEX", "INSTR"),
    ),
    Function(
        "lower",
        "LOWER(t): folds A to Z alone.",
        "a text",
        _first_text(1, TEXT),
        _folding("lower"),
        _fold("lower", _UPPER, _LOWER),
        ("LOWER", "LCASE"),
    ),
    Function(
        "upper",
        "UPPER(t): folds a to z alone.",
        "a text",
        _first_text(1, TEXT),
        _folding("upper"),
        _fold("upper", _LOWER, _UPPER),
        ("UPPER", "UCASE"),
    ),
    Function(
        "length",
        "LENGTH(t): the number of characters.",
        "a text",
        _first_text(1, INTEGER),
        _length,
        lambda _, texts: f"length({texts[0]})",
        ("LENGTH", "CHAR_LENGTH", "LEN"),
    ),
    _cut_at("left"),
    _cut_at("right"),
    Function(
        "substring",
        "SUBSTRING(t, start[, length]): from the first character, 1; start and length are constants.",
        "a text, a constant start and a constant length",
        _substring_typing,
        _shorter,
        lambda call, texts: f"substring({texts[0]}, {_number(call.arguments[1])}, {_number(call.arguments[2])})",
        ("SUBSTRING", "SUBSTR"),
    ),
    _trim("trim"),
    _trim("ltrim"),
    _trim("rtrim"),
    Function(
        "||",
        "a || b: NULL where either is; CONCAT(a, b, …) takes NULL as the empty text.",
        "values that can be text",
        _joined_typing,
        _joined,
        lambda _, texts: "(" + " || ".join(texts) + ")",
        ("CONCAT",),
    ),
)
