"""What a scan enforces: bounds clamp, domains and calendars map to NULL, texts are cut, row caps cut (PRIVACY §1)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from fractions import Fraction
from math import ceil, floor

from tre.catalogue import Column as Declared
from tre.catalogue import Kind, Table, Value
from tre.sql import functions
from tre.sql.expressions import render_expression
from tre.sql.functions import postgres
from tre.sql.plan import Column, Scan

ALIAS = "t"
_NORMAL = {
    "duckdb": "CASE WHEN isfinite({0}) THEN {0} + 0.0 END",
    "postgres": f"CASE WHEN abs({{0}}) <= {postgres.LARGEST} THEN {{0}} + 0.0 END",
}
"""−0 is 0, NaN and infinity are NULL."""
_DOUBLE = {"duckdb": "DOUBLE", "postgres": "DOUBLE PRECISION"}
_HASH = {"duckdb": "hash({})", "postgres": "hash_record_extended(ROW({}), 0)"}
EPOCH, EPOCH_TIME = date(1970, 1, 1), datetime(1970, 1, 1)  # noqa: DTZ001 - timestamps have no zone


def untouched(column: Declared) -> bool:
    """Say whether the scan passes every value of the column through as it is."""
    declared = (column.bounds, column.domain, column.calendar, column.max_length)
    return all(part is None for part in declared) and column.type.kind is not Kind.DOUBLE


def capped(table: Table) -> bool:
    """Say whether the scan must cut rows: not where the version has, or a declared unique key leaves none to cut."""
    return table.capped_in_scan and frozenset({table.unit}) not in table.unique


def enforced(scan: Scan, called: tuple[str, ...], dialect: str) -> str:
    """Return the SELECT that reads a table's columns under the names `called`, as its declaration says."""
    texts = [
        f"{value_of(_declared(scan, column), dialect)} AS {name}"
        for column, name in zip(scan.columns, called, strict=True)
    ]
    text = f"SELECT {', '.join(texts)}"
    table = _quoted(scan.table.name)
    if not capped(scan.table):
        return f"{text}\nFROM {table} AS {ALIAS}"
    return f"{text}\nFROM {_capped(scan, table, dialect)} AS {ALIAS}\nWHERE {ALIAS}.place <= {scan.table.rows_per_unit}"


def _capped(scan: Scan, table: str, dialect: str) -> str:
    """Rows beyond the cap are those of highest hash, the columns as tie-break: only identical rows tie."""
    names = [_quoted(name) for name, column in scan.table.columns.items() if column.visible]
    order = f"{_HASH[dialect].format(', '.join(names))}, {', '.join(f'{name} NULLS LAST' for name in names)}"
    unit = _quoted(str(scan.table.unit))
    return f"(SELECT *, ROW_NUMBER() OVER (PARTITION BY {unit} ORDER BY {order}) AS place FROM {table})"  # noqa: S608 - declared names, quoted


def _declared(scan: Scan, column: Column) -> Declared:
    return scan.table.columns[column.origin.column if column.origin is not None else column.name]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def value_of(column: Declared, dialect: str) -> str:
    """Return the text of a column's value as the plan may rely on it."""
    text = f"{ALIAS}.{_quoted(column.name)}"
    if column.type.kind is Kind.DOUBLE:
        text = _NORMAL[dialect].format(text)
    if column.bounds is not None:
        text = _clamped(text, column, dialect)
    if column.domain is not None:
        text = f"CASE WHEN {_among(text, column.domain, dialect)} THEN {text} END"
    if column.calendar is not None:
        first, last = (_literal(day, dialect) for day in column.calendar)
        text = f"CASE WHEN CAST({text} AS DATE) BETWEEN {first} AND {last} THEN {text} END"
    if column.max_length is not None:
        text = f"SUBSTRING({text}, 1, {column.max_length})"
    return text


def _among(text: str, domain: tuple[Value, ...], dialect: str) -> str:
    """Say whether a value is of its domain: whole numbers without a gap by their ends, ten times faster than a list."""
    if not domain:
        return "FALSE"
    whole = {value for value in domain if type(value) is int}
    if len(whole) == len(domain) and len(whole) == max(whole) - min(whole) + 1:
        return f"{text} BETWEEN {_literal(min(whole), dialect)} AND {_literal(max(whole), dialect)}"
    return f"{text} IN ({', '.join(_literal(value, dialect) for value in domain)})"


def _clamped(text: str, column: Declared, dialect: str) -> str:
    low, high = _bounds(column)
    lowest, highest = _end(low, column, dialect), _end(high, column, dialect)
    return f"CASE WHEN {text} < {lowest} THEN {lowest} WHEN {text} > {highest} THEN {highest} ELSE {text} END"


def _bounds(column: Declared) -> tuple[Fraction, Fraction]:
    assert column.bounds is not None
    return column.bounds.low, column.bounds.high


def _end(value: Fraction, column: Declared, dialect: str) -> str:
    """Return an end of an interval as a literal of the column's type, rounded into the interval."""
    assert column.bounds is not None
    inward = ceil if value == column.bounds.low else floor
    kind = column.type.kind
    if kind is Kind.DATE:
        return _literal(EPOCH + timedelta(days=inward(value)), dialect)
    if kind is Kind.TIMESTAMP:
        return _literal(EPOCH_TIME + timedelta(microseconds=inward(value)), dialect)
    if kind is Kind.DECIMAL:
        rounding = ROUND_CEILING if inward is ceil else ROUND_FLOOR
        exact = Decimal(value.numerator) / Decimal(value.denominator)
        return _literal(exact.quantize(Decimal(1).scaleb(-column.type.scale), rounding), dialect)
    if kind is Kind.DOUBLE:
        return f"CAST({float(value)!r} AS {_DOUBLE[dialect]})"
    return _literal(inward(value), dialect)


def _literal(value: Value, dialect: str) -> str:
    return render_expression(functions.literal(value), _no_column, _no_column, dialect)


def _no_column(_given: object) -> str:
    raise ValueError("a literal names nothing")
