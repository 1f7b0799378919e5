"""The rules of joins: which two relations may meet, and what then holds of the pairs (PRIVACY §2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from tre.base.reasons import sql_private as reasons
from tre.sql import predicates
from tre.sql.dependencies import Arrow, Dependencies, nulled
from tre.sql.dependencies import joined as pairs_of
from tre.sql.plan import Expression, Join, JoinKind
from tre.sql.tracing.known import domains
from tre.sql.tracing.rows import equal_to, said, ties
from tre.sql.tracing.sides import Side, sides
from tre.sql.tracing.sizes import sizes
from tre.sql.tracing.subqueries import attribute_alone, with_subqueries
from tre.sql.tracing.tracer import RULES, Tracing
from tre.sql.tracing.traits import Broken, Status, Traits


def joined(node: Join, tracing: Tracing) -> Traits:
    """A join is admitted by the statuses of its sides; each pair has its rule in `PAIRS`."""
    left, right = sides(node, tracing)
    traits = PAIRS[left.traits.status, right.traits.status](node, left, right)
    traits = with_subqueries(traits, [node.condition], tracing)
    return replace(traits, dependencies=dependencies_of(node, left, right), **sizes(node, left, right))  # type: ignore[arg-type]


# --- which relations may meet -----------------------------------------------------------------------------


def units_with_units(node: Join, left: Side, right: Side) -> Traits:
    """Two relations of persons' rows meet only where their unit keys are equal."""
    if not keys_equated(node.condition, left.traits.unit_keys, right.traits.unit_keys):
        raise unequated(node, left, right)
    return beside(node, left.traits, right.traits)


def keys_equated(condition: Expression, left: frozenset[int], right: frozenset[int]) -> bool:
    """Say whether a top-level AND-term equates bare unit keys of both sides (PRIVACY §2 "A unit key")."""
    return bool(predicates.across(condition, left, right))


def unequated(node: Join, left: Side, right: Side) -> Broken:
    """Return the refusal that says which keys to equate."""
    one, other = min(left.traits.unit_keys, default=None), min(right.traits.unit_keys, default=None)
    keyish = [side.traits.unit_keys | side.traits.echoes for side in (left, right)]
    nullable = predicates.across(node.condition, *keyish)
    return Broken(reasons.JOIN_NULLABLE_KEY if nullable else reasons.JOIN_WITHOUT_UNIT, one, other)


def units_with_public(node: Join, left: Side, right: Side) -> Traits:
    """Persons' rows meet public rows on anything, as long as the persons' side is the one that is kept."""
    traits = beside(node, left.traits, right.traits)
    return replace(traits, known={**traits.known, **domains(node, right, left)})


def public_with_units(node: Join, left: Side, right: Side) -> Traits:
    """As above, the other way round: only an inner join keeps no public row by itself."""
    if node.kind is JoinKind.LEFT:
        raise Broken(reasons.OUTER_KEEPS_OTHER)
    traits = beside(node, right.traits, left.traits)
    return replace(traits, known={**traits.known, **domains(node, left, right)})


def units_with_attributes(node: Join, left: Side, right: Side) -> Traits:
    """An attribute row is looked up by its declared unique key, as if copied into the person's row."""
    if not looked_up_from(right):
        raise unkeyed(right)
    return beside(node, left.traits, right.traits)


def attributes_with_units(node: Join, left: Side, right: Side) -> Traits:
    """As above, the other way round."""
    if node.kind is JoinKind.LEFT:
        raise Broken(reasons.OUTER_KEEPS_OTHER)
    if not looked_up_from(left):
        raise unkeyed(left)
    return beside(node, right.traits, left.traits)


def looked_up_from(attributes: Side) -> bool:
    """Say whether columns of the other side equal a declared unique key of the attribute table."""
    return attributes.traits.dependencies.unique_on(attributes.equated)


def unkeyed(attributes: Side) -> Broken:
    """Return the refusal that names the attribute table's key."""
    told = attribute_alone(attributes.relation).values
    return Broken(reasons.ATTRIBUTE_JOIN, None, None, **told)


def public_with_public(_node: Join, left: Side, right: Side) -> Traits:
    """Public rows stay public, or released where one side is."""
    both = (left.traits.status, right.traits.status)
    status = Status.RELEASED if Status.RELEASED in both else Status.PUBLIC
    return Traits(status, inexact=left.traits.inexact or right.traits.inexact)


def attributes_alone(_node: Join, left: Side, right: Side) -> Traits:
    """No person's row leads to the attribute row."""
    alone = left if left.traits.status is Status.ATTRIBUTE else right
    raise attribute_alone(alone.relation)


def units_with_released(node: Join, left: Side, right: Side) -> Traits:
    """What is released before persons' rows are read again is public to them; its values are known only by then."""
    return beside(node, left.traits, right.traits)


