"""The rules of scans, filters and projections: a row stays the row that it was (PRIVACY §2)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from math import ceil, floor

from tre.catalogue import Access, Kind, Table
from tre.catalogue import Column as Declared
from tre.sql import predicates
from tre.sql.dependencies import Arrow, Dependencies, equal
from tre.sql.plan import Call, Case, Column, Expression, Filter, Listed, Project, Ref, Scan
from tre.sql.tracing.subqueries import with_subqueries
from tre.sql.tracing.tracer import RULES, Tracing
from tre.sql.tracing.traits import MOST, Instance, Status, Traits, times
from tre.sql.walk import expressions, referred, subqueries

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
        fans={ids[name]: most for name, most in table.public_fans.items() if name in ids},
    )
    if not unit:
        return traits
    return replace(traits, rows_per_unit=cap_of(table), typical_rows=table.typical_rows)


def constants(node: Listed, _tracing: Tracing) -> Traits:
    """Rows that say nothing of anybody; a column in which no value stands twice identifies them."""
    values = [[row[place].value for row in node.rows] for place in range(len(node.columns))]
    fans = {column.id: max(Counter(own).values()) for column, own in zip(node.columns, values, strict=True)}
    keys = [frozenset({one}) for one, most in fans.items() if most == 1] if len(node.rows) > 1 else [frozenset[int]()]
    whole = frozenset(fans)
    dependencies = Dependencies(min(keys, key=sorted, default=None), frozenset((key, whole) for key in keys))
    return Traits(Status.PUBLIC, dependencies, rows=len(node.rows), fans=fans)


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
    """Say whether the scan may change a value of the column (clamped, mapped to "other", cut; NaN is NULL)."""
    declared = (column.bounds, column.domain, column.calendar, column.max_length)
    return column.type.kind is Kind.DOUBLE or any(part is not None for part in declared)


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
    traits = replace(few(traits, node.condition), rows=chosen(node.condition, traits.fans, traits.rows))
    return with_subqueries(traits, [node.condition], tracing)


def chosen(condition: Expression, fans: Mapping[int, int], rows: int) -> int:
    """Return the most of `rows` that have values which `condition` names."""
    for term in predicates.conjuncts(condition):
        column, count = predicates.named(term) or (None, 0)
        if column is not None and column.id in fans:
            rows = min(rows, times(count, fans[column.id]))
    return rows


def few(traits: Traits, condition: Expression) -> Traits:
    """Return `traits` of rows that `condition` lets through: the first k by a number that identifies a person's row."""
    for term in predicates.conjuncts(condition):
        column, most = predicates.at_most(term) or (None, None)
        if column is None or most is None or not numbers_rows(column, traits):
            continue
        count = max(1, floor(most) - ceil(column.facts.interval.low) + 1)  # type: ignore[union-attr]
        usual = count if traits.typical_rows is None else min(count, traits.typical_rows)
        traits = replace(traits, rows_per_unit=min(count, traits.rows_per_unit), typical_rows=usual)
    return traits


def numbers_rows(column: Column, traits: Traits) -> bool:
    """Say whether a person has one row at most for each whole number from a known one on."""
    bounded = column.type.kind is Kind.INTEGER and column.facts.interval is not None
    return bounded and any(traits.dependencies.unique_on({key, column.id}) for key in traits.unit_keys)


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
    pairs = [(one.id, other.id) for one, other in predicates.equalities(condition)]
    return identifying.union(*(pair for pair in pairs if not identifying.isdisjoint(pair)))


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
        fans={new: traits.fans[old] for new, old in bare.items() if old in traits.fans},
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
    if subqueries(expression):  # what a tied subquery says follows from the unit's rows
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


RULES[Scan] = scan
RULES[Listed] = constants
RULES[Filter] = filtered
RULES[Project] = projected
