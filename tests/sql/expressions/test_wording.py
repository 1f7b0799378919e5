"""Words for an expression take time in proportion to it."""

from __future__ import annotations

from tests.sql.expressions.spoken import meaning
from tre.sql.wording import worded


def test_a_long_chain_is_worded_with_each_part_once() -> None:
    chain = " + ".join(["1"] * 60)
    assert worded(meaning(f"({chain}) / 2 > 3")).count("1") == 60
