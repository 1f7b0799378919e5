"""Constants, operators, CASE and choices."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction

from sqlglot import exp

from tre.base.reasons import Refused
from tre.base.reasons import sql_text as reasons
from tre.catalogue import Kind
from tre.sql.functions.casts import cast, promoted
from tre.sql.functions.choices import case
from tre.sql.functions.constants import literal, numeral
from tre.sql.functions.form import DATE, DOUBLE, INTEGER, TIMESTAMP, Arguments, is_null_literal, kind
from tre.sql.functions.moments import MICROSECONDS, moment
from tre.sql.functions.nodes.form import Form, Node, form, plain
from tre.sql.functions.nodes.units import interval_of, multiple_of
from tre.sql.functions.patterns import pattern
from tre.sql.functions.registry import call
from tre.sql.functions.texts import FOLD
from tre.sql.plan import Call, Case, Expression, Literal

MOST_REPEATED = 60
"""Most nodes of an operand that CASE x WHEN … compares several times."""

# --- constants --------------------------------------------------------------------------------------------


def _literal(node: exp.Literal, _arguments: Arguments, _today: date) -> Expression:
    return literal(str(node.this)) if node.is_string else numeral(str(node.this))


def _negative(_node: Node, arguments: Arguments, _today: date) -> Expression:
    (one,) = arguments
    if isinstance(one, Literal) and not isinstance(one.value, bool | str | date | None):
        return numeral_negated(one)
    return call("negate", one)


def numeral_negated(one: Literal) -> Literal:
    """Return the constant −a."""
    if isinstance(one.value, Decimal):
        return literal(one.value.copy_negate())  # the minus sign would round to 28 digits
    return literal(-one.value) if isinstance(one.value, int | Fraction) else one


# --- operators --------------------------------------------------------------------------------------------


def _operand_nodes(node: Node) -> Sequence[Node]:
    parts = [(one, multiple_of(one)) for one in (node.this, node.expression)]
    return [one if found is None else found[1] for one, found in parts if found is None or found[1] is not None]


def _plus(node: Node, arguments: Arguments, _today: date) -> Expression:
    if multiple_of(node.expression):
        return _by_interval(node.expression, arguments, 1)
    if multiple_of(node.this):
        return _by_interval(node.this, arguments[::-1], 1)
    one, other = arguments
    if kind(one) is Kind.DATE and kind(other) is Kind.INTEGER:
        return call("date_add", literal("day"), other, one)
    if kind(other) is Kind.DATE and kind(one) is Kind.INTEGER:
        return call("date_add", literal("day"), one, other)
    return call("+", one, other)


def minus(node: Node, arguments: Arguments, _today: date) -> Expression:
    """Return a - b of numbers, of dates, of a date and days, or of a moment and an interval."""
    if multiple_of(node.expression):
        return _by_interval(node.expression, arguments, -1)
    one, other = arguments
    if kind(one) is Kind.DATE and kind(other) is Kind.INTEGER:
        return call("date_add", literal("day"), negated(other), one)
    if Kind.DATE in (kind(one), kind(other)):
        return call("date_diff", literal("day"), promoted(other, DATE), promoted(one, DATE))
    return call("-", one, other)


def negated(one: Expression) -> Expression:
    return numeral_negated(one) if isinstance(one, Literal) else call("negate", one)


def _by_interval(node: Node, arguments: Arguments, sign: int) -> Expression:
    """PostgreSQL gives a timestamp for date + interval, of which `arguments` are the date and a factor, if any."""
    found = multiple_of(node)
    one = moment(arguments[0]) if arguments else None
    if found is None or one is None or len(arguments) != (1 if found[1] is None else 2):
        raise Refused.because(reasons.INTERVAL_FORM)
    count, unit = interval_of(found[0])
    if found[1] is None:
        return call("date_add", literal(unit), literal(sign * count), promoted(one, TIMESTAMP))
    step, steps = _times(unit, sign * count, arguments[1])
    return call("date_add", literal(step), steps, promoted(one, TIMESTAMP))


def _times(unit: str, count: int, factor: Expression) -> tuple[str, Expression]:
    """Return a multiple of an interval: a part of a day or less is counted in microseconds."""
    if kind(factor) is Kind.INTEGER:
        return unit, call("*", factor, literal(count))
    if unit not in MICROSECONDS:
        raise Refused.because(reasons.INTERVAL_FORM)
    whole = call("*", factor, literal(count * MICROSECONDS[unit]))
    return "microsecond", cast(call("round", whole), INTEGER)


def _divided(node: Node, arguments: Arguments, _today: date) -> Expression:
    """Where the dialect's / never truncates, the tree says so."""
    if node.args.get("typed") is False and all(kind(one) is Kind.INTEGER for one in arguments):
        arguments = tuple(cast(one, DOUBLE) for one in arguments)
    return call("/", *arguments)


def _is(node: Node, arguments: Arguments, _today: date) -> Expression:
    one, other = arguments
    if is_null_literal(other):
        found: Expression = call("is_null", one)
    else:
        found = call("is_not_distinct", one, other)
    return call("not", found) if node.args.get("negate") else found


