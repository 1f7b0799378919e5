"""Text: letters fold in ASCII alone, lengths count characters, and every result has a longest length."""

from __future__ import annotations

import re
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
    BOOLEAN,
    INTEGER,
    MOST_TEXT,
    TEXT,
    Arguments,
    Function,
    Rendering,
    Typed,
    Typing,
    boolean,
    constant,
    is_null_literal,
    kind,
    nullable,
    whole_constant,
)
from tre.sql.plan import Call, Expression, Facts, Literal

MOST_PATTERN = 200
_UPPER, _LOWER = ascii_letters.ascii_uppercase, ascii_letters.ascii_lowercase
FOLD = {"lower": str.maketrans(_UPPER, _LOWER), "upper": str.maketrans(_LOWER, _UPPER)}


def _text(one: Expression) -> Expression | None:
    if is_null_literal(one):
        return promoted(one, TEXT)
    return one if kind(one) is Kind.TEXT else None


def _first_text(count: int, result: Type) -> Typing:
    """Type a function of one text and `count` − 1 further arguments."""

    def typing(arguments: Arguments) -> Typed | None:
        one = _text(arguments[0]) if len(arguments) == count else None
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


def _fold(one: str, other: str) -> Rendering:
    return lambda _, texts: f"translate({texts[0]}, '{one}', '{other}')"


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
    one = _text(arguments[0]) if len(arguments) in (2, 3) else None
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


# --- patterns ---------------------------------------------------------------------------------------------


def pattern(one: Expression, escape: str = "\\") -> Literal:
    """Return the constant LIKE pattern `one` with a backslash as its escape, or refuse it."""
    text = constant(one, "LIKE", "its pattern").value
    if not isinstance(text, str):
        raise Refused.because(reasons.ARGUMENT_NOT_CONSTANT, function="LIKE", argument="its pattern (a text)")
    if len(text) > MOST_PATTERN:
        raise Refused.because(reasons.CONSTANT_TOO_LONG, argument="pattern", function="LIKE", limit=str(MOST_PATTERN))
    return literal("".join(_escaped(piece) for piece in _pieces(text, escape)))


def _pieces(text: str, escape: str) -> list[str]:
    """Return the wildcards (as "%" and "_") and the plain characters (as "=c") of a pattern."""
    found, position = [], 0
    while position < len(text):
        character = text[position]
        if escape and character == escape:
            position += 1
            if position == len(text):
                raise Refused.because(reasons.CONSTANT_MALFORMED, text=text[:60], type="pattern: it ends in its escape")
            found.append("=" + text[position])
        else:
            found.append(character if character in "%_" else "=" + character)
        position += 1
    return found


def _escaped(piece: str) -> str:
    if len(piece) == 1:
        return piece
    return "\\" + piece[1] if piece[1] in "%_\\" else piece[1]


def _like_typing(arguments: Arguments) -> Typed | None:
    one = _text(arguments[0]) if len(arguments) == 2 else None
    return None if one is None else ((one, pattern(arguments[1])), BOOLEAN)


def _like(call: Call, texts: tuple[str, ...]) -> str:
    """Take the engine's LIKE where it is linear in the text; with _ or an escape it is exponential, a regex is not."""
    given = call.arguments[1]
    text = given.value if isinstance(given, Literal) and isinstance(given.value, str) else ""
    if "_" not in text and "\\" not in text:
        return f"({texts[0]} LIKE {rendering.string(text)})"
    wild = {"%": ".*", "_": "."}
    regex = "".join(wild.get(piece) or re.escape(piece[1:]) for piece in _pieces(text, "\\"))
    return f"regexp_full_match({texts[0]}, {rendering.string('(?s)' + regex)})"


FUNCTIONS = (
    Function(
        "lower",
        "LOWER(t): folds A to Z alone.",
        "a text",
        _first_text(1, TEXT),
        _folding("lower"),
        _fold(_UPPER, _LOWER),
        ("LOWER", "LCASE"),
    ),
    Function(
        "upper",
        "UPPER(t): folds a to z alone.",
        "a text",
        _first_text(1, TEXT),
        _folding("upper"),
        _fold(_LOWER, _UPPER),
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
    Function(
        "like",
        "t [NOT] LIKE pattern, t ILIKE pattern: a constant pattern; ILIKE folds A to Z alone.",
        "a text and a constant pattern",
        _like_typing,
        boolean,
        _like,
    ),
)
