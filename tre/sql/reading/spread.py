"""Aggregates over windows across many persons, read as the groups' results joined back.

`MIN(x) OVER (PARTITION BY k)` beside every row is the result of a GROUP BY, which is released before it is used. So
people who wrote a window where a join was meant get that join; what it costs is told as for any other.
"""

from __future__ import annotations

from dataclasses import replace

from sqlglot import exp

from tre.sql.parsed import Parsed
from tre.sql.reading.lineage import meant, same

SPREAD = "an aggregate over a window of many persons' rows is released first, by its partition, and joined back"
"""What an answer says of it."""
_AGGREGATES = (exp.Min, exp.Max, exp.Avg, exp.Sum, exp.Count)


def joined_back(parsed: Parsed) -> Parsed | None:
    """Return the text with its windows over whole partitions as joined groups; None where it has none."""
    tree, made = parsed.tree.copy(), 0
    for select in list(tree.find_all(exp.Select)):
        for partition, windows in _by_partition(select):
            made += 1
            _join(select, partition, windows, f"of_group_{made}")
    return replace(parsed, tree=tree) if made else None


def _by_partition(select: exp.Select) -> list[tuple[list[exp.Expr], list[exp.Window]]]:
    """Return the windows of plain columns over whole partitions of a SELECT without groups, by their partitions."""
    if not select.args.get("from_") or select.args.get("group") or select.args.get("qualify"):
        return []
    found: list[tuple[list[exp.Expr], list[exp.Window]]] = []
    for item in select.expressions:
        for node in item.walk(prune=lambda one: isinstance(one, exp.Query)):
            if not isinstance(node, exp.Window) or not _whole(node):
                continue
            partition = node.args.get("partition_by") or []
            known = next((windows for keys, windows in found if _equal(keys, partition)), None)
            if known is None:
                found.append((partition, [node]))
            else:
                known.append(node)
    return found


def _whole(window: exp.Window) -> bool:
    plain = all(isinstance(one, exp.Column) for one in window.args.get("partition_by") or [])
    parts = any(window.args.get(part) for part in ("order", "spec", "alias"))
    return plain and not parts and isinstance(window.this, _AGGREGATES)


def _equal(keys: list[exp.Expr], others: list[exp.Expr]) -> bool:
    return len(keys) == len(others) and all(same(one, other) for one, other in zip(keys, others, strict=True))


def _join(select: exp.Select, partition: list[exp.Expr], windows: list[exp.Window], name: str) -> None:
    """Join the groups of the same rows; a group whose key is NULL is none, as no join finds it."""
    inner = exp.Select()
    for part in ("from_", "joins", "where"):
        if select.args.get(part):
            value = select.args[part]
            inner.set(part, [one.copy() for one in value] if isinstance(value, list) else value.copy())
    listed: list[exp.Expr] = [exp.alias_(one.copy(), f"k{at}") for at, one in enumerate(partition)]
    listed += [exp.alias_(one.this.copy(), f"v{at}") for at, one in enumerate(windows)]
    inner.set("expressions", listed)
    if partition:
        inner.set("group", exp.Group(expressions=[one.copy() for one in partition]))
    terms: list[exp.Expr] = [
        exp.EQ(this=one.copy(), expression=exp.column(f"k{at}", table=name)) for at, one in enumerate(partition)
    ]
    source = exp.Subquery(this=inner, alias=exp.TableAlias(this=exp.to_identifier(name)))
    join = exp.Join(this=source, on=exp.and_(*terms), side="LEFT") if terms else exp.Join(this=source, kind="CROSS")
    select.set("joins", [*(select.args.get("joins") or []), join])
    for at, one in enumerate(windows):
        column = exp.column(f"v{at}", table=name)
        one.replace(exp.alias_(column, meant(one).alias_or_name) if isinstance(one.parent, exp.Select) else column)
