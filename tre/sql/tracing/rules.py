"""One rule per node: the traits of a relation from those of its inputs (PRIVACY §2, table of admitted operations).

Every rule is looked up in `RULES` when it is used, and every predicate that a rule rests on is a function of this
module, so that a test can break one on purpose and see the neighbour oracle object.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tre.base.reasons import sql_private as reasons
from tre.catalogue import Access, Kind, Table
from tre.catalogue import Column as Declared
from tre.sql import predicates
from tre.sql.dependencies import Arrow, Dependencies, equal
from tre.sql.plan import (
    Aggregate,
    Aggregated,
    Aggregation,
    Asked,
    Call,
    Case,
    Column,
    Distinct,
    Exists,
    Expression,
    Filter,
    Join,
    Keep,
    PrivateAggregate,
    Project,
    Ref,
    Relation,
    Released,
    Scan,
    Sort,
)
from tre.sql.tracing.traits import MOST, Broken, Instance, Status, Traits
from tre.sql.walk import expressions, outer, referred, subqueries


class Tracing:
    """The traits of the nodes of plans, each computed once."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Relation, Traits]] = {}

    def of(self, relation: Relation) -> Traits:
        """Return the traits of `relation`; Broken where a rule refuses it."""
        found = self._known.get(id(relation))
        if found is None:
            found = (relation, settled(RULES[type(relation)](relation, self)))
            self._known[id(relation)] = found  # the node is kept, so its id stays its own
        return found[1]


Rule = Callable[[Any, Tracing], Traits]


def settled(traits: Traits) -> Traits:
    """A unit that identifies its row has one row at most, whatever the caps below allowed."""
    if traits.status is Status.UNIT_KEYED and one_row_per_unit(traits):
        return replace(traits, rows_per_unit=min(1, traits.rows_per_unit), typical_rows=1)
    return traits


def one_row_per_unit(traits: Traits) -> bool:
    """Say whether declared uniqueness leaves a unit one row at most (PRIVACY §2 "Dependencies")."""
    return any(traits.dependencies.unique_on({key}) for key in traits.unit_keys)


# --- scans ------------------------------------------------------------------------------------------------


def scan(node: Scan, _tracing: Tracing) -> Traits:
    """A declared table: its access, its unit key, its declared unique keys, its cap (PRIVACY §2, §3.9)."""
    table, ids = node.table, {column.name: column.id for column in node.columns}
    unit = frozenset({ids[table.unit]}) if table.unit in ids and table.access is Access.PRIVATE else frozenset()
    traits = Traits(
        _STATUS[table.access],
        declared(table, ids),
        unit_keys=unit,
        identifying=unit,
        instances=(Instance(table.name, ids),),
        rows=rows_of(table),
    )
    if not unit:
        return traits
    return replace(traits, rows_per_unit=cap_of(table), typical_rows=table.typical_rows)


_STATUS = {
    Access.PRIVATE: Status.UNIT_KEYED,
    Access.ATTRIBUTE: Status.ATTRIBUTE,
    Access.PUBLIC: Status.PUBLIC,
}


def declared(table: Table, ids: Mapping[str, int]) -> Dependencies:
    """Every declared unique key determines the row; not so where the scan may map two values to one."""
    whole, unique = frozenset(ids.values()), list(table.unique)
    if table.unit is not None and cap_of(table) == 1:
        unique.append(frozenset({table.unit}))
    keys = [
        frozenset(ids[name] for name in names)
        for names in unique
        if names <= ids.keys() and not any(altered(table.columns[name]) for name in names)
    ]
    return Dependencies(min(keys, key=sorted, default=None), frozenset((key, whole) for key in keys))


def altered(column: Declared) -> bool:
    """Say whether the scan may change a value of the column (clamped, mapped to "other", cut)."""
    return any(part is not None for part in (column.bounds, column.domain, column.calendar, column.max_length))


def cap_of(table: Table) -> int:
    """Return the most rows that the scan yields for one unit."""
    caps = [cap for cap in (table.rows_per_unit, table.enforced_rows) if cap is not None]
    return min([*caps, rows_of(table)])


def rows_of(table: Table) -> int:
    """Return the declared or exact upper bound of the table's rows; a table without one has no bound."""
    return table.magnitude or MOST if table.public_rows is None else table.public_rows


# --- filters, projections ---------------------------------------------------------------------------------


