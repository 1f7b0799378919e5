"""Binding: from the tree of a text to a plan that means the same, or to every refusal that can be known."""

from __future__ import annotations

from datetime import date

from tre.base.reasons import Refused
from tre.base.reasons import sql_private as reasons
from tre.base.reasons.sql_text import TOO_DEEP
from tre.catalogue import Catalogue
from tre.sql.binding.forms import refused_forms
from tre.sql.binding.select import bind_query
from tre.sql.binding.session import Session
from tre.sql.canonical import canonical
from tre.sql.parse import MOST_TREE_DEPTH, parse
from tre.sql.parsed import Parsed
from tre.sql.plan import Origin, PrivateAggregate, Project, Query, Ref, Relation
from tre.sql.prune import pruned
from tre.sql.reading import SPREAD, joined_back, plainly
from tre.sql.tracing import Status
from tre.sql.tracing.subqueries import attribute_alone
from tre.sql.walk import relations, scans

MOST_BLOCKS = 8
"""Most private aggregates of one query: each gets its share of the price, and each is a run of its own."""


def bind(text: str, catalogue: Catalogue, today: date, dialect: str = "postgres") -> Query:
    """Return the plan of `text`; raise Refused with every refusal that can be known.

    `today` is the version's date, to which functions of the current date bind.
    """
    return bind_parsed(parse(text, dialect), catalogue, today)


def bind_parsed(parsed: Parsed, catalogue: Catalogue, today: date) -> Query:
    """Return the plan of a checked tree (see `bind`): of what it means where people write one form for another."""
    plain = plainly(parsed)
    try:
        return _bind(parsed, catalogue, today) if plain is None else _bind(plain[0], catalogue, today, plain[1])
    except Refused as refused:
        found = _otherwise(parsed, plain, refused, catalogue, today)
    return found


Plain = tuple[Parsed, tuple[str, ...]]


def _otherwise(parsed: Parsed, plain: Plain | None, refused: Refused, catalogue: Catalogue, today: date) -> Query:
    """Try windows across persons as joins; else what is told is told of the text as it was typed."""
    text, notes = plain or (parsed, ())
    joined = joined_back(text) if any(one.reason is reasons.WINDOW_ACROSS for one in refused.refusals) else None
    if joined is not None:
        try:
            return _bind(joined, catalogue, today, (*notes, SPREAD))
        except Refused:
            pass
    if plain is None:
        raise refused
    return _bind(parsed, catalogue, today)


def _bind(parsed: Parsed, catalogue: Catalogue, today: date, notes: tuple[str, ...] = ()) -> Query:
    session = Session(catalogue, parsed, today)
    session.notes += notes
    session.refusals += refused_forms(parsed.tree, session)
    session.settle()
    try:
        return _bound(parsed, session)
    except RecursionError:
        raise session.refused(TOO_DEEP, None, limit=str(MOST_TREE_DEPTH)) from None


def _bound(parsed: Parsed, session: Session) -> Query:
    bound = bind_query(parsed.tree, None, {}, session)
    _may_leave(bound.relation, parsed, session)
    columns = tuple(column for _, column in bound.visible)
    root = bound.relation
    if root.columns != columns:
        root = Project(root, tuple((column, Ref(column)) for column in columns))
    root = pruned(root)
    return Query(
        root=root,
        names=tuple(name for name, _ in bound.visible),
        blocks=blocks_of(root),
        tables=tuple(sorted({node.table.name for node in scans(root)})),
        columns=touched(root),
        notes=tuple(session.notes),
        canonical=canonical(root),
    )


def _may_leave(relation: Relation, parsed: Parsed, session: Session) -> None:
    """Only public and released rows leave, from no more private aggregates than a price is sensibly parted into."""
    status = session.traits(relation, parsed.tree).status
    if status is Status.UNIT_KEYED:
        raise session.refused(reasons.ROW_LEVEL, parsed.tree)
    if status is Status.ATTRIBUTE:
        raise session.explained(attribute_alone(relation), parsed.tree)
    count = len(blocks_of(relation))
    if count > MOST_BLOCKS:
        limit = str(MOST_BLOCKS)
        raise session.refused(reasons.SEVERAL_AGGREGATES, parsed.tree, count=str(count), limit=limit)


def blocks_of(relation: Relation) -> tuple[PrivateAggregate, ...]:
    """Return the private aggregates of a plan in evaluation order, each once."""
    found: list[PrivateAggregate] = []
    for node in relations(relation):
        if isinstance(node, PrivateAggregate) and node not in found:
            found.append(node)
    return tuple(found)


def touched(relation: Relation) -> tuple[Origin, ...]:
    """Return the declared columns that a plan reads, by table and name."""
    found = {column.origin for node in scans(relation) for column in node.columns if column.origin is not None}
    return tuple(sorted(found, key=lambda origin: (origin.table, origin.column)))


__all__ = ["bind", "bind_parsed", "blocks_of", "touched"]
