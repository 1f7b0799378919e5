"""From a text that a person typed to one checked tree, or a refusal with its place (DESIGN "SQL meaning").

scan → parse → node and function allow-lists over all nodes → fixed point under parse ∘ generate → balanced AND/OR.
What runs is generated from the plan that is bound to this tree; the text itself never reaches an engine.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Iterator
from itertools import islice

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import ErrorLevel, ParseError
from sqlglot.tokenizer_core import Token, TokenType

from tre.base.reasons import Refusal, Refused
from tre.base.reasons import sql_text as reasons
from tre.sql.grammar import Found, off_list
from tre.sql.parsed import Parsed, place_of
from tre.sql.scan import place_at, scan

DIALECTS = ("postgres", "bigquery", "duckdb", "mysql", "oracle", "redshift", "snowflake", "spark", "tsql")
"""The dialects that are read, PostgreSQL first; the meaning is PostgreSQL's in all."""

MOST_TREE_DEPTH = 300
MOST_TOLD = 25
"""Most refusals of one text; a text of nothing but unknown functions would take seconds to explain."""
MOST_READ_AGAIN = 8 * 1024
"""Longest text, in characters, that is tried in the other dialects; each reading takes about 3 ms a KiB."""
_FRAMES = 8_000
"""Python frames that a text of the greatest depth needs: the pure parser takes about 25 a bracket."""

_FOREIGN = frozenset({reasons.SYNTAX, reasons.UNSTABLE, reasons.FUNCTION_UNKNOWN})
"""What a text in another dialect than the named one is commonly refused for."""

_BEGINNINGS = (TokenType.SELECT, TokenType.WITH, TokenType.L_PAREN)

__all__ = ["DIALECTS", "Parsed", "parse", "place_of"]

# Depth is bounded by the scan, so that a verdict depends on the text and not on where in the stack a caller stands.
sys.setrecursionlimit(max(sys.getrecursionlimit(), _FRAMES))
# The parser's own messages repeat the text of a query, which belongs in no log (PRIVACY §1).
logging.getLogger("sqlglot").disabled = True


def parse(text: str, dialect: str = "postgres") -> Parsed:
    """Return the checked tree of `text`.

    Raises Refused with every off-list form at once, or with the first thing that keeps the text from being read.
    """
    if dialect not in DIALECTS:
        raise Refused.because(reasons.DIALECT_UNKNOWN, dialect=dialect[:40], choices=", ".join(DIALECTS))
    try:
        return _parse(text, dialect)
    except Refused as refused:
        raise _told_what_it_may_be(refused, text, dialect) from None


def _parse(text: str, dialect: str) -> Parsed:
    reader = Dialect.get_or_raise(dialect)
    tree = _read(text, scan(text, reader), reader)
    parsed = Parsed(tree, text, dialect)
    _checked(parsed)
    _fixed_point(parsed, reader)
    return Parsed(_balanced(tree), text, dialect)


def _told_what_it_may_be(refused: Refused, text: str, dialect: str) -> Refused:
    """Add the dialects that read the whole text, where the refusal may come from none having been named."""
    if len(text) > MOST_READ_AGAIN or not {one.reason for one in refused.refusals} <= _FOREIGN:
        return refused
    others = ", ".join(one for one in DIALECTS if one != dialect and _reads(text, one))
    return Refused((*refused.refusals, Refusal(reasons.OTHER_DIALECT, {"names": others}))) if others else refused


def _reads(text: str, dialect: str) -> bool:
    try:
        _parse(text, dialect)
    except Refused:
        return False
    return True


def _read(text: str, tokens: list[Token], reader: Dialect) -> exp.Query:
    first = next(token for token in tokens if token.token_type is not TokenType.SEMICOLON)
    if first.token_type not in _BEGINNINGS:
        raise _not_a_query(text, first)
    trees = [tree for tree in _parsed(text, tokens, reader) if tree is not None]
    if len(trees) != 1:
        raise Refused.because(reasons.SEVERAL_STATEMENTS)
    if not isinstance(trees[0], exp.Query):
        raise Refused.because(reasons.NOT_A_QUERY, form=trees[0].key.upper())
    return trees[0]


def _not_a_query(text: str, token: Token) -> Refused:
    place = place_at(text, token.start, token.end)
    if token.token_type in (TokenType.VAR, TokenType.STRING, TokenType.NUMBER, TokenType.IDENTIFIER):
        return Refused.because(reasons.SYNTAX, place, where="at its first word")
    return Refused.because(reasons.NOT_A_QUERY, place, form=token.text.upper()[:40])


def _parsed(text: str, tokens: list[Token], reader: Dialect) -> list[exp.Expr | None]:
    """Return the trees; whatever goes wrong in the parser is the text's fault and told in our own words."""
    try:
        trees: list[exp.Expr | None] = reader.parser(error_level=ErrorLevel.IMMEDIATE).parse(tokens, text)
    except ParseError as error:
        raise _syntax(text, error) from None
    except Exception:  # noqa: BLE001 - a hostile text may trip the parser anywhere
        raise Refused.because(reasons.SYNTAX, where="somewhere") from None
    return trees