def filtered(node: Filter, tracing: Tracing) -> Traits:
    """A filter keeps what its input is; equalities add dependencies, and ties to the unit around it."""
    traits = tracing.of(node.input)
    inside = frozenset(column.id for column in node.input.columns)
    traits = replace(
        traits,
        tied=traits.tied | ties(node.condition, traits.unit_keys, inside),
        identifying=equal_to(node.condition, traits.identifying),
        dependencies=traits.dependencies.plus(said(node.condition, inside)),
    )
    return with_subqueries(traits, [node.condition], tracing)


def ties(condition: Expression, keys: frozenset[int], inside: frozenset[int]) -> frozenset[int]:
    """Return the columns of enclosing queries that `condition` equates with a unit key (PRIVACY §2 "A unit key")."""
    found: set[int] = set()
    for one, other in predicates.equalities(condition):
        for key, column in ((one.id, other.id), (other.id, one.id)):
            if key in keys and column not in inside:
                found.add(column)
    return frozenset(found)


def equal_to(condition: Expression, identifying: frozenset[int]) -> frozenset[int]:
    """Return `identifying` and every column that `condition` equates with one of them."""
    pairs = (frozenset((one.id, other.id)) for one, other in predicates.equalities(condition))
    return identifying.union(*(pair for pair in pairs if pair & identifying))


def said(condition: Expression, inside: frozenset[int]) -> list[Arrow]:
    """Return the dependencies that hold of every row for which `condition` is true."""
    arrows: list[Arrow] = []
    for term in predicates.conjuncts(condition):
        pair, constant = predicates.equated(term), predicates.fixed(term)
        if pair and {pair[0].id, pair[1].id} <= inside:
            arrows += equal(pair[0].id, pair[1].id)
        if constant and constant.id in inside:
            arrows.append((frozenset(), frozenset({constant.id})))
    return arrows


def with_subqueries(traits: Traits, found: Iterable[Expression], tracing: Tracing) -> Traits:
    """Apply the rule of [NOT] EXISTS to every subquery in expressions over a relation with `traits`."""
    for expression in found:
        for subquery in subqueries(expression):
            try:
                traits = RULES_OF_SUBQUERIES[tracing.of(subquery.relation).status](traits, subquery, tracing)
            except Broken as broken:
                broken.subquery = broken.subquery or subquery.relation
                raise
    return traits


def over_public(traits: Traits, subquery: Exists, tracing: Tracing) -> Traits:
    """A subquery over public tables may be tied by anything."""
    inexact = tracing.of(subquery.relation).inexact
    if inexact and traits.status is Status.UNIT_KEYED:
        raise Broken(reasons.SUM_OF_DOUBLES, function="SUM")
    return replace(traits, inexact=traits.inexact or inexact)


def over_units(traits: Traits, subquery: Exists, tracing: Tracing) -> Traits:
    """A subquery over persons' rows sees the rows of the person around it alone."""
    inner = tracing.of(subquery.relation)
    around = traits.unit_keys | traits.tied
    if traits.status is not Status.UNIT_KEYED or not inner.tied & around:
        raise Broken(reasons.SUBQUERY_UNTIED, min(inner.unit_keys, default=None), min(traits.unit_keys, default=None))
    return traits


def over_attributes(_traits: Traits, subquery: Exists, _tracing: Tracing) -> Traits:
    """Attribute tables are looked up by joins alone."""
    raise attribute_alone(subquery.relation)


def over_released(traits: Traits, _subquery: Exists, _tracing: Tracing) -> Traits:
    """Released rows never flow back into persons' rows; over public rows the answer is itself a release."""
    if traits.status in (Status.PUBLIC, Status.RELEASED):
        return replace(traits, status=Status.RELEASED)
    raise Broken(reasons.AGGREGATE_INSIDE)


RULES_OF_SUBQUERIES: dict[Status, Callable[[Traits, Exists, Tracing], Traits]] = {
    Status.PUBLIC: lambda *given: over_public(*given),
    Status.UNIT_KEYED: lambda *given: over_units(*given),
    Status.ATTRIBUTE: lambda *given: over_attributes(*given),
    Status.RELEASED: lambda *given: over_released(*given),
}


def attribute_alone(relation: Relation) -> Broken:
    """Return the refusal of an attribute table that no person's row leads to."""
    node = relation
    while not isinstance(node, Scan):
        node = node.left if isinstance(node, Join) else node.input  # type: ignore[union-attr]
    key = ", ".join(sorted(min(node.table.unique, key=sorted, default=frozenset({"its key"}))))
    return Broken(reasons.ATTRIBUTE_ALONE, name=node.table.name, key=key)


