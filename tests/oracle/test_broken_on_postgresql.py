"""Each rule is broken once on purpose, and the oracle sees it on the second engine too (PRIVACY §5)."""

from __future__ import annotations

import pytest

from tests.oracle.broken import BROKEN, Broken
from tests.oracle.test_both_engines import postgres
from tests.oracle.test_broken_rules import seen

WORLDS = 15
HARMLESS = "the_ends_of_a_range_may_overflow"
"""PostgreSQL's in_range says which side of an end that overflows a value lies on, and raises nothing."""
HERE = [one for one in BROKEN if one.name != HARMLESS]


@pytest.mark.parametrize("broken", HERE, ids=lambda one: one.name)
def test_the_oracle_sees_on_postgresql(broken: Broken, monkeypatch: pytest.MonkeyPatch) -> None:
    broken.apply(monkeypatch)
    found = {one.promise for one in seen(broken, WORLDS, postgres())}
    assert found & set(broken.promises), f"saw {found}"


def test_what_is_left_out_is_there_by_name() -> None:
    assert HARMLESS in {one.name for one in BROKEN}
