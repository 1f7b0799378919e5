"""From a node of the tree whose operands are bound to the expression that it means: one row per kind of node.

A row names the parts of the node that may be filled; the gate refuses any other part, so nothing is overlooked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from types import MappingProxyType

from sqlglot import exp

from tre.base.reasons import Reason, Refusal, Refused
from tre.base.reasons import sql_text as reasons
from tre.sql.functions.form import Arguments
from tre.sql.functions.nodes import conversions, moments, operators
from tre.sql.functions.nodes.form import Form, Node, form
from tre.sql.functions.registry import meant
from tre.sql.parsed import Parsed, place_of
from tre.sql.plan import Expression


def _misplaced(_node: Node, _arguments: Arguments, _today: date) -> Expression:
    raise Refused.because(reasons.INTERVAL_FORM)


def _refused_part(_node: Node, _arguments: Arguments, _today: date) -> Expression:
    raise Refused.because(reasons.FORM, form="A part of SQL in that place")


def _part(parts: str) -> Form:
    """A node that its parent reads; alone it means nothing."""
    return form(parts, "", _refused_part)


_PARTS: dict[type[exp.Expr], Form] = {
    exp.Interval: form("this unit", "", _misplaced),
    exp.Var: _part("this"),
    exp.DataType: _part("this expressions"),
    exp.DataTypeParam: _part("this"),
    exp.Tuple: _part("expressions"),
}
_FORMS = operators.FORMS | conversions.FORMS | moments.FORMS | _PARTS
_NAMED = {"make_date": moments.made_date}
"""Functions that the parser does not know by a node of their own, by name."""


def _named(node: Node, arguments: Arguments, today: date) -> Expression:
    return _NAMED[str(node.this).lower()](node, arguments, today)


_ANONYMOUS = form("this", "expressions", _named)
GRAMMAR: Mapping[type[exp.Expr], frozenset[str]] = MappingProxyType({node: one.parts for node, one in _FORMS.items()})
"""The nodes of expressions and the parts of each that may be filled."""


def is_function(node: exp.Expr) -> bool:
    """Say whether `bind_node` knows the meaning of `node`."""
    return type(node) in _FORMS or is_named(node)


def is_named(node: exp.Expr) -> bool:
    """Say whether `node` is a function known by its name alone."""
    return isinstance(node, exp.Anonymous) and (moments.is_age(node) or str(node.this).lower() in _NAMED)


def unknown(node: exp.Expr) -> tuple[Reason, Mapping[str, str], exp.Expr]:
    """Return why the function call `node` is refused, with the words of its sentence."""
    name = node.name if isinstance(node, exp.Anonymous) else node.sql_name() if isinstance(node, exp.Func) else node.key
    if name.upper() == "AGE":
        return reasons.FUNCTION_AGE, {}, node
    return reasons.FUNCTION_UNKNOWN, {"name": name.upper()[:60], "hint": meant(name)}, node


def operands(node: exp.Expr) -> Sequence[Node]:
    """Return the nodes that must be bound before `node`, in order; units, types and intervals are none."""
    found = _form(node)
    return [] if found is None else list(found.operands(node))


def bind_node(
    node: exp.Expr,
    arguments: Sequence[Expression],
    parsed: Parsed,
    today: date,
) -> Expression:
    """Return the meaning of `node` over its bound `operands`; `today` is the version's date.

    Raises Refused, at the place of `node`, where types do not fit or the form is not answered.
    """
    found = _form(node)
    try:
        if found is None:
            why, values, _ = unknown(node)
            raise Refused((Refusal(why, values),))
        return found.build(node, tuple(arguments), today)
    except Refused as refused:
        raise Refused(_placed(one, node, parsed) for one in refused.refusals) from None


def _form(node: exp.Expr) -> Form | None:
    return _ANONYMOUS if is_named(node) else _FORMS.get(type(node))


def _placed(one: Refusal, node: exp.Expr, parsed: Parsed) -> Refusal:
    return one if one.place else Refusal(one.reason, one.values, place_of(node, parsed))