def projected(node: Project, tracing: Tracing) -> Traits:
    """A projection keeps what its input is; a bare column stays what it was, whatever its new name."""
    return computed(with_subqueries(tracing.of(node.input), expressions(node), tracing), node.outputs)


def computed(traits: Traits, outputs: Iterable[tuple[Column, Expression]]) -> Traits:
    """Return `traits` of the same rows, seen through `outputs`."""
    outputs = tuple(outputs)
    bare = {column.id: expression.column.id for column, expression in outputs if isinstance(expression, Ref)}
    instances = (seen(instance, bare) for instance in traits.instances)
    return replace(
        traits,
        dependencies=traits.dependencies.plus(arrow for one in outputs for arrow in _arrows(one, traits)),
        unit_keys=frozenset(new for new, old in bare.items() if old in traits.unit_keys),
        echoes=frozenset(new for new, old in bare.items() if old in traits.echoes),
        identifying=frozenset(column.id for column, one in outputs if carries_key(one, traits.identifying)),
        known={new: traits.known[old] for new, old in bare.items() if old in traits.known},
        instances=tuple(one for one in instances if one.columns),
    )


def seen(instance: Instance, bare: Mapping[int, int]) -> Instance:
    """Return `instance` with the ids that a projection gives its columns."""
    new = {old: column for column, old in bare.items()}
    return Instance(instance.table, {name: new[old] for name, old in instance.columns.items() if old in new})


def _arrows(output: tuple[Column, Expression], traits: Traits) -> tuple[Arrow, ...]:
    column, expression = output
    if isinstance(expression, Ref):
        return () if expression.column.id == column.id else equal(expression.column.id, column.id)
    determinant = referred(expression)
    if any(True for _ in subqueries(expression)):  # what a tied subquery says follows from the unit's rows
        determinant |= frozenset(sorted(traits.unit_keys)[:1])
    return ((determinant, frozenset({column.id})),)


def carries_key(expression: Expression, identifying: frozenset[int]) -> bool:
    """Say whether a unit key could be read from the value; a yes/no answer about one is no such value."""
    if isinstance(expression, Ref):
        return expression.column.id in identifying
    if isinstance(expression, Call):
        boolean = expression.type.kind is Kind.BOOLEAN
        return not boolean and any(carries_key(one, identifying) for one in expression.arguments)
    if isinstance(expression, Case):
        results = (*(result for _, result in expression.branches), expression.otherwise)
        return any(carries_key(one, identifying) for one in results)
    return False


# --- aggregates, distinct, order --------------------------------------------------------------------------


def aggregated(node: Aggregate, tracing: Tracing) -> Traits:
    """Exact aggregates: over public or released rows, or by a grouping that contains the unit key."""
    below = with_subqueries(tracing.of(node.input), expressions(node), tracing)
    if below.status is Status.ATTRIBUTE:
        raise attribute_alone(node.input)
    merged_rows = merged(below, node.keys, node.columns)
    if below.status is not Status.UNIT_KEYED:
        return replace(merged_rows, inexact=below.inexact or any(sums_doubles(one) for one in node.aggregates))
    if not grouped_by_unit(node.keys, below.unit_keys):
        raise Broken(reasons.AGGREGATE_INSIDE)
    for one in node.aggregates:
        if sums_doubles(one):
            raise Broken(reasons.SUM_OF_DOUBLES, function=one.function.value.upper())
    carried = {one.column.id for one in node.aggregates if measures_key(one, below.identifying)}
    return replace(merged_rows, identifying=merged_rows.identifying | carried)


def grouped_by_unit(keys: Iterable[tuple[Column, Expression]], unit_keys: frozenset[int]) -> bool:
    """Say whether the unit key is one of the grouping's keys, bare."""
    return any(isinstance(expression, Ref) and expression.column.id in unit_keys for _, expression in keys)


def sums_doubles(one: Aggregated) -> bool:
    """Say whether an engine's order of adding could change the value (PRIVACY §2 "Order")."""
    adds = one.function in (Aggregation.SUM, Aggregation.AVG)
    return adds and one.argument is not None and one.argument.type.kind is Kind.DOUBLE


