"""What an outsider can prove about one patient from answers over HTTP stays under the claim (PRIVACY §5)."""

import math
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.attacks.lab import clopper_pearson
from tests.e2e.sources import CANARY_BORN

CLAIM = 1.0
DELTA = 2e-7
ANSWERS = 100
SURE = 0.999


def answers(service, token, project):
    """Ask after the canary in many ways that mean the same, each with noise of its own."""

    def one(number):
        sql = f"SELECT COUNT(*) AS n FROM person WHERE year_of_birth = {CANARY_BORN} AND month_of_birth <> {number}"
        answer = service.ask(sql, token, project=project, epsilon=str(CLAIM))
        assert answer.status_code == 200, answer.text
        (row,) = answer.json()["result"]["rows"]
        return row[0]

    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(one, range(100, 100 + ANSWERS)))


def proven(one, other, cut):
    """Return the epsilon that the event “at least `cut`” proves, at confidence SURE for both samples together."""
    hits, misses = (sum(value >= cut for value in sample) for sample in (one, other))
    low, _ = clopper_pearson(hits, len(one), SURE)
    _, high = clopper_pearson(misses, len(other), SURE)
    return math.log((low - DELTA) / high) if low > DELTA else 0.0


def test_the_canary_is_proven_no_further_than_the_claim(service, token):
    present, absent = answers(service, token, "with"), answers(service, token, "without")
    assert proven(present, absent, 1) <= CLAIM
    assert proven([-value for value in absent], [-value for value in present], 0) <= CLAIM
    assert len(set(present)) > 8, "every answer has noise of its own"


def test_the_measure_would_see_answers_without_noise():
    assert proven([1] * ANSWERS, [0] * ANSWERS, 1) > CLAIM


@pytest.mark.parametrize("cut", [0, 1])
def test_answers_of_the_claimed_noise_are_not_blamed(cut):
    """A sample with exactly the claim's odds proves less than the claim."""
    hits = round(ANSWERS * math.e / (1 + math.e))
    one, other = [1] * hits + [0] * (ANSWERS - hits), [1] * (ANSWERS - hits) + [0] * hits
    assert proven(one, other, cut) <= CLAIM
