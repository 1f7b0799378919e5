"""What a condition says for certain: its top-level AND-terms, and the equalities of bare columns among them."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from tre.base.facts import fact
from tre.sql.plan import Call, Column, Expression, Literal, Ref

AND = "and"
EQUAL = "="


@fact
def conjuncts(condition: Expression) -> tuple[Expression, ...]:
    """Return the top-level AND-terms of `condition`."""
    if isinstance(condition, Call) and condition.function == AND:
        return tuple(term for argument in condition.arguments for term in conjuncts(argument))
    return (condition,)


def equated(term: Expression) -> tuple[Column, Column] | None:
    """Return the two bare columns of one type that `term` equates, or None."""
    if isinstance(term, Call) and term.function == EQUAL:
        left, right = term.arguments
        if isinstance(left, Ref) and isinstance(right, Ref) and left.type == right.type:
            return left.column, right.column
    return None


def fixed(term: Expression) -> Column | None:
    """Return the bare column that `term` equates with a literal, or None."""
    if isinstance(term, Call) and term.function == EQUAL:
        left, right = term.arguments
        if isinstance(left, Literal) and isinstance(right, Ref):
            left, right = right, left
        if isinstance(left, Ref) and isinstance(right, Literal):
            return left.column
    return None


def named(term: Expression) -> tuple[Column, int] | None:
    """Return the bare column whose values `term` lists as literals, by = or IN, and how many they are, or None."""
    column = fixed(term)
    if column is not None:
        return column, 1
    if isinstance(term, Call) and term.function == "in" and isinstance(term.arguments[0], Ref):
        rest = term.arguments[1:]
        return (term.arguments[0].column, len(rest)) if all(isinstance(one, Literal) for one in rest) else None
    return None


def at_most(term: Expression) -> tuple[Column, Fraction] | None:
    """Return the bare column that `term` holds at or below a constant, and that, or None."""
    if not isinstance(term, Call) or term.function not in ("<", "<=", ">", ">="):
        return None
    left, right = term.arguments if term.function in ("<", "<=") else term.arguments[::-1]
    value = right.value if isinstance(right, Literal) else None
    if isinstance(left, Ref) and isinstance(value, int | Decimal) and not isinstance(value, bool):
        return left.column, Fraction(value)
    return None


@fact
def equalities(condition: Expression) -> tuple[tuple[Column, Column], ...]:
    """Return every pair of bare columns that `condition` equates at its top level."""
    return tuple(pair for term in conjuncts(condition) if (pair := equated(term)) is not None)


def across(condition: Expression, left: frozenset[int], right: frozenset[int]) -> tuple[tuple[Column, Column], ...]:
    """Return the equated pairs with one column of `left` and one of `right`, in that order."""
    found = []
    for one, other in equalities(condition):
        if one.id in left and other.id in right:
            found.append((one, other))
        elif other.id in left and one.id in right:
            found.append((other, one))
    return tuple(found)


def operands_of_equality(term: Expression) -> tuple[Expression, Expression] | None:
    """Return the two sides of an equality, whatever they are, or None."""
    if isinstance(term, Call) and term.function == EQUAL:
        left, right = term.arguments
        return left, right
    return None
