"""Dinur & Nissim 2003: many random subset counts give back no more secrets than the budget explains (PRIVACY §5)."""

from __future__ import annotations

from fractions import Fraction
from random import Random

import numpy as np
import pytest

from tests.attacks.lab import Lab, people

PATIENTS, QUESTIONS, RUNS = 32, 64, 40


def recovered(secrets: np.ndarray, subsets: np.ndarray, answers: np.ndarray) -> float:
    """Return the share of secret bits that least squares finds from noisy subset counts."""
    guess, *_ = np.linalg.lstsq(subsets, answers, rcond=None)
    return float(np.mean((guess > 0.5) == (secrets > 0.5)))


@pytest.mark.parametrize("whole", [Fraction(1, 4), Fraction(4)])
def test_random_subsets_recover_no_more_than_simulation_says(whole: Fraction) -> None:
    """`whole` is the epsilon of all questions together, spread over them."""
    random, rng = Random(11), np.random.default_rng(11)
    secrets = np.array([random.randrange(2) for _ in range(PATIENTS)])
    subsets = rng.integers(0, 2, size=(QUESTIONS, PATIENTS))
    lab = Lab(people({unit + 1: 1 + int(bit) for unit, bit in enumerate(secrets)}))
    epsilon = whole / 8  # rho adds, so QUESTIONS = 8² answers of an eighth cost about the whole
    columns, scale = [], 0.0
    for subset in subsets:
        members = ", ".join(str(unit + 1) for unit in np.flatnonzero(subset))
        plan = lab.plan(f"SELECT COUNT(*) FROM person WHERE sex = 2 AND person_id IN ({members})", epsilon)
        (block,) = plan.blocks
        name = block.shape.outputs[0].terms[0][0]
        scale = block.mechanisms[name].scale
        columns.append([one.vectors[name][0] for one in lab.ask(plan, RUNS)])
    answers = np.array(columns)
    found = [recovered(secrets, subsets, answers[:, run]) for run in range(RUNS)]
    simulated = [
        recovered(secrets, subsets, subsets @ secrets + rng.normal(0, scale, QUESTIONS)) for _ in range(10 * RUNS)
    ]
    allowed = np.mean(simulated) + 3 * np.std(simulated) / np.sqrt(RUNS) + 3 * np.std(simulated) / np.sqrt(10 * RUNS)
    assert np.mean(found) <= allowed


def test_without_noise_the_secrets_are_found() -> None:
    """The attack has teeth: exact counts give everything back."""
    rng = np.random.default_rng(3)
    secrets, subsets = rng.integers(0, 2, PATIENTS), rng.integers(0, 2, size=(QUESTIONS, PATIENTS))
    assert recovered(secrets, subsets, subsets @ secrets) == 1.0
