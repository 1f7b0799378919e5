"""Groups that nobody declared leave only when enough people are in them (PRIVACY §3.5)."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

import pytest

from tests.attacks.lab import Lab, people
from tests.oracle.asking import WIDE
from tests.privacy.exact import gaussian

TIMES = 4_000
EVERYBODY = dict.fromkeys(range(1, 41), 1)
PROBE = "SELECT note, COUNT(*) FROM person GROUP BY note"


def named(unit: int) -> dict[str, str]:
    return {"note": "canary" if unit == 1 else "crowd"}


@pytest.mark.parametrize("delta", [Fraction(1, 10), Fraction(1, 100)])
def test_a_group_of_one_leaves_with_probability_delta_at_most(delta: Fraction) -> None:
    lab = Lab(
        people(EVERYBODY, named), replace(WIDE, keys_delta=delta, per_answer=replace(WIDE.per_answer, delta=10**18))
    )
    plan = lab.plan(PROBE)
    assert plan.cost.delta_fraction <= delta
    releases = lab.ask(plan, TIMES)
    out = sum(("canary",) in one.keys for one in releases)
    assert out <= float(delta) * TIMES + 4 * math.sqrt(float(delta) * TIMES)


def test_the_exact_tail_of_a_group_of_one_is_within_delta() -> None:
    for delta in (Fraction(1, 10), Fraction(1, 10**4), Fraction(1, 10**6)):
        lab = Lab(
            people(EVERYBODY, named), replace(WIDE, keys_delta=delta, per_answer=replace(WIDE.per_answer, delta=10**18))
        )
        (block,) = lab.plan(PROBE).blocks
        assert block.threshold is not None
        assert block.shape.units is not None
        scale = Fraction(block.mechanisms[block.shape.units].scale)
        noise = gaussian(scale, math.ceil(20 * scale) + block.threshold)
        leaves = sum((chance for value, chance in noise.items() if 1 + value > block.threshold), start=0 * noise[0])
        assert Fraction(leaves) * block.shape.groups <= delta


def test_a_group_of_nobody_never_leaves() -> None:
    """A name that nobody has is not among the engine's groups; a guess in WHERE makes no group."""
    lab = Lab(people(EVERYBODY, named))
    plan = lab.plan("SELECT note, COUNT(*) FROM person WHERE note = 'absent' GROUP BY note")
    assert all(one.keys == () for one in lab.ask(plan, 200))


def test_declared_groups_leave_whoever_is_there() -> None:
    """Known keys tell nothing: the same rows leave of a full data set and of an empty one."""
    full, empty = Lab(people(EVERYBODY)), Lab(people({}))
    text = "SELECT sex, COUNT(*) FROM person GROUP BY sex"
    keys = [lab.ask(lab.plan(text))[0].keys for lab in (full, empty)]
    assert keys[0] == keys[1] == ((1,), (2,), (None,))
