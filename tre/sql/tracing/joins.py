"""The rules of joins: which two relations may meet, and what then holds of the pairs (PRIVACY §2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from tre.base.reasons import sql_private as reasons
from tre.sql import functions, predicates
from tre.sql.dependencies import Arrow, Dependencies, nulled
from tre.sql.dependencies import joined as pairs_of
from tre.sql.plan import Column, Distinct, Expression, Filter, Join, JoinKind, Project, PublicKeys, Ref, Relation
from tre.sql.tracing import rules
from tre.sql.tracing.traits import Broken, Status, Traits, plus, times
from tre.sql.walk import outer, referred, subqueries


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a join: its relation and traits, its columns equated with the other's, those fixed to a literal."""

    relation: Relation
    traits: Traits
    equated: frozenset[int]
    fixed: frozenset[int]

    @property
    def ids(self) -> frozenset[int]:
        """The ids of the side's columns."""
        return frozenset(column.id for column in self.relation.columns)

    @property
    def looked_up(self) -> bool:
        """Whether at most one row of this side matches a row of the other, by declared uniqueness."""
        return self.traits.dependencies.unique_on(self.equated | self.fixed)

    def fan(self, count: int) -> int:
        """Return how many rows of this side may match one row of the other, of `count` that there are."""
        return min(1, count) if self.looked_up else count


def joined(node: Join, tracing: rules.Tracing) -> Traits:
    """A join is admitted by the statuses of its sides; each pair has its rule in `PAIRS`."""
    left, right = sides(node, tracing)
    traits = PAIRS[left.traits.status, right.traits.status](node, left, right)
    traits = rules.with_subqueries(traits, [node.condition], tracing)
    return replace(traits, dependencies=dependencies_of(node, left, right), **sizes(node, left, right))  # type: ignore[arg-type]


def sides(node: Join, tracing: rules.Tracing) -> tuple[Side, Side]:
    """Return both sides with what the condition says of each."""
    ids = tuple(frozenset(column.id for column in one.columns) for one in (node.left, node.right))
    pairs = predicates.across(node.condition, *ids)
    constants = frozenset(
        column.id for term in predicates.conjuncts(node.condition) if (column := predicates.fixed(term))
    )
    left, right = (frozenset(pair[place].id for pair in pairs) for place in (0, 1))
    return (
        Side(node.left, tracing.of(node.left), left, constants & ids[0]),
        Side(node.right, tracing.of(node.right), right, constants & ids[1]),
    )


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
    told = rules.attribute_alone(attributes.relation).values
    return Broken(reasons.ATTRIBUTE_JOIN, None, None, **told)


def public_with_public(_node: Join, left: Side, right: Side) -> Traits:
    """Public rows stay public, or released where one side is."""
    both = (left.traits.status, right.traits.status)
    status = Status.RELEASED if Status.RELEASED in both else Status.PUBLIC
    return Traits(status, inexact=left.traits.inexact or right.traits.inexact)


def attributes_alone(_node: Join, left: Side, right: Side) -> Traits:
    """No person's row leads to the attribute row."""
    alone = left if left.traits.status is Status.ATTRIBUTE else right
    raise rules.attribute_alone(alone.relation)


def released_back(_node: Join, _left: Side, _right: Side) -> Traits:
    """Released rows never flow back into persons' rows without a price of their own."""
    raise Broken(reasons.RELEASED_JOINED)


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
    (Status.UNIT_KEYED, Status.RELEASED): released_back,
    (Status.RELEASED, Status.UNIT_KEYED): released_back,
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
            identifying=rules.equal_to(node.condition, kept.identifying | other.identifying),
            tied=kept.tied | other.tied | rules.ties(node.condition, keys, inside),
            known={**kept.known, **other.known},
            instances=kept.instances + other.instances,
        )
    new = {old.id: column.id for column, old in node.nulled}
    return replace(
        kept,
        unit_keys=kept.unit_keys | nullable_side_keys(other, new),
        echoes=kept.echoes | frozenset(new[old] for old in other.unit_keys | other.echoes if old in new),
        identifying=kept.identifying | frozenset(new[old] for old in other.identifying if old in new),
        known={**kept.known, **{new[old]: keys for old, keys in other.known.items() if old in new}},
    )


