"""Which names mean which columns: sources in FROM, common table expressions, enclosing queries."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from string import ascii_lowercase, ascii_uppercase
from typing import Any

from sqlglot import exp

from tre.base.reasons import sql_private as reasons
from tre.sql.binding.session import Session
from tre.sql.plan import Column, Relation

CHOICES = 12
_LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)


def folded(name: str) -> str:
    """Return the form under which names are compared: ASCII letters without case, the rest as it is."""
    return name.lower() if name.isascii() else name.translate(_LOWER)


@dataclass(frozen=True, slots=True)
class Bound:
    """A bound query: its relation and its visible columns in order; the relation may carry hidden keys besides."""

    relation: Relation
    visible: tuple[tuple[str, Column], ...]
    steps: int = 0


@dataclass(frozen=True)
class Source:
    """One item of FROM. A name that stands twice in it is ambiguous, so columns are pairs."""

    alias: str
    columns: tuple[tuple[str, Column], ...]

    @cached_property
    def called(self) -> str:
        """The alias, folded."""
        return folded(self.alias)

    @cached_property
    def named(self) -> Mapping[str, tuple[Column, ...]]:
        """The columns by their folded names."""
        found: dict[str, tuple[Column, ...]] = {}
        for name, column in self.columns:
            found[folded(name)] = (*found.get(folded(name), ()), column)
        return found


@dataclass(slots=True)
class Scope:
    """The names of one SELECT. `merged` are the columns that USING made one."""

    ctes: Mapping[str, Bound]
    parent: Scope | None = None
    sources: list[Source] = field(default_factory=list)
    merged: dict[str, Column] = field(default_factory=dict)

    def add(self, source: Source, session: Session, node: Any) -> None:
        """Add a source whose alias must be new."""
        if any(one.called == source.called for one in self.sources):
            raise session.refused(reasons.TWICE, node, name=source.alias)
        self.sources.append(source)

    def columns(self) -> tuple[tuple[str, Column], ...]:
        """Return what * means: merged columns first, then the rest in order."""
        first = [(column.name, column) for column in self.merged.values()]
        rest = [
            (name, column) for one in self.sources for name, column in one.columns if folded(name) not in self.merged
        ]
        return (*first, *rest)

    def resolve(self, name: str, qualifier: str, session: Session, node: Any) -> Column:
        """Return the column that a name means, here or in an enclosing query; refuse with what could be meant."""
        scope: Scope | None = self
        while scope is not None:
            found = scope.candidates(name, qualifier)
            if len(found) == 1:
                return found[0]
            if found:
                spoken = [session.spoken[column.id] for column in found]
                values = {"name": name, "choices": " or ".join(spoken), "example": spoken[0]}
                raise session.refused(reasons.AMBIGUOUS, node, **values)
            if qualifier and scope.source(qualifier):
                break
            scope = scope.parent
        raise self.unknown(name, qualifier, session, node)

    def candidates(self, name: str, qualifier: str) -> list[Column]:
        """Return the columns of this scope alone that a name may mean."""
        wanted = folded(name)
        if not qualifier and wanted in self.merged:
            return [self.merged[wanted]]
        sources = self.sources if not qualifier else self.source(qualifier)
        return [column for one in sources for column in one.named.get(wanted, ())]

    def source(self, alias: str) -> list[Source]:
        """Return the sources called `alias`: none or one."""
        wanted = folded(alias)
        return [one for one in self.sources if one.called == wanted]

    def unknown(self, name: str, qualifier: str, session: Session, node: Any) -> Exception:
        """Return the refusal of a name, which offers only what the asker may see (PRIVACY §1)."""
        if qualifier and not self.known_alias(qualifier):
            aliases = [one.alias for one in self.sources]
            return session.refused(reasons.UNKNOWN_ALIAS, node, name=qualifier, choices=listed(aliases))
        here = self.source(qualifier) if qualifier else self.sources
        names = [own for one in here for own, _ in one.columns]
        hint = meant(name, names)
        return session.refused(reasons.UNKNOWN_COLUMN, node, name=name, choices=listed(names), hint=hint)

    def known_alias(self, alias: str) -> bool:
        """Say whether a source here or in an enclosing query is called `alias`."""
        return bool(self.source(alias)) or (self.parent is not None and self.parent.known_alias(alias))


def position(node: exp.Expr, width: int, session: Session) -> int | None:
    """Return the zero-based place that a literal number names, or None where the node is no number."""
    if not isinstance(node, exp.Literal) or node.is_string:
        return None
    if not node.this.isdigit() or not 1 <= int(node.this) <= width:
        raise session.refused(reasons.POSITION, node, position=node.this, width=str(width))
    return int(node.this) - 1


def listed(names: Iterable[str]) -> str:
    """Return names for a sentence, the first few of them."""
    distinct = list(dict.fromkeys(names))
    shown = ", ".join(distinct[:CHOICES])
    return shown + (", …" if len(distinct) > CHOICES else "") if distinct else "nothing"


def meant(name: str, names: Iterable[str]) -> str:
    """Return a “did you mean”, or nothing."""
    close = difflib.get_close_matches(folded(name), [folded(one) for one in names], n=1, cutoff=0.7)
    return f" Did you mean {close[0]}?" if close else ""
