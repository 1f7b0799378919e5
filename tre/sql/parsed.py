"""A checked tree with the text that it was read from, and where its nodes stand in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlglot import exp

from tre.base.reasons import Place
from tre.sql.scan import place_at


@dataclass(frozen=True, slots=True)
class Parsed:
    """A checked tree, with the text and the dialect that it was read from."""

    tree: exp.Query
    text: str
    dialect: str


def place_of(node: exp.Expr, parsed: Parsed) -> Place:
    """Return the place of `node` in the typed text, or of the least around it of which the parser kept one."""
    around: exp.Expr | None = node
    while around is not None:
        spans = list(_spans(around))
        if spans:
            return place_at(parsed.text, min(start for start, _ in spans), max(end for _, end in spans))
        around = around.parent
    return place_at(parsed.text, len(parsed.text) - len(parsed.text.lstrip()), len(parsed.text) - 1)


def _spans(node: exp.Expr) -> Iterator[tuple[int, int]]:
    for one in node.walk():
        if isinstance(one.meta.get("start"), int) and isinstance(one.meta.get("end"), int):
            yield one.meta["start"], one.meta["end"]
