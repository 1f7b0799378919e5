"""What follows from a frozen object is computed once and kept with it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TypeVar

Node = TypeVar("Node")
Fact = TypeVar("Fact")


def fact(rule: Callable[[Node], Fact]) -> Callable[[Node], Fact]:
    """Have what `rule` says of an object kept with it: plans and catalogues never change, and are asked often.

    The object is of a class without slots; the copies that `replace` makes start with nothing known.
    """
    name = f"{rule.__module__}.{rule.__qualname__}"

    @wraps(rule)
    def kept(node: Node) -> Fact:
        known = node.__dict__
        if name not in known:
            known[name] = rule(node)
        found: Fact = known[name]
        return found

    return kept
