"""FROM: tables, derived tables, common table expressions and their joins."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction
from functools import lru_cache
from typing import Any

from sqlglot import exp

from tre.base.reasons import sql_private as reasons
from tre.catalogue import Access, Interval, Kind, Table
from tre.catalogue import Column as Declared
from tre.sql import functions, predicates
from tre.sql.binding.scope import Bound, Scope, Source, folded, listed, meant
from tre.sql.binding.session import Session
from tre.sql.plan import Column, Expression, Facts, Join, JoinKind, Origin, Project, Ref, Relation, Scan
from tre.sql.walk import referred, subqueries

EPOCH = date(1970, 1, 1)
A_DAY = 24 * 60 * 60 * 1_000_000
"""Microseconds."""


@dataclass(frozen=True, slots=True)
class Binders:
    """The binders that FROM needs from above: of a whole query, of a condition."""

    query: Callable[[exp.Expr, Scope | None, Any], Bound]
    condition: Callable[[exp.Expr, Scope, str], Expression]


@dataclass(frozen=True, slots=True)
class Joined:
    """The joins of one FROM, not yet traced: `node` is the place of the join, None for a single source."""

    relation: Relation
    node: Any = None
    left: Joined | None = None
    right: Joined | None = None


# --- single sources ---------------------------------------------------------------------------------------


def bind_from(select: exp.Select, scope: Scope, session: Session, binders: Binders) -> Joined:
    """Bind FROM and JOIN; fill `scope`. Unknown names are all told at once."""
    joined = session.collected(lambda: _item(select.args["from_"].this, scope, session, binders))
    for join in select.args.get("joins") or []:
        joined = _joined_or_kept(joined, join, scope, session, binders)
    session.settle()
    assert joined is not None
    return joined


def _joined_or_kept(left: Joined | None, join: exp.Join, scope: Scope, session: Session, binders: Binders) -> Any:
    def bind() -> Joined | None:
        before = len(scope.sources)
        right = _item(join.this, scope, session, binders)
        return None if left is None else _join(left, right, join, before, scope, session, binders)

    return session.collected(bind)


def _item(node: exp.Expr, scope: Scope, session: Session, binders: Binders) -> Joined:
    if isinstance(node, exp.Table):
        joined = Joined(_table(node, scope, session))
        for join in node.args.get("joins") or []:
            joined = _nested(joined, join, scope, session, binders)
        return joined
    if isinstance(node, exp.Subquery | exp.Paren):
        if isinstance(node.this, exp.Table):
            return _item(node.this, scope, session, binders)
        bound = binders.query(node.this, scope.parent, scope.ctes)
        return Joined(_derived(bound, node, scope, session))
    raise session.refused(reasons.TABLE_EXPRESSION, node)


def _nested(left: Joined, join: exp.Join, scope: Scope, session: Session, binders: Binders) -> Joined:
    if join.args.get("using"):
        raise session.refused(reasons.CLAUSE, join, clause="USING inside brackets")
    before = len(scope.sources)
    right = _item(join.this, scope, session, binders)
    return _join(left, right, join, before, scope, session, binders)


def _table(node: exp.Table, scope: Scope, session: Session) -> Relation:
    name = node.name
    cte = scope.ctes.get(folded(name)) if not node.args.get("db") else None
    if cte is not None:
        return _reference(cte, node, scope, session)
    found = visible_tables(session).get(folded(name))
    if found is None:
        names = [*visible_tables(session), *scope.ctes]
        raise session.refused(
            reasons.UNKNOWN_TABLE, node.this, name=name, choices=listed(sorted(names)), hint=meant(name, names)
        )
    alias = node.alias or found.name
    session.step(node)
    columns = tuple(_declared(found, column, alias, session) for column in found.columns.values() if column.visible)
    named = _renamed_by_list([(column.name, column) for column in columns], node, session)
    scope.add(Source(alias, tuple(named)), session, node)
    return Scan(found, columns)


def visible_tables(session: Session) -> dict[str, Table]:
    """Return the tables that the asker may see, by folded name."""
    tables = session.catalogue.tables.values()
    return {folded(table.name): table for table in tables if table.access is not Access.HIDDEN}


def _declared(table: Table, column: Declared, alias: str, session: Session) -> Column:
    facts = facts_of(table, column)
    origin = Origin(table.name, column.name)
    return session.column(column.name, column.type, facts, origin, f"{alias}.{column.name}")


def facts_of(table: Table, column: Declared) -> Facts:
    """Return what the scan makes true of a column: bounds clamp, domains and calendars map the rest to NULL."""
    key = column.name == table.unit or any(column.name in names for names in table.unique)
    mapped = column.domain is not None or column.calendar is not None or column.type.kind is Kind.DOUBLE
    nullable = mapped or (column.nullable and not key)
    facts = Facts(nullable, column.bounds, column.granularity, column.domain, column.max_length)
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


def _reference(cte: Bound, node: exp.Table, scope: Scope, session: Session) -> Relation:
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


def _derived(bound: Bound, node: exp.Expr, scope: Scope, session: Session) -> Relation:
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


# --- joins ------------------------------------------------------------------------------------------------


def _join(
    left: Joined, right: Joined, node: exp.Join, before: int, scope: Scope, session: Session, binders: Binders
) -> Joined:
    kind = JoinKind.LEFT if (node.args.get("side") or "").upper() == "LEFT" else JoinKind.INNER
    terms = [_using(one, before, scope, session) for one in node.args.get("using") or []]
    if node.args.get("on") is not None:
        terms.append(binders.condition(node.args["on"], scope, "ON"))
    condition = functions.conjunction(*terms)
    nulled: tuple[tuple[Column, Column], ...] = ()
    if kind is JoinKind.LEFT:
        nulled = tuple((_nullable(column, session), column) for column in right.relation.columns)
        _rename_sources(scope, before, {old.id: new for new, old in nulled})
    relation = Join(kind, left.relation, right.relation, condition, nulled)
    return Joined(relation, node, left, right)


def _nullable(column: Column, session: Session) -> Column:
    facts = replace(column.facts, nullable=True)
    return session.column(column.name, column.type, facts, column.origin, session.spoken.get(column.id))


def _rename_sources(scope: Scope, before: int, new: dict[int, Column]) -> None:
    for place in range(before, len(scope.sources)):
        source = scope.sources[place]
        columns = tuple((name, new[column.id]) for name, column in source.columns)
        scope.sources[place] = Source(source.alias, columns)


def _using(node: exp.Expr, before: int, scope: Scope, session: Session) -> Expression:
    name = folded(node.name)
    left = Scope({}, None, scope.sources[:before], scope.merged).resolve(node.name, "", session, node)
    right = Scope({}, None, scope.sources[before:]).resolve(node.name, "", session, node)
    scope.merged[name] = left
    return functions.call(predicates.EQUAL, Ref(left), Ref(right))


# --- WHERE terms to where they act, keys implied by links ---------------------------------------------------


def pushed(joined: Joined, terms: list[Expression]) -> tuple[Joined, list[Expression]]:
    """Move AND-terms of WHERE into the inner joins that they speak of; return the terms that stay.

    A term commutes with an inner join, and with the kept side of an outer one. So comma joins have the condition
    that was meant, and a constant in WHERE can make a look-up unique.
    """
    if joined.left is None or joined.right is None or not isinstance(joined.relation, Join):
        return joined, terms
    left, rest = pushed(joined.left, [term for term in terms if _of(term, joined.left.relation)])
    rest += [term for term in terms if not _of(term, joined.left.relation)]
    join, right = replace(joined.relation, left=left.relation), joined.right
    if join.kind is JoinKind.INNER:
        right, inner = pushed(right, [term for term in rest if _of(term, right.relation)])
        rest = inner + [term for term in rest if not _of(term, right.relation)]
        here = [term for term in rest if _of(term, join)]
        rest = [term for term in rest if not _of(term, join)]
        join = replace(join, right=right.relation, condition=functions.conjunction(join.condition, *here))
    return Joined(join, joined.node, left, right), rest


def _of(term: Expression, relation: Relation) -> bool:
    ids = frozenset(column.id for column in relation.columns)
    return bool(referred(term)) and referred(term) <= ids and not any(True for _ in subqueries(term))


def secured(joined: Joined, session: Session) -> Relation:
    """Trace the joins from the first to the last, adding the person equality where a declared link implies it."""
    if joined.left is None or joined.right is None or not isinstance(joined.relation, Join):
        return joined.relation
    left, right = secured(joined.left, session), secured(joined.right, session)
    join = replace(joined.relation, left=left, right=right)
    implied = _implied(join, session)
    if implied is not None:
        one, other = implied
        session.note(
            f"added {session.spoken[one.id]} = {session.spoken[other.id]}, which the declared link between the "
            "tables implies"
        )
        equality = functions.call(predicates.EQUAL, Ref(one), Ref(other))
        join = replace(join, condition=functions.conjunction(join.condition, equality))
    session.traits(join, joined.node)
    return join


def _implied(join: Join, session: Session) -> tuple[Column, Column] | None:
    """Return the unit keys of both sides where ON follows a declared link and does not equate them itself."""
    left, right = session.tracing.of(join.left), session.tracing.of(join.right)
    if not left.unit_keys or not right.unit_keys:
        return None
    if predicates.across(join.condition, left.unit_keys, right.unit_keys):
        return None
    pairs = {frozenset((one.id, other.id)) for one, other in predicates.equalities(join.condition)}
    for one in left.instances:
        for other in right.instances:
            if _follows(one, other, pairs, session) or _follows(other, one, pairs, session):
                keys = (_key(one, join.left, session), _key(other, join.right, session))
                if keys[0] and keys[1] and keys[0].id in left.unit_keys and keys[1].id in right.unit_keys:
                    return keys[0], keys[1]
    return None


def _follows(source: Any, target: Any, pairs: Iterable[frozenset[int]], session: Session) -> bool:
    for link in session.catalogue.tables[source.table].links:
        if link.target == target.table and all(
            here in source.columns
            and there in target.columns
            and frozenset((source.columns[here], target.columns[there])) in pairs
            for here, there in zip(link.columns, link.target_columns, strict=True)
        ):
            return True
    return False


def _key(instance: Any, relation: Relation, session: Session) -> Column | None:
    unit = session.catalogue.tables[instance.table].unit
    wanted = instance.columns.get(unit)
    return next((column for column in relation.columns if column.id == wanted), None)
