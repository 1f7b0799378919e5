"""What is checked before the parser sees a text: size, characters, forms of literals, depth (DESIGN "SQL meaning").

The parser recurses, and a compiled one ends the process when the stack is full; so depth is bounded first, over
the parser's own tokens, which are cut without recursion. Two ways to read one text cannot arise.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import SqlglotError
from sqlglot.parser import Parser
from sqlglot.tokenizer_core import Token, TokenType

from tre.base.reasons import Place, Reason, Refused
from tre.base.reasons import sql_text as reasons

MOST_BYTES = 16 * 1024
MOST_DEPTH = 100
MOST_RUN = 1_000
"""Most tokens, summed over open brackets, since the last comma, AND, OR, WHEN, THEN or ELSE of each: whatever else may
make the parser recurse (JOIN … JOIN … ON … ON, x -> y -> …) recurses at most once a token."""
MOST_NESTED = 6_000
"""Most tokens inside subqueries, each counted once a level: some dialects' readers copy a subquery at every level."""
MOST_OPEN_JOINS = 4
"""Most JOINs that wait for their ON at one place: the reader reads what follows such a JOIN twice, once as its own."""

MOST_OPEN_TYPES = 3
"""Most open brackets at one place that follow a type's word: the reader reads DATE(…) as a type, then as a call."""

_OPENING = frozenset({TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE, TokenType.CASE})
_CLOSING = frozenset({TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE, TokenType.END})
_PREFIX = frozenset({TokenType.NOT, TokenType.DASH, TokenType.PLUS, TokenType.TILDE, TokenType.LT})
_SEPARATING = frozenset(
    {TokenType.COMMA, TokenType.AND, TokenType.OR, TokenType.WHEN, TokenType.THEN, TokenType.ELSE, TokenType.SEMICOLON}
)
_FORMS_REFUSED = frozenset(
    {
        TokenType.HEX_STRING,
        TokenType.BIT_STRING,
        TokenType.BYTE_STRING,
        TokenType.RAW_STRING,
        TokenType.HEREDOC_STRING,
        TokenType.UNICODE_STRING,
        TokenType.PARAMETER,
        TokenType.PLACEHOLDER,
        TokenType.SESSION_PARAMETER,
    }
)
_TYPES = frozenset(Parser.TYPE_TOKENS | {TokenType.TABLE, TokenType.FILE})
_JOINING = frozenset({TokenType.JOIN, TokenType.STRAIGHT_JOIN})
_CONDITION = frozenset({TokenType.ON, TokenType.USING})
_STRINGS = frozenset({TokenType.STRING, TokenType.NATIONAL_STRING}) | _FORMS_REFUSED
_COMMENT = re.compile(r"--[^\n]*|#[^\n]*|//[^\n]*|/\*.*?\*/|/\*.*", re.DOTALL)
_CLOSED_BY = {"'": "'", '"': '"', "`": "`", "/*": "*/", "--": "\n"}
_QUOTES = re.compile("|".join(map(re.escape, _CLOSED_BY)))
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def place_at(text: str, start: int, end: int | None = None) -> Place:
    """Return the place of the characters `start`..`end` (inclusive) of `text`; the caret stays on one line."""
    start = min(max(start, 0), len(text))
    begin = text.rfind("\n", 0, start) + 1
    stop = text.find("\n", start)
    stop = len(text) if stop < 0 else stop
    source = text[begin:stop].rstrip("\r")
    width = max(1, min((start if end is None else end) + 1, stop) - start)
    return Place(text.count("\n", 0, start) + 1, start - begin + 1, source, width)


def scan(text: str, dialect: Dialect) -> list[Token]:
    """Return the tokens of `text`, or refuse it. Takes time and stack linear and constant in its length."""
    _sized(text)
    try:
        tokens = dialect.tokenize(text)
    except SqlglotError:
        raise _refused(reasons.UNREADABLE, text, _unclosed(text)) from None
    if not any(token.token_type is not TokenType.SEMICOLON for token in tokens):
        raise Refused.because(reasons.EMPTY)
    _plain(text, tokens)
    _shallow(text, tokens)
    _light(text, tokens)
    _joined(text, tokens)
    _typed(text, tokens)
    return tokens


def _refused(why: Reason, text: str, start: int, end: int | None = None, **values: str) -> Refused:
    return Refused.because(why, place_at(text, start, end), **values)


def _unclosed(text: str) -> int:
    """Return where the first string, quoted name or comment begins that does not end; 0 where all of them do."""
    at = 0
    while found := _QUOTES.search(text, at):
        end = text.find(_CLOSED_BY[found[0]], found.end())
        if end < 0:
            return 0 if found[0] == "--" else found.start()
        at = end + len(_CLOSED_BY[found[0]])
    return 0


def _sized(text: str) -> None:
    size = len(text.encode("utf-8", errors="surrogatepass"))
    if size > MOST_BYTES:
        raise Refused.because(reasons.TOO_LONG, size=str(size), limit=str(MOST_BYTES))
    found = _CONTROL.search(text) or re.search(r"[\ud800-\udfff]", text)
    if found:
        raise _refused(reasons.CONTROL_CHARACTER, text, found.start(), code=f"{ord(found.group()):04X}")


