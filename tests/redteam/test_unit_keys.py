"""No unit key is part of an answer, under whatever name it is asked for (PRIVACY §2)."""

from __future__ import annotations

import pytest

from tests.redteam.claims import CATALOGUE, TODAY
from tre.base.reasons import Refused
from tre.sql.binding import bind


@pytest.mark.parametrize("join", ["JOIN", "LEFT JOIN"])
def test_a_public_column_that_equals_the_key_does_not_leave_in_its_place(join: str) -> None:
    sql = f"SELECT c.concept_id, COUNT(*) FROM person p {join} concept c ON c.concept_id = p.person_id GROUP BY 1"
    with pytest.raises(Refused) as refused:
        bind(sql, CATALOGUE, TODAY)
    assert [one.reason.code for one in refused.value.refusals] == ["private.unit-key-leaves"]
