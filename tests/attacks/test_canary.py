"""One patient more or less: what many answers can prove stays under what is claimed (PRIVACY §5)."""

from __future__ import annotations

from fractions import Fraction

import pytest

from tests.attacks.lab import Lab, clopper_pearson, epsilon_shown, people
from tre.base.cost import Measure
from tre.privacy.mechanisms import Mechanism
from tre.privacy.release import release

TIMES = 4_000
EVERYBODY = {unit: 1 + unit % 2 for unit in range(1, 41)}
CANARY = "SELECT COUNT(*) FROM person WHERE person_id = 1"


def test_the_interval_of_a_proportion_is_that_of_the_tables() -> None:
    low, high = clopper_pearson(5, 20, 0.95)  # Clopper & Pearson 1934; R: binom.test(5, 20)
    assert (round(low, 4), round(high, 4)) == (0.0866, 0.4910)


@pytest.mark.parametrize("epsilon", [Fraction(1, 2), Fraction(2)])
def test_a_canary_shows_no_more_epsilon_than_is_claimed(epsilon: Fraction) -> None:
    whole, less = Lab(people(EVERYBODY)), Lab(people(EVERYBODY).without(1))
    samples = [one.numbers(CANARY, TIMES, epsilon) for one in (whole, less)]
    delta = float(whole.rules.conversion_delta)
    for one, other in (samples, samples[::-1]):
        assert epsilon_shown(one, other, delta) <= float(epsilon)


def test_the_canary_is_heard_when_the_noise_is_a_tenth(monkeypatch: pytest.MonkeyPatch) -> None:
    """The measurement has teeth: with a tenth of the noise it proves more than is claimed."""
    loud = Lab.ask

    def faint(self: Lab, found: object, times: int = 1, noise: object = None) -> object:
        (block,) = found.blocks  # type: ignore[attr-defined]
        weak = {name: Mechanism(Measure.ZCDP, one.scale / 10) for name, one in block.mechanisms.items()}
        from dataclasses import replace

        quiet = replace(found, blocks=(replace(block, mechanisms=weak),))  # type: ignore[type-var]
        return loud(self, quiet, times)  # type: ignore[arg-type]

    monkeypatch.setattr(Lab, "ask", faint)
    whole, less = Lab(people(EVERYBODY)), Lab(people(EVERYBODY).without(1))
    one, other = (lab.numbers(CANARY, TIMES, Fraction(1, 2)) for lab in (whole, less))
    assert epsilon_shown(one, other, 1e-6) > 0.5
    assert release is not None


def test_the_difference_of_two_answers_is_as_noisy_as_both() -> None:
    """Differencing: all people, and all but one, asked at epsilon 1 each, prove at most epsilon 2."""
    samples = []
    for world in (people(EVERYBODY), people(EVERYBODY).without(1)):
        lab = Lab(world)
        everybody = lab.numbers("SELECT COUNT(*) FROM person", TIMES, Fraction(1))
        others = lab.numbers("SELECT COUNT(*) FROM person WHERE person_id <> 1", TIMES, Fraction(1))
        samples.append([a - b for a, b in zip(everybody, others, strict=True)])
    for one, other in (samples, samples[::-1]):
        assert epsilon_shown(one, other, 2e-6) <= 2
