"""One person less is one person less: nobody else's rows change by it (PRIVACY §1 "Neighbours")."""

from __future__ import annotations

import io
import random

from tre.onboarding.cluster import unit_numbers


def test_a_persons_number_does_not_tell_how_many_others_there_are() -> None:
    """With ranks 1..n somebody else took the missing number: SUM … WHERE person_id < n moved by two people's rows."""
    stream = random.Random(7).randbytes(800)
    with_everybody = unit_numbers(100, io.BytesIO(stream).read)
    without_one = unit_numbers(99, io.BytesIO(stream).read)
    assert list(without_one) == list(with_everybody[:99])
    assert len(set(with_everybody)) == 100
    assert min(with_everybody) >= 0


def test_two_people_never_share_a_number() -> None:
    twice = bytes(16) + (1 << 8).to_bytes(8, "little") + (1 << 9).to_bytes(8, "little")
    assert list(unit_numbers(2, io.BytesIO(twice).read)) == [64, 128]
