"""The meaning of expressions is PostgreSQL's, and NULL where PostgreSQL raises: the table is the specification."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction

import pytest

from tests.sql.expressions import nasty
from tests.sql.expressions.engines import NAMES
from tests.sql.expressions.spoken import TODAY, meaning, value
from tre.base.reasons import Refused
from tre.catalogue import Interval, Kind
from tre.sql import functions
from tre.sql.plan import Case, Literal

MEANINGS = [
    # whole numbers truncate; what does not fit 64 bits, and division by zero, is NULL
    ("7 / 2", 3),
    ("-7 / 2", -3),
    ("-7 % 2", -1),
    ("7 % -2", 1),
    ("MOD(7, 0)", None),
    ("1 / 0", None),
    ("1.0 / 0", None),
    ("9223372036854775807 + 1", None),
    ("-9223372036854775807 - 2", None),
    ("3037000500 * 3037000500", None),
    ("(-9223372036854775807 - 1) / -1", None),
    ("ABS(-9223372036854775807 - 1)", None),
    ("-(-9223372036854775807 - 1)", None),
    ("2 + 3 * 4 - 1", 13),
    # decimals are exact, doubles come by CAST alone
    ("0.1 + 0.2", Decimal("0.3")),
    ("0.1 + 0.2 = 0.3", True),
    ("1.50 * 2", Decimal("3.00")),
    ("5.5 % 2", Decimal("1.5")),
    ("1 / 4.0", 0.25),
    ("1e2 + 0.5", Decimal("100.5")),
    ("CAST('1e308' AS DOUBLE PRECISION) * 10", None),
    ("CAST(1 AS DOUBLE PRECISION) / 3", 1 / 3),
    # rounding: decimals half away from zero, doubles half to even
    ("ROUND(2.5)", Decimal(3)),
    ("ROUND(-2.5)", Decimal(-3)),
    ("ROUND(0.99, 1)", Decimal("1.0")),
    ("ROUND(CAST(2.5 AS DOUBLE PRECISION))", 2.0),
    ("ROUND(CAST(0.125 AS DOUBLE PRECISION), 2)", 0.12),
    ("CAST(2.5 AS BIGINT)", 3),
    ("CAST(CAST(2.5 AS DOUBLE PRECISION) AS BIGINT)", 2),
    ("FLOOR(-1.5)", Decimal(-2)),
    ("CEIL(1.1)", Decimal(2)),
    ("TRUNC(-1.55, 1)", Decimal("-1.5")),
    ("TRUNC(-1.55)", Decimal(-1)),
    ("SIGN(-0.5)", -1),
    ("SQRT(-1)", None),
    ("SQRT(16)", 4.0),
    ("LN(0)", None),
    ("LOG(100)", 2.0),
    ("LOG10(1000)", 3.0),
    ("EXP(1000)", None),
    ("POWER(2, 10)", 1024.0),
    ("POWER(-8, 0.5)", None),
    ("POWER(0, -1)", None),
    # dates as texts, and the years between two: completed ones, toward zero
    ("TO_CHAR(DATE '2024-01-31', 'YYYYMMDD')", "20240131"),
    ("TO_CHAR(DATE '2024-01-31', 'YYYY-MM')", "2024-01"),
    ("TO_CHAR(DATE '0024-01-31', 'YYYY')", "0024"),
    ("TO_DATE('20240131', 'YYYYMMDD')", date(2024, 1, 31)),
    ("CAST('31-jan-2024' AS DATE)", date(2024, 1, 31)),
    ("CAST(LEFT('20240131x', 8) AS DATE)", date(2024, 1, 31)),
    ("CAST(LEFT('20241331x', 8) AS DATE)", None),
    ("EXTRACT(YEAR FROM AGE(DATE '2020-02-28', DATE '2000-02-29'))", 19),
    ("EXTRACT(YEAR FROM AGE(DATE '2020-02-29', DATE '2000-02-29'))", 20),
    ("EXTRACT(YEAR FROM AGE(DATE '2000-02-29', DATE '2020-02-28'))", -19),
    ("REPLACE('a-b-a', 'a', 'xy')", "xy-b-xy"),
    ("REPLACE('abc', '', 'x')", "abc"),
    ("STRPOS('banana', 'an')", 2),
    ("POSITION('z' IN 'banana')", 0),
    ("STRPOS('banana', '')", 1),
    # three values
    ("NULL = NULL", None),
    ("NULL IS NULL", True),
    ("1 IS NOT NULL", True),
    ("NULL AND FALSE", False),
    ("NULL OR FALSE", None),
    ("NOT (NULL = 1)", None),
    ("1 IS DISTINCT FROM NULL", True),
    ("NULL IS NOT DISTINCT FROM NULL", True),
    ("1 IN (2, NULL)", None),
    ("1 IN (1, NULL)", True),
    ("1 NOT IN (2, 3)", True),
    ("2 BETWEEN 1 AND 3", True),
    ("2 NOT BETWEEN 3 AND 1", True),
    ("(1 = 2) IS TRUE", False),
    ("(NULL = 2) IS NOT FALSE", True),
    # choices
    ("CASE WHEN NULL THEN 1 ELSE 2 END", 2),
    ("CASE 2 WHEN 1 THEN 'a' WHEN 2 THEN 'b' END", "b"),
    ("CASE WHEN TRUE THEN 1 ELSE 2.5 END", Decimal("1.0")),
    ("COALESCE(NULL, 2, 3)", 2),
    ("NULLIF(1, 1)", None),
    ("NULLIF(2, 1)", 2),
    ("GREATEST(1, NULL, 3)", 3),
    ("LEAST(2.5, 1)", Decimal("1.0")),
    # text is compared by code point, letters fold in ASCII alone
    ("'B' < 'a'", True),
    ("LOWER('ÄB')", "Äb"),
    ("UPPER('äb')", "äB"),
    ("LENGTH('é🤦')", 2),
    ("SUBSTRING('abcdef' FROM 2 FOR 3)", "bcd"),
    ("SUBSTRING('abc' FROM -1 FOR 3)", "a"),
    ("SUBSTR('abc', 2)", "bc"),
    ("LEFT('abc', 2) || RIGHT('abc', 1)", "abc"),
    ("TRIM('  a b ')", "a b"),
    ("LTRIM('  a ')", "a "),
    ("'a' || NULL", None),
    ("CONCAT('a', NULL, 1)", "a1"),
    ("'abc' LIKE 'a%'", True),
    ("'a_c' LIKE 'a\\_c'", True),
    ("'abc' LIKE 'a\\_c'", False),
    ("'abc' LIKE '_b_'", True),
    ("'a\nb' LIKE 'a_b'", True),
    ("'a.c' LIKE 'a._'", True),
    ("'10%' LIKE '10!%' ESCAPE '!'", True),
    ("'ABC' ILIKE 'aB%'", True),
    ("'a' NOT LIKE 'b%'", True),
    ("'a' NOT ILIKE 'A'", False),
    ("'a%' NOT LIKE 'a!%' ESCAPE '!'", False),
    # casts: what does not look like the type is NULL
    ("CAST('12' AS INTEGER)", 12),
    ("CAST(' -7 ' AS INTEGER)", -7),
    ("CAST('1e3' AS INTEGER)", None),
    ("CAST('abc' AS INTEGER)", None),
    ("CAST('99999999999999999999' AS BIGINT)", None),
    ("CAST('1.005' AS NUMERIC(5, 2))", Decimal("1.01")),
    ("CAST(1000 AS NUMERIC(3, 0))", None),
    ("CAST('1e400' AS DOUBLE PRECISION)", None),
    ("CAST('nan' AS DOUBLE PRECISION)", None),
    ("CAST('2020-02-30' || '' AS DATE)", None),
    ("CAST(TRUE AS INTEGER)", 1),
    ("CAST(1.50 AS TEXT)", "1.50"),
    ("CAST(TRUE AS TEXT)", "true"),
    ("CAST('abcdef' AS VARCHAR(3))", "abc"),
    ("CAST(DATE '2020-01-02' AS TEXT)", "2020-01-02"),
    ("CAST(TIMESTAMP '2020-01-02 03:04:05' AS DATE)", date(2020, 1, 2)),
    # dates
    ("DATE '2020-03-01' - DATE '2020-02-28'", 2),
    ("DATE '2020-02-28' + 2", date(2020, 3, 1)),
    ("DATE '2020-03-01' - 1", date(2020, 2, 29)),
    ("DATE '9999-12-31' + 1", None),
    ("DATE '0001-01-01' - 1", None),
    ("DATE '2020-01-01' + 9223372036854775807", None),
    ("DATE '2020-01-31' + INTERVAL '1 month'", datetime(2020, 2, 29)),
    ("DATE '2020-01-31' - INTERVAL '1' YEAR", datetime(2019, 1, 31)),
    ("TIMESTAMP '2020-01-01 23:00:00' + INTERVAL '2 hours'", datetime(2020, 1, 2, 1)),
    ("DATE '2020-01-31' + 2 * INTERVAL '1 day'", datetime(2020, 2, 2)),
    ("DATE '2020-01-31' - INTERVAL '1 day' * 2", datetime(2020, 1, 29)),
    ("(INTERVAL '1 week' * -1) + DATE '2020-01-31'", datetime(2020, 1, 24)),
    ("DATE '2020-01-31' + INTERVAL '2 days' * 1.25", datetime(2020, 2, 2, 12)),
    ("DATE '2020-01-31' + INTERVAL '1 month' * 13", datetime(2021, 2, 28)),
    ("DATE '2020-01-31' + INTERVAL '1 day' * CAST('1e30' AS DOUBLE PRECISION)", None),
    ("CAST(CAST(TO_CHAR(DATE '2020-01-31', 'YYYYMMDD') AS VARCHAR(30)) AS INT)", 20200131),
    ("EXTRACT(EPOCH FROM TIMESTAMP '2020-01-02 00:00:01.5' - TIMESTAMP '2020-01-01')", Decimal("86401.500000")),
    ("EXTRACT(EPOCH FROM (CAST(DATE '2020-01-01' AS TIMESTAMP) - TIMESTAMP '2020-01-02'))", Decimal("-86400.000000")),
    (
        "CAST(EXTRACT(EPOCH FROM CAST(DATE '2020-03-01' AS TIMESTAMP) - CAST(DATE '2020-02-28' AS TIMESTAMP)) / 86400 "
        "AS BIGINT)",
        2,
    ),
    ("EXTRACT(DAY FROM TIMESTAMP '2020-01-03 01:00:00' - TIMESTAMP '2020-01-01 02:00:00')", 1),
    ("DATE_PART('day', TIMESTAMP '2020-01-01 02:00:00' - TIMESTAMP '2020-01-03 01:00:00')", -1),
    ("EXTRACT(DAY FROM DATE '2020-01-31' - 1)", 30),
    ("EXTRACT(YEAR FROM DATE '2020-05-06')", 2020),
    ("DATE_PART('quarter', DATE '2020-05-06')", 2),
    ("EXTRACT(WEEK FROM DATE '2021-01-01')", 53),
    ("EXTRACT(DOW FROM DATE '2021-01-03')", 0),
    ("EXTRACT(DOY FROM DATE '2020-12-31')", 366),
    ("YEAR('2020-05-06')", 2020),
    ("DATE_TRUNC('month', DATE '2020-05-06')", date(2020, 5, 1)),
    ("DATE_TRUNC('week', DATE '2021-01-03')", date(2020, 12, 28)),
    ("DATE_TRUNC('hour', TIMESTAMP '2020-01-02 03:04:05')", datetime(2020, 1, 2, 3)),
    ("MAKE_DATE(2020, 2, 30)", None),
    ("MAKE_DATE(2020, 2, 29)", date(2020, 2, 29)),
    ("MAKE_DATE(-1, 2, 29)", None),
    ("CURRENT_DATE", TODAY),
    ("CURRENT_DATE - DATE '2024-02-28'", 1),
    ("DATE '2020-05-06' < '2020-05-07'", True),
    ("DATE '2020-05-06' = TIMESTAMP '2020-05-06 00:00:00'", True),
]

DIALECTS = [
    ("tsql", "DATEDIFF(day, '2020-01-01', '2020-03-01')", 60),
    ("tsql", "DATEDIFF(year, '2019-12-31', '2020-01-01')", 1),
    ("tsql", "DATEDIFF(month, CAST('2020-01-31' AS DATE), CAST('2020-02-01' AS DATE))", 1),
    ("tsql", "DATEADD(day, 30, CAST('2020-01-01' AS DATE))", date(2020, 1, 31)),
    ("tsql", "DATEADD(month, -1, CAST('2020-03-31' AS DATE))", date(2020, 2, 29)),
    ("tsql", "YEAR(CAST('2020-03-31' AS DATE))", 2020),
    ("tsql", "DATEPART(quarter, CAST('2020-04-30' AS DATE))", 2),
    ("tsql", "DATEFROMPARTS(2020, 1, 2)", date(2020, 1, 2)),
    ("tsql", "IIF(1 = 2, 3, 4)", 4),
    ("tsql", "ISNULL(NULL, 5)", 5),
    ("tsql", "CONVERT(DATE, '2020-01-02')", date(2020, 1, 2)),
    ("tsql", "LEN(N'abc')", 3),
    ("tsql", "7 / 2", 3),
    ("tsql", "CAST(GETDATE() AS DATE)", TODAY),
    ("duckdb", "7 / 2", 3.5),
    ("duckdb", "7 // 2", 3),
    ("duckdb", "date_diff('day', DATE '2020-01-01', DATE '2020-01-03')", 2),
    ("bigquery", "1 / 2", 0.5),
    ("bigquery", "DATE_DIFF(DATE '2020-01-03', DATE '2020-01-01', DAY)", 2),
    ("bigquery", "DATE_ADD(DATE '2020-01-03', INTERVAL 2 DAY)", date(2020, 1, 5)),
    ("bigquery", "DATE_TRUNC(DATE '2020-05-06', MONTH)", date(2020, 5, 1)),
    ("snowflake", "DATEDIFF(day, DATE '2020-01-01', DATE '2020-01-03')", 2),
    ("snowflake", "DATEADD(day, 3, DATE '2020-01-01')", date(2020, 1, 4)),
    ("spark", "datediff(DATE '2020-01-03', DATE '2020-01-01')", 2),
    ("spark", "date_add(DATE '2020-01-01', 3)", date(2020, 1, 4)),
    ("redshift", "datediff(day, DATE '2020-01-01', DATE '2020-01-03')", 2),
    ("mysql", "datediff(DATE '2020-01-03', DATE '2020-01-01')", 2),
]

REFUSALS = [
    ("1 + 'a'", "sql.constant-malformed"),
    ("1 + TRUE", "sql.argument-types"),
    ("DATE '2020-02-30'", "sql.constant-malformed"),
    ("DATE '2020-01-01' < 'soon'", "sql.constant-malformed"),
    ("AGE(DATE '2020-01-01')", "sql.function-age"),
    ("LOWR('a')", "sql.function-unknown"),
    ("keyed_mix(1, 2)", "sql.function-unknown"),
    ("to_grid(1, 2)", "sql.function-unknown"),
    ("INTERVAL '1 day'", "sql.interval-form"),
    ("DATE '2020-01-01' + INTERVAL '1 day 2 hours'", "sql.interval-form"),
    ("DATE '2020-01-01' + INTERVAL '1 month' * 1.5", "sql.interval-form"),
    ("1 * INTERVAL '1 day'", "sql.interval-form"),
    ("EXTRACT(EPOCH FROM DATE '2020-01-02' - DATE '2020-01-01')", "sql.argument-types"),
    ("EXTRACT(CENTURY FROM DATE '2020-01-01')", "sql.unit-unknown"),
    ("EXTRACT(HOUR FROM DATE '2020-01-01')", "sql.unit-unknown"),
    ("CAST(1 AS BLOB)", "sql.type-unknown"),
    ("CAST('x' AS NUMERIC)", "sql.type-unknown"),
    ("CAST(CAST(1 AS DOUBLE PRECISION) AS TEXT)", "sql.cast-refused"),
    ("'a' LIKE 'b' || 'c'", "sql.argument-not-constant"),
    ("'a' LIKE 'b\\'", "sql.constant-malformed"),
    (f"'a' LIKE '{'%a' * 101}'", "sql.constant-too-long"),
    ("LEFT('abc', -1)", "sql.argument-not-constant"),
    ("SUBSTRING('abc', LENGTH('a'))", "sql.argument-not-constant"),
    ("CAST(1 AS NUMERIC(38, 0)) * CAST(10 AS NUMERIC(38, 0))", None),  # the facts of constants prove that it fits
    ("12345678901234567890123456789 * 12345678901234567890123456789", "sql.too-many-digits"),
    ("1e99", "sql.constant-malformed"),
    ("(1, 2)", "sql.form-refused"),
    ("TRIM('x' FROM 'xax')", "sql.form-refused"),
    ("CASE WHEN 1 THEN 2 END", "sql.argument-types"),
    ("CASE WHEN TRUE THEN 2 ELSE 'a' END", "sql.constant-malformed"),
]


@pytest.mark.parametrize("engine", NAMES)
@pytest.mark.parametrize(("text", "expected"), MEANINGS)
def test_an_expression_means_what_it_means_in_postgresql(text: str, expected: object, engine: str) -> None:
    found = value(text, engine=engine)
    assert (found, type(found)) == (expected, type(expected))


@pytest.mark.parametrize("engine", NAMES)
@pytest.mark.parametrize(("dialect", "text", "expected"), DIALECTS)
def test_a_dialect_is_read_for_what_it_means(dialect: str, text: str, expected: object, engine: str) -> None:
    found = value(text, dialect, engine)
    assert (found, type(found)) == (expected, type(expected))


@pytest.mark.parametrize(("text", "code"), REFUSALS)
def test_what_cannot_be_bounded_or_typed_is_refused_with_its_reason(text: str, code: str | None) -> None:
    if code is None:
        value(text)
        return
    with pytest.raises(Refused) as caught:
        meaning(text)
    (refusal,) = caught.value.refusals
    assert refusal.reason.code == code
    assert refusal.sentence
    assert refusal.remedy


def test_a_refusal_points_at_the_call_that_is_meant() -> None:
    with pytest.raises(Refused) as caught:
        meaning("1 +\n  LENGTH(5)")
    place = caught.value.refusals[0].place
    assert place is not None
    assert place.caret() == "  LENGTH(5)\n  ^^^^^^^^"


def test_a_misspelt_function_is_hinted_from_public_names_alone() -> None:
    with pytest.raises(Refused, match=r"sql\.function-unknown") as caught:
        meaning("keyed_mx(1)")
    assert "keyed" not in caught.value.refusals[0].remedy.lower()
    with pytest.raises(Refused) as caught:
        meaning("lowr('a')")
    assert "Did you mean LOWER()?" in caught.value.refusals[0].remedy


def test_facts_follow_by_interval_and_grid_arithmetic() -> None:
    doubled = meaning("2 * (ib - 5)", ib=nasty.REFS["ib"])
    assert doubled.facts.interval == Interval(Fraction(-20), Fraction(190))
    assert doubled.facts.granularity == 10
    part = meaning("EXTRACT(MONTH FROM mb)", mb=nasty.REFS["mb"])
    assert part.facts.domain == tuple(range(1, 13))
    month = meaning("DATE_TRUNC('quarter', mb)", mb=nasty.REFS["mb"])
    assert month.facts.domain == tuple(date(year, quarter, 1) for year in (2020, 2021) for quarter in (1, 4, 7, 10))


def test_the_results_of_case_are_its_domain() -> None:
    found = meaning("CASE WHEN ib > 5 THEN 'old' WHEN ib > 0 THEN 'young' END", ib=nasty.REFS["ib"])
    assert isinstance(found, Case)
    assert (found.facts.domain, found.facts.nullable, found.facts.max_length) == (("old", "young"), True, 5)


def test_constants_take_their_types_from_their_values() -> None:
    assert functions.literal(5).type.kind is Kind.INTEGER
    assert str(functions.literal(Decimal("1.50")).type) == "decimal(3,2)"
    assert functions.literal(2**63).type.kind is Kind.DECIMAL
    negative = meaning("-5")
    assert isinstance(negative, Literal)
    assert negative.value == -5
    assert meaning("-1234567890.12345678901234567890123456").facts.domain == (
        Decimal("-1234567890.12345678901234567890123456"),
    )
