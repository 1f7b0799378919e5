"""No date of one person decides whether an answer leaves: what engines cannot compute with is in no version."""

from __future__ import annotations

import duckdb
import pytest

from tre.catalogue import Kind, Type
from tre.onboarding.casts import typed

DATE, TIMESTAMP = Type(Kind.DATE), Type(Kind.TIMESTAMP)


@pytest.mark.parametrize(
    ("source", "value", "declared"),
    [
        ("VARCHAR", "'0000-01-01'", DATE),
        ("VARCHAR", "'0000-12-31 10:00:00'", TIMESTAMP),
        ("DATE", "DATE '12000-01-01'", DATE),
        ("DATE", "DATE '0044-03-15 (BC)'", DATE),
        ("DATE", "DATE '300000-01-01'", TIMESTAMP),
        ("DATE", "DATE 'infinity'", DATE),
        ("TIMESTAMP", "TIMESTAMP '10000-01-01 00:00:00'", TIMESTAMP),
        ("TIMESTAMP", "TIMESTAMP '-infinity'", TIMESTAMP),
        ("TIMESTAMP", "TIMESTAMP '10000-01-01 00:00:00'", DATE),
    ],
)
def test_a_date_beyond_the_years_1_to_9999_is_none(source: str, value: str, declared: Type) -> None:
    """A year 12000 raised in the engine's date arithmetic and in the decoding of keys: one person, no answer."""
    _, wrong = typed('"x"', source, declared)
    assert duckdb.sql(f'SELECT {wrong} FROM (SELECT {value} AS "x")').fetchall() == [(True,)]


@pytest.mark.parametrize("value", ["DATE '0001-01-01'", "DATE '9999-12-31'", "NULL::DATE"])
@pytest.mark.parametrize("declared", [DATE, TIMESTAMP])
def test_the_dates_that_are_computed_with_stay(value: str, declared: Type) -> None:
    _, wrong = typed('"x"', "DATE", declared)
    assert duckdb.sql(f'SELECT {wrong} FROM (SELECT {value} AS "x")').fetchall() == [(False,)]
