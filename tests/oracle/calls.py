"""Every function of the registry as the oracle writes it: text, operand kinds and kind of the result."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import cache


class Kinds(Enum):
    """The kinds of value that the grammar knows; NUM is a decimal."""

    INT = "int"
    NUM = "num"
    DOUBLE = "double"
    TEXT = "text"
    DATE = "date"
    TIME = "time"
    BOOL = "bool"


INT, NUM, DOUBLE, TEXT, DATE, TIME, BOOL = Kinds

LITERALS: dict[Kinds, tuple[str, ...]] = {
    INT: ("0", "1", "2", "3", "-1", "9223372036854775807"),
    NUM: ("0.5", "10.50", "-5.00", "0.00"),
    DOUBLE: ("0.5", "1.25", "-3"),
    TEXT: ("'a'", "'abc'", "''", "'A'", "'1'"),
    DATE: ("DATE '2020-01-01'", "DATE '2020-01-02'"),
    TIME: ("TIMESTAMP '2020-01-01 00:00:00'",),
    BOOL: ("TRUE", "FALSE"),
}
TAME = {**LITERALS, INT: LITERALS[INT][:5]}
"""Literals with which an engine's plain arithmetic does not overflow."""


@dataclass(frozen=True)
class Template:
    """One way to write `function`; `plain` where the engine's own text means the same without care for totality."""

    function: str
    text: str
    operands: tuple[Kinds, ...]
    kind: Kinds
    plain: bool = True


