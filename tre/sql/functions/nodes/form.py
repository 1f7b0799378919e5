"""The form of one row of the tables of nodes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from tre.sql.functions.form import Arguments
from tre.sql.functions.registry import call
from tre.sql.plan import Expression

Node = Any
Build = Callable[[Node, Arguments, date], Expression]


@dataclass(frozen=True, slots=True)
class Form:
    """How one kind of node is bound: `parts` may be filled, `operands` are bound first, `build` gives the meaning."""

    parts: frozenset[str]
    operands: Callable[[Node], Sequence[Node]]
    build: Build


def form(parts: str, operands: str, build: Build) -> Form:
    """Return a form whose operands are the parts named in `operands`, lists spread out, absent ones left out."""
    names = operands.split()

    def found(node: Node) -> Sequence[Node]:
        values = (node.args.get(name) for name in names)
        return [one for value in values for one in (value if isinstance(value, list) else [value]) if one is not None]

    return Form(frozenset(parts.split()) | set(names), found, build)


def plain(name: str, operands: str, parts: str = "") -> Form:
    """Return a form that is a call of `name` over its operands."""
    return form(parts, operands, lambda _node, arguments, _today: call(name, *arguments))
