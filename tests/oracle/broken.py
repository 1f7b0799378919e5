"""Rules broken on purpose: what is broken, the statements that then go wrong, and the promise that is seen to break."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest

from tests.oracle.asking import TODAY, WIDE, planned
from tests.oracle.worlds import World, catalogue, world
from tests.oracle.worlds import rows as rows_of
from tre.base.cost import Cost, Measure
from tre.catalogue import Catalogue, Kind, Type
from tre.privacy import bounds, choosing, first_step, lowering, ranks, shapes, values, weights
from tre.privacy import plan as planning
from tre.privacy import sizes as noisy_sizes
from tre.privacy.blocks import Block, PrivatePlan, Shape
from tre.privacy.keys import PublicValues
from tre.privacy.mechanisms import Mechanism
from tre.privacy.parts import Part, PartKind
from tre.privacy.request import AUTOMATIC, Ask, Rules
from tre.sql import bind, enforce, functions, predicates, writing
from tre.sql import windows as window_texts
from tre.sql.binding import aggregates, securing
from tre.sql.binding import keys as grouping_keys
from tre.sql.binding import sets as set_operations
from tre.sql.binding import windows as overs
from tre.sql.dependencies import Dependencies, equal
from tre.sql.plan import (
    Aggregate,
    Aggregated,
    Aggregation,
    Expression,
    Join,
    Listed,
    PrivateAggregate,
    Project,
    Ref,
    Relation,
    Sort,
)
from tre.sql.tracing import RULES, Contribution, Traits, groups, joins, rows, sets, sides, sizes, subqueries, windows
from tre.sql.walk import replaced

Apply = Callable[[pytest.MonkeyPatch], None]
Plans = Callable[[tuple[str, ...], Catalogue, PublicValues], Iterator[PrivatePlan]]


def of_texts(texts: tuple[str, ...], declared: Catalogue, public_keys: PublicValues) -> Iterator[PrivatePlan]:
    """Yield the plans of statements under several bounds."""
    asks = Ask(rows=2), Ask(rows=2, groups=1), Ask()
    found = (planned(text, declared, public_keys, ask, WIDE) for text in texts for ask in asks)
    return (plan for plan in found if plan is not None)


def of_first_steps(texts: tuple[str, ...], declared: Catalogue, public_keys: PublicValues) -> Iterator[PrivatePlan]:
    """Yield the plans of statements whose groups of one person a first step tells."""
    found = (planned(text, declared, public_keys, Ask(rows=2, groups=AUTOMATIC), WIDE) for text in texts)
    return (plan for plan in found if plan is not None)


def of_sizes(_texts: tuple[str, ...], declared: Catalogue, _public_keys: PublicValues) -> Iterator[PrivatePlan]:
    """Yield the release of the sizes of a version, which no statement asks for, of people with two usual rows."""
    usual = {name: replace(table, typical_rows=2) for name, table in declared.tables.items()}
    declared = replace(declared, tables=usual)
    tables, price = noisy_sizes.wanted(declared), Cost(Measure.ZCDP, 10**8)
    asked = bind(noisy_sizes.question(tables[0], declared.unit_key), declared, TODAY)
    yield PrivatePlan(asked, Ask(), WIDE, noisy_sizes.blocks(tables, declared, WIDE, price), price, {}, {})


@dataclass(frozen=True)
class Broken:
    """A broken rule; `promises` are those of which the oracle must see one fall in one of the `plans` of `texts`."""

    name: str
    apply: Apply
    texts: tuple[str, ...]
    promises: tuple[str, ...]
    world: Callable[[Random], World] = world
    plans: Plans = of_texts


BROKEN: list[Broken] = []


def crowded(random: Random) -> World:
    """A world whose people have dozens of rows, no two alike, and no cap that would cut them."""
    made = catalogue(random, plain=True)
    uncut = {name: replace(table, enforced_rows=table.rows_per_unit) for name, table in made.tables.items()}
    made = replace(made, tables=uncut)
    some = rows_of(random, made)
    people = range(1, 3)
    template = {
        "start": None,
        "paid": None,
        "visit_id": None,
        "code": None,
        "big": None,
        "label": None,
        "flag": None,
        "at": None,
    }
    visits = [
        {**template, "visit_id": 100 * unit + at, "person_id": unit, "kind": at} for unit in people for at in range(25)
    ]
    events = [
        {**template, "event_id": 100 * unit + at, "person_id": unit, "value": random.choice((0.1, 0.2, 0.7))}
        for unit in people
        for at in range(25)
    ]
    return World(made, {**some, "visit": tuple(visits), "event": tuple(events)})


def breaks(
    *texts: str, sees: tuple[str, ...], where: Callable[[Random], World] = world, plans: Plans = of_texts
) -> Callable[[Apply], Apply]:
    """Enter a broken rule under the name of the function that breaks it; `where` makes the worlds to look in."""

    def enter(apply: Apply) -> Apply:
        BROKEN.append(Broken(apply.__name__, apply, texts, sees, where, plans))
        return apply

    return enter


# --- who may meet whom ------------------------------------------------------------------------------------


@breaks("SELECT COUNT(*) FROM visit v JOIN event e ON v.kind = e.code", sees=("own rows", "Linf"))
def persons_meet_without_their_keys_equated(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(joins, "keys_equated", lambda *given: True)


@breaks(
    "SELECT COUNT(*) FROM visit v JOIN event e ON v.kind = e.code OR v.person_id = e.person_id",
    sees=("own rows", "Linf", "dependency"),
)
def an_equality_under_or_counts(patch: pytest.MonkeyPatch) -> None:
    def flat(condition: Expression) -> Any:
        if getattr(condition, "function", None) in ("and", "or"):
            for one in condition.arguments:  # type: ignore[union-attr]
                yield from flat(one)
        else:
            yield condition

    patch.setattr(predicates, "conjuncts", flat)


@breaks(
    "SELECT COUNT(*) FROM (SELECT d.person_id, COUNT(*) AS n FROM person p LEFT JOIN death d "
    "ON d.person_id = p.person_id GROUP BY d.person_id) x WHERE n < 2",
    "SELECT COUNT(*) FROM visit v LEFT JOIN death d ON d.person_id = v.person_id",
    sees=("unit key", "own rows", "Linf"),
)
def the_key_of_the_nullable_side_is_a_unit_key(patch: pytest.MonkeyPatch) -> None:
    def kept(other: Traits, new: Mapping[int, int]) -> frozenset[int]:
        return frozenset(new[key] for key in other.unit_keys if key in new)

    patch.setattr(joins, "nullable_side_keys", kept)


@breaks("SELECT COUNT(*) FROM concept c LEFT JOIN person p ON p.sex = c.concept_id", sees=("unit key", "own rows"))
def a_public_side_is_kept_by_an_outer_join(patch: pytest.MonkeyPatch) -> None:
    def admitted(node: Join, left: sides.Side, right: sides.Side) -> Traits:
        new = {old.id: column.id for column, old in node.nulled}
        return replace(right.traits, unit_keys=frozenset(new.get(key, key) for key in right.traits.unit_keys))

    patch.setattr(joins, "public_with_units", admitted)


@breaks(
    "SELECT COUNT(*) FROM person p WHERE EXISTS (SELECT 1 FROM death d WHERE d.cause = p.sex)",
    "SELECT COUNT(*) FROM visit v WHERE v.kind NOT IN (SELECT e.code FROM event e)",
    sees=("own rows", "Linf"),
)
def a_subquery_sees_everybody(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(subqueries, "over_units", lambda traits, *given: traits)


@breaks("SELECT COUNT(*) FROM visit v JOIN event e ON e.code = v.kind", sees=("own rows", "Linf"))
def any_equality_counts_as_a_declared_link(patch: pytest.MonkeyPatch) -> None:
    """With the person equality added all the same nothing would leak: a link is what makes adding it harmless."""
    patch.setattr(securing, "_implied", lambda *given: None)
    patch.setattr(joins, "keys_equated", lambda *given: True)


@breaks("SELECT COUNT(*) FROM (SELECT person_id FROM visit ORDER BY kind LIMIT 2) x", sees=("own rows",))
def limit_is_admitted_inside(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(RULES, Sort, lambda node, tracing: tracing.of(node.input))


# --- what is released before ------------------------------------------------------------------------------


@breaks(
    "SELECT COUNT(*) FROM visit v WHERE v.kind < (SELECT COUNT(*) FROM death)",
    "SELECT COUNT(*) FROM visit v JOIN (SELECT kind AS k, COUNT(*) AS n FROM visit GROUP BY 1) q ON q.k = v.kind "
    "WHERE q.n > 2",
    sees=("Linf",),
)
def a_result_inside_is_read_before_it_is_released(patch: pytest.MonkeyPatch) -> None:
    def unreleased(relation: Relation, before: Sequence[Shape]) -> tuple[Relation, tuple[Shape, ...]]:
        for shape in reversed(before):
            counts = tuple(Aggregated(one.column, Aggregation.COUNT_ROWS) for one in shape.source.asked)
            exact = Aggregate(shape.source.input, shape.source.keys, counts)
            relation = replaced(relation, shape.source, exact)
        return relation, ()

    patch.setattr(shapes, "_over_released", unreleased)


@breaks(
    "SELECT COUNT(*) FROM (SELECT kind AS k, COUNT(*) AS n FROM visit GROUP BY 1) q LEFT JOIN person p ON p.sex = q.k",
    sees=("unit key", "own rows"),
)
def a_released_side_is_kept_by_an_outer_join(patch: pytest.MonkeyPatch) -> None:
    def admitted(node: Join, left: sides.Side, right: sides.Side) -> Traits:
        new = {old.id: column.id for column, old in node.nulled}
        return replace(right.traits, unit_keys=frozenset(new.get(key, key) for key in right.traits.unit_keys))

    patch.setattr(joins, "released_with_units", admitted)


@breaks(
    "SELECT COUNT(*) FROM person p, (SELECT sex AS k, COUNT(*) AS n FROM person GROUP BY 1) q WHERE p.born > q.n",
    sees=("work", "rows", "Linf", "dependency"),
)
def a_released_result_is_taken_for_one_row(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(groups, "groups_of", lambda *given: 1)


# --- dependencies -----------------------------------------------------------------------------------------


@breaks(
    "SELECT d.cause, COUNT(*) FROM visit v LEFT JOIN death d ON d.person_id = v.person_id AND v.kind = 1 GROUP BY 1",
    sees=("groups", "dependency"),
)
def a_dependency_survives_an_outer_join_on_more_than_keys(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(joins, "only_equalities", lambda *given: True)


@breaks(
    "SELECT v.kind, COUNT(*) FROM person p LEFT JOIN visit v ON v.person_id = p.person_id GROUP BY 1",
    sees=("groups", "dependency", "work"),
)
def a_dependency_survives_a_join_that_is_not_unique(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(sides.Side, "looked_up", property(lambda side: True))


@breaks("SELECT COUNT(*) FROM person p JOIN visit v ON v.person_id = p.person_id", sees=("one row", "Linf", "rows"))
def the_other_side_is_no_part_of_a_rows_identity(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(joins, "pairs_of", lambda left, right, *ids: Dependencies(left.key, left.arrows | right.arrows))


@breaks("SELECT COUNT(*), SUM(weight) FROM episode", sees=("one row", "Linf"))
def one_row_a_person_is_claimed_falsely(patch: pytest.MonkeyPatch) -> None:
    def claimed(*given: Any) -> Contribution:
        return replace(groups.contribution(*given), one_row=True)

    patch.setattr(aggregates, "contribution", claimed)


@breaks("SELECT kind, COUNT(*), SUM(paid) FROM visit GROUP BY kind", sees=("one row",))
def one_row_of_a_person_in_each_group_is_claimed_falsely(patch: pytest.MonkeyPatch) -> None:
    def claimed(*given: Any) -> Contribution:
        return replace(groups.contribution(*given), one_row_a_group=True)

    patch.setattr(aggregates, "contribution", claimed)


@breaks("SELECT kind, COUNT(*) FROM visit GROUP BY kind", sees=("groups",))
def the_keys_are_claimed_a_function_of_the_person(patch: pytest.MonkeyPatch) -> None:
    def claimed(*given: Any) -> Contribution:
        return replace(groups.contribution(*given), groups_per_unit=1)

    patch.setattr(aggregates, "contribution", claimed)


@breaks(
    "SELECT e.kind, COUNT(*) FROM episode e WHERE e.number = 1 GROUP BY 1", sees=("one row", "groups", "dependency")
)
def a_unique_key_stays_one_when_the_scan_alters_it(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(rows, "altered", lambda column: False)


@breaks("SELECT kind, COUNT(*) FROM visit WHERE kind = 1 OR visit_id > 5 GROUP BY kind", sees=("groups", "dependency"))
def an_equality_under_or_makes_a_dependency(patch: pytest.MonkeyPatch) -> None:
    said = rows.said

    def flat(condition: Expression, inside: frozenset[int]) -> list[Any]:
        if getattr(condition, "function", None) == "or":
            return [arrow for one in condition.arguments for arrow in flat(one, inside)]  # type: ignore[union-attr]
        return said(condition, inside)

    patch.setattr(rows, "said", flat)


@breaks(
    "SELECT e.code, COUNT(*) FROM visit v JOIN event e ON e.person_id = v.person_id GROUP BY 1",
    sees=("groups", "dependency", "one row"),
)
def an_inequality_makes_a_dependency(patch: pytest.MonkeyPatch) -> None:
    def said(condition: Expression, inside: frozenset[int]) -> list[Any]:
        return [arrow for one in sorted(inside) for arrow in equal(min(inside), one)]

    patch.setattr(joins, "said", said)


@breaks(
    "WITH w AS (SELECT person_id, kind FROM visit) SELECT b.kind, COUNT(*) FROM w a JOIN w b "
    "ON a.person_id = b.person_id WHERE a.kind = 1 GROUP BY b.kind",
    sees=("groups", "dependency"),
)
def two_references_to_one_with_query_are_one_row(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Dependencies, "apart_from", lambda self, *given: self)


# --- what is cut, clipped and kept ------------------------------------------------------------------------


@breaks(
    "SELECT code, COUNT(*) FROM event GROUP BY code",
    "SELECT note, COUNT(*) FROM person p JOIN visit v ON v.person_id = p.person_id GROUP BY note, kind",
    sees=("groups",),
)
def a_person_stays_in_every_group(patch: pytest.MonkeyPatch) -> None:
    bound = bounds.group_bound
    patch.setattr(shapes.bounds, "group_bound", lambda *given: (bound(*given)[0], False))


@breaks("SELECT COUNT(*) FROM event", "SELECT COUNT(label) FROM event", sees=("Linf",))
def counts_are_not_clipped(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(lowering._UnitTotals, "_least", lambda self, rows, most: rows)


@breaks("SELECT SUM(weight) FROM episode", sees=("Linf",))
def sums_are_not_clipped(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(lowering, "_clamp", lambda value, low, high: value)


@breaks("SELECT AVG(weight) FROM episode", "SELECT VAR_POP(weight) FROM episode", sees=("Linf",))
def the_rows_of_an_average_have_no_weight(patch: pytest.MonkeyPatch) -> None:
    def unscaled(self: Any, part: Part) -> Expression:
        total, count = self._total(part), self._rows(part)
        self.clips.append(functions.call(">", count, functions.literal(part.cap)))
        return total  # type: ignore[no-any-return]

    patch.setattr(lowering._UnitTotals, "_scaled", unscaled)


@breaks(
    "SELECT sex, COUNT(*) FROM person p JOIN visit v ON v.person_id = p.person_id GROUP BY sex, kind = 1",
    "SELECT code, COUNT(*), AVG(value) FROM event GROUP BY code",
    "SELECT label, COUNT(*), SUM(value) FROM event GROUP BY label",
    "SELECT AVG(weight), SUM(weight) FROM episode",
    sees=("L1 L2", "Linf"),
)
def who_has_many_rows_keeps_a_whole_weight(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(weights, "_limit", lambda added: 10**6)


@breaks(
    "SELECT code, SUM(value - 5) FROM event GROUP BY code",
    "SELECT flag, SUM(value - 5) FROM event GROUP BY flag",
    "SELECT label, SUM(value - 5) FROM event GROUP BY label",
    sees=("L1 L2", "Linf"),
)
def the_norm_of_a_sum_is_that_of_its_total(patch: pytest.MonkeyPatch) -> None:
    call = functions.call

    def signed(name: str, *arguments: Expression) -> Expression:
        return arguments[0] if name == "abs" else call(name, *arguments)

    patch.setattr(weights, "functions", SimpleNamespace(call=signed, literal=functions.literal, true=functions.true))


@breaks(
    "SELECT code, COUNT(*) FROM event GROUP BY code",
    "SELECT label, COUNT(*) FROM event GROUP BY label",
    sees=("L1 L2", "Linf"),
)
def the_people_of_a_block_count_in_two_groups(patch: pytest.MonkeyPatch) -> None:
    branches = weights.Weighing.branches

    def twice(self: weights.Weighing) -> list[Relation]:
        people = next((part for part in self.parts if part.kind is PartKind.UNITS and part.whole), None)
        found = branches(self)
        if people is None:
            return found
        self.keys = self.keys[1:]
        counts = self._counts([])[0]
        return [*found, self._in_first_group(counts, people, None)]

    patch.setattr(weights.Weighing, "branches", twice)


@breaks(
    "SELECT COUNT(DISTINCT code) FROM event",
    "SELECT kind, COUNT(DISTINCT start) FROM visit GROUP BY kind",
    sees=("Linf",),
)
def a_person_keeps_every_value(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(values, "Keep", lambda relation, *given: relation)


@breaks("SELECT MEDIAN(value) FROM event", "SELECT kind, MIN(paid) FROM visit GROUP BY kind", sees=("Linf", "L1 L2"))
def a_person_keeps_every_row_of_a_quantile(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(values, "Keep", lambda relation, *given: relation)


@breaks("SELECT MEDIAN(weight) FROM episode", "SELECT MAX(born) FROM person", sees=("loss",))
def the_levels_of_a_quantile_are_not_counted(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Shape, "cells", lambda self, part: self.groups)


@breaks(
    "SELECT MEDIAN(value) FROM event",
    "SELECT PERCENTILE_DISC(0.9) WITHIN GROUP (ORDER BY value) FROM event",
    sees=("order",),
    where=crowded,
)
def the_rows_of_a_quantile_are_kept_without_an_order(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(values, "order_of", lambda unit, columns: (Ref(unit),))


@breaks(
    "SELECT kind, MEDIAN(paid) FROM visit GROUP BY kind",
    "SELECT code, MAX(value) FROM event GROUP BY code",
    sees=("groups", "L1 L2"),
)
def the_rows_of_a_quantile_count_in_every_group(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(values, "_in_chosen_groups", lambda block, kept, *given: kept)


@breaks("SELECT MEDIAN(weight) FROM episode", "SELECT MIN(born) FROM person", sees=("grid", "facts"))
def the_grid_of_a_quantile_is_narrower_than_its_bounds(patch: pytest.MonkeyPatch) -> None:
    ranked = ranks._ranked

    def narrower(*given: Any) -> Part:
        part = ranked(*given)
        return replace(part, levels=max(1, part.levels - 2))

    patch.setattr(ranks, "_ranked", narrower)


@breaks(
    "SELECT kind, COUNT(DISTINCT start) FROM visit GROUP BY kind",
    "SELECT code, COUNT(DISTINCT label) FROM event GROUP BY code",
    sees=("groups", "L1 L2"),
)
def the_values_of_a_person_count_in_every_group(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(values, "_in_chosen_groups", lambda block, kept, *given: kept)


@breaks("SELECT COUNT(*) FROM visit", "SELECT COUNT(*) FROM event", sees=("rows", "work"))
def the_cap_of_a_table_is_not_enforced(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(enforce, "capped", lambda table: False)
    patch.setattr(writing, "capped", lambda table: False)


@breaks(
    "SELECT COUNT(*) FROM (SELECT v.person_id AS k, COUNT(*) AS n FROM visit v FULL JOIN death d "
    "ON d.person_id = v.person_id GROUP BY 1) x WHERE n < 2",
    sees=("unit key", "own rows"),
)
def one_side_of_a_full_join_has_the_key_of_both(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(sets, "keys_aligned", lambda *given: True)
    made = sets.united

    def flat(node: Any, left: Traits, right: Traits) -> Traits:
        either = frozenset(
            m.id for m, one, other in node.outputs if {one.id} & left.unit_keys | {other.id} & right.unit_keys
        )
        return replace(made(node, left, right), unit_keys=either)

    patch.setattr(sets, "united", flat)


@breaks(
    "SELECT COUNT(*) FROM visit v WHERE (SELECT COUNT(*) FROM event e WHERE e.code = v.kind) > 1",
    sees=("own rows", "Linf"),
)
def a_value_is_looked_up_by_any_column(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(groups, "grouped_by_unit", lambda *given: True)
    patch.setattr(joins, "keys_equated", lambda *given: True)
    patch.setattr(aggregates.Grouping, "private", property(lambda grouping: not grouping.keys.all))


@breaks(
    "SELECT COUNT(*) FROM visit v WHERE (SELECT e.code FROM event e WHERE e.person_id = v.person_id) > 1",
    sees=("rows", "work", "one row", "dependency"),
)
def a_value_looked_up_may_stand_in_many_rows(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Dependencies, "unique_on", lambda known, columns: True)


@breaks(
    "SELECT COUNT(*) FROM visit v JOIN (VALUES (1), (1), (2), (2), (3), (3)) AS t(k) ON t.k = v.kind",
    sees=("rows", "work", "dependency"),
)
def a_stated_value_stands_once(patch: pytest.MonkeyPatch) -> None:
    made = RULES[Listed]

    def unique(node: Any, tracing: Any) -> Traits:
        ids = frozenset(column.id for column in node.columns)
        return replace(made(node, tracing), dependencies=Dependencies(ids))

    patch.setitem(RULES, Listed, unique)


@breaks("SELECT COUNT(*) FROM visit v JOIN ancestor a ON a.above = v.kind", sees=("rows", "work"))
def one_row_of_a_public_table_has_a_value(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(sides.Side, "fan", lambda side, count: min(1, count))


@breaks(
    "SELECT COUNT(*) FROM visit v JOIN (SELECT c.class_id AS k FROM concept c JOIN concept d "
    "ON d.class_id = c.class_id) x ON x.k = v.kind",
    sees=("rows", "work"),
)
def joined_public_rows_keep_the_fans_of_one_side(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(sizes, "fans", lambda node, left, right, most: {**left.traits.fans, **right.traits.fans})


@breaks("SELECT COUNT(*) FROM visit v JOIN event e ON e.person_id = v.person_id", sees=("rows", "work"))
def caps_are_not_multiplied(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(sizes, "times", max)


@breaks("SELECT AVG(born) FROM person WHERE born > 0", "SELECT SUM(weight) FROM episode", sees=("facts",))
def bounds_do_not_clamp(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(enforce, "_clamped", lambda text, *given: text)


@breaks(
    "SELECT sex, COUNT(*) FROM person GROUP BY sex",
    "SELECT code, COUNT(*) FROM event GROUP BY code",
    sees=("facts", "known keys"),
)
def domains_do_not_map(patch: pytest.MonkeyPatch) -> None:
    value_of = enforce.value_of
    patch.setattr(enforce, "value_of", lambda column, dialect: value_of(replace(column, domain=None), dialect))


@breaks("SELECT start, COUNT(*) FROM visit GROUP BY start", sees=("facts", "known keys"))
def calendars_do_not_map(patch: pytest.MonkeyPatch) -> None:
    value_of = enforce.value_of
    patch.setattr(enforce, "value_of", lambda column, dialect: value_of(replace(column, calendar=None), dialect))


@breaks("SELECT COUNT(*) FROM person WHERE score > 0 OR score < 5", sees=("facts",))
def infinity_and_nan_pass_the_scan(patch: pytest.MonkeyPatch) -> None:
    value_of = enforce.value_of
    patch.setattr(
        enforce,
        "value_of",
        lambda column, dialect: f't."{column.name}"' if column.type.kind is Kind.DOUBLE else value_of(column, dialect),
    )


@breaks(
    "SELECT note, COUNT(*) FROM person GROUP BY note", "SELECT COUNT(*) FROM event WHERE label = 'a'", sees=("facts",)
)
def long_texts_are_not_cut(patch: pytest.MonkeyPatch) -> None:
    value_of = enforce.value_of
    patch.setattr(enforce, "value_of", lambda column, dialect: value_of(replace(column, max_length=None), dialect))


# --- order --------------------------------------------------------------------------------------------------


@breaks(
    "SELECT kind, COUNT(*) FROM visit GROUP BY kind",
    "SELECT label, COUNT(*) FROM event GROUP BY label",
    sees=("order",),
)
def rows_beyond_the_cap_are_cut_without_an_order(patch: pytest.MonkeyPatch) -> None:
    def unordered(scan: Any, table: str, _dialect: str) -> str:
        return f'(SELECT *, ROW_NUMBER() OVER (PARTITION BY "{scan.table.unit}") AS place FROM {table})'

    patch.setattr(enforce, "_capped", unordered)


@breaks(
    # As text: few whole numbers would be grouped by their places, in order, where an engine knows them to be few.
    "SELECT CAST(kind AS VARCHAR) AS kind, COUNT(*) FROM visit GROUP BY 1",
    sees=("order", "groups"),
    where=crowded,
)
def a_persons_groups_are_kept_without_an_order(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(choosing, "order_of", lambda unit, columns: (Ref(unit),))


@breaks(
    "SELECT COUNT(*) FROM (SELECT person_id, SUM(value) AS s FROM event GROUP BY person_id) x WHERE s > 0.5",
    sees=("order",),
    where=crowded,
)
def doubles_are_summed_inside_a_person(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(groups, "sums_doubles", lambda one: False)


@breaks("SELECT SUM(value) FROM event", sees=("order",), where=crowded)
def the_final_sums_are_of_doubles(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(choosing, "INTEGER", Type(Kind.DOUBLE))
    patch.setattr(lowering, "row_value", lambda part: part.argument)
    patch.setattr(lowering, "_clamp", lambda value, low, high: value)


# --- the first step that tells the groups of one person ---------------------------------------------------

TOLD = (
    "SELECT code, COUNT(*) FROM event GROUP BY code",
    "SELECT CAST(kind AS VARCHAR) AS kind, COUNT(DISTINCT person_id) FROM visit GROUP BY 1",
)


@breaks(*TOLD, sees=("one row", "Linf", "L1 L2", "groups"), plans=of_first_steps)
def a_person_stands_in_a_bin_for_each_group(patch: pytest.MonkeyPatch) -> None:
    people = first_step.people_by_groups

    def uncounted(block: PrivateAggregate) -> PrivateAggregate:
        step = people(block)
        assert isinstance(step.input, Project)
        assert isinstance(step.input.input, Aggregate)
        each = replace(step.input.input, keys=(*step.input.input.keys, *block.keys), input=block.input)
        unit, *_ = each.keys
        by = ((unit[0], Ref(block.unit)), *each.keys[1:])
        return replace(step, input=replace(step.input, input=replace(each, keys=by)))

    patch.setattr(first_step, "people_by_groups", uncounted)


@breaks(*TOLD, sees=("loss", "price"), plans=of_first_steps)
def the_groups_of_one_person_are_told_by_exact_numbers(patch: pytest.MonkeyPatch) -> None:
    made, exact = planning.at, Mechanism.of_variance(Measure.ZCDP, Fraction(1, 10**6))

    def noiseless(shape: Shape, cost: Cost, units: int) -> Block:
        block = made(shape, cost, units)
        told = shape.source.one_row
        return replace(block, mechanisms=dict.fromkeys(block.mechanisms, exact)) if told else block

    patch.setattr(planning, "at", noiseless)


@breaks(*TOLD, sees=("groups", "L1 L2", "loss"), where=crowded, plans=of_first_steps)
def what_a_first_step_tells_cuts_nobody(patch: pytest.MonkeyPatch) -> None:
    settled = shapes.settled

    def uncut(shape: Shape, *given: Any) -> Shape:
        return replace(settled(shape, *given), relation=shape.relation)

    patch.setattr(shapes, "settled", uncut)


# --- sizes of a version -----------------------------------------------------------------------------------


@breaks(sees=("loss", "price"), plans=of_sizes)
def a_size_is_taken_exactly(patch: pytest.MonkeyPatch) -> None:
    made, exact = planning.at, Mechanism.of_variance(Measure.ZCDP, Fraction(1, 10**6))

    def noiseless(shape: Shape, cost: Cost, units: int) -> Block:
        block = made(shape, cost, units)
        return replace(block, mechanisms=dict.fromkeys(block.mechanisms, exact))

    patch.setattr(planning, "at", noiseless)


@breaks(sees=("price",), plans=of_sizes)
def the_price_of_all_sizes_is_that_of_each_table(patch: pytest.MonkeyPatch) -> None:
    block = noisy_sizes._block

    def whole(name: str, declared: Catalogue, given: Rules, share: Cost) -> Block:
        price = Cost(share.measure, share.amount * len(noisy_sizes.wanted(declared)))
        return block(name, declared, given, price)

    patch.setattr(noisy_sizes, "_block", whole)


@breaks(sees=("Linf", "L1 L2"), where=crowded, plans=of_sizes)
def a_size_has_rows_beyond_those_of_one_person_that_count(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(lowering._UnitTotals, "_least", lambda self, rows, most: rows)


# --- windows ------------------------------------------------------------------------------------------------


@breaks(
    "SELECT COUNT(*) FROM (SELECT person_id, ROW_NUMBER() OVER (ORDER BY visit_id) AS rn FROM visit) q WHERE rn = 1",
    sees=("own rows", "Linf"),
)
def a_window_sees_everybody(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(windows, "partitioned_by_unit", lambda *given: True)


@breaks(
    "SELECT kind, COUNT(*) FROM (SELECT person_id, kind, ROW_NUMBER() OVER (PARTITION BY person_id ORDER BY paid) "
    "AS rn FROM visit) q WHERE rn = 1 GROUP BY kind",
    "SELECT kind, COUNT(*) FROM (SELECT DISTINCT ON (person_id) person_id, kind FROM visit ORDER BY person_id, paid) q "
    "GROUP BY kind",
    sees=("order",),
    where=crowded,
)
def rows_that_tie_are_numbered_as_they_come(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(overs, "in_total_order", lambda one, *given: one)


@breaks(
    "SELECT COUNT(*) FROM (SELECT person_id, SUM(value) OVER (PARTITION BY person_id) AS s FROM event) q WHERE s > 0.5",
    sees=("order",),
    where=crowded,
)
def doubles_are_summed_in_a_window(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(windows, "sums_doubles", lambda one: False)


@breaks(
    "SELECT n, COUNT(*) FROM (SELECT person_id, COUNT(*) OVER (PARTITION BY person_id ORDER BY visit_id) AS n "
    "FROM visit) q GROUP BY n",
    "SELECT r, COUNT(*) FROM (SELECT person_id, FIRST_VALUE(kind) OVER (PARTITION BY person_id ORDER BY visit_id "
    "ROWS CURRENT ROW) AS r FROM visit) q GROUP BY r",
    sees=("groups", "dependency"),
)
def every_frame_is_the_partition(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(windows, "same_in_partition", lambda one: True)


@breaks(
    "SELECT COUNT(*) FROM (SELECT person_id, ROW_NUMBER() OVER (PARTITION BY person_id, kind ORDER BY visit_id) AS rn "
    "FROM visit) q WHERE rn = 1",
    sees=("one row", "dependency", "work"),
)
def a_row_number_counts_within_the_person_whatever_the_partition(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(windows, "_read", lambda read, below: frozenset(sorted(below.unit_keys)[:1]))


@breaks(
    "SELECT COUNT(*) FROM (SELECT person_id, COUNT(*) OVER (PARTITION BY person_id ORDER BY big "
    "RANGE BETWEEN 1 PRECEDING AND 1 FOLLOWING) AS n FROM event) q WHERE n > 1",
    sees=("total",),
)
def the_ends_of_a_range_may_overflow(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(window_texts, "_wide", lambda text, _wide: text)


@breaks(
    "SELECT COUNT(*) FROM (SELECT person_id, RANK() OVER (PARTITION BY person_id ORDER BY kind) AS r FROM visit) q "
    "WHERE r <= 1",
    sees=("rows", "work"),
)
def a_number_that_ties_share_counts_rows(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(rows, "numbers_rows", lambda *given: True)


# --- set operations ------------------------------------------------------------------------------------------


@breaks(
    "SELECT COUNT(*) FROM (SELECT person_id FROM person EXCEPT SELECT code FROM event) q", sees=("own rows", "Linf")
)
def rows_of_different_people_are_compared(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(sets, "keys_aligned", lambda *given: True)


@breaks(
    "SELECT s, COUNT(*) FROM (SELECT person_id, sex AS s FROM person UNION ALL SELECT person_id, kind FROM visit) q "
    "GROUP BY s",
    "SELECT COUNT(*) FROM (SELECT person_id, sex AS s FROM person UNION SELECT person_id, cause FROM death) q",
    sees=("one row", "groups", "dependency", "work"),
)
def dependencies_survive_a_union(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(sets, "united", sets.chosen)


@breaks(
    "SELECT COUNT(*) FROM (SELECT person_id FROM visit UNION ALL SELECT person_id FROM visit) q", sees=("rows", "work")
)
def the_caps_of_a_union_do_not_add(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(sets, "plus", max)


@breaks(
    "SELECT COUNT(*) FROM (SELECT person_id, sex AS s FROM person UNION ALL SELECT person_id, cause FROM death) q "
    "WHERE s >= 0",
    "SELECT SUM(b) FROM (SELECT person_id, born AS b FROM person UNION ALL SELECT person_id, weight FROM episode) q",
    sees=("facts", "Linf"),
)
def one_side_says_what_values_a_union_has(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(set_operations, "facts_of", lambda kind, either, first: first.facts)


# --- grouping sets ------------------------------------------------------------------------------------------


@breaks(
    "SELECT COUNT(*) FROM (SELECT person_id, kind, COUNT(*) AS n FROM visit GROUP BY ROLLUP (kind, person_id)) q "
    "WHERE n > 1",
    sees=("unit key", "own rows", "Linf"),
)
def one_grouping_set_with_the_persons_key_is_enough(patch: pytest.MonkeyPatch) -> None:
    united = sets.united

    def of_the_first(node: Any, left: Traits, right: Traits) -> Traits:
        found = united(node, left, right)
        keys = frozenset(made.id for made, one, _ in node.outputs if one.id in left.unit_keys)
        return replace(found, unit_keys=keys)

    patch.setattr(grouping_keys.Keys, "by_unit", property(lambda self: bool(self.unit_keys)))
    patch.setattr(groups, "grouped_by_unit", lambda *given: True)
    patch.setattr(sets, "keys_aligned", lambda *given: True)
    patch.setattr(sets, "united", of_the_first)


@breaks(
    "SELECT k, COUNT(*) FROM (SELECT person_id, visit_id AS k FROM visit GROUP BY person_id, ROLLUP (visit_id)) q "
    "GROUP BY k",
    sees=("facts",),
)
def a_key_that_a_set_is_without_is_never_null(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(grouping_keys.Keys, "_rolled_up", lambda self, column: column)


@breaks("SELECT kind, COUNT(*) FROM visit GROUP BY ROLLUP (kind)", sees=("groups",))
def the_total_says_of_how_many_groups_a_person_is(patch: pytest.MonkeyPatch) -> None:
    def of_all(relation: Any, unit: Any, keys: Any, tracing: Any) -> Contribution:
        return groups.contribution(relation, unit, (), tracing)

    patch.setattr(aggregates, "contribution", of_all)


# --- what leaves --------------------------------------------------------------------------------------------


@breaks(
    "SELECT sex, COUNT(*) FROM person GROUP BY sex",
    "SELECT c.concept_id, COUNT(*) FROM visit v JOIN concept c ON c.concept_id = v.kind GROUP BY 1",
    sees=("known keys",),
)
def only_groups_with_people_leave(patch: pytest.MonkeyPatch) -> None:
    from tests.oracle import oracle

    release = oracle.release

    def present(block: Any, partials: Any, noise: Any) -> Any:
        found = release(block, partials, noise)
        rows = [at for at in range(len(found.keys)) if any(one[at] for one in found.vectors.values())]
        return replace(found, keys=tuple(found.keys[at] for at in rows))

    patch.setattr(oracle, "release", present)
