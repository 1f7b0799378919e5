"""Casts, text and numbers."""

from __future__ import annotations

from datetime import date

from sqlglot import exp

from tre.base.reasons import Refused
from tre.base.reasons import sql_text as reasons
from tre.catalogue import Kind, Type
from tre.sql.functions.casts import cast, promoted
from tre.sql.functions.constants import literal
from tre.sql.functions.form import DATE, DOUBLE, INTEGER, TEXT, TIMESTAMP, Arguments, kind
from tre.sql.functions.moments import moment
from tre.sql.functions.nodes.form import Form, Node, form, plain
from tre.sql.functions.registry import call
from tre.sql.functions.texts import as_text
from tre.sql.plan import Expression, Literal

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
    if isinstance(node, exp.Convert) and node.args.get("style") is not None:
        return _styled(node.args["style"], one, target)
    name = target.this.value if isinstance(target.this, exp.DType) else str(target.this)
    sizes = _sizes(target, name)
    if name == "DECIMAL" and not sizes and kind(one) is Kind.DOUBLE:
        return one  # NUMERIC without digits keeps every digit that there is
    if name == "DECIMAL":
        return _explicit(one, _decimal(sizes, one))
    if name not in _KINDS:
        raise Refused.because(reasons.TYPE_UNKNOWN, type=name[:40])
    found = _explicit(one, _KINDS[name])
    longest = found.facts.max_length
    if not sizes or found.type != TEXT or (longest is not None and longest <= sizes[0]):
        return found
    return call("left", found, literal(min(sizes[0], 10_000)))


_AS_DIGITS, _AS_ISO = ("112",), ("23", "121", "126")


def _styled(style: Node, one: Expression, target: exp.DataType) -> Expression:
    """CONVERT of a date to text, as 20240131 or as 2024-01-31, or of such a text to a date."""
    named = str(style.this) if isinstance(style, exp.Literal) else ""
    to_text = isinstance(target.this, exp.DType) and target.this.value in ("VARCHAR", "TEXT", "NVARCHAR", "CHAR")
    day = moment(one) if to_text else None
    if day is not None and named in _AS_DIGITS:
        return cast(call("date_number", day), TEXT)
    if day is not None and named in _AS_ISO:
        return cast(cast(day, DATE), TEXT)
    if to_text or named not in (*_AS_DIGITS, *_AS_ISO):
        raise Refused.because(reasons.FORM, form="CONVERT in that style")
    return _explicit(one, _KINDS.get(str(getattr(target.this, "value", "")), DATE))


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


FORMS: dict[type[exp.Expr], Form] = {
    exp.Cast: form("to safe", "this", _cast),
    exp.TryCast: form("to safe requires_string", "this", _cast),
    exp.Convert: form("this safe style", "expression", _cast),
    exp.TsOrDsToDate: form("default_date safe", "this", _as_date),
    exp.TimeStrToTime: form("", "this", _as_moment),
    exp.Date: form("", "this", _as_date),
    exp.Lower: plain("lower", "this"),
    exp.Upper: plain("upper", "this"),
    exp.Length: plain("length", "this"),
    exp.Substring: plain("substring", "this start length"),
    exp.Left: plain("left", "this expression"),
    exp.Right: plain("right", "this expression"),
    exp.Trim: form("position", "this expression", _trim),
    exp.Replace: plain("replace", "this expression replacement"),
    exp.StrPosition: plain("position", "this substr"),
    exp.Concat: form("safe coalesce", "expressions", _concat),
    exp.DPipe: plain("||", "this expression", "safe"),
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
}