def released_with_units(node: Join, left: Side, right: Side) -> Traits:
    """As above, the other way round."""
    if node.kind is JoinKind.LEFT:
        raise Broken(reasons.OUTER_KEEPS_OTHER)
    return beside(node, right.traits, left.traits)


PairRule = Callable[[Join, Side, Side], Traits]
PAIRS: dict[tuple[Status, Status], PairRule] = {
    (Status.UNIT_KEYED, Status.UNIT_KEYED): lambda *given: units_with_units(*given),
    (Status.UNIT_KEYED, Status.PUBLIC): lambda *given: units_with_public(*given),
    (Status.PUBLIC, Status.UNIT_KEYED): lambda *given: public_with_units(*given),
    (Status.UNIT_KEYED, Status.ATTRIBUTE): lambda *given: units_with_attributes(*given),
    (Status.ATTRIBUTE, Status.UNIT_KEYED): lambda *given: attributes_with_units(*given),
    (Status.PUBLIC, Status.PUBLIC): public_with_public,
    (Status.PUBLIC, Status.RELEASED): public_with_public,
    (Status.RELEASED, Status.PUBLIC): public_with_public,
    (Status.RELEASED, Status.RELEASED): public_with_public,
    (Status.ATTRIBUTE, Status.ATTRIBUTE): attributes_alone,
    (Status.ATTRIBUTE, Status.PUBLIC): attributes_alone,
    (Status.PUBLIC, Status.ATTRIBUTE): attributes_alone,
    (Status.ATTRIBUTE, Status.RELEASED): attributes_alone,
    (Status.RELEASED, Status.ATTRIBUTE): attributes_alone,
    (Status.UNIT_KEYED, Status.RELEASED): lambda *given: units_with_released(*given),
    (Status.RELEASED, Status.UNIT_KEYED): lambda *given: released_with_units(*given),
}
"""The rule of each pair of statuses, looked up by name when used, so that a test can break it."""


def beside(node: Join, kept: Traits, other: Traits) -> Traits:
    """Return the traits of persons' rows with the other side's columns beside them."""
    if other.inexact:
        raise Broken(reasons.SUM_OF_DOUBLES, function="SUM")
    inside = frozenset(column.id for one in (node.left, node.right) for column in one.columns)
    if node.kind is JoinKind.INNER:
        keys = kept.unit_keys | other.unit_keys
        return replace(
            kept,
            unit_keys=keys,
            echoes=kept.echoes | other.echoes,
            identifying=equal_to(node.condition, kept.identifying | other.identifying),
            tied=kept.tied | other.tied | ties(node.condition, keys, inside),
            known={**kept.known, **other.known},
            instances=kept.instances + other.instances,
        )
    new = {old.id: column.id for column, old in node.nulled}
    telling = equal_to(node.condition, kept.identifying | other.identifying)
    return replace(
        kept,
        unit_keys=kept.unit_keys | nullable_side_keys(other, new),
        echoes=kept.echoes | frozenset(new[old] for old in other.unit_keys | other.echoes if old in new),
        identifying=kept.identifying | frozenset(new[old] for old in telling if old in new),
        known={**kept.known, **{new[old]: keys for old, keys in other.known.items() if old in new}},
    )


def nullable_side_keys(_other: Traits, _new: Mapping[int, int]) -> frozenset[int]:
    """After an outer join only the preserved side's key is a unit key: none of the other side is."""
    return frozenset()


# --- what holds of the pairs ------------------------------------------------------------------------------


def dependencies_of(node: Join, left: Side, right: Side) -> Dependencies:
    """Return the dependencies of the join; those of the nullable side are lost where ON has more than the keys."""
    if node.kind is JoinKind.INNER:
        both = pairs_of(left.traits.dependencies, right.traits.dependencies, left.ids, right.ids)
        return both.plus(said(node.condition, left.ids | right.ids))
    names = {old.id: new.id for new, old in node.nulled}
    never_null = frozenset(column.id for column in right.relation.columns if not column.facts.nullable)
    other = nulled(right.traits.dependencies, names, never_null)
    if not only_equalities(node, left, right):
        other = Dependencies(other.key)
    both = pairs_of(left.traits.dependencies, other, left.ids, frozenset(names.values()))
    return both.plus(_matched(node, left, right, names))


def only_equalities(node: Join, left: Side, right: Side) -> bool:
    """Say whether ON consists of equalities of bare columns of both sides."""
    terms = tuple(predicates.conjuncts(node.condition))
    return len(terms) == len(predicates.across(node.condition, left.ids, right.ids))


def _matched(node: Join, left: Side, right: Side, names: Mapping[int, int]) -> list[Arrow]:
    """Whether and with what a row of the kept side matches follows from its columns in ON, if ON has no more."""
    if not only_equalities(node, left, right):
        return []
    told = names.keys() if right.looked_up else right.equated & names.keys()
    return [(left.equated, frozenset(names[one] for one in told))]


RULES[Join] = joined
