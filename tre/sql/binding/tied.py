"""Subqueries as values that are tied to the row around them by equalities: turned into a look-up by what they equate.

`(SELECT COUNT(*) FROM visits v WHERE v.person_id = p.person_id)` is the count by v.person_id, looked up from p. So
what may be looked up from a person's row is decided by the rule of joins, and there is no other rule to prove.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from tre.base.reasons import sql_private as reasons
from tre.sql import functions, predicates
from tre.sql.binding.aggregates import Grouping
from tre.sql.binding.expressions import Environment, bind_expression
from tre.sql.binding.firsts import first_rows
from tre.sql.binding.frames import direction
from tre.sql.binding.session import Session
from tre.sql.plan import Aggregate, Column, Expression, Ref, Relation
from tre.sql.walk import outer, referred, substituted

RELEASED = (
    "a subquery that counts or measures many persons is released first, by what it is tied by; where nothing is "
    "released of a group its value is NULL, also that of a count"
)
"""What an answer says of an aggregate over persons' rows that is tied by anything but the person (PRIVACY §2)."""
Ties = list[tuple[Column, Expression]]


@dataclass(frozen=True, slots=True)
class Lookup:
    """Rows to look up: one at most has given values of the columns of `ties`, each to equal its expression around.

    `value` is what the subquery yields, over the columns of `relation`.
    """

    relation: Relation
    ties: Ties
    value: Expression

    def missing(self, new: dict[int, Expression]) -> Expression:
        """Return the value over the columns `new`, which are NULL where no row was found: a count is 0 then."""

        def seen(part: Expression) -> Expression | None:
            if not isinstance(part, Ref) or part.column.id not in new:
                return None
            found = new[part.column.id]
            return functions.call("coalesce", found, functions.literal(0)) if part.column.id in counts else found

        measured = self.relation.aggregates if isinstance(self.relation, Aggregate) else ()
        counts = {one.column.id for one in measured if one.function.value.startswith("count")}
        return substituted(self.value, seen)


def parted(terms: list[Expression], relation: Relation) -> tuple[Ties, list[Expression]]:
    """Return the equalities of columns of `relation` with what lies around it, and the other terms."""
    ids, ties, rest = {column.id for column in relation.columns}, list[tuple[Column, Expression]](), []
    for term in terms:
        sides = predicates.operands_of_equality(term)
        for one, other in (sides, sides[::-1]) if sides else ():
            if isinstance(one, Ref) and one.column.id in ids and referred(other) and not referred(other) & ids:
                ties.append((one.column, other))
                break
        else:
            rest.append(term)
    return ties, rest


def looked_up(node: exp.Select, relation: Relation, ties: Ties, rows: Environment, session: Session) -> Lookup:
    """Return the subquery `node` over `relation` as a look-up by `ties`, or refuse it."""
    grouping = Grouping.of(node, list(node.expressions), relation, rows)
    unread = [name for name in ("group", "having", "distinct", "qualify", "offset") if node.args.get(name)]
    if len(node.expressions) != 1 or unread or outer(relation) or isinstance(node.expressions[0], exp.Star):
        raise session.refused(reasons.SCALAR_CORRELATED, node)
    (item,) = (one.this if isinstance(one, exp.Alias) else one for one in node.expressions)
    if grouping is None:
        return _row(node, item, relation, ties, rows, session)
    if node.args.get("order") or node.args.get("limit"):
        raise session.refused(reasons.SCALAR_CORRELATED, node)
    keys = [grouping.keys.add(Ref(column), node) for column, _ in ties]
    value = bind_expression(item, grouping.environment())
    found = grouping.relation(node)
    session.traits(found, node)
    if grouping.private:
        session.note(RELEASED)
    return Lookup(found, [(key, around) for key, (_, around) in zip(keys, ties, strict=True)], value)


def _row(
    node: exp.Select, item: exp.Expr, relation: Relation, ties: Ties, rows: Environment, session: Session
) -> Lookup:
    """A row found by a declared unique key, or the first of those that are found in a total order."""
    value = bind_expression(item, rows)
    order, limit = node.args.get("order"), node.args.get("limit")
    if order is not None and _is_one(limit):
        terms = [(bind_expression(one.this, rows), *direction(one)) for one in order.expressions]
        found = first_rows(relation, [Ref(column) for column, _ in ties], terms, node, session, led=False)
        return Lookup(found, ties, value)
    if order is not None or limit is not None:
        raise session.refused(reasons.SCALAR_CORRELATED, node)
    if not session.traits(relation, node).dependencies.unique_on({column.id for column, _ in ties}):
        raise session.refused(reasons.SCALAR_ROWS, node)
    return Lookup(relation, ties, value)


def _is_one(limit: exp.Expr | None) -> bool:
    number = None if limit is None else limit.args.get("count") or limit.args.get("expression")
    return isinstance(number, exp.Literal) and number.this == "1"