def _rows() -> tuple[Template, ...]:
    def row(function: str, text: str, operands: tuple[Kinds, ...], kind: Kinds, plain: bool = True) -> Template:
        return Template(function, text, operands, kind, plain)

    compared = [
        row(name, f"({{0}} {name} {{1}})", (kind, kind), BOOL)
        for name in ("=", "<>", "<", "<=", ">", ">=")
        for kind in (INT, NUM, TEXT, DATE, DOUBLE, TIME)
    ]
    return (
        *compared,
        *(row(name, f"({{0}} {name} {{1}})", (INT, INT), INT, plain=False) for name in ("+", "-", "*", "/", "%")),
        *(row(name, f"({{0}} {name} {{1}})", (NUM, NUM), NUM, plain=False) for name in ("+", "-", "*", "%")),
        *(row(name, f"({{0}} {name} {{1}})", (DOUBLE, DOUBLE), DOUBLE, plain=False) for name in ("+", "-", "*", "/")),
        row("+", "({0} + 1)", (INT,), INT),
        row("negate", "(-{0})", (INT,), INT, plain=False),
        row("negate", "(-{0})", (DOUBLE,), DOUBLE),
        row("abs", "ABS({0})", (INT,), INT, plain=False),
        row("abs", "ABS({0})", (NUM,), NUM),
        row("sign", "SIGN({0})", (INT,), INT),
        row("cast", "CAST({0} AS INTEGER)", (TEXT,), INT, plain=False),
        row("cast", "CAST({0} AS INTEGER)", (DOUBLE,), INT, plain=False),
        row("cast", "CAST({0} AS TEXT)", (INT,), TEXT),
        row("cast", "CAST({0} AS DATE)", (TEXT,), DATE, plain=False),
        row("cast", "CAST({0} AS DATE)", (TIME,), DATE),
        row("cast", "CAST({0} AS TIMESTAMP)", (DATE,), TIME),
        row("cast", "CAST({0} AS DECIMAL(8, 1))", (INT,), NUM, plain=False),
        row("cast", "CAST({0} AS DOUBLE PRECISION)", (TEXT,), DOUBLE, plain=False),
        row("cast", "CAST({0} AS BOOLEAN)", (TEXT,), BOOL, plain=False),
        row("case", "CASE WHEN {0} THEN {1} ELSE {2} END", (BOOL, INT, INT), INT),
        row("case", "CASE {0} WHEN 1 THEN {1} END", (INT, TEXT), TEXT),
        row("coalesce", "COALESCE({0}, {1})", (INT, INT), INT),
        row("coalesce", "COALESCE({0}, {1})", (TEXT, TEXT), TEXT),
        row("nullif", "NULLIF({0}, {1})", (INT, INT), INT),
        row("greatest", "GREATEST({0}, {1})", (INT, INT), INT),
        row("greatest", "GREATEST({0}, {1})", (DATE, DATE), DATE),
        row("least", "LEAST({0}, {1})", (NUM, NUM), NUM),
        row("and", "({0} AND {1})", (BOOL, BOOL), BOOL),
        row("or", "({0} OR {1})", (BOOL, BOOL), BOOL),
        row("not", "(NOT {0})", (BOOL,), BOOL),
        row("is_null", "({0} IS NULL)", (TEXT,), BOOL),
        row("is_null", "({0} IS NOT NULL)", (DOUBLE,), BOOL),
        row("in", "({0} IN (1, 2, NULL))", (INT,), BOOL),
        row("in", "({0} NOT IN ('a', 'b'))", (TEXT,), BOOL),
        row("between", "({0} BETWEEN {1} AND {2})", (INT, INT, INT), BOOL),
        row("between", "({0} NOT BETWEEN {1} AND {2})", (DATE, DATE, DATE), BOOL),
        row("is_distinct", "({0} IS DISTINCT FROM {1})", (INT, INT), BOOL),
        row("is_not_distinct", "({0} IS NOT DISTINCT FROM {1})", (TEXT, TEXT), BOOL),
        row("is_not_distinct", "({0} IS TRUE)", (BOOL,), BOOL),
        row("is_not_distinct", "({0} IS NOT FALSE)", (BOOL,), BOOL),
        row("round", "ROUND({0}, 1)", (NUM,), NUM),
        row("round", "ROUND({0})", (DOUBLE,), DOUBLE, plain=False),
        row("floor", "FLOOR({0})", (DOUBLE,), DOUBLE),
        row("ceil", "CEIL({0})", (DOUBLE,), DOUBLE),
        row("trunc", "TRUNC({0})", (DOUBLE,), DOUBLE),
        row("sqrt", "SQRT({0})", (DOUBLE,), DOUBLE, plain=False),
        row("ln", "LN({0})", (INT,), DOUBLE, plain=False),
        row("log10", "LOG10({0})", (DOUBLE,), DOUBLE, plain=False),
        row("exp", "EXP({0})", (DOUBLE,), DOUBLE, plain=False),
        row("power", "POWER({0}, {1})", (DOUBLE, DOUBLE), DOUBLE, plain=False),
        row("lower", "LOWER({0})", (TEXT,), TEXT, plain=False),
        row("upper", "UPPER({0})", (TEXT,), TEXT, plain=False),
        row("length", "LENGTH({0})", (TEXT,), INT),
        row("left", "LEFT({0}, 2)", (TEXT,), TEXT),
        row("right", "RIGHT({0}, 1)", (TEXT,), TEXT),
        row("substring", "SUBSTRING({0}, 2, 1)", (TEXT,), TEXT),
        row("trim", "TRIM({0})", (TEXT,), TEXT),
        row("ltrim", "LTRIM({0})", (TEXT,), TEXT),
        row("rtrim", "RTRIM({0})", (TEXT,), TEXT),
        row("||", "({0} || {1})", (TEXT, TEXT), TEXT),
        row("||", "CONCAT({0}, {1})", (TEXT, INT), TEXT),
        row("replace", "REPLACE({0}, 'a', 'bc')", (TEXT,), TEXT, plain=False),
        row("position", "STRPOS({0}, {1})", (TEXT, TEXT), INT, plain=False),
        row("date_number", "TO_CHAR({0}, 'YYYYMMDD')", (DATE,), TEXT, plain=False),
        row("like", "({0} LIKE 'a%')", (TEXT,), BOOL),
        row("like", "({0} NOT LIKE '_')", (TEXT,), BOOL),
        row("like", "({0} ILIKE '%B%')", (TEXT,), BOOL, plain=False),
        row("date_part", "EXTRACT(year FROM {0})", (DATE,), INT),
        row("date_part", "EXTRACT(hour FROM {0})", (TIME,), INT),
        row("date_part", "EXTRACT(week FROM {0})", (DATE,), INT),
        row("date_trunc", "DATE_TRUNC('month', {0})", (TIME,), TIME, plain=False),
        row("date_trunc", "CAST(DATE_TRUNC('week', {0}) AS DATE)", (DATE,), DATE, plain=False),
        row("date_diff", "({0} - {1})", (DATE, DATE), INT, plain=False),
        row("date_add", "({0} + {1})", (DATE, INT), DATE, plain=False),
        row("date_add", "({0} + INTERVAL '1 month')", (TIME,), TIME, plain=False),
        row("date_add", "({0} + INTERVAL '2 days' * {1})", (TIME, INT), TIME, plain=False),
        row("date_add", "({0} - {1} * INTERVAL '1 hour')", (TIME, DOUBLE), TIME, plain=False),
        row("date_diff", "EXTRACT(EPOCH FROM {0} - {1})", (TIME, TIME), NUM, plain=False),
        row("date_diff", "EXTRACT(DAY FROM {0} - {1})", (TIME, TIME), INT, plain=False),
        row("make_date", "MAKE_DATE({0}, {1}, {2})", (INT, INT, INT), DATE, plain=False),
    )


TEMPLATES = _rows()


@cache
def templates(kind: Kinds, plain: bool) -> tuple[Template, ...]:
    """Return the templates whose value is of `kind`."""
    return tuple(one for one in TEMPLATES if one.kind is kind and (one.plain or not plain))
