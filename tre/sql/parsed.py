"""A checked tree with the text that it was read from, and where its nodes stand in it."""

from __future__ import annotations

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


def place_of(node: exp.Expr, parsed: Parsed) -> Place | None:
    """Return the place of `node` in the typed text, or None where the parser kept none."""
    spans = [
        (one.meta["start"], one.meta["end"])
        for one in node.walk()
        if isinstance(one.meta.get("start"), int) and isinstance(one.meta.get("end"), int)
    ]
    if not spans:
        return None
    return place_at(parsed.text, min(start for start, _ in spans), max(end for _, end in spans))
