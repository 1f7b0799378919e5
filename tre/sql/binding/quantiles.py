"""Quantiles as they are written: MEDIAN, PERCENTILE_CONT and PERCENTILE_DISC, with WITHIN GROUP or with two arguments.

Over persons' rows MIN and MAX are answered as the extreme quantiles: an extreme value is one person's alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from sqlglot import exp

from tre.base.reasons import sql_private, sql_text
from tre.sql.binding.session import Session
from tre.sql.functions.form import MOMENTS, NUMBERS
from tre.sql.plan import Expression, Literal

LOWEST = Fraction(1, 200)
"""The most extreme quantile of persons' rows, from either end: what MIN and MAX are answered as."""
EXTREMES = {"min": LOWEST, "max": 1 - LOWEST}
_FUNCTIONS: dict[type[exp.Expr], str] = {exp.PercentileCont: "quantile_cont", exp.PercentileDisc: "quantile_disc"}


@dataclass(frozen=True, slots=True)
class Written:
    """One quantile in a tree: its name and function, the node of its argument and of its fraction (None: one half)."""

    node: exp.Expr
    name: str
    function: str
    argument: exp.Expr
    fraction: exp.Expr | None


def written(node: exp.Expr, session: Session) -> Written | None:
    """Return the quantile that `node` is, or None where it is another aggregate."""
    aggregate = node.this if isinstance(node, exp.WithinGroup) else node
    if isinstance(aggregate, exp.Median):
        return Written(node, "MEDIAN", "quantile_cont", aggregate.this, None)
    function = _FUNCTIONS.get(type(aggregate))
    if function is None:
        return None
    name = function.replace("quantile", "percentile").upper()
    if aggregate is node:
        given = aggregate.args.get("expression")
        if given is None:
            raise session.refused(sql_text.FORM, node, form=f"{name} without WITHIN GROUP")
        return Written(node, name, function, aggregate.this, given)
    ordered = node.args["expression"].expressions
    if len(ordered) != 1 or ordered[0].args.get("desc") or aggregate.args.get("expression") is not None:
        form = f"{name} WITHIN GROUP in descending order, or of several expressions,"
        raise session.refused(sql_text.FORM, node, form=form)
    return Written(node, name, function, ordered[0].this, aggregate.this)


def checked(one: Written, argument: Expression, fraction: Expression | None, session: Session) -> tuple[str, Fraction]:
    """Return function and fraction, or refuse; between dates nothing is interpolated."""
    kind = argument.type.kind
    if kind not in NUMBERS | MOMENTS:
        words = {"function": one.name, "type": str(argument.type)}
        raise session.refused(sql_private.QUANTILE_TYPE, one.argument, **words)
    value = fraction.value if isinstance(fraction, Literal) else None
    share = Fraction(1, 2) if fraction is None else None
    if isinstance(value, int | Decimal) and 0 <= value <= 1:
        share = Fraction(value)
    if share is None:
        words = {"function": one.name, "argument": "its fraction (a number from 0 to 1)"}
        raise session.refused(sql_text.ARGUMENT_NOT_CONSTANT, one.fraction, **words)
    return "quantile_disc" if kind in MOMENTS else one.function, share


def of_persons(
    function: str, node: exp.Expr, argument: Expression, fraction: Fraction | None, session: Session
) -> Fraction:
    """Return the fraction at which a quantile of persons' rows is answered, or refuse it; MIN and MAX say so."""
    if function in EXTREMES:
        if argument.type.kind not in NUMBERS | MOMENTS:
            words = {"function": function.upper(), "type": str(argument.type)}
            raise session.refused(sql_private.QUANTILE_TYPE, node, **words)
        shown = f"{float(100 * EXTREMES[function]):g} %"
        session.note(f"{function.upper()} over persons' rows is answered as the {shown} quantile of their values")
        return EXTREMES[function]
    if fraction is None or not LOWEST <= fraction <= 1 - LOWEST:
        raise session.refused(sql_private.QUANTILE_TOO_EXTREME, node)
    return fraction


__all__ = ["EXTREMES", "Written", "checked", "of_persons", "written"]
