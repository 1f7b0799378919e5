"""Results about many persons inside queries over persons' rows: released first, then read (PRIVACY §2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.oracle.calls import Kinds

if TYPE_CHECKING:
    from tests.oracle.grammar import Grammar, Source


def value(grammar: Grammar) -> str:
    """Return a result without groups as a value."""
    inner = grammar.table()
    of = "COUNT(*)" if grammar.plain else grammar.aggregate(inner)
    return f"(SELECT {of} FROM {inner.text}{grammar.where(inner) if grammar.chance(0.3) else ''})"


def tied(grammar: Grammar, number: str) -> str:
    """Return the result of the group that `number` names; what is not released is NULL where SQL counts 0."""
    name, column, paid = grammar.random.choice((("visit", "kind", "paid"), ("episode", "kind", "weight")))
    tie = f"z.{column} = {number}"
    if grammar.plain or grammar.chance(0.5):
        return f"COALESCE((SELECT COUNT(*) FROM {name} z WHERE {tie}), 0)"
    return f"(SELECT {grammar.random.choice(('SUM', 'AVG', 'MAX'))}(z.{paid}) FROM {name} z WHERE {tie})"


def groups(grammar: Grammar, alias: str) -> Source:
    """Return a result by group: its keys and values are known only once it is released."""
    from tests.oracle.grammar import Col, Source

    inner = grammar.table()
    key = grammar.column(inner, Kinds.INT)
    key = key if not key.lstrip("-").isdigit() else f"({key} + 0)"
    text = f"SELECT {key} AS k, COUNT(*) AS n FROM {inner.text} GROUP BY {key} HAVING COUNT(*) > 0"
    if not grammar.plain and grammar.chance(0.3):
        grammar.used["released:top"] += 1
        text += " ORDER BY n DESC LIMIT 2"
    if not grammar.plain and grammar.chance(0.2):
        grammar.used["released:windowed"] += 1
        text = f"SELECT k, RANK() OVER (ORDER BY n DESC) AS n FROM ({text}) r"
    return Source(f"({text}) {alias}", (Col(f"{alias}.k", Kinds.INT), Col(f"{alias}.n", Kinds.INT)))


def joined_back(grammar: Grammar, depth: int) -> Source:
    """Return persons' rows beside what was released, on its key or on a comparison."""
    left, right = grammar.source(depth - 1), groups(grammar, grammar.alias())
    key, number = right.columns[0].text, right.columns[1].text
    on = grammar.pick(
        "released join",
        {
            "equal": lambda: f"{grammar.column(left, Kinds.INT)} = {key}",
            "range": lambda: f"{grammar.column(left, Kinds.INT)} <= {number}",
            "both": lambda: f"{key} = {grammar.column(left, Kinds.INT)} AND {number} > 1",
        },
    )
    return grammar.joined(left, right, str(on))


def among(grammar: Grammar, source: Source) -> str:
    """Return the condition that a column is, or is not, among released keys."""
    right = groups(grammar, grammar.alias())
    given = f"SELECT {right.columns[0].text} FROM {right.text}"
    return f"{grammar.column(source, Kinds.INT)} {grammar.random.choice(('', 'NOT '))}IN ({given})"


def there_is(grammar: Grammar, source: Source) -> str:
    """Return the condition that some released row suits the row."""
    right = groups(grammar, grammar.alias())
    return f"EXISTS (SELECT 1 FROM {right.text} WHERE {grammar.matching(source, right)})"
