"""Single items of FROM: declared tables, common table expressions, derived tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from functools import lru_cache

from sqlglot import exp

from tre.base.facts import fact
from tre.base.reasons import sql_private as reasons
from tre.catalogue import Access, Catalogue, Interval, Kind, Table
from tre.catalogue import Column as Declared
from tre.sql.binding.scope import Bound, Scope, Source, folded, listed, meant
from tre.sql.binding.session import Session
from tre.sql.plan import Column, Facts, Origin, Project, Ref, Relation, Scan

EPOCH = date(1970, 1, 1)
A_DAY = 24 * 60 * 60 * 1_000_000
"""Microseconds."""


def table(node: exp.Table, scope: Scope, session: Session) -> Relation:
    name = node.name
    cte = scope.ctes.get(folded(name)) if not node.args.get("db") else None
    if cte is not None:
        return reference(cte, node, scope, session)
    found = visible_tables(session.catalogue).get(folded(name))
    if found is None:
        names = [*visible_tables(session.catalogue), *scope.ctes]
        raise session.refused(
            reasons.UNKNOWN_TABLE, node.this, name=name, choices=listed(sorted(names)), hint=meant(name, names)
        )
    alias = node.alias or found.name
    session.step(node)
    columns = tuple(session.renamed(column, column.name, f"{alias}.{column.name}") for column in scanned(found))
    named = _renamed_by_list([(column.name, column) for column in columns], node, session)
    scope.add(Source(alias, tuple(named)), session, node)
    return Scan(found, columns)


@fact
def visible_tables(catalogue: Catalogue) -> Mapping[str, Table]:
    """Return the tables that the asker may see, by folded name."""
    return {folded(table.name): table for table in catalogue.tables.values() if table.access is not Access.HIDDEN}


@fact
def scanned(table: Table) -> tuple[Column, ...]:
    """Return the columns that a query may see of `table`, before they have ids of their own."""
    return tuple(
        Column(0, column.name, column.type, facts_of(table, column), Origin(table.name, column.name))
        for column in table.columns.values()
        if column.visible
    )


def facts_of(table: Table, column: Declared) -> Facts:
    """Return what the scan makes true of a column: bounds clamp, domains and calendars map the rest to NULL."""
    key = column.name == table.unit or any(column.name in names for names in table.unique)
    mapped = column.domain is not None or column.calendar is not None or column.type.kind is Kind.DOUBLE
    nullable = mapped or (column.nullable and not key)
    facts = Facts(nullable, column.bounds, column.granularity, column.domain, column.max_length, column.usually)
    if column.calendar is None:
        return facts
    first, last = ((day - EPOCH).days for day in column.calendar)
    if column.type.kind is Kind.TIMESTAMP:
        return replace(facts, interval=Interval(Fraction(first * A_DAY), Fraction((last + 1) * A_DAY - 1)))
    domain = days(*column.calendar) if column.domain is None else column.domain
    return replace(facts, interval=Interval(Fraction(first), Fraction(last)), domain=domain)


@lru_cache(maxsize=64)
def days(first: date, last: date) -> tuple[date, ...]:
    """Return the days of a calendar."""
    return tuple(first + timedelta(days=count) for count in range((last - first).days + 1))


def reference(cte: Bound, node: exp.Table, scope: Scope, session: Session) -> Relation:
    """A common table expression used again is the same relation under new ids, hidden keys included."""
    alias = node.alias or node.name
    session.step(node, cte.steps)
    visible = {column.id: name for name, column in cte.visible}
    outputs = []
    for column in cte.relation.columns:
        name = visible.get(column.id, column.name)
        outputs.append((session.renamed(column, name, f"{alias}.{name}"), Ref(column)))
    new = {old.column.id: column for column, old in outputs}
    named = _renamed_by_list([(name, new[column.id]) for name, column in cte.visible], node, session)
    scope.add(Source(alias, tuple(named)), session, node)
    return Project(cte.relation, tuple(outputs))


def derived(bound: Bound, node: exp.Expr, scope: Scope, session: Session) -> Relation:
    alias = node.alias or f"subquery {len(scope.sources) + 1}"
    for name, column in bound.visible:
        session.spoken[column.id] = f"{alias}.{name}" if node.alias else name
    named = _renamed_by_list(list(bound.visible), node, session)
    scope.add(Source(alias, tuple(named)), session, node)
    return bound.relation


def _renamed_by_list(columns: list[tuple[str, Column]], node: exp.Expr, session: Session) -> list[tuple[str, Column]]:
    return renamed(columns, _list(node), node, session)


def _list(node: exp.Expr) -> list[str]:
    alias = node.args.get("alias")
    return [one.name for one in (alias.args.get("columns") or [])] if isinstance(alias, exp.TableAlias) else []


def renamed(
    columns: list[tuple[str, Column]], names: list[str], node: exp.Expr, session: Session
) -> list[tuple[str, Column]]:
    """Return `columns` under the names of a column list, as in `AS t(a, b)`; none given: as they are."""
    if not names:
        return columns
    if len(names) != len(columns):
        raise session.refused(reasons.COLUMN_LIST, node, given=str(len(names)), wanted=str(len(columns)))
    return [(name, column) for name, (_, column) in zip(names, columns, strict=True)]
