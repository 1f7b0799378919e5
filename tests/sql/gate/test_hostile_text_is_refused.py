"""Whatever is not one plain SELECT is refused with a code, a sentence, a remedy and a place, before anything runs."""

from __future__ import annotations

import logging
import time
from contextlib import suppress

import pytest

from tre.base.reasons import Refused
from tre.sql.parse import DIALECTS, parse

HOSTILE = [
    ("", "sql.empty"),
    (" -- nothing\n", "sql.empty"),
    (";;", "sql.empty"),
    ("SELECT 1; DROP TABLE person", "sql.several-statements"),
    ("DROP TABLE person", "sql.not-a-query"),
    ("INSERT INTO person VALUES (1)", "sql.not-a-query"),
    ("UPDATE person SET a = 1", "sql.not-a-query"),
    ("COPY person TO 'x'", "sql.not-a-query"),
    ("ATTACH 'x' AS y", "sql.syntax"),
    ("SET memory_limit = '1GB'", "sql.not-a-query"),
    ("PRAGMA version", "sql.not-a-query"),
    ("EXPLAIN SELECT 1", "sql.not-a-query"),
    ("VALUES (1)", "sql.not-a-query"),
    ("FROM person", "sql.not-a-query"),
    ("SELCT 1", "sql.syntax"),
    ("SELECT (1", "sql.syntax"),
    ("SELECT 1 1", "sql.syntax"),
    ("SELECT FROM WHERE", "sql.syntax"),
    ("SELECT", "sql.form-refused"),
    ("SELECT FROM person", "sql.form-refused"),
    ("WITH d AS (DELETE FROM person RETURNING *) SELECT * FROM d", "sql.form-refused"),
    ("WITH d AS (INSERT INTO person VALUES (1) RETURNING *) SELECT * FROM d", "sql.form-refused"),
    ("SELECT a INTO b FROM person", "sql.form-refused"),
    ("SELECT a FROM person FOR UPDATE", "sql.form-refused"),
    ("SELECT * FROM read_csv('/etc/passwd')", "sql.form-refused"),
    ("SELECT * FROM query('SELECT 1')", "sql.form-refused"),
    ("SELECT * FROM glob('*')", "sql.syntax"),
    ("SELECT * FROM generate_series(1, 10)", "sql.form-refused"),
    ("SELECT * FROM '/etc/passwd'", "sql.file-as-table"),
    ('SELECT * FROM "person.parquet"', "sql.file-as-table"),
    ('SELECT * FROM "https://example.org/x.csv"', "sql.file-as-table"),
    ("SELECT error(gender_concept_id) FROM person", "sql.function-unknown"),
    ("SELECT getenv('HOME') FROM person", "sql.function-unknown"),
    ("SELECT pg_sleep(10) FROM person", "sql.function-unknown"),
    ("SELECT current_setting('x') FROM person", "sql.function-unknown"),
    ("SELECT random() FROM person", "sql.function-unknown"),
    ("SELECT regexp_replace(a, 'b', 'c') FROM person", "sql.function-unknown"),
    ("SELECT repeat('x', 1000000000) FROM person", "sql.function-unknown"),
    ("SELECT java_method('java.lang.System', 'exit') FROM person", "sql.function-unknown"),
    ("SELECT array_agg(a) FROM person", "sql.function-unknown"),
    ("SELECT string_agg(a, ',') FROM person", "sql.function-unknown"),
    ("SELECT any_value(a) FROM person", "sql.function-unknown"),
    ("SELECT * EXCLUDE (a) FROM person", "sql.form-refused"),
    ("SELECT * REPLACE (1 AS a) FROM person", "sql.form-refused"),
    ("SELECT COLUMNS('a') FROM person", "sql.function-unknown"),
    ("SELECT a[1] FROM person", "sql.form-refused"),
    ("SELECT [1, 2] FROM person", "sql.function-unknown"),
    ("SELECT {'a': 1} FROM person", "sql.function-unknown"),
    ("SELECT a -> 'b' FROM person", "sql.function-unknown"),
    ('SELECT a COLLATE "C" FROM person', "sql.function-unknown"),
    ("SELECT a AT TIME ZONE 'UTC' FROM person", "sql.form-refused"),
    ("SELECT * FROM person PIVOT (COUNT(*) FOR a IN (1))", "sql.form-refused"),
    ("SELECT * FROM ONLY person", "sql.form-refused"),
    ("SELECT a & 1 FROM person", "sql.form-refused"),
    ("SELECT a FROM person WHERE a ~ '(a+)+b'", "sql.function-unknown"),
    ('SELECT U&"person" FROM person', "sql.literal-form"),
    ("SELECT U&'a' FROM person", "sql.literal-form"),
    ("SELECT E'\\x41' FROM person", "sql.literal-form"),
    ("SELECT $$a$$ FROM person", "sql.literal-form"),
    ("SELECT X'41' FROM person", "sql.literal-form"),
    ("SELECT $1 FROM person", "sql.literal-form"),
    ("SELECT ? FROM person", "sql.literal-form"),
    ("SELECT @x FROM person", "sql.literal-form"),
    ("SELECT :x FROM person", "sql.form-refused"),
    ("SELECT 'a FROM person", "sql.unreadable"),
    ('SELECT "a FROM person', "sql.unreadable"),
    ("SELECT p\u0435rson_id FROM person", "sql.not-ascii"),  # a Cyrillic letter
    ("SELECT a\u00a0FROM person", "sql.not-ascii"),
    ("SELECT \uff11 FROM person", "sql.not-ascii"),
    ('SELECT "pérson" FROM person', "sql.not-ascii"),
    ("SELECT 1 \u2212 1", "sql.not-ascii"),
    ("SELECT 1 # \u0435\n, p\u0435 FROM person", "sql.not-ascii"),
    ("SELECT 'a\x00b'", "sql.control-character"),
    ("SELECT '\x1b[31m'", "sql.control-character"),
    ("SELECT '\ud800'", "sql.control-character"),
    ("SELECT " + "1," * 9_000 + "1", "sql.too-long"),
]
DEEP = {
    "brackets": lambda n: "SELECT " + "(" * n + "1" + ")" * n,
    "unclosed": lambda n: "SELECT " + "(" * n,
    "calls": lambda n: "SELECT " + "abs(" * n + "1" + ")" * n,
    "subqueries": lambda n: "SELECT * FROM " + "(SELECT * FROM " * n + "t" + ") q" * n,
    "case": lambda n: "SELECT " + "CASE WHEN a THEN " * n + "1" + " END" * n,
    "case operands": lambda n: "SELECT " + "CASE " * n + "1" + " WHEN 1 THEN 1 END" * n,
    "not": lambda n: "SELECT " + "NOT " * n + "TRUE",
    "minus": lambda n: "SELECT " + "- " * n + "1",
    "plus": lambda n: "SELECT " + "+" * n + "1",
    "tilde": lambda n: "SELECT " + "~" * n + "1",
    "arrays": lambda n: "SELECT CAST(1 AS " + "ARRAY<" * n + "INT" + ">" * n + ")",
    "structs": lambda n: "SELECT " + "[" * n + "]" * n,
    "sums": lambda n: "SELECT 1" + "+1" * n,
    "products": lambda n: "SELECT 1" + "*1" * n,
    "pipes": lambda n: "SELECT ''" + "||''" * n,
    "casts": lambda n: "SELECT 1" + "::int" * n,
    "joins": lambda n: "SELECT * FROM t " + "JOIN t " * n + "ON 1=1 " * n,
    "arrows": lambda n: "SELECT " + "x->" * n + "1",
    "unions": lambda n: "SELECT 1" + " UNION SELECT 1" * n,
    "words": lambda n: "SELECT " + "DISTINCT " * n + "1",
    "intervals": lambda n: "SELECT " + "INTERVAL " * n + "'1' day",
    "dates": lambda n: "SELECT " + "DATE " * n + "'2020-01-01'",
    "dots": lambda n: "SELECT a" + ".a" * n,
    "between": lambda n: "SELECT 1 " + "BETWEEN 1 AND 1 " * n,
    "is": lambda n: "SELECT 1 " + "IS NULL " * n,
    "collate": lambda n: "SELECT a" + " COLLATE b" * n,
    "with": lambda n: "WITH a AS (" * n + "SELECT 1" + ") SELECT 1" * n,
    "exists": lambda n: "SELECT " + "EXISTS (SELECT " * n + "1" + ")" * n,
    "quantified": lambda n: "SELECT 1 = " + "ANY (SELECT " * n + "1" + ")" * n,
    "comments": lambda n: "SELECT " + "/*" * n + "*/" * n + "1",
}


