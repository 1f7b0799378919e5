"""Where a column of a SELECT comes from, by the text alone: through derived tables and WITH, down to an expression."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlglot import exp


@dataclass(frozen=True, slots=True)
class Step:
    """One SELECT on the way of a column, and the item of its list that gives it."""

    select: exp.Select
    item: exp.Expr


def sources(select: exp.Select) -> Iterator[tuple[str, exp.Expr]]:
    """Yield each item of FROM and JOIN with the name by which its columns are qualified."""
    items = [select.args["from_"].this] if select.args.get("from_") else []
    for one in (*items, *(join.this for join in select.args.get("joins") or [])):
        yield named(one), one


def named(source: exp.Expr) -> str:
    """Return the name by which the columns of an item of FROM are qualified."""
    return str(source.alias_or_name).lower()


def select_of(source: exp.Expr) -> exp.Select | None:
    """Return the SELECT that an item of FROM stands for: a derived table, or a query of a WITH around it."""
    if isinstance(source, exp.Subquery):
        inner = source.unnest()
        return inner if isinstance(inner, exp.Select) else None
    if isinstance(source, exp.Table) and not source.args.get("db"):
        found = _common(source, source.name.lower())
        return found if isinstance(found, exp.Select) else None
    return None


def _common(node: exp.Expr, name: str) -> exp.Expr | None:
    around: exp.Expr | None = node
    while around is not None:
        clause = around.args.get("with_")
        for cte in clause.expressions if clause is not None else ():
            if cte.alias.lower() == name and not cte.args["alias"].args.get("columns"):
                found: exp.Expr = cte.this
                return found
        around = around.parent
    return None


def item_of(select: exp.Select, name: str) -> exp.Expr | None:
    """Return the item of a SELECT list that has `name`."""
    found = [one for one in select.expressions if one.alias_or_name.lower() == name.lower()]
    return found[0] if len(found) == 1 else None


def below(select: exp.Select, column: exp.Column) -> Step | None:
    """Return the SELECT in FROM, and its item, from which `column` comes."""
    found = []
    for name, source in sources(select):
        inner = select_of(source)
        item = None if inner is None else item_of(inner, column.name)
        if inner is not None and item is not None and column.table.lower() in ("", name):
            found.append(Step(inner, item))
    return found[0] if len(found) == 1 else None


def way(select: exp.Select, column: exp.Column) -> list[Step]:
    """Return every SELECT that hands `column` on, down to the one that computes it; nothing where no text shows it."""
    steps: list[Step] = []
    wanted: exp.Expr = column
    while isinstance(wanted, exp.Column):
        step = below(select, wanted)
        if step is None:
            return steps
        steps.append(step)
        select, wanted = step.select, meant(step.item)
    return steps


def meant(item: exp.Expr) -> exp.Expr:
    """Return the expression of an item without its alias and brackets."""
    found: exp.Expr = item.this if isinstance(item, exp.Alias) else item
    while isinstance(found, exp.Paren):
        found = found.this
    return found


def same(one: exp.Expr, other: exp.Expr) -> bool:
    """Say whether two expressions are the same text but for the qualifiers of names and for capitals."""
    return _bare(meant(one)) == _bare(meant(other))


def _bare(node: exp.Expr) -> exp.Expr:
    made = node.copy()
    for column in made.find_all(exp.Column):
        column.set("table", None)
    for name in made.find_all(exp.Identifier):
        name.set("this", name.name.lower())
        name.set("quoted", False)
    return made


def tables(select: exp.Select) -> set[str]:
    """Return the names of the declared tables from which FROM takes its rows, through derived tables and WITH."""
    names: set[str] = set()
    for _, source in sources(select):
        inner = select_of(source)
        names |= {source.name.lower()} if inner is None else tables(inner)
    return names
