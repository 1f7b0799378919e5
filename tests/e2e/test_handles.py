"""Questions under way, on a real server: taken back, found again, listed."""

import pytest

from tre.client import TreRefused, connect


@pytest.fixture
def paced(service, token):
    return connect(service.url, token=token, project="paced")


def test_a_question_is_taken_back_and_its_history_says_so(paced):
    pending = paced.query("SELECT COUNT(*) AS n FROM person WHERE year_of_birth > 1961", epsilon="0.1", wait=False)
    said = pending.cancel()
    assert pending.done
    assert pending.state in ("voided", "burned")
    assert ("given back" if pending.state == "voided" else "stays spent") in said
    with pytest.raises(TreRefused):
        pending.result()
    newest = next(iter(paced.history()))
    assert (newest.id, newest.state) == (pending.id, pending.state)
    assert "1961" in newest.sql


def test_a_question_is_found_again_by_its_id_and_answered(paced):
    pending = paced.query("SELECT COUNT(*) AS n FROM person WHERE year_of_birth > 1962", epsilon="0.1", wait=False)
    seen = []
    result = paced.find(pending.id).result(progress=lambda seconds, state: seen.append(state))
    assert result.query == pending.id
    assert seen[-1] == "committed"
    assert result.chart() is not None