def _plain(text: str, tokens: list[Token]) -> None:
    """Refuse literals that are read in other ways than they look, and letters that look like others."""
    ascii_alone = text.isascii()
    for token in tokens:
        if token.token_type in _FORMS_REFUSED:
            raise _refused(reasons.LITERAL_FORM, text, token.start, token.end)
        found = None if ascii_alone else _NOT_ASCII.search(text, token.start, token.end + 1)
        if found and token.token_type not in _STRINGS:
            raise _alike(text, found)
    for before, mark, name in zip(tokens, tokens[1:], tokens[2:], strict=False) if "&" in text else ():
        joined = before.end + 1 == mark.start and mark.end + 1 == name.start
        quoted = mark.token_type is TokenType.AMP and name.token_type is TokenType.IDENTIFIER
        if joined and quoted and before.text.upper() == "U":
            raise _refused(reasons.LITERAL_FORM, text, before.start, name.end)
    for start, end in () if ascii_alone else _gaps(text, tokens):
        outside = _COMMENT.sub(lambda comment: " " * len(comment.group()), text[start:end])
        found = _NOT_ASCII.search(outside)
        if found:
            raise _alike(text, found, start)


def _gaps(text: str, tokens: list[Token]) -> Iterator[tuple[int, int]]:
    """Yield where white space and comments stand."""
    position = 0
    for token in tokens:
        yield position, token.start
        position = token.end + 1
    yield position, len(text)


def _alike(text: str, found: re.Match[str], offset: int = 0) -> Refused:
    return _refused(reasons.NOT_ASCII, text, offset + found.start(), code=f"{ord(found.group()):04X}")


def _shallow(text: str, tokens: list[Token]) -> None:
    """Bound how deep a parser can recurse, whatever the grammar: open brackets and CASEs, signs and NOTs, runs."""
    runs, prefixes = [0], [0]
    run = prefixed = 0  # their sums
    for token in tokens:
        kind = token.token_type
        if kind in _SEPARATING:
            run, prefixed = run - runs[-1], prefixed - prefixes[-1]
            runs[-1], prefixes[-1] = 0, 0
        elif kind in _OPENING:
            runs.append(0)
            prefixes.append(0)
        elif kind in _CLOSING and len(runs) > 1:
            run, prefixed = run - runs.pop(), prefixed - prefixes.pop()
        elif kind in _PREFIX:
            prefixes[-1] += 1
            prefixed += 1
        runs[-1] += 1
        run += 1
        if len(runs) - 1 + prefixed > MOST_DEPTH or run > MOST_RUN:
            raise _refused(reasons.TOO_DEEP, text, token.start, token.end, limit=str(MOST_DEPTH))


def _light(text: str, tokens: list[Token]) -> None:
    """Bound the work of reading subqueries: their sizes, summed over all that are inside another SELECT."""
    selects, around, weight = [False], 0, 0
    for token in tokens:
        kind = token.token_type
        if kind in _OPENING:
            selects.append(False)
        elif kind in _CLOSING and len(selects) > 1:
            around -= selects.pop()
        elif kind is TokenType.SELECT and not selects[-1]:
            selects[-1] = True
            around += 1
        weight += max(0, around - 1)
        if weight > MOST_NESTED:
            raise _refused(reasons.TOO_NESTED, text, token.start, token.end)


def _joined(text: str, tokens: list[Token]) -> None:
    """Bound the JOINs without ON on the way to any token: reading them takes time that doubles with each.

    An ON belongs to the JOIN before it in the same brackets, or to none.
    """
    waiting = [0]
    for before, token in zip([None, *tokens], tokens, strict=False):
        kind = token.token_type
        if kind in _OPENING:
            waiting.append(0)
        elif kind in _CLOSING and len(waiting) > 1:
            waiting.pop()
        elif kind in _JOINING and (before is None or before.token_type is not TokenType.CROSS):
            waiting[-1] += 1
            if sum(waiting) > MOST_OPEN_JOINS:
                raise _refused(reasons.JOINS_OPEN, text, token.start, token.end, limit=str(MOST_OPEN_JOINS))
        elif kind in _CONDITION:
            waiting[-1] = max(0, waiting[-1] - 1)


def _typed(text: str, tokens: list[Token]) -> None:
    """Bound the brackets after types' words on the way to any token: reading takes time that doubles with each."""
    following = [False]
    for before, token in zip([None, *tokens], tokens, strict=False):
        if token.token_type in _OPENING:
            following.append(before is not None and before.token_type in _TYPES)
            if sum(following) > MOST_OPEN_TYPES:
                raise _refused(reasons.TYPES_OPEN, text, token.start, token.end, limit=str(MOST_OPEN_TYPES))
        elif token.token_type in _CLOSING and len(following) > 1:
            following.pop()
