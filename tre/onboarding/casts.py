"""From a source's type to the declared one, exactly: what would change on the way is no value of that type.

A value of a typed source must survive the way there and back; a text must have the declared type's plain form.
"""

from __future__ import annotations

from tre.catalogue import Kind, Type
from tre.onboarding.sql import type_name

_INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
_NUMBERS = (*_INTEGERS, *(f"U{name}" for name in _INTEGERS), "FLOAT", "DOUBLE", "DECIMAL")
_TIMES = ("DATE", "TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "TIMESTAMP WITH TIME ZONE")
_ADMITTED = {
    Kind.BOOLEAN: ("BOOLEAN", *_NUMBERS),
    Kind.INTEGER: _NUMBERS,
    Kind.DECIMAL: _NUMBERS,
    Kind.DOUBLE: _NUMBERS,
    Kind.TEXT: (*_NUMBERS, "BOOLEAN", "UUID", "ENUM"),
    Kind.DATE: _TIMES,
    Kind.TIMESTAMP: _TIMES,
}
_FORMS = {
    Kind.BOOLEAN: "(?i)true|false|t|f|1|0",
    Kind.INTEGER: r"[+-]?[0-9]+(\.0*)?",
    Kind.DOUBLE: r"(?i)[+-]?(inf(inity)?|nan|([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?)",
    Kind.DATE: r"[0-9]{4}-[0-9]{2}-[0-9]{2}([ T]00:00(:00(\.0*)?)?Z?)?",
    Kind.TIMESTAMP: r"[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6}0*)?)?Z?)?",
}


def typed(column: str, source_type: str, declared: Type) -> tuple[str, str]:
    """Return two SQL expressions over the quoted `column`: its value as `declared`, and whether it has none.

    The first never fails and is NULL for an empty value and for one that is refused; the second is true for the
    latter only. Both rest on the source's own type `source_type`, as DuckDB spells it.
    """
    if source_type == "VARCHAR":
        return _from_text(column, declared)
    target = type_name(declared)
    if source_type.split("(")[0] not in _ADMITTED[declared.kind]:
        return f"CAST(NULL AS {target})", f"{column} IS NOT NULL"
    value = f"TRY_CAST({column} AS {target})"
    back = f"TRY_CAST({value} AS {source_type}) IS DISTINCT FROM {column}"
    return value, f"{column} IS NOT NULL AND ({back}{_out_of_range(value, declared)})"


def _from_text(column: str, declared: Type) -> tuple[str, str]:
    if declared.kind is Kind.TEXT:
        return column, "false"
    text = f"trim({column})"
    shown = f"left({text}, 10)" if declared.kind is Kind.DATE else f"rtrim({text}, 'Z')"
    value = f"TRY_CAST({shown} AS {type_name(declared)})"
    fits = f"regexp_full_match({text}, '{_form(declared)}')"
    return value, f"{column} IS NOT NULL AND (NOT {fits} OR {value} IS NULL{_out_of_range(value, declared)})"


def _form(declared: Type) -> str:
    if declared.kind is not Kind.DECIMAL:
        return _FORMS[declared.kind]
    return rf"[+-]?[0-9]*(\.[0-9]{{0,{declared.scale}}}0*)?"


def _out_of_range(value: str, declared: Type) -> str:
    """The plan computes with the years 1 to 9999; beyond them engines raise, and a row would decide on an answer.

    DuckDB's infinite dates lie beyond, and so does the year 0 of a date that was never filled in.
    """
    if declared.kind not in (Kind.DATE, Kind.TIMESTAMP):
        return ""
    return f" OR CAST({value} AS DATE) NOT BETWEEN DATE '0001-01-01' AND DATE '9999-12-31'"