@pytest.mark.parametrize(("text", "code"), HOSTILE)
def test_a_hostile_statement_is_refused(text: str, code: str) -> None:
    with pytest.raises(Refused) as caught:
        parse(text)
    assert code in [one.reason.code for one in caught.value.refusals]
    for one in caught.value.refusals:
        told = one.sentence + one.remedy
        assert told.isprintable()
        assert "{" not in told


@pytest.mark.parametrize("shape", DEEP)
@pytest.mark.parametrize("dialect", ["postgres", "duckdb", "tsql", "bigquery"])
def test_deep_nesting_is_refused_or_read_but_never_ends_the_process(shape: str, dialect: str) -> None:
    """The parser recurses, and a compiled one ends the process at 8,000 brackets."""
    for depth in (90, 101, 400, 2_000, 8_000):
        began = time.process_time()
        with suppress(Refused):
            parse(DEEP[shape](depth), dialect)
        assert time.process_time() - began < 1, f"{shape} at {depth} took too long to refuse"


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("item", ["a", "f(a)", "a+1", "CASE WHEN a THEN b END", "((a))"])
def test_a_large_and_deep_text_is_read_or_refused_within_a_second(item: str, dialect: str) -> None:
    """Some readers copy a subquery at every level: 90 levels around 14 KiB took more than ten seconds."""
    for depth in (1, 10, 90):
        inner = ", ".join([item] * ((15_000 - 25 * depth) // (len(item) + 2)))
        began = time.process_time()
        with suppress(Refused):
            parse("SELECT * FROM (" * depth + f"SELECT {inner} FROM t" + ") q" * depth, dialect)
        assert time.process_time() - began < 1


@pytest.mark.parametrize("join", ["JOIN t", "LEFT JOIN t", "JOIN t, t", "JOIN (SELECT 1 FROM t JOIN t JOIN t) q"])
def test_joins_without_conditions_are_refused_before_reading_them_takes_time_that_doubles(join: str) -> None:
    """Sixteen of them took a second, seventeen two; a text has room for two thousand."""
    for count in (3, 16, 40, 300):
        began = time.process_time()
        with suppress(Refused):
            parse(f"SELECT 1 FROM t {f'{join} ' * count}")
        assert time.process_time() - began < 1
    with pytest.raises(Refused, match=r"sql\.joins-open"):
        parse(f"SELECT 1 FROM t {f'{join} ' * 40}")


def test_joins_with_conditions_are_read_however_many_there_are() -> None:
    assert parse("SELECT 1 FROM t " + " ".join(f"JOIN t AS t{n} ON t{n}.a = t.a CROSS JOIN t u{n}" for n in range(30)))
    assert parse("SELECT 1 FROM a JOIN b JOIN c JOIN d ON d.x = c.x ON c.x = b.x ON b.x = a.x")


@pytest.mark.parametrize("between", ["", "f(", "1 + (", "CASE WHEN "])
@pytest.mark.parametrize(
    "word", ["DATE", "STRUCT", "DECIMAL", "TIMESTAMP", "OBJECT", "ENUM", "VARCHAR", "MAP", "ARRAY"]
)
def test_types_inside_each_other_take_no_time_that_doubles(word: str, between: str) -> None:
    with pytest.raises(Refused, match=r"sql\.types-open"):
        parse(f"SELECT {f'{word}({between}' * 25}1")
    with pytest.raises(Refused, match=r"sql\.types-open"):
        parse(f"SELECT DATE(INT(VARCHAR({word}(1)))) FROM t")


def test_types_side_by_side_are_read_however_many_there_are() -> None:
    casts = ", ".join(f"CAST(a AS DECIMAL({n}, 2)), CAST(b AS VARCHAR(9))" for n in range(3, 30))
    assert parse(f"SELECT {casts} FROM t")


def test_subqueries_of_a_usual_size_are_read() -> None:
    columns = ", ".join(f"column_{number}" for number in range(40))
    assert parse(f"SELECT * FROM (SELECT * FROM (SELECT * FROM (SELECT {columns} FROM t) a) b) c", "bigquery")
    with pytest.raises(Refused, match=r"sql\.too-nested"):
        parse("SELECT * FROM (" * 20 + f"SELECT {columns * 20} FROM t" + ") q" * 20)


@pytest.mark.parametrize("shape", ["brackets", "calls", "case", "minus", "not"])
def test_a_hundred_levels_are_read_and_a_hundred_and_one_are_not(shape: str) -> None:
    assert parse(DEEP[shape](100))
    with pytest.raises(Refused, match=r"sql\.too-deep"):
        parse(DEEP[shape](101))


def test_a_long_chain_of_conditions_is_read_and_becomes_shallow() -> None:
    tree = parse("SELECT 1 FROM t WHERE " + " OR ".join(f"a = {n}" for n in range(900))).tree
    level, depth = [tree.args["where"].this], 0
    while level:
        level, depth = [child for one in level for child in one.iter_expressions()], depth + 1
    assert depth < 20


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_dialect_reads_a_plain_question(dialect: str) -> None:
    parsed = parse("SELECT a, COUNT(*) AS n FROM t WHERE b > 1 AND c IN (1, 2) GROUP BY a ORDER BY n", dialect)
    assert parsed.dialect == dialect


def test_an_unknown_dialect_is_refused_by_name() -> None:
    with pytest.raises(Refused, match=r"sql\.dialect-unknown"):
        parse("SELECT 1", "klingon")


def test_every_refused_form_of_a_text_is_told_at_once_with_its_caret() -> None:
    with pytest.raises(Refused) as caught:
        parse("SELECT foo(a),\n  bar(b)\nFROM 'x.csv'")
    told = [(one.reason.code, one.place and one.place.caret()) for one in caught.value.refusals]
    assert sorted(told) == [
        ("sql.file-as-table", "FROM 'x.csv'\n     ^^^^^^^"),
        ("sql.function-unknown", "  bar(b)\n  ^^^^^"),
        ("sql.function-unknown", "SELECT foo(a),\n       ^^^^^"),
    ]


def test_a_syntax_error_is_placed_and_told_in_our_own_words() -> None:
    with pytest.raises(Refused) as caught:
        parse("SELECT a,\n  b c d\nFROM t")
    (refusal,) = caught.value.refusals
    assert refusal.sentence == "The text stops being SQL here."
    assert refusal.place is not None
    assert refusal.place.caret() == "  b c d\n      ^"


def test_a_text_that_reads_differently_when_written_again_is_refused() -> None:
    with pytest.raises(Refused, match=r"sql\.unstable"):
        parse("SELECT a FROM t AS c JOIN u", "bigquery")


def test_a_text_of_another_dialect_is_told_which_dialects_read_it_and_no_other_text_is() -> None:
    def codes(text: str, dialect: str = "postgres") -> list[tuple[str, str]]:
        with pytest.raises(Refused) as caught:
            parse(text, dialect)
        return [(one.reason.code, one.values.get("names", "")) for one in caught.value.refusals]

    assert codes("SELECT TOP 3 a FROM t")[1:] == [("sql.other-dialect", "oracle, redshift, snowflake, tsql")]
    assert [code for code, _ in codes("SELECT a,\n  b c d\nFROM t")] == ["sql.syntax"]
    assert [code for code, _ in codes("DELETE FROM t", "tsql")] == ["sql.not-a-query"]
    longer = "SELECT TOP 3 a FROM t WHERE a <> '" + "x" * 8192 + "'"
    assert [code for code, _ in codes(longer)] == ["sql.syntax"]


def test_comments_are_dropped_and_strings_may_hold_any_letter() -> None:
    parsed = parse("SELECT 'Zoë' AS a -- naïve: /* é\nFROM t /* ü */ WHERE b = '--'")
    assert "ü" not in parsed.tree.sql("postgres", comments=False)
    assert "Zoë" in parsed.tree.sql("postgres", comments=False)


def test_the_parser_writes_no_text_to_any_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), pytest.raises(Refused):
        parse("SELECT a FROM t PIVOT (canary) ALTER canary")
    assert not caplog.records
