"""Functional dependencies between columns, from *declared* uniqueness alone (PRIVACY §2 "Dependencies").

An arrow says that rows which agree on the first columns (NULL agreeing with NULL) agree on the second ones. Columns
that a projection has dropped may stand in arrows: every row of a projection still comes from one row below.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

Arrow = tuple[frozenset[int], frozenset[int]]


@dataclass(frozen=True, slots=True)
class Dependencies:
    """`key` identifies a row (None: rows may be identical; empty: there is at most one row)."""

    key: frozenset[int] | None = None
    arrows: frozenset[Arrow] = frozenset()

    def closure(self, columns: Iterable[int]) -> frozenset[int]:
        """Return every column that `columns` determine, themselves included."""
        found = set(columns)
        waiting = [arrow for arrow in self.arrows if not arrow[1] <= found]
        while ready := [arrow for arrow in waiting if arrow[0] <= found]:
            for _, dependents in ready:
                found |= dependents
            waiting = [arrow for arrow in waiting if not arrow[1] <= found]
        return frozenset(found)

    def unique_on(self, columns: Iterable[int]) -> bool:
        """Say whether at most one row has given values of `columns`."""
        return self.key is not None and self.key <= self.closure(columns)

    def unique_on_any(self, columns: Iterable[int]) -> bool:
        """Say whether at most one row has a given value of one of `columns`."""
        if self.key is None:
            return False
        tried: set[int] = set()
        for column in columns:
            if column not in tried:  # what it determines is determined by what was tried before
                found = self.closure({column})
                if self.key <= found:
                    return True
                tried |= found
        return False

    def plus(self, arrows: Iterable[Arrow]) -> Dependencies:
        """Return these dependencies and `arrows`."""
        return Dependencies(self.key, self.arrows.union(arrows))

    @property
    def mentioned(self) -> frozenset[int]:
        """Every column that is spoken of, dropped ones included."""
        sides = (side for arrow in self.arrows for side in arrow)
        return (self.key or frozenset()).union(*sides)

    def apart_from(self, other: Dependencies, visible: frozenset[int]) -> Dependencies:
        """Return these dependencies with new names for dropped columns that `other` speaks of too."""
        shared = (self.mentioned & other.mentioned) - visible
        if not shared:
            return self
        free = min(0, *self.mentioned, *other.mentioned) - 1
        new = {column: free - place for place, column in enumerate(sorted(shared))}

        def named(columns: frozenset[int]) -> frozenset[int]:
            return frozenset(new.get(column, column) for column in columns)

        arrows = frozenset((named(one), named(other)) for one, other in self.arrows)
        return Dependencies(None if self.key is None else named(self.key), arrows)

    def within(self, columns: frozenset[int], key: frozenset[int] | None) -> Dependencies:
        """Return what still holds of `columns` when rows have been merged; `key` is the new row identity."""
        determinants: set[frozenset[int]] = {frozenset({column}) for column in columns} | {frozenset()}
        determinants |= {determinant for determinant, _ in self.arrows if determinant <= columns}
        arrows = ((one, (self.closure(one) & columns) - one) for one in determinants)
        return Dependencies(key, frozenset((one, dependents) for one, dependents in arrows if dependents))


def equal(left: int, right: int) -> tuple[Arrow, Arrow]:
    """Return the arrows between two columns that are equal in every row."""
    one, other = frozenset({left}), frozenset({right})
    return (one, other), (other, one)


def joined(left: Dependencies, right: Dependencies, of_left: frozenset[int], of_right: frozenset[int]) -> Dependencies:
    """Return what holds of pairs of rows of two relations with the columns `of_left` and `of_right`.

    Two references to one WITH query mention the same dropped columns, each of its own row: what one row has there
    says nothing of the other, so the names are kept apart first.
    """
    left = left.apart_from(right, of_left)
    right = right.apart_from(left, of_right)
    key = None if left.key is None or right.key is None else left.key | right.key
    return Dependencies(key, left.arrows | right.arrows)


def nulled(right: Dependencies, names: Mapping[int, int], never_null: frozenset[int]) -> Dependencies:
    """Return what holds of the nullable side of an outer join, its columns renamed by `names`.

    An unmatched row is NULL throughout, so only an arrow from columns that no matched row has NULL survives.
    """
    arrows: set[Arrow] = set()
    for determinant, dependents in right.arrows:
        if determinant and determinant <= never_null and determinant <= names.keys():
            renamed = frozenset(names[column] for column in dependents if column in names)
            arrows.add((frozenset(names[column] for column in determinant), renamed))
    key = None
    if right.key is not None and right.key <= never_null and right.key <= names.keys():
        key = frozenset(names[column] for column in right.key)
    return Dependencies(key, frozenset(arrows))
