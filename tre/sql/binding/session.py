"""What one binding needs everywhere: the catalogue, fresh ids, the words for columns, the refusals so far."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from types import MappingProxyType
from typing import Any, TypeVar

from tre.base.reasons import Reason, Refusal, Refused
from tre.base.reasons import sql_private as reasons
from tre.catalogue import Catalogue, Type
from tre.sql.parsed import Parsed, place_of
from tre.sql.plan import Column, Facts, Origin, Relation
from tre.sql.tracing import Broken, Tracing, Traits

Bound = TypeVar("Bound")
MOST_STEPS = 500


class Session:
    """The state of binding one text. `spoken` says how a person would write a column, as in `p.person_id`.

    `coalesced` has, for two columns that a FULL JOIN equates, the one that COALESCE of them is.
    """

    def __init__(self, catalogue: Catalogue, parsed: Parsed, today: date) -> None:
        self.catalogue, self.parsed, self.today = catalogue, parsed, today
        self.tracing = Tracing()
        self.refusals: list[Refusal] = []
        self.notes: list[str] = []
        self.spoken: dict[int, str] = {}
        self.coalesced: dict[frozenset[int], Column] = {}
        self._typed: dict[int, tuple[Relation, Any]] = {}
        self._next = 1
        self._steps = 0

    def column(
        self, name: str, type_: Type, facts: Facts, origin: Origin | None = None, spoken: str | None = None
    ) -> Column:
        """Return a new column."""
        made = Column(self._next, name, type_, facts, origin)
        self._next += 1
        self.spoken[made.id] = spoken or name
        return made

    def renamed(self, column: Column, name: str, spoken: str | None = None) -> Column:
        """Return a new column that is a copy of `column`."""
        return self.column(name, column.type, column.facts, column.origin, spoken or self.spoken.get(column.id))

    def refused(self, why: Reason, node: Any = None, **values: str) -> Refused:
        """Return a refusal at the place of `node`."""
        place = None if node is None else place_of(node, self.parsed)
        return Refused((Refusal(why, MappingProxyType(values), place),))

    @property
    def steps(self) -> int:
        """How many steps the plan has so far when every reference to a WITH query is written out."""
        return self._steps

    def step(self, node: Any, count: int = 1) -> None:
        """Count `count` more steps; a plan that doubles from one WITH query to the next ends here."""
        self._steps += count
        if self._steps > MOST_STEPS:
            raise self.refused(reasons.TOO_MANY_STEPS, node, limit=str(MOST_STEPS))

    def note(self, text: str) -> None:
        """Say once what the planner added."""
        if text not in self.notes:
            self.notes.append(text)

    def collected(self, bind: Callable[[], Bound]) -> Bound | None:
        """Return what `bind` gives, or keep its refusals and return None."""
        try:
            return bind()
        except Refused as refused:
            self.refusals += [one for one in refused.refusals if one not in self.refusals]
            return None

    def settle(self) -> None:
        """Raise every refusal that was kept."""
        if self.refusals:
            raise Refused(tuple(self.refusals))

    def traits(self, relation: Relation, node: Any = None) -> Traits:
        """Return the traits of `relation`; a broken rule becomes a refusal at the place of `node`."""
        try:
            return self.tracing.of(relation)
        except Broken as broken:
            raise self.explained(broken, node) from None

    def placed(self, node: Any, make: Callable[[], Bound]) -> Bound:
        """Return what `make` gives; refusals without a place get that of `node`."""
        try:
            return make()
        except Refused as refused:
            place = place_of(node, self.parsed)
            raise Refused(one if one.place else replace(one, place=place) for one in refused.refusals) from None

    def typed(self, relation: Relation, node: Any) -> Relation:
        """Remember where the subquery of `relation` was typed."""
        self._typed[id(relation)] = (relation, node)
        return relation

    def explained(self, broken: Broken, node: Any) -> Refused:
        """Return the refusal of a broken rule with the words that the asker used."""
        _, node = self._typed.get(id(broken.subquery), (None, node))
        key = self.catalogue.unit_key
        words = {
            "left": self.spoken.get(broken.left or 0, key),
            "right": self.spoken.get(broken.right or 0, key),
        }
        return self.refused(broken.reason, node, **words, **broken.values)
