"""LIKE with constant patterns, in a form that is linear in the text."""

from __future__ import annotations

import re

from tre.base.reasons import Refused
from tre.base.reasons import sql_text as reasons
from tre.sql.functions import rendering
from tre.sql.functions.constants import literal
from tre.sql.functions.form import (
    BOOLEAN,
    Arguments,
    Function,
    Typed,
    boolean,
    constant,
)
from tre.sql.functions.texts import text_of
from tre.sql.plan import Call, Expression, Literal

MOST_PATTERN = 200


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
    one = text_of(arguments[0]) if len(arguments) == 2 else None
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
        "like",
        "t [NOT] LIKE pattern, t ILIKE pattern: a constant pattern; ILIKE folds A to Z alone.",
        "a text and a constant pattern",
        _like_typing,
        boolean,
        _like,
    ),
)
