"""The rules of UNION, INTERSECT and EXCEPT: a person's rows meet that person's rows alone (PRIVACY §2)."""

from __future__ import annotations

from dataclasses import replace

from tre.base.reasons import sql_private as reasons
from tre.sql.dependencies import Dependencies
from tre.sql.plan import Column, Ref, SetKind, SetOperation
from tre.sql.tracing.groups import merged
from tre.sql.tracing.rows import computed
from tre.sql.tracing.subqueries import attribute_alone
from tre.sql.tracing.tracer import RULES, Tracing
from tre.sql.tracing.traits import Broken, Status, Traits, plus

Outputs = tuple[tuple[Column, Column, Column], ...]
_WORDS = {Status.UNIT_KEYED: "persons' rows", Status.PUBLIC: "public rows", Status.RELEASED: "a released result"}


def set_operation(node: SetOperation, tracing: Tracing) -> Traits:
    """Both sides are of one kind; persons' rows have the unit key at the same place."""
    left, right = tracing.of(node.left), tracing.of(node.right)
    for side, traits in ((node.left, left), (node.right, right)):
        if traits.status is Status.ATTRIBUTE:
            raise attribute_alone(side)
    if left.status is not right.status:
        values = {"one": _WORDS[left.status], "other": _WORDS[right.status], "kind": node.kind.value.upper()}
        raise Broken(reasons.SET_MIXED, None, None, **values)
    if left.status is Status.UNIT_KEYED and not keys_aligned(node.outputs, left.unit_keys, right.unit_keys):
        one, other = (min(side.unit_keys, default=None) for side in (left, right))
        raise Broken(reasons.SET_KEY, one, other, kind=node.kind.value.upper())
    found = united(node, left, right) if node.kind is SetKind.UNION else chosen(node, left, right)
    return replace(
        found,
        identifying=frozenset(
            made.id for made, one, other in node.outputs if one.id in left.identifying or other.id in right.identifying
        ),
        tied=left.tied & right.tied,
        inexact=left.inexact or right.inexact,
    )


def keys_aligned(outputs: Outputs, left: frozenset[int], right: frozenset[int]) -> bool:
    """Say whether some column is a unit key on both sides."""
    return any(one.id in left and other.id in right for _, one, other in outputs)


def united(node: SetOperation, left: Traits, right: Traits) -> Traits:
    """Rows of both sides: what one side says of its rows need not hold of the other's (PRIVACY §2 "Dependencies")."""
    columns = frozenset(column.id for column in node.columns)
    echoes = [side.unit_keys | side.echoes for side in (left, right)]
    usual = None
    if left.typical_rows is not None and right.typical_rows is not None:
        usual = plus(left.typical_rows, right.typical_rows)
    return Traits(
        left.status,
        Dependencies(None if node.every else columns),
        unit_keys=frozenset(
            m.id for m, one, other in node.outputs if one.id in left.unit_keys and other.id in right.unit_keys
        ),
        echoes=frozenset(m.id for m, one, other in node.outputs if one.id in echoes[0] and other.id in echoes[1]),
        rows_per_unit=plus(left.rows_per_unit, right.rows_per_unit),
        typical_rows=usual,
        rows=plus(left.rows, right.rows),
        fans={
            made.id: plus(left.fans[one.id], right.fans[other.id])
            for made, one, other in node.outputs
            if one.id in left.fans and other.id in right.fans
        },
    )


def chosen(node: SetOperation, left: Traits, right: Traits) -> Traits:
    """Rows of the left side, fewer of them: what it says of its rows holds."""
    outputs = tuple((made, Ref(one)) for made, one, _ in node.outputs)
    found = computed(left, outputs) if node.every else merged(left, outputs, node.columns)
    if node.kind is SetKind.EXCEPT:
        return found
    per_unit, rows = min(left.rows_per_unit, right.rows_per_unit), min(left.rows, right.rows)
    return replace(found, rows_per_unit=per_unit, rows=rows)


RULES[SetOperation] = set_operation
