"""From a node of the tree whose operands are bound to the expression that it means: one row per kind of node.

A row names the parts of the node that may be filled; the gate refuses any other part, so nothing is overlooked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType
from typing import Any

from sqlglot import exp

from tre.base.reasons import Reason, Refusal, Refused
from tre.base.reasons import sql_text as reasons
from tre.catalogue import Kind, Type
from tre.sql.functions.casts import cast, promoted
from tre.sql.functions.choices import case
from tre.sql.functions.constants import literal, numeral
from tre.sql.functions.form import DATE, DOUBLE, INTEGER, TEXT, TIMESTAMP, Arguments, is_null_literal, kind
from tre.sql.functions.moments import moment
from tre.sql.functions.registry import call, meant
from tre.sql.functions.texts import FOLD, as_text, pattern
from tre.sql.parsed import Parsed, place_of
from tre.sql.plan import Call, Case, Expression, Literal

Node = Any
Build = Callable[[Node, Arguments, date], Expression]
MOST_REPEATED = 60
"""Most nodes of an operand that CASE x WHEN … compares several times."""


@dataclass(frozen=True, slots=True)
class Form:
    """How one kind of node is bound: `parts` may be filled, `operands` are bound first, `build` gives the meaning."""

    parts: frozenset[str]
    operands: Callable[[Node], Sequence[Node]]
    build: Build


def form(parts: str, operands: str, build: Build) -> Form:
    """Return a form whose operands are the parts named in `operands`, lists spread out, absent ones left out."""
    names = operands.split()

    def found(node: Node) -> Sequence[Node]:
        values = (node.args.get(name) for name in names)
        return [one for value in values for one in (value if isinstance(value, list) else [value]) if one is not None]

    return Form(frozenset(parts.split()) | set(names), found, build)


def plain(name: str, operands: str, parts: str = "") -> Form:
    """Return a form that is a call of `name` over its operands."""
    return form(parts, operands, lambda _node, arguments, _today: call(name, *arguments))


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
    return [one for one in (node.this, node.expression) if not isinstance(one, exp.Interval)]


def _plus(node: Node, arguments: Arguments, _today: date) -> Expression:
    if isinstance(node.this, exp.Interval) or isinstance(node.expression, exp.Interval):
        return _by_interval(node, arguments, 1)
    one, other = arguments
    if kind(one) is Kind.DATE and kind(other) is Kind.INTEGER:
        return call("date_add", literal("day"), other, one)
    if kind(other) is Kind.DATE and kind(one) is Kind.INTEGER:
        return call("date_add", literal("day"), one, other)
    return call("+", one, other)


def _minus(node: Node, arguments: Arguments, _today: date) -> Expression:
    if isinstance(node.expression, exp.Interval):
        return _by_interval(node, arguments, -1)
    one, other = arguments
    if kind(one) is Kind.DATE and kind(other) is Kind.INTEGER:
        return call("date_add", literal("day"), _negated(other), one)
    if Kind.DATE in (kind(one), kind(other)):
        return call("date_diff", literal("day"), promoted(other, DATE), promoted(one, DATE))
    return call("-", one, other)


def _negated(one: Expression) -> Expression:
    return numeral_negated(one) if isinstance(one, Literal) else call("negate", one)


def _by_interval(node: Node, arguments: Arguments, sign: int) -> Expression:
    """PostgreSQL gives a timestamp for date + interval."""
    if len(arguments) != 1:
        raise Refused.because(reasons.INTERVAL_FORM)
    one = moment(arguments[0])
    if one is None:
        raise Refused.because(reasons.INTERVAL_FORM)
    interval = node.expression if isinstance(node.expression, exp.Interval) else node.this
    count, unit = _interval(interval)
    return call("date_add", literal(unit), literal(sign * count), promoted(one, TIMESTAMP))


def _interval(node: exp.Interval) -> tuple[int, str]:
    """Return the count and the unit of INTERVAL '3 days' and its spellings."""
    value, unit = node.this, node.args.get("unit")
    sign = -1 if isinstance(value, exp.Neg) else 1
    value = value.this if isinstance(value, exp.Neg) else value
    text = str(value.this).strip() if isinstance(value, exp.Literal) else ""
    if not isinstance(unit, exp.Var) or not text.lstrip("+-").isdigit() or len(text) > 18:
        raise Refused.because(reasons.INTERVAL_FORM)
    return sign * int(text), _unit_name(unit)


def _unit_name(node: Node) -> str:
    """Return the unit that a node names, in the singular and in small letters."""
    named = str(node.this if isinstance(node, exp.Var | exp.Literal) else node.name).lower()
    named = _UNITS.get(named, named)
    return named[:-1] if named.endswith("s") and len(named) > 3 else named


_UNITS = {"yy": "year", "yyyy": "year", "mm": "month", "qq": "quarter", "dd": "day", "hh": "hour", "weekiso": "week"}
_UNITS |= {"dayofyear": "doy", "dayofweek": "dow", "dayofweekiso": "isodow", "weekofyear": "week", "dayofmonth": "day"}


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


# --- casts ------------------------------------------------------------------------------------------------

_KINDS: dict[str, Type] = {
    **dict.fromkeys(("TINYINT", "SMALLINT", "INT", "BIGINT", "UTINYINT", "USMALLINT", "UINT"), INTEGER),
    **dict.fromkeys(("FLOAT", "DOUBLE"), DOUBLE),
    **dict.fromkeys(("TEXT", "VARCHAR", "NVARCHAR"), TEXT),
    **dict.fromkeys(("TIMESTAMP", "DATETIME", "DATETIME2", "TIMESTAMPNTZ", "SMALLDATETIME"), TIMESTAMP),
    "BOOLEAN": Type(Kind.BOOLEAN),
    "BIT": Type(Kind.BOOLEAN),
    "DATE": DATE,
}


def _cast(node: Node, arguments: Arguments, _today: date) -> Expression:
    target = node.args.get("to") if not isinstance(node, exp.Convert) else node.this
    (one,) = arguments
    name = target.this.value if isinstance(target.this, exp.DType) else str(target.this)
    sizes = _sizes(target, name)
    if name == "DECIMAL":
        return _explicit(one, _decimal(sizes, one))
    if name not in _KINDS:
        raise Refused.because(reasons.TYPE_UNKNOWN, type=name[:40])
    found = _explicit(one, _KINDS[name])
    return call("left", found, literal(min(sizes[0], 10_000))) if sizes and found.type == TEXT else found


def _sizes(target: exp.DataType, name: str) -> list[int]:
    """Return the numbers in brackets after the name of a type; VARCHAR(MAX) has none."""
    sizes = []
    for size in target.expressions:
        text = str(size.this.this) if isinstance(size, exp.DataTypeParam) and isinstance(size.this, exp.Expr) else ""
        if text.upper() == "MAX":
            continue
        if not text.isdigit() or len(text) > 9:
            raise Refused.because(reasons.TYPE_UNKNOWN, type=f"{name[:40]} of that size")
        sizes.append(int(text))
    return sizes


def _explicit(one: Expression, type_: Type) -> Expression:
    """Read constant text at once, so that a wrong one is told, not turned into NULL."""
    if isinstance(one, Literal) and isinstance(one.value, str) and type_.kind in (Kind.DATE, Kind.TIMESTAMP):
        return cast(promoted(one, type_), type_)
    return cast(one, type_)


def _decimal(sizes: list[int], one: Expression) -> Type:
    if not sizes and kind(one) in (Kind.INTEGER, Kind.DECIMAL):
        return one.type if kind(one) is Kind.DECIMAL else Type(Kind.DECIMAL, 19, 0)
    precision, scale = (*sizes, 0)[:2] if sizes else (0, 0)
    if not 0 < precision <= 38 or scale > precision:
        raise Refused.because(
            reasons.TYPE_UNKNOWN, type="NUMERIC without digits" if not sizes else "NUMERIC of that size"
        )
    return Type(Kind.DECIMAL, precision, scale)


def _as_date(_node: Node, arguments: Arguments, _today: date) -> Expression:
    one = moment(arguments[0])
    return cast(arguments[0] if one is None else one, DATE)


def _as_moment(_node: Node, arguments: Arguments, _today: date) -> Expression:
    """The reader wraps the operands of some date functions; a date stays a date."""
    one = moment(arguments[0])
    return cast(arguments[0], TIMESTAMP) if one is None else one


# --- text -------------------------------------------------------------------------------------------------


def _concat(node: Node, arguments: Arguments, _today: date) -> Expression:
    if node.args.get("coalesce"):
        arguments = tuple(call("coalesce", as_text(one), literal("")) for one in arguments)
    return call("||", *arguments)


def _trim(node: Node, arguments: Arguments, _today: date) -> Expression:
    characters = arguments[1:]
    if characters and not (isinstance(characters[0], Literal) and characters[0].value == " "):
        raise Refused.because(reasons.FORM, form="TRIM of other characters than spaces")
    side = str(node.args.get("position") or "").upper()
    return call({"LEADING": "ltrim", "TRAILING": "rtrim"}.get(side, "trim"), arguments[0])


# --- numbers ----------------------------------------------------------------------------------------------


def _log(node: Node, arguments: Arguments, _today: date) -> Expression:
    if len(arguments) == 1:
        return call("log10", *arguments)
    base, one = arguments
    if isinstance(base, Literal) and base.value == 10:
        return call("log10", one)
    return call("/", call("ln", one), call("ln", base))


# --- moments ----------------------------------------------------------------------------------------------


def _part_of(unit: str) -> Form:
    return form("", "this", lambda _node, arguments, _today: call("date_part", literal(unit), *arguments))


def _extract(node: Node, arguments: Arguments, _today: date) -> Expression:
    return call("date_part", literal(_unit_name(node.this)), *arguments)


def _truncated(node: Node, arguments: Arguments, _today: date) -> Expression:
    return call("date_trunc", literal(_unit_name(node.args["unit"])), *arguments)


def _difference(node: Node, arguments: Arguments, _today: date) -> Expression:
    unit = node.args.get("unit")
    later, earlier = arguments
    return call("date_diff", literal("day" if unit is None else _unit_name(unit)), earlier, later)


def _moved_by(sign: int) -> Build:
    def build(node: Node, arguments: Arguments, _today: date) -> Expression:
        unit = node.args.get("unit")
        one, count = arguments
        if isinstance(count, Literal) and isinstance(count.value, str):
            count = promoted(count, INTEGER)
        count = _negated(count) if sign < 0 else count
        return call("date_add", literal("day" if unit is None else _unit_name(unit)), count, one)

    return build


def _today_is(_node: Node, _arguments: Arguments, today: date) -> Expression:
    return literal(today)


def _now_is(_node: Node, _arguments: Arguments, today: date) -> Expression:
    """The version's date at midnight: a query asks of the version, not of the clock (PRIVACY §2 "Order")."""
    return literal(datetime.combine(today, time()))