def _syntax(text: str, error: ParseError) -> Refused:
    """Place the error by the text that the parser says stands before it, never by its own sentence."""
    told = error.errors[0] if error.errors else {}
    before, word = str(told.get("start_context") or ""), str(told.get("highlight") or "")
    start = text.find(before + word) + len(before)
    if not word or start < len(before):
        return Refused.because(reasons.SYNTAX, where="somewhere")
    return Refused.because(reasons.SYNTAX, place_at(text, start, start + len(word) - 1), where="here")


def _checked(parsed: Parsed) -> None:
    _shallow(parsed.tree)
    refusals: list[Refusal] = []
    for why, values, node in islice(_off_list(parsed), MOST_TOLD):
        refusal = Refusal(why, values, place_of(node, parsed))
        if refusal not in refusals:
            refusals.append(refusal)
    if refusals:
        raise Refused(refusals)


def _off_list(parsed: Parsed) -> Iterator[Found]:
    nodes = list(parsed.tree.walk())
    yield from off_list(nodes)
    if parsed.dialect == DIALECTS[0]:
        # The parser knows DATEDIFF in every dialect, and takes its unit for a column where PostgreSQL has no such word.
        yield from (_not_of_postgres(node) for node in nodes if isinstance(node, exp.DateDiff))


def _not_of_postgres(node: exp.Expr) -> Found:
    return reasons.FUNCTION_UNKNOWN, {"name": "DATEDIFF", "hint": " PostgreSQL subtracts dates: b - a."}, node


def _shallow(tree: exp.Expr) -> None:
    """Refuse a tree in which chains of operators go too deep; AND and OR chains are balanced later, so count once."""
    level: list[exp.Expr] = [tree]
    for _ in range(MOST_TREE_DEPTH):
        level = [child for node in level for child in _below(node)]
        if not level:
            return
    raise Refused.because(reasons.TOO_DEEP, limit=str(MOST_TREE_DEPTH))


def _below(node: exp.Expr) -> Iterable[exp.Expr]:
    return _terms(node) if isinstance(node, exp.Connector) else node.iter_expressions()


def _terms(node: exp.Expr) -> list[exp.Expr]:
    """Return the operands of a chain of one connector, in order, without recursion."""
    kind, terms, waiting = type(node), [], [node]
    while waiting:
        one = waiting.pop()
        if type(one) is kind:
            waiting += [one.args["expression"], one.args["this"]]
        else:
            terms.append(one)
    return terms


def _fixed_point(parsed: Parsed, reader: Dialect) -> None:
    try:
        once = _written(_unplaced(parsed.tree), reader)
        again = reader.parser(error_level=ErrorLevel.IMMEDIATE).parse(reader.tokenize(once), once)
        stable = len(again) == 1 and again[0] is not None and _written(again[0], reader) == once
    except Exception:  # noqa: BLE001 - what cannot be written and read again is not stable
        stable = False
    if not stable:
        raise Refused.because(reasons.UNSTABLE)


def _written(tree: exp.Expr, reader: Dialect) -> str:
    """Return the text of `tree`, which writing may change."""
    return str(reader.generate(tree, copy=False, comments=False, unsupported_level=ErrorLevel.IGNORE))


def _unplaced(tree: exp.Expr) -> exp.Expr:
    """Return a copy of `tree` to be written: the comments and places of its nodes are most of what a copy takes."""
    root = type(tree)()
    waiting = [(tree, root)]

    def made(one: object) -> object:
        if not isinstance(one, exp.Expr):
            return one
        copy = type(one)()
        waiting.append((one, copy))
        return copy

    while waiting:
        node, copy = waiting.pop()
        copy._type = node._type
        for name, value in node.args.items():
            if isinstance(value, exp.Expr):
                copy.set(name, made(value))
            elif isinstance(value, list):
                copy.set(name, [made(one) for one in value])
            else:
                copy.args[name] = value
    return root


def _balanced(tree: exp.Query) -> exp.Query:
    """Turn long chains of AND and of OR, which associate, into trees of logarithmic depth."""
    chains = [node for node in tree.walk() if type(node) in (exp.And, exp.Or) and type(node.parent) is not type(node)]
    for node in chains:
        terms = _terms(node)
        if len(terms) > 3:
            half = len(terms) // 2
            node.set("this", _joined(type(node), terms[:half]))
            node.set("expression", _joined(type(node), terms[half:]))
    return tree


def _joined(kind: type[exp.Expr], terms: list[exp.Expr]) -> exp.Expr:
    if len(terms) == 1:
        return terms[0]
    half = len(terms) // 2
    return kind(this=_joined(kind, terms[:half]), expression=_joined(kind, terms[half:]))
