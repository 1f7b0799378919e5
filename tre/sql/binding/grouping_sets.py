"""GROUPING SETS, ROLLUP and CUBE: which sets of keys they stand for, and the rows of all sets one below the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations, product
from math import prod

from sqlglot import exp

from tre.sql.binding.session import Session
from tre.sql.plan import Column, Relation, SetKind, SetOperation

MOST_SETS = 64
"""Most grouping sets of one GROUP BY, as of a CUBE of six columns: each is an aggregate of its own."""

Set = frozenset[int]
"""The keys of one grouping set, by the ids of their columns."""
KeysOf = Callable[[exp.Expr], Set]
"""The keys that one element stands for: a position, an alias, an expression, or several in brackets."""


def count_of(group: exp.Group) -> int:
    """Return how many grouping sets a GROUP BY has, without making any."""
    if group.args.get("rollup"):
        return len(group.expressions) + 1
    if group.args.get("cube"):
        return int(2 ** len(group.expressions))
    return prod(_count(one) for one in _elements(group))


def _count(node: exp.Expr) -> int:
    if isinstance(node, exp.GroupingSets):
        return sum(_count(one) for one in node.expressions)
    if isinstance(node, exp.Cube):
        return int(2 ** len(node.expressions))
    return len(node.expressions) + 1 if isinstance(node, exp.Rollup) else 1


def sets_of(group: exp.Group, keys: KeysOf) -> list[Set]:
    """Return the grouping sets of a GROUP BY, the most detailed first within each of its elements."""
    if group.args.get("rollup"):
        found = _rolled([keys(one) for one in group.expressions])
    elif group.args.get("cube"):
        found = _cubed([keys(one) for one in group.expressions])
    else:
        found = [_union(one) for one in product(*(_sets(one, keys) for one in _elements(group)))]
    return list(dict.fromkeys(found)) if group.args.get("all") is False else found


def _elements(group: exp.Group) -> list[exp.Expr]:
    """GROUP BY a, b GROUPING SETS (…), without a comma, names the keys and then the sets alone."""
    return [*(group.args.get("grouping_sets") or group.expressions)]


def _sets(node: exp.Expr, keys: KeysOf) -> list[Set]:
    if isinstance(node, exp.GroupingSets):
        return [one for inner in node.expressions for one in _sets(inner, keys)]
    if isinstance(node, exp.Rollup):
        return _rolled([keys(one) for one in node.expressions])
    return _cubed([keys(one) for one in node.expressions]) if isinstance(node, exp.Cube) else [keys(node)]


def _rolled(parts: list[Set]) -> list[Set]:
    return [_union(parts[:most]) for most in range(len(parts), -1, -1)]


def _cubed(parts: list[Set]) -> list[Set]:
    return [_union(some) for most in range(len(parts), -1, -1) for some in combinations(parts, most)]


def _union(parts: Sequence[Set]) -> Set:
    return frozenset().union(*parts)


def leaves(group: exp.Group) -> list[exp.Expr]:
    """Return every element that stands for a key, or for several in brackets, in the order of the text."""
    found: list[exp.Expr] = []
    waiting = [*group.expressions, *(group.args.get("grouping_sets") or ())][::-1]
    while waiting:
        node = waiting.pop()
        if isinstance(node, exp.Rollup | exp.Cube | exp.GroupingSets):
            waiting += node.expressions[::-1]
        else:
            found.append(node)
    return found


def below_each_other(sides: Sequence[Relation], columns: Sequence[Column], session: Session) -> Relation:
    """Return the rows of all `sides` as one relation of `columns`, which is what SQL says grouping sets are."""
    if len(sides) == 1:
        return sides[0]
    half = len(sides) // 2
    left, right = (_part(some, columns, session) for some in (sides[:half], sides[half:]))
    return SetOperation(SetKind.UNION, True, left, right, tuple(zip(columns, left.columns, right.columns, strict=True)))


def _part(sides: Sequence[Relation], columns: Sequence[Column], session: Session) -> Relation:
    return below_each_other(sides, [session.renamed(one, one.name) for one in columns], session)