def _like(node: Node, arguments: Arguments, _today: date) -> Expression:
    return _matched(node, arguments, "\\")


def _escape_nodes(node: Node) -> Sequence[Node]:
    like = node.this
    return [like.this, like.expression, node.expression] if isinstance(like, exp.Like | exp.ILike) else [like]


def _escaped(node: Node, arguments: Arguments, _today: date) -> Expression:
    *operands, escape = arguments
    if len(operands) != 2 or not isinstance(escape, Literal) or len(str(escape.value)) != 1:
        raise Refused.because(reasons.ARGUMENT_NOT_CONSTANT, function="LIKE", argument="its escape (one character)")
    return _matched(node.this, tuple(operands), str(escape.value))


def _matched(node: Node, arguments: Arguments, escape: str) -> Expression:
    """Bind [NOT] LIKE and [NOT] ILIKE; the parser keeps their NOT in the node itself."""
    one, text = arguments
    cut = pattern(text, escape)
    if isinstance(node, exp.ILike):
        one, cut = call("lower", one), literal(str(cut.value).translate(FOLD["lower"]))
    found = call("like", one, cut)
    return call("not", found) if node.args.get("negate") else found


# --- CASE -------------------------------------------------------------------------------------------------


def _case_nodes(node: exp.Case) -> Sequence[Node]:
    branches = [part for one in node.args["ifs"] for part in (one.this, one.args["true"])]
    return [part for part in (node.args.get("this"), *branches, node.args.get("default")) if part is not None]


def _case(node: exp.Case, arguments: Arguments, _today: date) -> Expression:
    waiting = list(arguments)
    operand = waiting.pop(0) if node.args.get("this") is not None else None
    otherwise = waiting.pop() if node.args.get("default") is not None else literal(None)
    pairs = list(zip(waiting[::2], waiting[1::2], strict=True))
    if operand is not None:
        if _larger(operand, MOST_REPEATED):
            raise Refused.because(reasons.TOO_LARGE, function="CASE")
        pairs = [(call("=", operand, value), result) for value, result in pairs]
    return case(pairs, otherwise)


def _larger(one: Expression, most: int) -> bool:
    """Say whether `one` has more than `most` nodes, looking at no more than that."""
    waiting, seen = [one], 0
    while waiting and seen <= most:
        node = waiting.pop()
        seen += 1
        if isinstance(node, Call):
            waiting += node.arguments
        elif isinstance(node, Case):
            waiting += [part for branch in node.branches for part in branch] + [node.otherwise]
    return seen > most


def _if(node: Node, arguments: Arguments, _today: date) -> Expression:
    condition, result, *rest = arguments
    return case([(condition, result)], rest[0] if rest else literal(None))


FORMS: dict[type[exp.Expr], Form] = {
    exp.Literal: form("this is_string", "", _literal),
    exp.Boolean: form("this", "", lambda node, _arguments, _today: literal(bool(node.this))),
    exp.Null: form("", "", lambda _node, _arguments, _today: literal(None)),
    exp.National: form("this", "", lambda node, _arguments, _today: literal(str(node.this))),
    exp.Paren: form("", "this", lambda _node, arguments, _today: arguments[0]),
    exp.Neg: form("", "this", _negative),
    exp.Add: Form(frozenset({"this", "expression"}), _operand_nodes, _plus),
    exp.Sub: Form(frozenset({"this", "expression"}), _operand_nodes, minus),
    exp.Mul: plain("*", "this expression"),
    exp.Div: form("typed safe", "this expression", _divided),
    exp.IntDiv: plain("/", "this expression"),
    exp.Mod: plain("%", "this expression"),
    exp.EQ: plain("=", "this expression"),
    exp.NEQ: plain("<>", "this expression"),
    exp.LT: plain("<", "this expression"),
    exp.LTE: plain("<=", "this expression"),
    exp.GT: plain(">", "this expression"),
    exp.GTE: plain(">=", "this expression"),
    exp.NullSafeEQ: plain("is_not_distinct", "this expression"),
    exp.NullSafeNEQ: plain("is_distinct", "this expression"),
    exp.And: plain("and", "this expression"),
    exp.Or: plain("or", "this expression"),
    exp.Not: plain("not", "this"),
    exp.Is: form("negate", "this expression", _is),
    exp.Between: plain("between", "this low high"),
    exp.In: plain("in", "this expressions", "query"),
    exp.Like: form("negate", "this expression", _like),
    exp.ILike: form("negate", "this expression", _like),
    exp.Escape: Form(frozenset({"this", "expression"}), _escape_nodes, _escaped),
    exp.Case: Form(frozenset({"this", "ifs", "default"}), _case_nodes, _case),
    exp.If: form("", "this true false", _if),
    exp.Coalesce: plain("coalesce", "this expressions", "is_null is_nvl"),
    exp.Nullif: plain("nullif", "this expression"),
    exp.Greatest: plain("greatest", "this expressions", "ignore_nulls"),
    exp.Least: plain("least", "this expressions", "ignore_nulls"),
}