def _misplaced(_node: Node, _arguments: Arguments, _today: date) -> Expression:
    raise Refused.because(reasons.INTERVAL_FORM)


def _refused_part(_node: Node, _arguments: Arguments, _today: date) -> Expression:
    raise Refused.because(reasons.FORM, form="A part of SQL in that place")


def _part(parts: str) -> Form:
    """A node that its parent reads; alone it means nothing."""
    return form(parts, "", _refused_part)


_MOVED = "this expression"
_FORMS: dict[type[exp.Expr], Form] = {
    exp.Literal: form("this is_string", "", _literal),
    exp.Boolean: form("this", "", lambda node, _arguments, _today: literal(bool(node.this))),
    exp.Null: form("", "", lambda _node, _arguments, _today: literal(None)),
    exp.National: form("this", "", lambda node, _arguments, _today: literal(str(node.this))),
    exp.Paren: form("", "this", lambda _node, arguments, _today: arguments[0]),
    exp.Neg: form("", "this", _negative),
    exp.Add: Form(frozenset({"this", "expression"}), _operand_nodes, _plus),
    exp.Sub: Form(frozenset({"this", "expression"}), _operand_nodes, _minus),
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
    exp.Abs: plain("abs", "this"),
    exp.Sign: plain("sign", "this"),
    exp.Round: plain("round", "this decimals"),
    exp.Floor: plain("floor", "this"),
    exp.Ceil: plain("ceil", "this"),
    exp.Trunc: plain("trunc", "this decimals"),
    exp.Sqrt: plain("sqrt", "this"),
    exp.Ln: plain("ln", "this"),
    exp.Log: form("", "this expression", _log),
    exp.Exp: plain("exp", "this"),
    exp.Pow: plain("power", "this expression"),
    exp.Cast: form("to safe", "this", _cast),
    exp.TryCast: form("to safe requires_string", "this", _cast),
    exp.Convert: form("this safe", "expression", _cast),
    exp.TsOrDsToDate: form("default_date safe", "this", _as_date),
    exp.TimeStrToTime: form("", "this", _as_moment),
    exp.Date: form("", "this", _as_date),
    exp.Extract: form("this", "expression", _extract),
    exp.Year: _part_of("year"),
    exp.Quarter: _part_of("quarter"),
    exp.Month: _part_of("month"),
    exp.Day: _part_of("day"),
    exp.DayOfMonth: _part_of("day"),
    exp.DayOfYear: _part_of("doy"),
    exp.DateTrunc: form("unit", "this", _truncated),
    exp.TimestampTrunc: form("unit", "this", _truncated),
    exp.DateDiff: form("unit big_int date_part_boundary", "this expression", _difference),
    exp.TsOrDsDiff: form("unit", "this expression", _difference),
    exp.TimestampDiff: form("unit", "this expression", _difference),
    exp.DateAdd: form("unit", _MOVED, _moved_by(1)),
    exp.DateSub: form("unit", _MOVED, _moved_by(-1)),
    exp.TsOrDsAdd: form("unit return_type", _MOVED, _moved_by(1)),
    exp.TimestampAdd: form("unit", _MOVED, _moved_by(1)),
    exp.DateFromParts: plain("make_date", "year month day"),
    exp.CurrentDate: form("", "", _today_is),
    exp.CurrentTimestamp: form("", "", _now_is),
    exp.Lower: plain("lower", "this"),
    exp.Upper: plain("upper", "this"),
    exp.Length: plain("length", "this"),
    exp.Substring: plain("substring", "this start length"),
    exp.Left: plain("left", "this expression"),
    exp.Right: plain("right", "this expression"),
    exp.Trim: form("position", "this expression", _trim),
    exp.Concat: form("safe coalesce", "expressions", _concat),
    exp.DPipe: plain("||", "this expression", "safe"),
    exp.Interval: form("this unit", "", _misplaced),
    exp.Var: _part("this"),
    exp.DataType: _part("this expressions"),
    exp.DataTypeParam: _part("this"),
    exp.Tuple: _part("expressions"),
}
_NAMED: dict[str, tuple[str, int]] = {"make_date": ("make_date", 3)}
"""Functions that the parser does not know by a node of their own: name, function, number of arguments."""


def _named(node: Node, arguments: Arguments, _today: date) -> Expression:
    return call(_NAMED[str(node.this).lower()][0], *arguments)


_ANONYMOUS = form("this", "expressions", _named)
GRAMMAR: Mapping[type[exp.Expr], frozenset[str]] = MappingProxyType({node: one.parts for node, one in _FORMS.items()})
"""The nodes of expressions and the parts of each that may be filled."""


def is_function(node: exp.Expr) -> bool:
    """Say whether `bind_node` knows the meaning of `node`."""
    return type(node) in _FORMS or is_named(node)


def is_named(node: exp.Expr) -> bool:
    """Say whether `node` is a function known by its name alone."""
    return isinstance(node, exp.Anonymous) and str(node.this).lower() in _NAMED


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
