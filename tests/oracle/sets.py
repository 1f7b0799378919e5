"""Productions of UNION, INTERSECT and EXCEPT of persons' rows (PRIVACY §2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.oracle.calls import Kinds

if TYPE_CHECKING:
    from tests.oracle.grammar import Grammar, Source

KINDS = (Kinds.INT, Kinds.NUM, Kinds.TEXT, Kinds.DATE, Kinds.BOOL, Kinds.TIME)


def combined(grammar: Grammar, depth: int) -> Source:
    """Return a derived table: both sides select the person's key first, then columns of the same kinds."""
    from tests.oracle.grammar import Col, Source

    left, right, outer = grammar.source(depth - 1), grammar.source(depth - 1), grammar.alias()
    kinds = [grammar.random.choice(KINDS) for _ in range(grammar.random.choice((0, 1, 2)))]
    word = str(
        grammar.pick(
            "set",
            {
                "union": lambda: "UNION",
                "union all": lambda: "UNION ALL",
                "intersect": lambda: "INTERSECT",
                "intersect all": lambda: "INTERSECT ALL",
                "except": lambda: "EXCEPT",
                "except all": lambda: "EXCEPT ALL",
            },
        )
    )
    text = f"{_side(grammar, left, kinds)} {word} {_side(grammar, right, kinds)}"
    columns = (Col(f"{outer}.u", Kinds.INT, True), *(Col(f"{outer}.s{at}", kind) for at, kind in enumerate(kinds)))
    return Source(f"({text}) {outer}", columns)


def _side(grammar: Grammar, source: Source, kinds: list[Kinds]) -> str:
    listed = [f"{grammar.column(source, kind)} AS s{at}" for at, kind in enumerate(kinds)]
    key = source.key.text
    if grammar.loose and grammar.chance(0.1):
        key = grammar.column(source, Kinds.INT)
    return f"SELECT {', '.join([f'{key} AS u', *listed])} FROM {source.text}{grammar.where(source)}"
