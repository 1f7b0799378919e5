"""Random bytes and soups of tokens: a tree or a refusal, in well under a second, and nothing else."""

from __future__ import annotations

import time

from hypothesis import given, settings
from hypothesis import strategies as some

from tests.sql.expressions.spoken import TODAY
from tre.base.reasons import Refused
from tre.sql import functions
from tre.sql.parse import DIALECTS, parse

_WORDS = """
SELECT FROM WHERE GROUP BY HAVING ORDER LIMIT OFFSET UNION ALL INTERSECT EXCEPT WITH RECURSIVE AS ( ) , . * +
- / % = <> < > <= >= || :: ; [ ] { } ' " ` $ @ # ! ~ ^ & | ? : -> ->> => := CASE WHEN THEN ELSE END NOT AND OR
IN IS NULL EXISTS ANY BETWEEN LIKE ILIKE ESCAPE INTERVAL DATE TIMESTAMP CAST TRY_CAST EXTRACT TRIM SUBSTRING
OVERLAY POSITION JOIN LEFT RIGHT FULL CROSS INNER OUTER NATURAL LATERAL UNNEST VALUES TABLE TABLESAMPLE PIVOT
UNPIVOT QUALIFY WINDOW OVER PARTITION ROWS RANGE FILTER WITHIN DISTINCT ON USING FOR UPDATE INTO TOP FETCH
FIRST ROW ONLY TIES COLLATE AT TIME ZONE ARRAY STRUCT MAP ROW GROUPING SETS CUBE ROLLUP INSERT DELETE DROP
CREATE ALTER SET COPY CALL EXPLAIN DESCRIBE PRAGMA MERGE GRANT a b t 1 2.5 1e9 'x' 'é' "q" U&"q" E'x' $$x$$
x'1' -- /* */ count sum avg coalesce abs lower left nullif date_trunc datediff generate_series
""".split()  # noqa: SIM905 - a page of words, not of quotes
_SOUP = some.lists(some.sampled_from(_WORDS), max_size=60).map(" ".join)
_NOISE = some.one_of(some.text(max_size=300), some.binary(max_size=300).map(lambda raw: raw.decode("latin-1")))


def _parsed_or_refused(text: str, dialect: str) -> None:
    began = time.process_time()
    try:
        tree = parse(text, dialect).tree
    except Refused as refused:
        told = [one.as_json() for one in refused.refusals]
    else:
        told = [node for node in tree.walk() if functions.is_function(node) or not functions.operands(node)]
    assert told
    assert time.process_time() - began < 1


@settings(max_examples=400, deadline=None)
@given(_SOUP, some.sampled_from(DIALECTS))
def test_a_soup_of_tokens_is_a_query_or_a_refusal(text: str, dialect: str) -> None:
    _parsed_or_refused("SELECT " + text, dialect)


@settings(max_examples=200, deadline=None)
@given(some.one_of(_SOUP, _NOISE), some.sampled_from(DIALECTS))
def test_any_text_is_a_query_or_a_refusal(text: str, dialect: str) -> None:
    _parsed_or_refused(text, dialect)


@settings(max_examples=100, deadline=None)
@given(some.lists(some.sampled_from(_WORDS), min_size=1, max_size=12), some.integers(1, 3_000))
def test_a_repeated_soup_is_refused_quickly(words: list[str], times: int) -> None:
    """Whatever a parser may do with one pattern over and over, it cannot take long."""
    text = " ".join(words)
    _parsed_or_refused("SELECT " + (text + " ") * min(times, 16_000 // (len(text) + 1)), "postgres")


@settings(max_examples=300, deadline=None)
@given(some.lists(some.sampled_from(_WORDS), max_size=25).map(" ".join))
def test_an_expression_that_passed_the_gate_is_bound_or_refused(text: str) -> None:
    try:
        parsed = parse("SELECT " + text)
        for node in parsed.tree.find_all(*functions.GRAMMAR):
            arguments = [functions.literal(1) for _ in functions.operands(node)]
            functions.bind_node(node, arguments, parsed, TODAY)
    except Refused:
        pass