def nullable_side_keys(_other: Traits, _new: Mapping[int, int]) -> frozenset[int]:
    """After an outer join only the preserved side's key is a unit key: none of the other side is."""
    return frozenset()


# --- what holds of the pairs ------------------------------------------------------------------------------


def dependencies_of(node: Join, left: Side, right: Side) -> Dependencies:
    """Return the dependencies of the join; those of the nullable side are lost where ON has more than the keys."""
    if node.kind is JoinKind.INNER:
        both = pairs_of(left.traits.dependencies, right.traits.dependencies)
        return both.plus(rules.said(node.condition, left.ids | right.ids))
    names = {old.id: new.id for new, old in node.nulled}
    never_null = frozenset(column.id for column in right.relation.columns if not column.facts.nullable)
    other = nulled(right.traits.dependencies, names, never_null)
    if not only_equalities(node, left, right):
        other = Dependencies(other.key)
    return pairs_of(left.traits.dependencies, other).plus(_matched(node, left, right, names))


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


def sizes(node: Join, left: Side, right: Side) -> dict[str, int | None]:
    """Return the worst cases of the join, caps multiplied except where a side is looked up (PRIVACY §3.9)."""
    rows = matches(node, left, right, left.traits.rows, right.traits.rows)
    statuses = (left.traits.status, right.traits.status)
    if Status.UNIT_KEYED not in statuses:
        return {"rows": rows}
    per_unit = matches(node, left, right, *(_per_unit(side) for side in (left, right)))
    typical = [_typical(side) for side in (left, right)]
    usual = None
    if typical[0] is not None and typical[1] is not None:
        usual = min(per_unit, matches(node, left, right, typical[0], typical[1]))
    return {"rows_per_unit": per_unit, "typical_rows": usual, "rows": min(rows, _total(left, right, node))}


def matches(node: Join, left: Side, right: Side, of_left: int, of_right: int) -> int:
    """Return the most pairs of `of_left` and `of_right` rows, unmatched rows of a kept side included."""
    by_left = times(of_left, right.fan(of_right))
    by_right = times(of_right, left.fan(of_left))
    if node.kind is JoinKind.INNER:
        return min(by_left, by_right)
    return min(times(of_left, max(1, right.fan(of_right))), plus(of_left, by_right))


def _per_unit(side: Side) -> int:
    return side.traits.rows_per_unit if side.traits.status is Status.UNIT_KEYED else side.traits.rows


def _typical(side: Side) -> int | None:
    if side.traits.status is not Status.UNIT_KEYED:
        return side.traits.rows
    undeclared = side.traits.typical_rows is None
    return side.traits.rows_per_unit if undeclared and side.looked_up else side.traits.typical_rows


def _total(left: Side, right: Side, node: Join) -> int:
    """A row meets the rows of its own unit only."""
    by_left = times(left.traits.rows, max(1, right.fan(_per_unit(right))))
    by_right = times(right.traits.rows, max(1, left.fan(_per_unit(left))))
    return by_left if node.kind is JoinKind.LEFT else min(by_left, by_right)


# --- known keys (PRIVACY §3.5) ----------------------------------------------------------------------------


def domains(node: Join, public: Side, private: Side) -> dict[int, PublicKeys]:
    """A public table's column can only have the values that the public table has, as far as public facts filter it."""
    if outer(public.relation):
        return {}
    terms = [term for term in predicates.conjuncts(node.condition) if _about(term, public.ids)]
    terms += [
        among
        for own, theirs in predicates.across(node.condition, public.ids, private.ids)
        if (among := _among(own, theirs)) is not None
    ]
    relation = public.relation if not terms else Filter(public.relation, functions.conjunction(*terms))
    renamed = {old.id: new.id for new, old in node.nulled}
    return {renamed.get(column.id, column.id): _values(relation, column) for column in public.relation.columns}


def _about(term: Expression, ids: frozenset[int]) -> bool:
    return bool(referred(term)) and referred(term) <= ids and not any(True for _ in subqueries(term))


def _among(own: Column, theirs: Column) -> Expression | None:
    domain = theirs.facts.domain
    if not isinstance(domain, tuple):
        return None
    return functions.call("in", Ref(own), *(functions.literal(value) for value in domain))


def _values(relation: Relation, column: Column) -> PublicKeys:
    return PublicKeys(Distinct(Project(relation, ((column, Ref(column)),))))


rules.RULES[Join] = joined
