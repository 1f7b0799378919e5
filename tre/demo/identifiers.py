"""Identifiers that are valid in form and belong to nobody: they must never reach an analyst.

NHS numbers: ten digits, the last a modulus-11 check digit (NHS Data Dictionary, "NHS NUMBER"). Those from
999 000 0000 are reserved for tests; the demonstration takes them first, then 998, 997 …, which are not issued.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

_STEMS_PER_PREFIX = 10**6
_WEIGHTS = np.arange(10, 1, -1)
_SCRAMBLE = 611_953  # prime, so that index → index·p mod n is a permutation of any n it does not divide


def nhs_numbers(first: int, count: int) -> NDArray[np.str_]:
    """Return the NHS numbers of people `first` … `first + count − 1`: distinct, valid, in no person's order."""
    wanted = np.arange(first, first + count)
    numbers = np.empty(count, dtype="U10")
    prefix = 999
    while len(wanted):
        stems, checks = _valid_stems(prefix)
        here = wanted < len(stems)
        pick = wanted[here] * _SCRAMBLE % len(stems)
        slots = len(numbers) - len(wanted) + np.flatnonzero(here)
        numbers[slots] = (stems[pick] * 10 + checks[pick]).astype("U10")
        wanted = wanted[~here] - len(stems)
        prefix -= 1
    return numbers


def check_digits(stems: Ints) -> Ints:
    """Return the check digit of each nine-digit stem; 10 means that the stem has none."""
    digits = stems[:, None] // 10 ** np.arange(8, -1, -1) % 10
    result: Ints = (11 - digits @ _WEIGHTS % 11) % 11
    return result


def postcodes(rng: np.random.Generator, area: Ints) -> NDArray[np.str_]:
    """Return a postcode in each area's outward code; ZZ is no postcode area, so nobody lives there."""
    letters = "ABDEFGHJLNPQRSTUWXYZ"
    inward = np.array([f" {digit}{one}{two}" for digit in range(10) for one in letters for two in letters])
    return np.asarray(np.strings.add(outward(area), inward[rng.integers(0, len(inward), len(area))]))


def outward(area: Ints) -> NDArray[np.str_]:
    """Return the outward code of small areas numbered from 0, forty areas a code."""
    return np.strings.add("ZZ", (1 + area // 40 % 99).astype("U2"))


@lru_cache(maxsize=2)
def _valid_stems(prefix: int) -> tuple[Ints, Ints]:
    stems = prefix * _STEMS_PER_PREFIX + np.arange(_STEMS_PER_PREFIX)
    checks = check_digits(stems)
    return stems[checks < 10], checks[checks < 10]
