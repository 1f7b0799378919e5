"""Histograms for an engine without an aggregate of that name: values and their counts, as an array of pairs.

Each row is told how many rows of its group have its value, and whether it is the first of them; the firsts are
gathered. What the other aggregates look at is computed beside, so that all of them stay one pass over the groups.
"""

from __future__ import annotations

from collections.abc import Callable

from tre.sql.plan import Aggregate, Aggregated, Aggregation, Expression

Text = Callable[[Expression], str]
Measured = Callable[[Aggregated, str, str | None], str]


def with_histograms(node: Aggregate, text: Text, body: str, measured: Measured, called: tuple[str, ...]) -> str:
    """Return the SELECT of an aggregate over FROM and WHERE `body`; `measured` writes the aggregates of other kinds."""
    keys = [f"k{place}" for place in range(len(node.keys))]
    inner = [f"{text(one)} AS {name}" for name, (_, one) in zip(keys, node.keys, strict=True)]
    outer = list(keys)
    for place, one in enumerate(node.aggregates):
        names = f"a{place}", f"w{place}"
        inner += _looked_at(one, names, text)
        if one.function is not Aggregation.HISTOGRAM:
            outer.append(measured(one, "*" if one.argument is None else names[0], names[1] if one.where else None))
            continue
        over = f"OVER (PARTITION BY {', '.join((*(text(key) for _, key in node.keys), _kept(one, text)))})"
        inner += [f"COUNT(*) {over} AS n{place}", f"ROW_NUMBER() {over} AS p{place}"]
        pairs = f"ARRAY_AGG(ARRAY[a{place}, n{place}] ORDER BY a{place})"
        outer.append(f"{pairs} FILTER (WHERE p{place} = 1 AND a{place} IS NOT NULL)")
    listed = ", ".join(f"{one} AS {name}" for one, name in zip(outer, called, strict=True))
    grouped = f"\nGROUP BY {', '.join(str(place) for place in range(1, len(keys) + 1))}" if keys else ""
    return f"SELECT {listed}\nFROM (\n  SELECT {', '.join(inner)}\n  {body}\n) AS told{grouped}"


def _looked_at(one: Aggregated, names: tuple[str, str], text: Text) -> list[str]:
    found = [] if one.argument is None else [f"{_kept(one, text)} AS {names[0]}"]
    return found if one.where is None else [*found, f"({text(one.where)}) AS {names[1]}"]


def _kept(one: Aggregated, text: Text) -> str:
    """A value that the histogram's FILTER leaves out is none."""
    assert one.argument is not None
    if one.where is None or one.function is not Aggregation.HISTOGRAM:
        return text(one.argument)
    return f"CASE WHEN {text(one.where)} THEN {text(one.argument)} END"
