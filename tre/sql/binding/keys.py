"""The keys of one GROUP BY, the grouping sets that they make, and what an expression over groups may speak of."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from typing import Any

from sqlglot import exp

from tre.base.reasons import sql_private as reasons
from tre.catalogue import Interval, Kind
from tre.sql import functions
from tre.sql.binding.expressions import Environment, bind_expression
from tre.sql.binding.grouping_sets import MOST_SETS, Set, count_of, leaves, sets_of
from tre.sql.binding.inside import aggregates_in
from tre.sql.binding.outcomes import COUNTED, INTEGER
from tre.sql.binding.scope import folded, position
from tre.sql.binding.session import Session
from tre.sql.plan import Column, Expression, Ref, Relation
from tre.sql.tracing import Status, Traits
from tre.sql.tracing.known import values_of
from tre.sql.walk import referred, substituted

Listed = exp.Expr | tuple[str, Column]
Key = tuple[Column, Expression]
_MOST_BITS = 31


@dataclass(slots=True)
class Keys:
    """The keys of a GROUP BY over `input`, each once. `sets` are its grouping sets; none means one of all keys.

    `written` are the keys as they were typed; `bits` the columns of GROUPING(…) by the keys that each speaks of;
    `doubles` are floating-point expressions with the keys that are the exact numbers of their grids.
    """

    input: Relation
    rows: Environment
    traits: Traits
    all: list[Key] = field(default_factory=list)
    sets: list[Set] = field(default_factory=list)
    written: list[tuple[exp.Expr, int]] = field(default_factory=list)
    bits: dict[tuple[int, ...], Column] = field(default_factory=dict)
    doubles: list[tuple[Expression, int]] = field(default_factory=list)

    @property
    def session(self) -> Session:
        """The session of the binding."""
        return self.rows.session

    @property
    def several(self) -> bool:
        """Whether there are several grouping sets."""
        return len(self.sets) > 1

    @property
    def unit_keys(self) -> Set:
        """The keys that are a bare unit key."""
        return frozenset(
            column.id for column, one in self.all if isinstance(one, Ref) and one.column.id in self.traits.unit_keys
        )

    @property
    def in_every_set(self) -> Set:
        """The keys that no grouping set is without."""
        everything = frozenset(column.id for column, _ in self.all)
        return everything.intersection(*self.sets)

    @property
    def by_unit(self) -> bool:
        """Whether each group is one person's: every grouping set contains the unit key."""
        return bool(self.unit_keys & self.in_every_set)

    def of(self, one: Set) -> list[Key]:
        """Return the keys of a grouping set."""
        return [key for key in self.all if key[0].id in one]

    # --- GROUP BY -----------------------------------------------------------------------------------------

    def group(self, group: exp.Group, listed: list[Listed]) -> None:
        """Add the keys of GROUP BY and make its grouping sets."""
        if count_of(group) > MOST_SETS:
            raise self.session.refused(reasons.TOO_MANY_GROUPING_SETS, group, limit=str(MOST_SETS))
        found: dict[int, Set] = {}
        for node in leaves(group):
            added = self.session.collected(partial(self._element, node, listed))
            found[id(node)] = frozenset(added or ())
        self.session.settle()
        self.sets = sets_of(group, lambda node: found[id(node)])
        self.session.step(group, len(self.sets) - 1)
        if self.unit_keys and self.several and not self.by_unit:
            key = self.session.spoken[min(self.traits.unit_keys)]
            raise self.session.refused(reasons.GROUPING_SETS, group, left=key)
        self.all = [(self._rolled_up(column), one) for column, one in self.all]

    def _rolled_up(self, column: Column) -> Column:
        """A key is NULL in the rows of the sets that are without it."""
        if column.id in self.in_every_set:
            return column
        return replace(column, facts=replace(column.facts, nullable=True), origin=None)

    def _element(self, node: exp.Expr, listed: list[Listed]) -> list[int]:
        """Add one element of GROUP BY: a position, an alias, an expression, or several in brackets."""
        node = node.unnest()
        if isinstance(node, exp.Tuple):
            return [id_ for one in node.expressions for id_ in self._element(one, listed)]
        meant = self._meant(node, listed)
        if isinstance(meant, tuple):
            return [self.add(Ref(meant[1]), node).id]
        if (known := self._typed(meant)) is not None:
            return [known]  # one key in several sets; bound anew, a subquery in it would make it another
        if aggregates_in(meant):
            raise self.session.refused(reasons.AGGREGATE_HERE, node, where="GROUP BY")
        name = node.name if isinstance(node, exp.Column) else "key"
        rows = replace(self.rows, where="GROUP BY")
        column = self.add(bind_expression(meant, rows), node, name)
        self.written.append((meant, column.id))
        return [column.id]

    def _meant(self, node: exp.Expr, listed: list[Listed]) -> Listed:
        """An input column comes before an output alias of the same name, as in PostgreSQL."""
        place = position(node, len(listed), self.session)
        if place is not None:
            return _inner(listed[place])
        if isinstance(node, exp.Column) and not node.table and not self.rows.scope.candidates(node.name, ""):
            aliased = [one for one in listed if isinstance(one, exp.Alias) and folded(one.alias) == folded(node.name)]
            if aliased:
                return _inner(aliased[0])
        return node

    def add(self, expression: Expression, node: Any, name: str = "key") -> Column:
        """Add a key, once; a key known from public facts has its domain in its facts (PRIVACY §3.5)."""
        for column, key in self.all:
            if key == expression:
                return column
        if expression.type.kind is Kind.DOUBLE and self.traits.status is Status.UNIT_KEYED:
            return self._add_double(expression, node, name)
        facts, origin = expression.facts, None
        if isinstance(expression, Ref):
            origin, name = expression.column.origin, expression.column.name
            known = self.traits.known.get(expression.column.id)
            if known is not None and facts.domain is None:
                facts = replace(facts, domain=values_of(known))
                expression = Ref(replace(expression.column, facts=facts))
        column = self.session.column(name, expression.type, facts, origin, name)
        self.all.append((column, expression))
        return column

    def _add_double(self, expression: Expression, node: Any, name: str) -> Column:
        """A double on a declared grid groups as the exact number that it is near; any other groups nothing."""
        exact = functions.on_its_grid(expression)
        if exact is None:
            raise self.session.refused(reasons.GROUP_BY_DOUBLE, node)
        if exact.type.kind is Kind.DECIMAL:
            self.session.note(f"{name} is grouped on its declared grid, {float(expression.facts.granularity or 0):g}")
        column = self.add(exact, node, name)
        self.doubles.append((expression, column.id))
        return column

    def value(self, column: Column) -> Expression:
        """Return the value of a key: that of a double is a double again."""
        found = next((one.type for one, id_ in self.doubles if id_ == column.id), None)
        return Ref(column) if found is None else functions.cast(Ref(column), found)

    def within(self, column: Column, key: Expression) -> Column:
        """Return a new column for a key in the rows of a set that has it."""
        origin = key.column.origin if isinstance(key, Ref) else None
        facts = replace(column.facts, nullable=key.facts.nullable)
        return self.session.column(column.name, column.type, facts, origin, column.name)

    # --- expressions over groups --------------------------------------------------------------------------

    def as_typed(self, node: exp.Expr) -> Expression | None:
        """Return the key that was typed as `node` is, or None: a subquery means itself by its text alone."""
        found = self._typed(node)
        return next((self.value(column) for column, _ in self.all if column.id == found), None)

    def _typed(self, node: exp.Expr) -> int | None:
        return next((id_ for key, id_ in self.written if key == node.unnest()), None)

    def starred(self, column: Column) -> Expression:
        """A column that * names must be grouped by."""
        return self.grouped(Ref(column), None)

    def grouped(self, expression: Expression, node: Any) -> Expression:
        """Return `expression` with keys in place of what they stand for; refuse what is left of the input rows."""

        def by_key(part: Expression) -> Expression | None:
            double = next((id_ for one, id_ in self.doubles if one == part), None)
            return next((self.value(column) for column, key in self.all if key == part or column.id == double), None)

        found = substituted(expression, by_key)
        ids = {column.id for column in self.input.columns}
        left = sorted(referred(found) & ids)
        if left:
            raise self.session.refused(reasons.NOT_GROUPED, node, name=self.session.spoken[left[0]])
        return found

    # --- GROUPING -----------------------------------------------------------------------------------------

    def grouping(self, node: exp.Expr) -> Expression:
        """Return the value of GROUPING(…): a bit for each key, 1 where the row's grouping set is without it."""
        keys = tuple(self._spoken_of(one) for one in node.expressions) or tuple(column.id for column, _ in self.all)
        if not 1 <= len(keys) <= _MOST_BITS:
            form = f"GROUPING of {len(keys)} keys"
            raise self.session.refused(reasons.AGGREGATE_UNSUPPORTED, node, function=form)
        if not self.several:
            return functions.literal(0)
        if keys not in self.bits:
            values = sorted({_bits(keys, one) for one in self.sets})
            facts = replace(COUNTED, interval=Interval(Fraction(values[0]), Fraction(values[-1])), domain=tuple(values))
            self.bits[keys] = self.session.column("grouping", INTEGER, facts)
        return Ref(self.bits[keys])

    def _spoken_of(self, node: exp.Expr) -> int:
        found = self.as_typed(node)
        if found is None:
            found = self.grouped(bind_expression(node, replace(self.rows, where="GROUPING", scalars=None)), node)
        if not isinstance(found, Ref) or found.column.id not in {column.id for column, _ in self.all}:
            raise self.session.refused(reasons.NOT_GROUPED, node, name="The argument of GROUPING")
        return found.column.id

    def numbers(self, one: Set) -> list[int]:
        """Return the value of each GROUPING(…) in the rows of a grouping set."""
        return [_bits(keys, one) for keys in self.bits]


def _bits(keys: tuple[int, ...], one: Set) -> int:
    found = 0
    for key in keys:
        found = 2 * found + (key not in one)
    return found


def _inner(one: Listed) -> Listed:
    return one.this if isinstance(one, exp.Alias) else one