def measures_key(one: Aggregated | Asked, identifying: frozenset[int]) -> bool:
    """Say whether the aggregate's value could tell a unit key: everything but a count could."""
    counts = ("count_rows", "count", "count_distinct", "count_units")
    return one.function.value not in counts and one.argument is not None and carries_key(one.argument, identifying)


def merged(below: Traits, keys: Iterable[tuple[Column, Expression]], columns: tuple[Column, ...]) -> Traits:
    """Return the traits after rows with equal `keys` have become one."""
    keys = tuple(keys)
    traits = computed(below, keys)
    names = frozenset(column.id for column, _ in keys)
    dependencies = traits.dependencies.within(names, names)
    whole = (names, frozenset(column.id for column in columns))
    rows = traits.rows if names else 1
    return replace(traits, dependencies=dependencies.plus([whole]), rows=rows, instances=())


def private(node: PrivateAggregate, tracing: Tracing) -> Traits:
    """The mechanism's place: what leaves it is released, and no unit key is part of it."""
    below = with_subqueries(tracing.of(node.input), expressions(node), tracing)
    if below.status is not Status.UNIT_KEYED or node.unit.id not in below.unit_keys:
        raise Broken(reasons.AGGREGATE_INSIDE)
    if outer(node):
        raise Broken(reasons.CORRELATED_AGGREGATE)
    leaves = any(carries_key(expression, below.identifying) for _, expression in node.keys)
    if leaves or any(measures_key(one, below.identifying) for one in node.asked):
        raise Broken(reasons.KEY_LEAVES)
    names = frozenset(column.id for column, _ in node.keys)
    whole = frozenset(column.id for column in node.columns)
    return Traits(Status.RELEASED, Dependencies(names, frozenset({(names, whole)})), rows=below.rows if names else 1)


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one unit can contribute to a private aggregate, by declarations alone (fields as PrivateAggregate's)."""

    groups_per_unit: int | None
    rows_per_unit: int
    typical_rows: int | None
    one_row: bool


def contribution(
    relation: Relation, unit: Column, keys: Iterable[tuple[Column, Expression]], tracing: Tracing
) -> Contribution:
    """Return what a unit contributes to an aggregate of `relation` by `keys`."""
    traits = tracing.of(relation)
    determined = computed(traits, keys).dependencies.closure({unit.id})
    one_group = all(column.id in determined for column, _ in keys)
    one_row = traits.dependencies.unique_on({unit.id})
    return Contribution(1 if one_group or one_row else None, traits.rows_per_unit, traits.typical_rows, one_row)


def distinct(node: Distinct, tracing: Tracing) -> Traits:
    """Distinct rows, of persons' rows only with the unit key in the row."""
    below = tracing.of(node.input)
    if below.status is Status.ATTRIBUTE:
        raise attribute_alone(node.input)
    if below.status is Status.UNIT_KEYED and not below.unit_keys & {column.id for column in node.columns}:
        raise Broken(reasons.AGGREGATE_INSIDE)
    return merged(below, tuple((column, Ref(column)) for column in node.columns), node.columns)


def sorted_rows(node: Sort, tracing: Tracing) -> Traits:
    """Order and limit are for public and released rows."""
    below = with_subqueries(tracing.of(node.input), expressions(node), tracing)
    if below.status not in (Status.PUBLIC, Status.RELEASED):
        raise Broken(reasons.LIMIT_INSIDE)
    return below


def kept(node: Keep, tracing: Tracing) -> Traits:
    """The first rows of each partition: a window whose partition includes the unit key."""
    below = tracing.of(node.input)
    bare = {one.column.id for one in node.partition if isinstance(one, Ref)}
    if below.status is Status.UNIT_KEYED and not bare & below.unit_keys:
        raise Broken(reasons.LIMIT_INSIDE)
    if below.status is Status.UNIT_KEYED and len(node.partition) == 1:
        return replace(below, rows_per_unit=min(node.rows, below.rows_per_unit))
    return below


def released(node: Released, _tracing: Tracing) -> Traits:
    """Rows that have left already."""
    return Traits(Status.RELEASED)


RULES: dict[type[Relation], Rule] = {
    Scan: scan,
    Filter: filtered,
    Project: projected,
    Aggregate: aggregated,
    PrivateAggregate: private,
    Distinct: distinct,
    Sort: sorted_rows,
    Keep: kept,
    Released: released,
}
"""The rule of each node; that of joins enters from `tre.sql.tracing.joins`."""
